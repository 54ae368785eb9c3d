"""Only what a publication can change is derived again, and only what differs is published."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
import threading
from decimal import Decimal
from typing import Any

import pytest

from fulcrum.errors import QueryError
from fulcrum.pipeline import derive as derive_module
from fulcrum.settings import Settings

DAY = dt.date(2026, 1, 21)
NEXT = dt.date(2026, 1, 22)


@pytest.fixture
def book(desk: Any) -> Any:
    """Two portfolios on two days: P holds A (USD) and E (EUR), Q holds A and G (GBP)."""
    desk.portfolio("P")
    desk.portfolio("Q", "EUR")
    desk.instrument("A")
    desk.instrument("E", "EUR")
    desk.instrument("G", "GBP")
    for day in (DAY, NEXT):
        desk.prices(day, [{"instrument": code, "price": "10"} for code in "AEG"])
        desk.rates(day, {"EUR/USD": "1.25", "EUR/GBP": "0.8"})
        desk.holdings("P", day, [{"instrument": code, "quantity": "100"} for code in "AE"])
        desk.holdings("Q", day, [{"instrument": code, "quantity": "100"} for code in "AG"])
    desk.derive()
    return desk


def counts(report: Any) -> tuple[int, int, int]:
    return report.pairs, report.rows_published, report.rows_superseded


def test_everything_pending_is_one_publication_and_nothing_stays_pending(desk: Any) -> None:
    desk.portfolio("P")
    desk.instrument("A")
    for day in (DAY, NEXT):
        desk.prices(day, [{"instrument": "A", "price": "10"}])
        desk.holdings("P", day, [{"instrument": "A", "quantity": "1"}])
    report = desk.derive()
    assert (report.claimed, counts(report), report.dates) == (4, (2, 4, 0), (DAY, NEXT))
    (publication,) = desk.read(
        "select * from governance.publication where publication_id = %s", (report.publication_ids[0],)
    )
    assert (publication["kind"], publication["feed"]) == ("derivation", "mart.position_valuation")
    assert (publication["business_date_from"], publication["business_date_to"]) == (DAY, NEXT)
    assert (publication["rows_published"], publication["verdict"]) == (4, "passed")
    assert derive_module.pending(desk.connection) == []
    again = desk.derive()
    assert (again.claimed, again.publication_ids) == (0, ())


def test_restated_price_touches_its_holders_on_its_date_only(book: Any) -> None:
    book.prices(DAY, [{"instrument": "E", "price": "11"}])
    report = book.derive()
    # one pair (P on DAY), of which one position and the NAV differ
    assert (counts(report), report.dates) == ((1, 2, 2), (DAY,))
    assert book.valuation("P", "E", DAY)["market_value_base"] == Decimal(1375)
    assert book.nav("P", DAY)["nav_base"] == Decimal(2375)
    assert book.nav("P", NEXT)["nav_base"] == Decimal(2250)


def test_old_state_stays_readable_after_a_restatement(book: Any) -> None:
    before = book.read("select max(publication_id) as n from governance.publication")[0]["n"]
    book.prices(DAY, [{"instrument": "E", "price": "11"}])
    book.derive()
    (old,) = book.read(
        "select nav_base from mart.portfolio_nav where portfolio_id = %s and business_date = %s"
        " and published_in <= %s and (superseded_in is null or superseded_in > %s)",
        (book.portfolios["P"], DAY, before, before),
    )
    assert old["nav_base"] == Decimal(2250)


def test_price_that_later_dates_still_use_touches_them_too(desk: Any) -> None:
    desk.portfolio("P")
    desk.instrument("A")
    desk.prices(DAY, [{"instrument": "A", "price": "10"}])
    for days in range(4):
        desk.holdings("P", DAY + dt.timedelta(days), [{"instrument": "A", "quantity": "1"}])
    desk.prices(DAY + dt.timedelta(2), [{"instrument": "A", "price": "12"}])
    desk.derive()
    desk.prices(DAY, [{"instrument": "A", "price": "11"}])
    report = desk.derive()
    # DAY and the next use it; day 2 has its own; day 3 is looked at, and does not differ
    assert (report.pairs, report.rows_published) == (3, 4)
    values = [desk.nav("P", DAY + dt.timedelta(days))["nav_base"] for days in range(4)]
    assert values == [11, 11, 12, 12]


def test_rate_touches_only_portfolios_that_convert_with_it(book: Any) -> None:
    book.rates(DAY, {"EUR/GBP": "0.5"})
    report = book.derive()
    assert (counts(report), report.dates) == ((1, 2, 2), (DAY,))
    assert book.valuation("Q", "G", DAY)["market_value_base"] == Decimal(2000)


def test_rate_that_nobody_converts_with_publishes_nothing(book: Any) -> None:
    book.rates(DAY, {"EUR/JPY": "160"})
    report = book.derive()
    assert (report.claimed, report.pairs, report.publication_ids) == (1, 0, ())


def test_first_direct_rate_replaces_a_cross(desk: Any) -> None:
    desk.portfolio("P")
    desk.instrument("G", "GBP")
    desk.prices(DAY, [{"instrument": "G", "price": "10"}])
    desk.rates(DAY, {"EUR/USD": "1.25", "EUR/GBP": "0.8"})
    desk.holdings("P", DAY, [{"instrument": "G", "quantity": "1"}])
    desk.derive()
    desk.rates(DAY, {"GBP/USD": "1.6"})
    desk.derive()
    row = desk.valuation("P", "G", DAY)
    assert (row["fx_path"], row["market_value_base"]) == ("GBP>USD", 16)


def test_same_facts_again_publish_nothing(book: Any) -> None:
    report = book.derive(dates=[DAY, NEXT], everything=True)
    assert (report.pairs, report.publication_ids, report.rows_published) == (4, (), 0)


def test_position_that_is_gone_leaves_valuation_and_nav(book: Any) -> None:
    book.holdings("P", DAY, [{"instrument": "A", "quantity": "100"}])
    report = book.derive()
    # A's holding is a new row, so its valuation names that publication
    assert counts(report) == (1, 2, 3)
    assert book.nav("P", DAY)["positions"] == 1
    book.holdings("P", DAY, [])
    book.derive()
    left = book.read(
        "select from mart.portfolio_nav where superseded_in is null and portfolio_id = %s and business_date = %s",
        (book.portfolios["P"], DAY),
    )
    assert left == []
    book.holdings("P", DAY, [{"instrument": "A", "quantity": "1"}])
    book.derive()
    assert book.nav("P", DAY)["nav_base"] == 10


def test_changed_currency_of_an_instrument_holds_from_its_date(book: Any) -> None:
    book.restate_version("instrument", "A", NEXT, currency_code="EUR")
    report = book.derive()
    assert report.dates == (NEXT,)
    assert book.valuation("P", "A", DAY)["market_value_base"] == 1000
    assert book.valuation("P", "A", NEXT)["market_value_base"] == 1250


def test_changed_name_of_an_instrument_derives_nothing(book: Any) -> None:
    book.restate_version("instrument", "A", NEXT, instrument_name="Acme")
    report = book.derive()
    assert (report.claimed, report.pairs) == (1, 0)


def test_changed_base_currency_of_a_portfolio_revalues_it(book: Any) -> None:
    book.restate_version("portfolio", "Q", NEXT, base_currency_code="GBP")
    report = book.derive()
    assert (report.pairs, report.dates) == (1, (NEXT,))
    assert book.nav("Q", NEXT)["base_currency_code"] == "GBP"
    assert book.nav("Q", NEXT)["nav_base"] == Decimal(1640)


def test_dates_leave_other_dates_pending(book: Any) -> None:
    for day in (DAY, NEXT):
        book.prices(day, [{"instrument": "E", "price": "11"}])
    report = book.derive(dates=[NEXT])
    assert report.dates == (NEXT,)
    assert derive_module.pending(book.connection) == [DAY]


def test_portfolios_leave_what_concerns_others_pending(book: Any) -> None:
    book.prices(DAY, [{"instrument": "A", "price": "11"}])
    report = book.derive(portfolios=["P"])
    assert report.pairs == 1
    assert (book.nav("P", DAY)["nav_base"], book.nav("Q", DAY)["nav_base"]) == (Decimal(2350), Decimal(2050))
    assert derive_module.pending(book.connection) == [DAY]


def test_unknown_portfolio_is_named(book: Any) -> None:
    with pytest.raises(QueryError, match="no portfolio 'Z'"):
        book.derive(portfolios=["Z"])


def test_verdict_is_warned_where_a_value_is_missing(book: Any) -> None:
    book.instrument("N")
    book.holdings("P", DAY, [{"instrument": "N", "quantity": "1"}])
    report = book.derive()
    (row,) = book.read(
        "select verdict from governance.publication where publication_id = %s", (report.publication_ids[0],)
    )
    assert row["verdict"] == "warned"


def test_killed_half_way_and_run_again_is_as_if_undisturbed(book: Any, settings: Settings) -> None:
    book.prices(DAY, [{"instrument": "A", "price": "11"}])
    assert settings.database_url is not None
    environment = os.environ | {
        "FULCRUM_DATABASE_URL": settings.database_url.get_secret_value(),
        "FULCRUM_HOME": str(settings.home),
        "FULCRUM_FAULT": "derived_half",
        "PYTHONPATH": "platform",
    }
    script = (
        "from fulcrum.pipeline.derive import derive; from fulcrum.settings import read_settings;"
        " derive(read_settings())"
    )
    killed = subprocess.run(
        [sys.executable, "-c", script], env=environment, cwd=settings.project, check=False, timeout=60
    )
    assert killed.returncode == -9
    assert book.nav("P", DAY)["nav_base"] == Decimal(2250)
    assert derive_module.pending(book.connection) == [DAY]
    report = book.derive()
    assert counts(report) == (2, 4, 4)
    assert book.nav("P", DAY)["nav_base"] == Decimal(2350)
    numbers = [row["publication_id"] for row in book.read("select publication_id from governance.publication")]
    assert sorted(numbers) == list(range(1, len(numbers) + 1))


def test_derivations_at_once_do_the_work_once(book: Any) -> None:
    for price in range(11, 19):
        book.prices(DAY, [{"instrument": "A", "price": str(price)}])
    reports: list[Any] = []
    threads = [threading.Thread(target=lambda: reports.append(book.derive())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sum(report.claimed for report in reports) == 8
    assert sum(report.rows_published for report in reports) == 4
    assert book.nav("P", DAY)["nav_base"] == Decimal(3050)


def test_work_is_cut_where_causes_are_large(book: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(derive_module, "ROWS_AT_ONCE", 1)
    for day in (DAY, NEXT):
        book.prices(day, [{"instrument": "A", "price": "11"}])
    report = book.derive()
    assert len(report.publication_ids) == 2
    assert (book.nav("P", DAY)["nav_base"], book.nav("P", NEXT)["nav_base"]) == (Decimal(2350), Decimal(2350))
