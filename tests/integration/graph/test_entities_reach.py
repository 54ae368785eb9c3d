"""GraphQL tells of an override whose NAVs it moves: the caller's rows only, exact, and after it got in what became."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from fulcrum.analytics.policy import load_policy
from fulcrum.entitlements.principals import RowScope
from fulcrum.governance.desk.reach import Moved, read_reach
from fulcrum.settings import Settings
from tests.factories.access import make_key
from tests.factories.reached import SHELL, Reached

QUERY = """{ overrides { nodes { number isReachComplete reach { totalCount nodes {
  rank portfolio { code } businessDate baseCurrencyCode positions quantity valueBaseBefore valueBaseUnder changeBase
  changeBps navBaseBefore navBaseUnder navBaseNow } } } } }"""
AMOUNTS = (
    *("quantity", "value_base_before", "value_base_under", "change_base", "change_bps"),
    *("nav_base_before", "nav_base_under", "nav_base_now"),
)


@pytest.fixture
def market(connection: psycopg.Connection[Any], settings: Settings) -> Reached:
    return Reached(connection, settings)


def spelled(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def as_asked(rank: int, one: Moved) -> dict[str, Any]:
    amounts = {name: getattr(one, name) for name in AMOUNTS}
    return {
        "rank": rank,
        "portfolio": {"code": one.portfolio_code},
        "businessDate": str(one.business_date),
        "baseCurrencyCode": one.base_currency_code,
        "positions": str(one.positions),
    } | {spelled(name): None if value is None else f"{value:f}" for name, value in amounts.items()}


@pytest.mark.parametrize("of", [(SHELL, "300", "GBP"), ("GBP/USD", "1.6")], ids=["price", "rate"])
def test_it_says_what_the_desk_says_before_and_after(market: Reached, asked: Any, of: tuple[str, ...]) -> None:
    number = market.asked(*of)
    for is_in in (False, True):
        if is_in:
            market.approve(number)
        told = read_reach(market.connection, load_policy(market.settings), number, None)
        market.connection.commit()
        (found,) = asked.data(QUERY)["overrides"]["nodes"]
        assert (found["number"], found["isReachComplete"], found["reach"]["totalCount"]) == (number, True, 3)
        assert found["reach"]["nodes"] == [as_asked(rank, one) for rank, one in enumerate(told.largest, 1)]
        assert all((node["navBaseNow"] is not None) is is_in for node in found["reach"]["nodes"])


def test_pages_filters_and_single_fields_are_those_of_any_list(market: Reached, asked: Any) -> None:
    market.asked(SHELL, "300", "GBP")
    first = asked.data(
        "{ overrides { nodes { reach(first: 1) { nodes { rank } pageInfo { hasNextPage endCursor } } } } }"
    )["overrides"]["nodes"][0]["reach"]
    assert (first["nodes"], first["pageInfo"]["hasNextPage"]) == ([{"rank": 1}], True)
    rest = asked.data(
        "query ($after: String) { overrides { nodes { reach(after: $after) { nodes { rank } } } } }",
        {"after": first["pageInfo"]["endCursor"]},
    )["overrides"]["nodes"][0]["reach"]["nodes"]
    assert rest == [{"rank": 2}, {"rank": 3}]
    euros = (
        '{ overrides { nodes { reach(where: { baseCurrencyCode: { eq: "EUR" } }) { nodes { portfolio { code } } } } } }'
    )
    assert asked.data(euros)["overrides"]["nodes"][0]["reach"]["nodes"] == [{"portfolio": {"code": "E"}}]


def test_only_rows_of_the_caller_are_told_and_only_with_the_permission(
    market: Reached, connection: psycopg.Connection[Any], asked: Any
) -> None:
    market.asked(SHELL, "300", "GBP")
    asked.key = make_key(connection, "gina", roles=["risk_officer"], scope=RowScope("of G", portfolio_codes=("G",)))
    (found,) = asked.data(QUERY)["overrides"]["nodes"]
    assert found["isReachComplete"] is False
    assert [node["portfolio"]["code"] for node in found["reach"]["nodes"]] == ["G"]
    asked.key = make_key(connection, "andy", roles=["analyst"])
    assert asked.code(QUERY) == "FORBIDDEN"
