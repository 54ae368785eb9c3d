"""Exposure by each dimension: sums, weights, completeness, pages and how a sum was made."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import psycopg
import pytest

from tests.factories.graph_house import MANDATE, PLAIN, write_house
from tests.factories.graph_story import DAY
from tests.factories.graph_world import GraphWorld


@pytest.fixture(autouse=True)
def house(connection: psycopg.Connection[Any]) -> GraphWorld:
    """The house of `graph_house`, committed."""
    return write_house(connection)


FIELDS = "nodes { rank code name valueBase baseCurrencyCode weightPct positions positionsValued isComplete }"


def test_the_positions_of_a_fund_add_up_along_every_dimension(asked: Any) -> None:
    dimensions = ("ASSET_CLASS", "CURRENCY", "COUNTRY", "SECTOR", "ISSUER", "INSTRUMENT")
    asks = " ".join(f"{name.lower()}: exposure(by: {name}) {{ totalCount {FIELDS} }}" for name in dimensions)
    found = asked.data(f'{{ portfolio(code: "FUND", asOf: "2026-01-15") {{ {asks} }} }}')["portfolio"]
    codes = {name: [(n["code"], n["name"]) for n in one["nodes"]] for name, one in found.items()}
    assert codes == {
        "asset_class": [("EQUITY", "EQUITY"), ("DEBT", "DEBT")],
        "currency": [("GBP", "GBP"), ("USD", "USD")],
        "country": [(None, None), ("US", "US")],
        "sector": [(None, None), ("Software", "Software")],
        "issuer": [(None, None), ("529900T8BM49AURSDO55", "Plain Incorporated")],
        "instrument": [("ISIN:GB00PENCE001", "Pence plc"), ("ISIN:US00PLAIN001", "Plain Inc")],
    }
    for one in found.values():
        assert one["totalCount"] == 2
        assert [(n["rank"], n["valueBase"], n["weightPct"]) for n in one["nodes"]] == [
            (1, "343.75", "51.54059525"),
            (2, "323.2", "48.45940475"),
        ]
        assert sum(Decimal(n["weightPct"]) for n in one["nodes"]) == 100
        assert {n["baseCurrencyCode"] for n in one["nodes"]} == {"EUR"}


def test_a_position_without_a_value_is_counted_and_makes_its_sum_incomplete(asked: Any, house: GraphWorld) -> None:
    house.supersede("mart.position_valuation", house.publications, portfolio_id=MANDATE, instrument_id=PLAIN)
    house.fact(
        "mart.position_valuation",
        house.publications,
        portfolio_id=MANDATE,
        business_date=DAY,
        instrument_id=PLAIN,
        position_code="",
        base_currency_code="USD",
        valuation_status_code="PRICE_MISSING",
        holding_publication_id=21,
    )
    house.connection.commit()
    query = f'{{ portfolio(code: "MANDATE", asOf: "2026-01-15") {{ exposure(by: ASSET_CLASS) {{ {FIELDS} }} }} }}'
    nodes = asked.data(query)["portfolio"]["exposure"]["nodes"]
    assert [(n["code"], n["valueBase"], n["weightPct"], n["positions"], n["isComplete"]) for n in nodes] == [
        ("DEBT", None, None, 1, False),
        ("EQUITY", None, None, 1, False),
    ]
    assert {(n["positionsValued"], n["baseCurrencyCode"]) for n in nodes} == {(0, "USD")}


def test_exposure_is_paged_filtered_and_counted_like_any_list(asked: Any) -> None:
    query = """query($by: ExposureDimension!, $after: String) { portfolio(code: "FUND", asOf: "2026-01-15") {
      exposure(by: $by, first: 1, after: $after) { edges { cursor node { code } } pageInfo { hasNextPage } }
      usd: exposure(by: $by, where: { code: { eq: "USD" } }) { totalCount nodes { code rank } } } }"""
    first = asked.data(query, {"by": "CURRENCY"})["portfolio"]
    assert first["exposure"]["pageInfo"] == {"hasNextPage": True}
    assert first["usd"] == {"totalCount": 1, "nodes": [{"code": "USD", "rank": 2}]}
    cursor = first["exposure"]["edges"][0]["cursor"]
    second = asked.data(query, {"by": "CURRENCY", "after": cursor})["portfolio"]["exposure"]
    assert [edge["node"]["code"] for edge in second["edges"]] == ["USD"]
    assert second["pageInfo"] == {"hasNextPage": False}
    by_class = asked.data(query, {"by": "ASSET_CLASS"})["portfolio"]["exposure"]
    assert [edge["node"]["code"] for edge in by_class["edges"]] == ["EQUITY"]


def test_exposure_is_explained_by_the_valuations_and_files_behind_it(asked: Any) -> None:
    query = """{ portfolio(code: "FUND", asOf: "2026-01-15") { exposure(by: CURRENCY, first: 1) { nodes { code
      explain { calculation inputs { role label value currencyCode publication rows file } } } } } }"""
    (pence,) = asked.data(query)["portfolio"]["exposure"]["nodes"]
    assert pence["code"] == "GBP"
    assert pence["explain"]["calculation"] == "sum of 1 of 1 positions = 343.75 EUR"
    holding, valuation = pence["explain"]["inputs"]
    assert (holding["role"], holding["file"], holding["rows"]) == ("holding", "holdings_restated.csv", "1")
    assert valuation == {
        "role": "valuation",
        "label": "VALUED",
        "value": "343.75",
        "currencyCode": "EUR",
        "publication": 22,
        "rows": "1",
        "file": None,
    }
