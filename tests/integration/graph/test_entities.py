"""Entities of a whole house, found by every name they have: known answers, down to the decimals."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from tests.factories.graph_house import LEI, write_house
from tests.factories.graph_world import GraphWorld

DAY = 'asOf: "2026-01-15"'


@pytest.fixture(autouse=True)
def house(connection: psycopg.Connection[Any]) -> GraphWorld:
    """The house of `graph_house`, committed."""
    return write_house(connection)


FOUND = (
    (f'client(by: {{lei: "{LEI}"}}) {{ code }}', "C-1"),
    ('client(by: {identifier: {scheme: "CRM", value: "4711"}}) { code }', "C-1"),
    ('client(by: {code: "C-1"}) { code }', "C-1"),
    ('client(code: "C-1") { code }', "C-1"),
    (f'portfolio(by: {{lei: "{LEI}"}}) {{ code }}', "UMBRELLA"),
    ('portfolio(by: {isin: "LU0000000001"}) { code }', "FUND"),
    ('shareClass(by: {isin: "LU0000000001"}) { code }', "FUND-A"),
    (f'issuer(by: {{lei: "{LEI}"}}) {{ code }}', LEI),
    ('instrument(by: {ticker: {ticker: "PLN", mic: "XNAS"}}) { code }', "ISIN:US00PLAIN001"),
    ('instrument(by: {ticker: {ticker: "PLN", mic: "US"}}) { code }', "ISIN:US00PLAIN001"),
    ('instrument(by: {identifier: {scheme: "TICKER@US", value: "PLN"}}) { code }', "ISIN:US00PLAIN001"),
    ('benchmark(code: "WORLD") { code }', "WORLD"),
)
REFUSED = (
    "client { code }",
    'client(code: "C-1", by: {code: "C-1"}) { code }',
    "client(code: null) { code }",
    "portfolio(by: null) { code }",
)


def test_everything_is_found_by_each_of_its_names(asked: Any) -> None:
    for query, code in FOUND:
        assert list(asked.data(f"{{ {query} }}").values()) == [{"code": code}], query


def test_a_look_up_by_no_or_two_names_is_refused(asked: Any) -> None:
    assert {asked.code(f"{{ {query} }}") for query in REFUSED} == {"BAD_USER_INPUT"}


def test_names_that_nobody_has_find_nothing(asked: Any) -> None:
    query = '{ client(by: {lei: "x"}) { code } portfolio(by: {isin: "x"}) { code } feed(name: "x") { name } }'
    assert asked.data(query) == {"client": None, "portfolio": None, "feed": None}
    ticker = '{ instrument(by: {ticker: {ticker: "PLN", mic: "XLON"}}) { code } }'
    assert asked.data(ticker) == {"instrument": None}


def test_a_client_is_seen_from_all_sides(asked: Any) -> None:
    query = f"""{{ client(code: "C-1", {DAY}) {{
      riskClassCode riskClassSinceDate riskClassUntilDate isRiskClassValid identifiers {{ scheme value }}
      unitHoldings {{ totalCount nodes {{ units account {{ code }} shareClass {{ code }} }} }}
      wealthByAssetClass {{ assetClassCode currencyCode amount positions isComplete }} }} }}"""
    assert asked.data(query)["client"] == {
        "riskClassCode": "C4",
        "riskClassSinceDate": "2026-01-10",
        "riskClassUntilDate": "2026-01-31",
        "isRiskClassValid": True,
        "identifiers": [{"scheme": "CRM", "value": "4711"}, {"scheme": "LEI", "value": LEI}],
        "unitHoldings": {
            "totalCount": 1,
            "nodes": [{"units": "12.5", "account": {"code": "A-1"}, "shareClass": {"code": "FUND-A"}}],
        },
        "wealthByAssetClass": [
            {"assetClassCode": "DEBT", "currencyCode": "USD", "amount": "1000.50", "positions": 1, "isComplete": True},
            {"assetClassCode": "EQUITY", "currencyCode": "USD", "amount": None, "positions": 1, "isComplete": False},
            {
                "assetClassCode": "FUND",
                "currencyCode": "EUR",
                "amount": "1265.62500",
                "positions": 1,
                "isComplete": True,
            },
        ],
    }


def test_a_risk_class_holds_for_its_period_only(asked: Any) -> None:
    fields = "{ riskClassCode riskClassSinceDate isRiskClassValid }"
    before = asked.data(f'{{ client(code: "C-1", asOf: "2026-01-09") {fields} }}')["client"]
    assert before == {"riskClassCode": "C3", "riskClassSinceDate": None, "isRiskClassValid": True}
    after = asked.data(f'{{ client(code: "C-1", asOf: "2026-02-01") {fields} }}')["client"]
    assert after == {"riskClassCode": "C4", "riskClassSinceDate": "2026-01-10", "isRiskClassValid": False}


def test_wealth_is_explained_by_units_and_mandates(asked: Any) -> None:
    inputs = "explain { calculation inputs { role label value currencyCode file } }"
    query = f'{{ client(code: "C-1", {DAY}) {{ wealth {{ {inputs} }} wealthByAssetClass {{ {inputs} }} }} }}'
    client = asked.data(query)["client"]
    units = {
        "role": "units",
        "label": "FUND-A: 12.5 x 101.2500 of 2026-01-14",
        "value": "1265.62500",
        "currencyCode": "EUR",
        "file": "units.csv",
    }
    mandate = {"role": "nav", "label": "MANDATE", "value": "1000.50", "currencyCode": "USD", "file": None}
    assert [found["explain"] for found in client["wealth"]] == [
        {"calculation": "1 holdings of units and 0 mandates = 1265.62500 EUR", "inputs": [units]},
        {"calculation": "0 holdings of units and 1 mandates = 1000.50 USD", "inputs": [mandate]},
    ]
    by_class = [found["explain"]["inputs"] for found in client["wealthByAssetClass"]]
    assert [[(i["role"], i["label"], i["value"]) for i in inputs] for inputs in by_class] == [
        [("valuation", "MANDATE VALUED", "1000.50")],
        [("valuation", "MANDATE PRICE_MISSING", None)],
        [("units", units["label"], "1265.62500")],
    ]


def test_the_value_of_units_is_explained_by_units_and_price(asked: Any) -> None:
    query = f"""{{ client(code: "C-1", {DAY}) {{ unitHoldings {{ nodes {{ value {{ amount currencyCode
      explain {{ calculation inputs {{ role label value currencyCode file sourceRow }} }} }} }} }} }} }}"""
    (units,) = asked.data(query)["client"]["unitHoldings"]["nodes"]
    assert units["value"]["explain"] == {
        "calculation": "12.5 x 101.2500 = 1265.62500 EUR",
        "inputs": [
            {
                "role": "price",
                "label": "NAV of HOUSE",
                "value": "101.2500",
                "currencyCode": "EUR",
                "file": "prices.csv",
                "sourceRow": "2",
            },
            {
                "role": "units",
                "label": "units",
                "value": "12.5",
                "currencyCode": None,
                "file": "units.csv",
                "sourceRow": "2",
            },
        ],
    }


def test_a_hierarchy_is_followed_to_its_leaves_and_out_of_circles(asked: Any, house: GraphWorld) -> None:
    query = '{ portfolio(code: "UMBRELLA") { children { nodes { code } } descendants { nodes { code } totalCount } } }'
    assert asked.data(query)["portfolio"] == {
        "children": {"nodes": [{"code": "FUND"}]},
        "descendants": {"nodes": [{"code": "FUND"}, {"code": "SLEEVE"}], "totalCount": 2},
    }
    number = house.publish("core.portfolio", None)
    house.supersede("core.portfolio_version", number, portfolio_id=3)
    house.version("portfolio", 3, number, parent_portfolio_id=4)
    house.connection.commit()
    circle = asked.data(query)["portfolio"]["descendants"]
    assert circle["nodes"] == [{"code": "FUND"}, {"code": "SLEEVE"}, {"code": "UMBRELLA"}]


def test_a_mandate_has_a_benchmark_with_weights_and_transactions_latest_first(asked: Any) -> None:
    query = f"""{{ portfolio(code: "MANDATE", {DAY}) {{
      benchmark {{ code name portfolios {{ nodes {{ code }} }}
        weights(orderBy: WEIGHT_DESC) {{ nodes {{ weight instrument {{ name }} explain {{ calculation }} }} }} }}
      transactions {{ nodes {{ code kindCode quantity netAmount currencyCode instrument {{ name }}
        explain {{ calculation inputs {{ label value currencyCode file }} }} }} }} }} }}"""
    mandate = asked.data(query)["portfolio"]
    assert mandate["benchmark"] == {
        "code": "WORLD",
        "name": "World index",
        "portfolios": {"nodes": [{"code": "MANDATE"}]},
        "weights": {
            "nodes": [
                {"weight": "0.6", "instrument": {"name": "Plain Inc"}, "explain": {"calculation": "as delivered: 0.6"}},
                {"weight": "0.4", "instrument": {"name": "Pence plc"}, "explain": {"calculation": "as delivered: 0.4"}},
            ]
        },
    }
    fee, trade = mandate["transactions"]["nodes"]
    assert (fee["code"], fee["netAmount"], fee["instrument"]) == ("T-2", "-1.50", None)
    assert trade["explain"] == {
        "calculation": "as delivered: BUY 10, net -101.00 USD",
        "inputs": [{"label": "T-1", "value": "-101.00", "currencyCode": "USD", "file": "transactions.csv"}],
    }


def test_an_instrument_tells_who_holds_it_and_an_issuer_what_it_issued(asked: Any) -> None:
    query = """{ instrument(by: {isin: "US00PLAIN001"}) { isin holders { totalCount nodes { code } }
      holdings { nodes { quantity portfolio { code } } } issuer { name instruments { nodes { name } } } } }"""
    assert asked.data(query)["instrument"] == {
        "isin": "US00PLAIN001",
        "holders": {"totalCount": 2, "nodes": [{"code": "FUND"}, {"code": "MANDATE"}]},
        "holdings": {
            "nodes": [
                {"quantity": "40", "portfolio": {"code": "FUND"}},
                {"quantity": "100", "portfolio": {"code": "MANDATE"}},
            ]
        },
        "issuer": {"name": "Plain Incorporated", "instruments": {"nodes": [{"name": "Plain Inc"}]}},
    }


def test_a_rate_is_the_last_one_up_to_the_business_date(asked: Any) -> None:
    def rate(day: str, quote: str = "USD") -> Any:
        query = f'{{ fxRate(base: "EUR", quote: "{quote}", asOf: "{day}") {{ rate trust {{ stalenessDays }} }} }}'
        return asked.data(query)["fxRate"]

    assert rate("2026-01-15") == {"rate": "1.25", "trust": {"stalenessDays": 0}}
    assert rate("2026-01-18") == {"rate": "1.25", "trust": {"stalenessDays": 3}}
    assert rate("2026-01-14") is None
    assert rate("2026-01-15", "XXX") is None


def test_a_feed_tells_its_last_file_its_last_publication_and_how_its_files_ended(asked: Any) -> None:
    query = """{ feed(name: "house_holdings", asOf: "2026-01-17") { id name lastBusinessDate stalenessDays deliveryCount
      outcomes { outcome deliveries } lastDelivery { fileName } lastPublication { number verdict }
      deliveries(first: 1) { totalCount nodes { fileName } } trust { feed verdict } }
      feeds(first: 2) { nodes { name } } }"""
    found = asked.data(query)
    assert found["feed"] == {
        "id": "Feed:house_holdings",
        "name": "house_holdings",
        "lastBusinessDate": "2026-01-15",
        "stalenessDays": 2,
        "deliveryCount": 3,
        "outcomes": [{"outcome": "published", "deliveries": 3}],
        "lastDelivery": {"fileName": "mandate_holdings.csv"},
        "lastPublication": {"number": 21, "verdict": "passed"},
        "deliveries": {"totalCount": 3, "nodes": [{"fileName": "mandate_holdings.csv"}]},
        "trust": {"feed": "house_holdings", "verdict": "passed"},
    }
    assert [feed["name"] for feed in found["feeds"]["nodes"]] == ["house_accounts", "house_benchmark_weights"]
    assert asked.data('{ node(id: "Feed:house_prices") { ... on Feed { name } } }') == {
        "node": {"name": "house_prices"}
    }


def test_a_publication_tells_of_what_it_stated_something(asked: Any) -> None:
    names = "portfolios { nodes { code } } instruments { nodes { code } } clients { nodes { code } }"
    query = f"{{ held: publication(number: 12) {{ {names} }} named: publication(number: 13) {{ {names} }}"
    found = asked.data(f"{query} priced: publication(number: 6) {{ {names} }} }}")
    codes = {
        key: {kind: [n["code"] for n in one["nodes"]] for kind, one in value.items()} for key, value in found.items()
    }
    assert codes == {
        "held": {"portfolios": ["FUND"], "instruments": [], "clients": []},
        "named": {"portfolios": [], "instruments": [], "clients": ["C-1"]},
        "priced": {"portfolios": [], "instruments": ["ISIN:GB00PENCE001"], "clients": []},
    }
