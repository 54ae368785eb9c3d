"""Runs over days: breaks age, heal and return; sources that did not come; cash, prices, values; two feeds."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from fulcrum.governance.desk import exceptions
from fulcrum.governance.desk.moves import State
from fulcrum.governance.desk.policy import load_desk_policy
from fulcrum.governance.reconciliation import contract
from fulcrum.governance.reconciliation.contract import Ready
from fulcrum.governance.reconciliation.listing import Break, listed
from fulcrum.governance.reconciliation.run import Run, reconcile
from fulcrum.quality.suites import load_tolerances
from fulcrum.settings import read_settings
from tests.factories.market import Market

SETTINGS = read_settings()
POLICY = load_desk_policy(SETTINGS)
TODAY = dt.date(2026, 11, 22)
MONDAY = dt.date(2026, 1, 5)


def days(number: int) -> dt.date:
    return MONDAY + dt.timedelta(days=number)


class Books(Market):
    """A market, compared."""

    def hold(self, portfolio: str, day: dt.date, **quantities: str) -> int:
        """Positions by instrument, at a price of 10."""
        rows = [
            {
                "instrument": code,
                "quantity": number,
                "price": "10",
                "market_value": f"{Decimal(number) * 10}",
                "currency_code": "USD",
            }
            for code, number in quantities.items()
        ]
        return self.holdings(portfolio, day, rows)

    def run(self, name: str, day: dt.date, **options: Any) -> Run:
        """Compare; committed."""
        done = reconcile(self.connection, POLICY, contract.load(SETTINGS, name, TODAY), day, **options)
        self.connection.commit()
        return done

    def breaks(self, name: str, day: dt.date | None = None) -> list[Break]:
        """What is listed."""
        return listed(self.connection, name=name, day=day)


@pytest.fixture
def books(connection: psycopg.Connection[Any]) -> Books:
    made = Books(connection)
    for code in ("P1", "CUSTODY:P1", "OTHER"):
        made.portfolio(code)
    for code in ("X", "Y", "Z"):
        made.instrument(code, asset_class_code="EQUITY")
    return made


def test_a_break_ages_heals_and_returns_with_its_history(books: Books) -> None:
    name = "custody_positions"
    for number, theirs, status in (
        (0, "7", "broken"),
        (1, "7", "broken"),
        (3, "7", "broken"),
        (4, "9", "agreed"),
        (7, "7", "broken"),
    ):
        books.hold("P1", days(number), X="9", Y="1")
        books.hold("CUSTODY:P1", days(number), X=theirs, Y="1")
        assert books.run(name, days(number)).status == status
        if number == 3:
            (aged,) = books.breaks(name)
            assert (aged.first_seen, aged.age_days, aged.age_bucket) == (MONDAY, 3, "2-5")
            assert (aged.class_code, aged.difference, aged.state) == ("quantity", Decimal(-2), "open")
    (back,) = books.breaks(name)
    assert (back.first_seen, back.age_days, back.age_bucket) == (days(7), 0, "0-1")
    (found,) = exceptions.listed(books.connection, states=list(State))
    assert found.exception_id == back.exception_id
    assert (found.rule_id, found.subject) == (
        "reconciliation.custody_positions",
        "reconciliation:custody_positions/P1/X",
    )
    assert (found.state, found.occurrences, found.severity) == ("reopened", 4, "critical")
    assert "7" not in found.message, "amounts stay in the break"
    moves = [event.move for event in exceptions.history(books.connection, found.exception_id)]
    assert moves == ["find", "find_again", "find_again", "heal", "find_again"]
    states = books.connection.execute(
        "select business_date, state from quality.reconciliation_break order by reconciliation_break_id"
    ).fetchall()
    assert states == [
        *((days(0), "continued"), (days(1), "continued"), (days(3), "healed"), (days(7), "open")),
    ]


def test_an_older_date_changes_nothing_that_a_newer_one_found(books: Books) -> None:
    for number, theirs in ((0, "9"), (1, "7")):
        books.hold("P1", days(number), X="9")
        books.hold("CUSTODY:P1", days(number), X=theirs)
    assert books.run("custody_positions", days(1)).breaks == 1
    assert books.run("custody_positions", days(0)).status == "agreed"
    assert [each.state for each in books.breaks("custody_positions")] == ["open"]
    (found,) = exceptions.listed(books.connection)
    assert found.state == "open"


def test_a_source_that_did_not_come_has_not_agreed(books: Books) -> None:
    books.hold("P1", days(0), X="9")
    books.hold("CUSTODY:P1", days(0), X="7")
    books.run("custody_positions", days(0))
    books.hold("P1", days(1), X="9")
    done = books.run("custody_positions", days(1))
    assert (done.status, done.healed) == ("not_run", 0)
    assert done.message == "Not run: custodian has nothing for 2026-01-06."
    assert len(exceptions.listed(books.connection)) == 1
    assert [each.business_date for each in books.breaks("custody_positions")] == [MONDAY]


def test_a_run_sees_one_publication_and_only_the_custodians_portfolios(books: Books) -> None:
    books.hold("OTHER", days(0), Z="5")
    books.hold("P1", days(0), X="9", Y="2")
    seen = books.hold("CUSTODY:P1", days(0), X="8")
    books.hold("CUSTODY:P1", days(0), X="9", Y="2")
    then = books.run("custody_positions", days(0), known=seen)
    assert (then.publication_id, then.by_class) == (seen, {"missing": 1, "quantity": 1})
    now = books.run("custody_positions", days(0))
    assert (now.status, now.healed) == ("agreed", 2)


def test_lots_are_netted_against_one_line(books: Books) -> None:
    day = days(0)
    books.hold("P1", day, X="10", Y="10")
    lots = [
        {"instrument": code, "position_code": lot, "quantity": number, "price": "10", "currency_code": "USD"}
        | {"market_value": f"{Decimal(number) * 10}"}
        for code, lot, number in (("X", "1", "4"), ("X", "2", "6"), ("Y", "1", "10"), ("Y", "2", "10"))
    ]
    books.holdings("CUSTODY:P1", day, lots)
    assert books.run("custody_positions", day).by_class == {"quantity": 1}
    (found,) = books.breaks("custody_positions")
    assert (found.break_key, found.a_lines, found.b_lines, found.a_quantity) == ("P1/Y", 2, 1, Decimal(20))


def test_cash_is_compared_by_currency_whatever_its_lines(books: Books) -> None:
    for code, currency in (("EUR1", "EUR"), ("EUR2", "EUR"), ("USD1", "USD")):
        books.instrument(code, currency, asset_class_code="CASH")
    books.holdings(
        "P1", MONDAY, [{"instrument": "EUR1", "quantity": "100.00"}, {"instrument": "USD1", "quantity": "5.004"}]
    )
    theirs = [{"instrument": "EUR1", "market_value": "60"}, {"instrument": "EUR2", "quantity": "30.00"}]
    books.holdings("CUSTODY:P1", MONDAY, [*theirs, {"instrument": "USD1", "quantity": "5"}])
    assert books.run("custody_cash", MONDAY).by_class == {"quantity": 1}
    (found,) = books.breaks("custody_cash")
    assert (found.break_key, found.difference, found.a_lines) == ("P1/EUR", Decimal("-10.00"), 2)


def test_prices_of_two_sources(books: Books) -> None:
    for day, quoted in ((days(0), "10"), (days(1), "11")):
        rows = [{"instrument": code, "price": quoted, "currency_code": "USD"} for code in ("X", "Y", "Z")]
        books.prices(day, [row | {"source_code": "HOUSE"} for row in rows])
    books.prices(days(0), [{"instrument": "X", "price": "10", "currency_code": "USD", "source_code": "YAHOO"}])
    for code, price, currency in (("X", "10", "USD"), ("Y", "11", "GBP")):
        row = {"instrument": code, "price": price, "currency_code": currency, "source_code": "YAHOO"}
        books.prices(days(1), [row])
    assert books.run("price_sources", days(1)).by_class == {"fx": 1, "missing": 1, "timing": 1}
    assert {each.break_key: each.class_code for each in books.breaks("price_sources")} == {
        "X": "timing",
        "Y": "fx",
        "Z": "missing",
    }


def test_reported_against_computed_value(books: Books) -> None:
    n = books.hold("P1", MONDAY, X="1")
    books.connection.execute("select governance.ensure_month('mart.portfolio_nav', %s)", [MONDAY])
    for code, computed, reported in (("P1", "100", "101.9"), ("OTHER", "100", "103")):
        books.connection.execute(
            "insert into mart.portfolio_nav (portfolio_id, business_date, published_in, base_currency_code, nav_base,"
            " positions, positions_valued, positions_flagged, is_complete, reported_value, reported_currency_code,"
            " valuation_publication_id) values (%s, %s, %s, 'USD', %s, 1, 1, 0, true, %s, 'USD', %s)",
            (books.portfolios[code], MONDAY, n, Decimal(computed), Decimal(reported), n),
        )
    assert books.run("reported_nav", MONDAY).by_class == {"unknown": 1}
    (found,) = books.breaks("reported_nav")
    assert (found.break_key, found.a_value, found.b_value) == ("OTHER", Decimal(103), Decimal(100))


def test_two_feeds_that_restate_each_other_are_compared_as_each_said_it(books: Books) -> None:
    first = books.hold("P1", MONDAY, X="9", Y="1")
    second = books.hold("P1", MONDAY, X="8", Z="1")
    for feed, publication in (("one", first), ("two", second)):
        books.connection.execute(
            "insert into governance.delivery (feed, file_name, sha256, size_bytes, business_date_from,"
            " business_date_to, outcome, publication_id) values (%s, 'f', '0', 1, %s, %s, 'published', %s)",
            (feed, MONDAY, MONDAY, publication),
        )
    shipped = contract.load(SETTINGS, "custody_positions", TODAY)
    plain = contract.Books()
    changed = shipped.contract.model_copy(
        update={
            "a": shipped.contract.a.model_copy(update={"feed": "one", "portfolios": plain}),
            "b": shipped.contract.b.model_copy(update={"feed": "two", "portfolios": plain}),
        }
    )
    ready = Ready(changed, load_tolerances(SETTINGS, TODAY))
    done = reconcile(books.connection, POLICY, ready, MONDAY)
    assert {each.break_key: each.class_code for each in books.breaks("custody_positions")} == {
        "P1/X": "quantity",
        "P1/Y": "identifier",
    }
    assert done.breaks == 2
