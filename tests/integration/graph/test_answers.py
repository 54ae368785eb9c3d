"""Known answers on the hand-made story: every number is checked, down to its decimals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fulcrum.settings import PROJECT_ROOT
from tests.factories.graph_world import SHA256, GraphWorld

EXAMPLES = PROJECT_ROOT / "schemas" / "graphql" / "examples"


def example(name: str) -> str:
    return (EXAMPLES / f"{name}.graphql").read_text("utf-8")


@pytest.mark.usefixtures("world")
def test_wealth_is_units_at_their_published_price_and_mandates_at_their_nav(asked: Any) -> None:
    client = asked.data(example("client_wealth"), {"client": "C-1", "asOf": "2026-01-15"})["client"]
    assert client["wealth"] == [
        {"currencyCode": "EUR", "amount": "1265.62500", "unitHoldings": 1, "mandates": 0, "isComplete": True},
        {"currencyCode": "USD", "amount": "1000.50", "unitHoldings": 0, "mandates": 1, "isComplete": True},
    ]
    (account,) = client["accounts"]["nodes"]
    (units,) = account["unitHoldings"]["nodes"]
    assert units["value"] == {
        "amount": "1265.62500",
        "currencyCode": "EUR",
        "unitPrice": "101.2500",
        "priceDate": "2026-01-14",
        "stalenessDays": 1,
    }
    assert units["shareClass"]["portfolio"]["code"] == "FUND"
    (mandate,) = client["portfolios"]["nodes"]
    assert mandate["latestNav"]["navBase"] == "1000.50"
    assert mandate["latestNav"]["trust"] == {"verdict": "passed", "stalenessDays": 3, "warnings": []}


@pytest.mark.usefixtures("world")
def test_wealth_of_a_day_without_unit_price_says_that_it_is_incomplete(asked: Any) -> None:
    client = asked.data('{ client(code: "C-1", asOf: "2026-01-13") { wealth { currencyCode amount isComplete } } }')
    assert client["client"]["wealth"] == [{"currencyCode": "USD", "amount": None, "isComplete": False}]


def test_holdings_are_as_they_were_known_before_and_after_a_restatement(asked: Any, world: GraphWorld) -> None:
    def known(moment: str | None) -> dict[str, str]:
        variables = {"portfolio": "FUND", "asOf": "2026-01-15", "knownAt": moment}
        portfolio = asked.data(example("holdings_as_known"), variables)["portfolio"]
        nodes = portfolio["holdings"]["nodes"] if portfolio else []
        return {node["instrument"]["name"]: node["quantity"] for node in nodes}

    restated = world.publications
    assert known(world.known_at(restated - 1).isoformat()) == {"Pence plc": "100", "Plain Inc": "40"}
    assert known(world.known_at(restated).isoformat()) == {"Pence plc": "110", "Plain Inc": "40"}
    assert known(None) == {"Pence plc": "110", "Plain Inc": "40"}
    assert known("2020-01-01T00:00:00Z") == {}


@pytest.mark.usefixtures("world")
def test_a_number_is_explained_down_to_the_rows_of_its_files(asked: Any) -> None:
    portfolio = asked.data(example("number_explained"), {"portfolio": "FUND", "asOf": "2026-01-15"})["portfolio"]
    assert portfolio["nav"]["explain"]["calculation"] == "sum of 2 of 2 positions = 635.7 EUR"
    largest = portfolio["valuations"]["nodes"][0]
    assert largest["marketValueBase"] == "323.2"
    assert largest["trust"]["warnings"] == ["VALUED_STALE_PRICE"]
    assert largest["trust"]["stalenessDays"] == 3
    explained = largest["explain"]
    assert explained["calculation"] == "40 x 10.10 x 1 x 1 = 404.00 USD; x 0.8 (USD>EUR) = 323.2 EUR"
    assert [(i["role"], i["value"], i["file"], i["sourceRow"]) for i in explained["inputs"]] == [
        ("fx", "1.25", "fx.csv", "3"),
        ("holding", "40", "holdings.csv", "3"),
        ("price", "10.10", "prices.csv", "2"),
    ]
    assert {i["sha256"] for i in explained["inputs"]} == {SHA256}


@pytest.mark.usefixtures("world")
def test_the_explanation_keeps_the_inputs_of_its_time_when_one_is_restated_later(asked: Any) -> None:
    query = """{ portfolio(code: "FUND") { valuations { nodes { instrument { name } holding { quantity }
      explain { inputs { role value } } } } } }"""
    first = asked.data(query)["portfolio"]["valuations"]["nodes"][0]
    assert first["instrument"]["name"] == "Pence plc"
    assert first["holding"]["quantity"] == "110"
    assert {"role": "holding", "value": "100"} in first["explain"]["inputs"]


@pytest.mark.usefixtures("world")
def test_an_instrument_is_found_by_each_of_its_names(asked: Any) -> None:
    for by in (
        'isin: "GB00PENCE001"',
        'code: "ISIN:GB00PENCE001"',
        'identifier: {scheme: "ISIN", value: "GB00PENCE001"}',
    ):
        found = asked.data(f"{{ instrument(by: {{{by}}}) {{ name latestPrice {{ price businessDate }} }} }}")
        assert found["instrument"] == {
            "name": "Pence plc",
            "latestPrice": {"price": "250", "businessDate": "2026-01-15"},
        }
    variables = {"by": {"identifier": {"scheme": "ISIN", "value": "US00PLAIN001"}}}
    query = "query($by: InstrumentBy!) { instrument(by: $by) { name } }"
    assert asked.data(query, variables)["instrument"] == {"name": "Plain Inc"}
    assert asked.data(query, {"by": {"sedol": "0000000"}})["instrument"] is None


@pytest.mark.usefixtures("world")
def test_every_node_is_found_again_by_its_id(asked: Any) -> None:
    connections = ["clients", "portfolios", "instruments", "holdings", "valuations", "navs", "fxRates", "prices"]
    connections += ["accounts", "shareClasses", "unitHoldings", "publications", "deliveries"]
    lists = " ".join(f"{name}(first: 2) {{ nodes {{ id __typename }} }}" for name in connections)
    for name, found in asked.data(f"{{ {lists} }}").items():
        assert found["nodes"], name
        for node in found["nodes"]:
            query = "query($id: ID!) { node(id: $id) { __typename id } }"
            assert asked.data(query, {"id": node["id"]})["node"] == node


@pytest.mark.usefixtures("world")
def test_trust_tells_publication_file_and_warnings(asked: Any, connection: Any, world: GraphWorld) -> None:
    first = asked.data('{ holdings(knownAt: "2026-01-05T16:00:00Z") { nodes { trust { publication } } } }')
    number = first["holdings"]["nodes"][0]["trust"]["publication"]
    delivery = world.delivery_of(number)
    connection.execute(
        "insert into quality.validation (delivery_id, suite_name, started_at, finished_at, verdict, rows_judged,"
        " engine_version) values (%s, 's', now(), now(), 'warned', 2, '1')",
        [delivery],
    )
    connection.execute(
        "insert into quality.validation_result (validation_id, rule_id, rule_version, dimension, severity, level,"
        " owner, status, message) select validation_id, 'holding.price_move', 1, 'accuracy', 'warning', 'set', 'o',"
        " 'failed', 'moved 30 %' from quality.validation"
    )
    connection.commit()
    query = """{ holdings(knownAt: "2026-01-05T16:00:00Z") { nodes { trust {
      verdict publication knownAt feed deliveryFile fileSha256 warnings stalenessDays } } } }"""
    assert asked.data(query)["holdings"]["nodes"][0]["trust"] == {
        "verdict": "warned",
        "publication": number,
        "knownAt": world.known_at(number).isoformat(),
        "feed": "house_holdings",
        "deliveryFile": "holdings.csv",
        "fileSha256": SHA256,
        "warnings": ["holding.price_move: moved 30 %"],
        "stalenessDays": 0,
    }


@pytest.mark.usefixtures("world")
def test_the_examples_are_valid_and_their_variables_fit(asked: Any) -> None:
    for path in sorted(EXAMPLES.glob("*.graphql")):
        variables = json.loads(Path(path).with_suffix(".json").read_text("utf-8"))
        assert "errors" not in asked.answer(path.read_text("utf-8"), variables), path.name
    assert len(list(EXAMPLES.glob("*.graphql"))) >= 3


@pytest.mark.usefixtures("world")
def test_long_aliases_fragments_and_directives_are_answered_as_the_specification_has_it(asked: Any) -> None:
    alias = "a" * 200
    query = f"""query($yes: Boolean!) {{
      {alias}: portfolio(code: "FUND") {{ ...Named name @skip(if: $yes) {alias}: code holdings {{ totalCount }} }}
      portfolio(code: "FUND") {{
        ... on Node {{ id }} ... @include(if: $yes) {{ code }} holdings {{ {alias}: totalCount }}
      }}
    }} fragment Named on Portfolio {{ name kind: kindCode }}"""
    assert asked.data(query, {"yes": True}) == {
        alias: {"name": "World Fund", "kind": "FUND", alias: "FUND", "holdings": {"totalCount": 2}},
        "portfolio": {"id": "Portfolio:1", "code": "FUND", "holdings": {alias: 2}},
    }


@pytest.mark.usefixtures("world")
def test_introspection_and_data_may_stand_in_one_query(asked: Any) -> None:
    query = '{ a: __type(name: "Nav") { name } portfolio(code: "FUND") { code } __typename }'
    answer = asked.answer(query)
    assert answer["data"] == {"a": {"name": "Nav"}, "portfolio": {"code": "FUND"}, "__typename": "Query"}
    assert list(answer["data"]) == ["a", "portfolio", "__typename"]
