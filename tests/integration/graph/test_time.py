"""One operation has one business date and one knowledge time, and pages keep theirs."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.factories.graph_world import GraphWorld

HOLDINGS = """query($first: Int, $after: String, $last: Int, $before: String, $order: [HoldingOrder!]) {
  portfolio(code: "WIDE") { holdings(first: $first, after: $after, last: $last, before: $before, orderBy: $order) {
    totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    edges { cursor node { quantity positionCode } } } } }"""


@pytest.fixture
def wide(connection: psycopg.Connection[Any]) -> GraphWorld:
    """A portfolio with 23 positions, some without a quantity, some of one instrument."""
    world = GraphWorld(connection)
    number = world.publish("core.holding", dt.date(2026, 1, 15), file="wide.csv")
    portfolio = world.identity("portfolio", "WIDE", number)
    instruments = [world.identity("instrument", f"I{position}", number) for position in range(12)]
    for position in range(23):
        _hold(world, number, portfolio, instruments[position // 2], position)
    connection.commit()
    return world


def _hold(world: GraphWorld, number: int, portfolio: int, instrument: int, position: int) -> None:
    world.fact(
        "core.holding",
        number,
        portfolio_id=portfolio,
        business_date=dt.date(2026, 1, 15),
        instrument_id=instrument,
        position_code=["", "LOT:~1"][position % 2],
        quantity=None if position % 5 == 0 else Decimal(position % 7) / 4,
    )


def walk(asked: Any, size: int, order: str | None, *, backward: bool) -> list[Any]:
    """All edges of the list, page by page."""
    seen: list[Any] = []
    cursor = None
    while True:
        way = {"last": size, "before": cursor} if backward else {"first": size, "after": cursor}
        page = asked.data(HOLDINGS, {"order": order, **way})["portfolio"]["holdings"]
        info = page["pageInfo"]
        assert len(page["edges"]) <= size
        assert info["startCursor"] == page["edges"][0]["cursor"]
        assert info["endCursor"] == page["edges"][-1]["cursor"]
        seen = page["edges"] + seen if backward else seen + page["edges"]
        assert info["hasPreviousPage" if not backward else "hasNextPage"] is (cursor is not None)
        if not info["hasPreviousPage" if backward else "hasNextPage"]:
            return seen
        cursor = info["startCursor" if backward else "endCursor"]


@pytest.mark.usefixtures("wide")
def test_pages_of_any_size_and_order_make_up_the_whole_list_both_ways(asked: Any) -> None:
    whole: dict[str | None, Any] = {}
    orders = [None, "QUANTITY_ASC", "QUANTITY_DESC", "MARKET_VALUE_DESC"]

    @settings(max_examples=12, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(st.integers(1, 24), st.sampled_from(orders), st.booleans())
    def check(size: int, order: str | None, backward: bool) -> None:  # noqa: FBT001 - hypothesis gives it
        if order not in whole:
            whole[order] = asked.data(HOLDINGS, {"order": order})["portfolio"]["holdings"]["edges"]
            assert len(whole[order]) == 23
        assert walk(asked, size, order, backward=backward) == whole[order]

    check()
    quantities = [edge["node"]["quantity"] for edge in whole["QUANTITY_DESC"]]
    numbers = [Decimal(quantity) for quantity in quantities if quantity is not None]
    assert numbers == sorted(numbers, reverse=True)
    assert quantities[-5:] == [None] * 5


def test_a_list_that_is_being_paged_does_not_change_while_publications_run(asked: Any, wide: GraphWorld) -> None:
    before = asked.data(HOLDINGS, {})["portfolio"]["holdings"]["edges"]
    first = asked.answer(HOLDINGS, {"first": 10})
    number = wide.publish("core.holding", dt.date(2026, 2, 20), file="later.csv")
    wide.supersede("core.holding", number, portfolio_id=1, instrument_id=1)
    wide.supersede("core.holding", number, portfolio_id=1, instrument_id=9)
    wide.connection.commit()
    page = first["data"]["portfolio"]["holdings"]
    second = asked.answer(HOLDINGS, {"first": 100, "after": page["pageInfo"]["endCursor"]})
    assert page["edges"] + second["data"]["portfolio"]["holdings"]["edges"] == before
    assert second["extensions"]["dataVersion"] == first["extensions"]["dataVersion"] == number - 1
    assert second["extensions"]["asOf"] == "2026-01-15"
    assert asked.answer(HOLDINGS, {"first": 1})["extensions"]["dataVersion"] == number


def test_a_cursor_of_another_time_list_or_order_is_refused(asked: Any, wide: GraphWorld) -> None:
    cursor = asked.data(HOLDINGS, {"first": 1})["portfolio"]["holdings"]["edges"][0]["cursor"]
    assert asked.code(HOLDINGS, {"first": 1, "after": cursor, "order": "QUANTITY_ASC"}) == "BAD_USER_INPUT"
    for wrong in ("", "x", "1:2", cursor + ":1", cursor.replace("2026-01-15", "2026-01-99"), "999999999999999999999:a"):
        assert asked.code(HOLDINGS, {"first": 1, "after": wrong}) == "BAD_USER_INPUT"
    query = "query($a: String, $d: Date, $k: DateTime) { holdings(asOf: $d, knownAt: $k, after: $a) { totalCount } }"
    root = asked.data("{ holdings(first: 1) { edges { cursor } } }")["holdings"]["edges"][0]["cursor"]
    assert (
        asked.data(query.replace("totalCount", "nodes { id } totalCount"), {"a": root})["holdings"]["totalCount"] == 23
    )
    nodes = query.replace("totalCount", "nodes { id }")
    assert asked.code(nodes, {"a": root, "d": "2026-01-14"}) == "BAD_USER_INPUT"
    assert asked.code(nodes, {"a": root, "k": "2020-01-01T00:00:00Z"}) == "BAD_USER_INPUT"
    assert len(asked.data(nodes, {"a": root, "k": wide.known_at(1).isoformat()})["holdings"]["nodes"]) == 22


@pytest.mark.usefixtures("wide")
def test_an_operation_may_use_one_business_date_and_one_knowledge_time_only(asked: Any) -> None:
    count = "{ totalCount }"
    two_days = f'{{ a: holdings(asOf: "2026-01-15") {count} b: holdings(asOf: "2026-01-16") {count} }}'
    assert asked.code(two_days) == "BAD_USER_INPUT"
    early, late = 'knownAt: "2026-01-15T00:00:00Z"', 'knownAt: "2026-01-16T00:00:00Z"'
    assert asked.code(f"{{ a: holdings({early}) {count} b: holdings({late}) {count} }}") == "BAD_USER_INPUT"
    portfolio = f'portfolio(code: "WIDE") {{ holdings {count} }}'
    one = asked.answer(f'{{ a: holdings(asOf: "2026-01-16") {count} b: {portfolio} }}')
    assert one["data"] == {"a": {"totalCount": 0}, "b": {"holdings": {"totalCount": 0}}}
    assert one["extensions"]["asOf"] == "2026-01-16"


@pytest.mark.usefixtures("wide")
def test_pages_beyond_the_cap_or_both_ways_are_refused_not_truncated(asked: Any) -> None:
    for arguments in ("first: 1001", "first: -1", "last: 1001", "first: 1, last: 1", 'first: 1, before: "x"'):
        assert asked.code(f"{{ holdings({arguments}) {{ nodes {{ id }} }} }}") == "BAD_USER_INPUT"
    assert asked.code("query($n: Int) { holdings(first: $n) { nodes { id } } }", {"n": 1001}) == "BAD_USER_INPUT"
    assert asked.data("{ holdings(first: 0) { nodes { id } pageInfo { hasNextPage endCursor } } }")["holdings"] == {
        "nodes": [],
        "pageInfo": {"hasNextPage": True, "endCursor": None},
    }


def test_an_empty_warehouse_answers_with_nothing(asked: Any) -> None:
    answer = asked.answer('{ portfolio(code: "X") { code } clients { nodes { code } totalCount } }')
    assert answer["data"] == {"portfolio": None, "clients": {"nodes": [], "totalCount": 0}}
    assert answer["extensions"]["dataVersion"] == 0
