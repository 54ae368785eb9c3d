"""Whoever decides on an override is told whose NAV it moves, by how much, and so it comes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from fulcrum.analytics.policy import load_policy
from fulcrum.entitlements.principals import RowScope, set_scope
from fulcrum.entitlements.rights import EVERYTHING, Mask
from fulcrum.governance.desk.reach import MOST_SHOWN, Reach, read_reach
from fulcrum.settings import Settings
from fulcrum.warehouse import engine, server
from tests.factories.reached import APPLE, FRIDAY, FUTURE, MONDAY, SHELL, Reached

D = Decimal
CASES: list[tuple[tuple[str | None, ...], dict[str, Decimal]]] = [
    ((APPLE, "12.5", "USD"), {"F": D(250), "E": D(-125) / D("1.2")}),
    ((APPLE, "9", "GBP"), {"F": D(350), "E": D(-50 * 9) * D("1.25") + D(500) / D("1.2")}),
    ((APPLE, "5", "JPY"), {"F": D(-1000), "E": D(500) / D("1.2")}),  # nothing converts it: no value
    ((SHELL, "300", "GBP"), {"F": D(150), "G": D(15), "E": D(125)}),
    ((SHELL, "3.1", "USD", "UNIT"), {"F": D(10), "G": D(1), "E": D(310) / D("1.2") - D(250)}),
    ((FUTURE, "2000", "EUR"), {"F": D(0)}),  # settled daily: no value of its own
    (("GBP/USD", "1.6"), {"F": D(20), "G": D(2), "E": D(200) * D("1.6") / D("1.2") - D(250)}),
    (("USD/GBP", "0.5"), {"F": D(100), "G": D(10), "E": D(400) / D("1.2") - D(250)}),
    (("EUR/GBP", "0.5"), {"E": D(150)}),
    (
        ("EUR/USD", "1.25"),
        {"F": D(0), "E": D(200) * D("1.5") / D("1.25") - D(250) - D(500) / D("1.25") + D(500) / D("1.2")},
    ),
    (("JPY/USD", "0.01"), {}),
]


@pytest.fixture
def market(connection: psycopg.Connection[Any], settings: Settings) -> Reached:
    return Reached(connection, settings)


def read(market: Reached, number: int) -> Reach:
    found = read_reach(market.connection, load_policy(market.settings), number, None)
    market.connection.commit()
    return found


@pytest.mark.parametrize(("of", "wanted"), CASES, ids=[f"{case[0][0]} {case[0][1]}" for case in CASES])
def test_the_estimate_is_what_then_happens(market: Reached, of: tuple[str, ...], wanted: dict[str, Decimal]) -> None:
    number = market.asked(*of)
    told, before = read(market, number), market.navs()
    assert {one.portfolio_code: round(one.change_base, 12) for one in told.largest} == {
        code: round(change, 12) for code, change in wanted.items()
    }
    assert told.is_whole_house
    assert told.portfolios == len(wanted)
    assert {one.nav_base_now for one in told.largest} <= {None}
    assert all(one.business_date == (FRIDAY if one.portfolio_code == "G" else MONDAY) for one in told.largest)
    market.approve(number)
    after = market.navs()
    moved = {place[0]: after[place] - before[place] for place in after if after[place] != before[place]}
    day = {one.portfolio_code: one.business_date for one in told.largest}
    assert set(moved) == {code for code, change in wanted.items() if change}
    for one in told.largest:
        assert after[one.portfolio_code, day[one.portfolio_code]] == one.nav_base_under
        assert before[one.portfolio_code, day[one.portfolio_code]] == one.nav_base_before
    again = read(market, number)
    assert [replace(one, nav_base_now=None) for one in again.largest] == list(told.largest)
    assert all(one.nav_base_now == one.nav_base_under for one in again.largest)


def test_quantity_values_and_sums_are_told(market: Reached) -> None:
    told = read(market, market.asked(APPLE, "12.5", "USD"))
    held = [(one.portfolio_code, one.quantity, one.positions) for one in told.largest]
    assert held == [("E", D(-50), 1), ("F", D(100), 1)]
    first, second = told.largest
    values = (second.value_base_before, second.value_base_under, second.nav_base_before)
    assert values == (D(1000), D(1250), D(1300))
    assert (second.change_bps, second.base_currency_code) == (D("1923.0769"), "USD")
    assert told.changes == {"EUR": first.change_base, "USD": D(250)}
    rate = read(market, market.asked("GBP/USD", "1.6"))
    assert {one.quantity for one in rate.largest} == {None}
    assert (rate.first_date, rate.last_date) == (FRIDAY, MONDAY)


def test_where_no_day_of_the_period_is_valued_the_newest_valuation_before_it_is_taken(market: Reached) -> None:
    soon = read(market, market.asked(APPLE, "12.5", "USD", begin=MONDAY + dt.timedelta(days=3)))
    assert [(one.portfolio_code, one.business_date) for one in soon.largest] == [("E", MONDAY), ("F", MONDAY)]
    later = read(market, market.asked(APPLE, "12.5", "USD", begin=MONDAY + dt.timedelta(days=11)))
    assert (later.portfolios, later.largest, later.changes) == (0, (), {})


def test_who_sold_it_meanwhile_is_not_reached(market: Reached) -> None:
    market.holdings("F", MONDAY + dt.timedelta(days=1), [{"instrument": SHELL, "quantity": "1"}])
    number = market.asked(APPLE, "12.5", "USD", begin=MONDAY)
    market.approve(market.asked(SHELL, "200", "GBP", begin=MONDAY))  # derives
    assert [one.portfolio_code for one in read(market, number).largest] == ["E"]


def test_the_largest_are_listed_and_all_are_counted(market: Reached) -> None:
    for place in range(MOST_SHOWN + 5):
        market.portfolio(f"P{place}")
        cash = {"instrument": SHELL, "quantity": str(100 * place)}
        market.holdings(f"P{place}", MONDAY, [{"instrument": APPLE, "quantity": "1"}, cash])
    number = market.asked(APPLE, "20", "USD")
    market.approve(market.asked(SHELL, "200", "GBP"))
    told = read(market, number)
    assert told.portfolios == MOST_SHOWN + 5 + 2
    assert len(told.largest) == MOST_SHOWN
    shares = [abs(one.change_bps or D(0)) for one in told.largest]
    assert shares == sorted(shares, reverse=True)
    assert [one.portfolio_code for one in told.largest[:2]] == ["E", "P0"]
    assert told.changes["USD"] == 1000 + 10 * (MOST_SHOWN + 5)


def test_what_takes_too_long_is_said_and_stops_nothing_else(market: Reached) -> None:
    number, policy = market.asked(SHELL, "300", "GBP"), load_policy(market.settings)
    told = read_reach(market.connection, policy, number, None, most_seconds=0.001)
    assert (told.is_late, told.largest) == (True, ())
    assert read(market, number).portfolios == 3


@contextmanager
def api(settings: Settings, scope: int) -> Iterator[psycopg.Connection[Any]]:
    with engine.connect(settings, role=server.API_ROLE) as connection:
        connection.execute("set transaction read only")
        connection.execute("select set_config('fulcrum.scope', %s, true)", [str(scope)])
        yield connection


def test_only_rows_of_the_caller_are_told_and_that_there_may_be_more(market: Reached, settings: Settings) -> None:
    set_scope(market.connection, RowScope("of G", portfolio_codes=("G",)))
    market.connection.commit()
    scopes = dict(market.connection.execute("select scope_name, scope_id from governance.row_scope").fetchall())
    number, policy = market.asked(SHELL, "300", "GBP"), load_policy(settings)
    found = {}
    for name, scope in scopes.items():
        with api(settings, scope) as connection:
            told = read_reach(connection, policy, number, EVERYTHING)
            found[name] = (told.is_whole_house, {one.portfolio_code for one in told.largest}, told.changes)
    assert found["of G"] == (False, {"G"}, {"USD": D(15)})
    assert found["nothing"] == (False, set(), {})
    assert found["house"] == (True, {"F", "G", "E"}, {"USD": D(165), "EUR": D(125)})


def test_whose_roles_mask_the_amounts_is_told_none(market: Reached) -> None:
    masked = replace(EVERYTHING, masks={"mart.portfolio_nav.nav_base": Mask.NULL})
    told = read_reach(market.connection, load_policy(market.settings), market.asked(SHELL, "300", "GBP"), masked)
    assert (told.is_hidden, told.largest, told.changes, told.portfolios) == (True, (), {}, 0)
