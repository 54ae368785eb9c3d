"""What product teams do with lists: filter, search, order, page by number, group and sum. Known answers."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from tests.factories.graph_story import DAY
from tests.factories.graph_world import GraphWorld


def nodes(asked: Any, field: str, shown: str, where: str) -> list[Any]:
    """One field of every row of a root list for which `where` holds."""
    found = asked.data(f"{{ {field}(where: {where}) {{ nodes {{ {shown} }} }} }}")[field]["nodes"]
    return [node[shown] for node in found]


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ('{name: {contains: "PLC"}}', ["Pence plc"]),
        ('{name: {contains: "%"}}', []),
        ('{name: {search: "pennce"}}', ["Pence plc"]),
        ('{name: {startsWith: "P"}, currencyCode: {notIn: ["USD"]}}', ["Pence plc"]),
        ('{or: [{name: {eq: "Plain Inc"}}, {currencyCode: {eq: "EUR"}}]}', ["World Fund A", "Plain Inc"]),
        ('{not: {issuer: {name: {eq: "nobody"}}}, name: {gte: "Pl", lt: "X"}}', ["World Fund A", "Plain Inc"]),
        ('{identifiers: {some: {scheme: {eq: "ISIN"}, value: {startsWith: "GB"}}}}', ["Pence plc"]),
        ('{sectorName: {ne: "Banks"}, maturityDate: {isNull: false}}', []),
        ('{sectorName: {ne: "Banks"}, name: {ne: null, eq: "Pence plc"}}', ["Pence plc"]),
    ],
)
def test_conditions_find_their_rows(asked: Any, where: str, expected: list[str]) -> None:
    assert nodes(asked, "instruments", "name", where) == expected


@pytest.mark.usefixtures("world")
def test_conditions_reach_through_relations_in_both_directions(asked: Any) -> None:
    assert nodes(asked, "holdings", "quantity", '{instrument: {currencyCode: {eq: "GBP"}}}') == ["110"]
    assert nodes(asked, "holdings", "quantity", '{portfolio: {client: {code: {eq: "C-1"}}}}') == []
    assert nodes(asked, "portfolios", "code", '{holdings: {some: {instrument: {currencyCode: {eq: "USD"}}}}}') == [
        "FUND"
    ]
    assert nodes(asked, "portfolios", "code", "{holdings: {none: {}}}") == ["MANDATE"]
    assert nodes(asked, "portfolios", "code", '{holdings: {every: {quantity: {gte: "40"}}}}') == ["FUND", "MANDATE"]
    assert nodes(asked, "portfolios", "code", '{holdings: {every: {quantity: {gt: "40"}}}}') == ["MANDATE"]


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize(
    ("where", "code"),
    [
        ('{name: {contains: " "}}', "BAD_USER_INPUT"),
        ("{name: {gt: null}}", "BAD_USER_INPUT"),
        ("{or: []}", "BAD_USER_INPUT"),
        ("{not: " * 9 + '{code: {eq: "x"}}' + "}" * 9, "LIMIT_EXCEEDED"),
        ("{or: [" + '{code: {eq: "x"}},' * 160 + "]}", "LIMIT_EXCEEDED"),
        ("{code: {in: [" + '"x",' * 1001 + "]}}", "BAD_USER_INPUT"),
        ('{maturityDate: {contains: "x"}}', "GRAPHQL_VALIDATION_FAILED"),
        ('{code: {search: "x"}}', "GRAPHQL_VALIDATION_FAILED"),
    ],
)
def test_conditions_that_say_nothing_or_too_much_are_refused(asked: Any, where: str, code: str) -> None:
    assert asked.code(f"{{ instruments(where: {where}) {{ totalCount }} }}") == code


@pytest.mark.usefixtures("world")
def test_conditions_in_variables_are_bounded_too(asked: Any) -> None:
    query = "query($w: InstrumentWhere) { instruments(where: $w) { totalCount } }"
    assert asked.data(query, {"w": None})["instruments"]["totalCount"] == 3
    nested: dict[str, Any] = {"code": {"eq": "x"}}
    for _ in range(8):
        nested = {"not": nested}
    assert asked.code(query, {"w": nested}) == "LIMIT_EXCEEDED"
    for _ in range(400):
        nested = {"not": nested}
    assert asked.code(query, {"w": nested}) in ("LIMIT_EXCEEDED", "BAD_USER_INPUT")
    assert asked.code(query, {"w": {"code": {"in": ["x"] * 1001}}}) == "BAD_USER_INPUT"


@pytest.mark.usefixtures("world")
def test_a_page_is_found_by_its_number(asked: Any) -> None:
    query = """query($p: PageInput) { instruments(page: $p, orderBy: [CURRENCY_CODE_ASC]) { nodes { name }
      pageInfo { pageNumber pageCount hasNextPage hasPreviousPage endCursor } } }""".replace(
        "CURRENCY_CODE_ASC", "NAME_DESC"
    )
    second = asked.data(query, {"p": {"number": 2, "size": 2}})["instruments"]
    cursor = second["pageInfo"].pop("endCursor")
    assert second == {
        "nodes": [{"name": "Pence plc"}],
        "pageInfo": {"pageNumber": 2, "pageCount": 2, "hasNextPage": False, "hasPreviousPage": True},
    }
    after = asked.data(
        "query($a: String) { instruments(after: $a, orderBy: NAME_DESC) { nodes { code } } }", {"a": cursor}
    )
    assert after["instruments"]["nodes"] == []
    beyond = asked.data(query, {"p": {"number": 9, "size": 3}})["instruments"]
    assert beyond["nodes"] == []
    assert beyond["pageInfo"]["pageCount"] == 1
    plain = asked.data("{ instruments { pageInfo { pageNumber pageCount } } }")["instruments"]["pageInfo"]
    assert plain == {"pageNumber": None, "pageCount": None}


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize(
    "arguments",
    [
        "page: {number: 0, size: 1}",
        "page: {number: 1, size: 0}",
        "page: {number: 1, size: 1001}",
        "page: {number: 11, size: 1000}",
        "page: {number: 1, size: 1}, first: 1",
        "orderBy: [NAME_ASC, NAME_DESC]",
    ],
)
def test_pages_out_of_bounds_and_contradictions_are_refused(asked: Any, arguments: str) -> None:
    assert asked.code(f"{{ instruments({arguments}) {{ nodes {{ code }} }} }}") == "BAD_USER_INPUT"


@pytest.mark.usefixtures("world")
def test_nodes_come_in_the_order_of_their_ids_and_null_where_there_is_none(asked: Any) -> None:
    query = """query($ids: [ID!]!) { nodes(ids: $ids) { __typename id ...P ... on Client { name } } }
      fragment P on Portfolio { code }"""
    found = asked.data(query, {"ids": ["Portfolio:2", "Client:1", "Portfolio:9", "Portfolio:1", "Client:1"]})["nodes"]
    client = {"__typename": "Client", "id": "Client:1", "name": "Ada Ltd"}
    assert found == [
        {"__typename": "Portfolio", "id": "Portfolio:2", "code": "MANDATE"},
        client,
        None,
        {"__typename": "Portfolio", "id": "Portfolio:1", "code": "FUND"},
        client,
    ]
    assert asked.data(query, {"ids": []})["nodes"] == []
    for wrong in ("", "Portfolio", "Trust:1", "Portfolio:x", "portfolio:1"):
        assert asked.code(query, {"ids": ["Portfolio:1", wrong]}) == "BAD_USER_INPUT"
    assert asked.code(query, {"ids": ["Portfolio:1"] * 1001}) == "BAD_USER_INPUT"


TOTALS = "{ count sum { marketValueLocal { amount currencyCode } } }"


@pytest.mark.usefixtures("world")
def test_sums_over_several_currencies_are_refused_unless_they_are_converted(asked: Any) -> None:
    answer = asked.answer(f"{{ valuations {{ aggregate {TOTALS} }} }}")
    assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    assert answer["errors"][0]["message"].startswith("The amounts are in several currencies: GBP, USD.")
    converted = asked.data(f'{{ valuations {{ aggregate(in: "EUR") {TOTALS} }} }}')["valuations"]["aggregate"]
    # 250.00 GBP x 1.25 + 404.00 USD x 0.8: the rates that the valuation took
    assert converted == {"count": 2, "sum": {"marketValueLocal": {"amount": "635.7000", "currencyCode": "EUR"}}}
    crossed = asked.data(f'{{ valuations {{ aggregate(in: "GBP") {TOTALS} }} }}')["valuations"]["aggregate"]
    assert crossed["sum"]["marketValueLocal"] == {"amount": "508.5600", "currencyCode": "GBP"}
    filtered = f'{{ valuations(where: {{priceCurrencyCode: {{eq: "GBP"}}}}) {{ aggregate {TOTALS} }} }}'
    assert asked.data(filtered)["valuations"]["aggregate"] == {
        "count": 1,
        "sum": {"marketValueLocal": {"amount": "250.00", "currencyCode": "GBP"}},
    }


@pytest.mark.usefixtures("world")
def test_a_conversion_without_a_rate_is_refused_and_names_the_pair(asked: Any) -> None:
    answer = asked.answer(f'{{ valuations {{ aggregate(in: "JPY") {TOTALS} }} }}')
    assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    assert "There is no rate from GBP to JPY for 2026-01-15." in answer["errors"][0]["message"]
    assert asked.code(f'{{ valuations {{ aggregate(in: "euro") {TOTALS} }} }}') == "BAD_USER_INPUT"


@pytest.mark.usefixtures("world")
def test_an_empty_list_has_no_sum_but_a_count(asked: Any) -> None:
    where = '(where: {priceCurrencyCode: {eq: "CHF"}})'
    found = asked.data(f"{{ valuations{where} {{ aggregate {TOTALS} groups(by: [STATUS_CODE]) {{ count }} }} }}")
    assert found["valuations"] == {"aggregate": {"count": 0, "sum": {"marketValueLocal": None}}, "groups": []}


@pytest.mark.usefixtures("world")
def test_groups_by_what_relations_lead_to_and_by_periods(asked: Any) -> None:
    query = """{ valuations {
      groups(by: [INSTRUMENT_CURRENCY_CODE, BUSINESS_DATE_QUARTER], orderBy: SUM_MARKET_VALUE_BASE_ASC) {
        key { currency: instrumentCurrencyCode businessDateQuarter } count
        sum { marketValueBase { amount currencyCode } }
        weightedAverage(value: QUANTITY, weight: MARKET_VALUE_BASE) { amount }
    } } }"""
    quarter = "2026-01-01"
    assert asked.data(query)["valuations"]["groups"] == [
        {
            "key": {"currency": currency, "businessDateQuarter": quarter},
            "count": 1,
            "sum": {"marketValueBase": {"amount": amount, "currencyCode": "EUR"}},
            "weightedAverage": {"amount": average},
        }
        for currency, amount, average in (
            ("GBP", "312.5", "100.0000000000000000"),
            ("USD", "323.2", "40.0000000000000000"),
        )
    ]
    assert asked.code("{ valuations { groups(by: [STATUS_CODE]) { key { businessDate } } } }") == "BAD_USER_INPUT"
    assert asked.code("{ valuations { groups(by: []) { count } } }") == "BAD_USER_INPUT"
    assert asked.code("{ valuations { groups(by: [STATUS_CODE], first: 1001) { count } } }") == "BAD_USER_INPUT"


def test_over_a_thousand_groups_are_refused_unless_the_first_are_asked_for(asked: Any, world: GraphWorld) -> None:
    n = world.publish("core.client", DAY)
    for number in range(1001):
        world.version("client", world.identity("client", f"X{number:04d}", n), n)
    world.connection.commit()
    assert asked.code("{ clients { groups(by: [CODE]) { count } } }") == "BAD_USER_INPUT"
    first = asked.data("{ clients { groups(by: [CODE], first: 2, orderBy: KEY_DESC) { key { code } } } }")
    assert [group["key"]["code"] for group in first["clients"]["groups"]] == ["X1000", "X0999"]


@pytest.mark.usefixtures("world")
def test_what_an_operation_could_return_is_told_and_limited(asked: Any) -> None:
    told = asked.answer("{ holdings(first: 1000) { nodes { quantity instrument { name } } } }")
    assert told["extensions"]["cost"] == {"requested": 2000, "limit": 500_000}
    query = "query($n: Int, $m: Int) { clients(first: $n) { nodes { portfolios(first: $m) { nodes { code } } } } }"
    assert asked.answer(query, {"n": 20, "m": 30})["extensions"]["cost"]["requested"] == 20 + 20 * 30
    refused = asked.answer(query, {"n": 1000, "m": 1000})["errors"][0]
    assert refused["extensions"]["code"] == "LIMIT_EXCEEDED"
    assert "1001000" in refused["message"]
    assert "500000" in refused["message"]


def test_conversions_of_a_history_take_the_rate_of_each_day(
    asked: Any, world: GraphWorld, connection: psycopg.Connection[Any]
) -> None:
    n = world.publish("mart.portfolio_nav", DAY)
    for day, rate, nav in ((12, "2", "10"), (13, "4", "10")):
        date = dt.date(2026, 1, day)
        world.fact(
            "core.fx_rate",
            n,
            base_currency_code="EUR",
            quote_currency_code="USD",
            business_date=date,
            source_code="HOUSE",
            rate=Decimal(rate),
        )
        world.fact(
            "mart.portfolio_nav",
            n,
            portfolio_id=2,
            business_date=date,
            base_currency_code="USD",
            nav_base=Decimal(nav),
            positions=1,
            positions_valued=1,
            positions_flagged=0,
            is_complete=True,
            valuation_publication_id=n,
        )
    connection.commit()
    query = """{ portfolio(code: "MANDATE", asOf: "2026-01-13") { navHistory { aggregate(in: "EUR") {
      sum { navBase { amount } } min { navBase { amount } } } } } }"""
    found = asked.data(query)["portfolio"]["navHistory"]["aggregate"]
    assert found == {"sum": {"navBase": {"amount": "7.50"}}, "min": {"navBase": {"amount": "2.50"}}}
