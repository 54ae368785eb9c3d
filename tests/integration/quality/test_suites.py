"""Each shipped rule passes on good rows, and fails on exactly the bad rows that were made for it."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from fulcrum.contracts.model import FeedContract
from fulcrum.quality.gate import Verdict, judge
from fulcrum.quality.suite import Severity
from fulcrum.quality.suites import load_suite, suite_names
from fulcrum.settings import Settings, read_settings
from fulcrum.warehouse.targets import target
from tests.factories.more_suites import MORE_CASES
from tests.factories.staging import stage_rows
from tests.factories.suites import CASES, contract_of
from tests.factories.world import DAY, PRICES, publish_world

ALL_CASES = CASES | MORE_CASES
Connection = psycopg.Connection[Any]

BY_HISTORIES = {
    "price.no_unit_break", "price.moves_with_market", "price.agrees_with_second_source", "price.split_applied",
    "price.adjusted_positive", "price.dividend_adjusted", "price.adjustment_explained", "price.dividend_once",
    "price.dividend_like_others", "price.dividend_size", "price.bond_range", "price.no_gap",
}  # fmt: skip
"""`test_price_histories.py` has them."""
BY_BOOKS = {
    "holding.instrument_not_expired", "holding.instrument_described", "holding.moved_with_a_trade",
    "holding.portfolios_kept", "client.has_account",
}  # fmt: skip
"""`test_books.py` has them."""
TESTED_BELOW = {
    "holding.portfolio_provisional",
    "holding.instrument_provisional",
    "holding.filing_price_not_too_high",
    "holding.filing_price_not_too_low",
    "holding.filing_price_agrees",
    "price.instrument_provisional",
    "price.no_slip",
    "price.no_jump",
    "price.not_stale",
    "price.within_the_day",
    *BY_HISTORIES,
    *BY_BOOKS,
    "fx_rate.no_jump",
    "fx_rate.not_inverted",
}
BY_OVERRIDES = {"core/override_price", "core/override_fx_rate"}
"""Suites of files that only Fulcrum writes; `tests/integration/pipeline/test_overrides.py` has their cases."""
AS_OF_TODAY = {"holding.arrived_in_time", "price.arrived_in_time"}
"""Rules that look at the clock: the good delivery is of January."""


@pytest.fixture
def world(settings: Settings, connection: Connection) -> Connection:
    publish_world(connection)
    assert settings.database_url is not None
    return connection


def judged(
    settings: Settings, connection: Connection, contract: FeedContract, rows: Iterable[Mapping[str, Any]], **more: Any
) -> Verdict:
    delivery_id, staged = stage_rows(connection, contract, rows, **more)
    return judge(settings, contract, staged, delivery_id)


def failures(verdict: Verdict) -> dict[str, int | None]:
    assert [result.message for result in verdict.results if result.status == "broken"] == []
    return {result.rule_id: result.rows_failed for result in verdict.results if result.status == "failed"}


def test_every_shipped_rule_has_a_case() -> None:
    settings = read_settings()
    tested = set(TESTED_BELOW)
    for cases in ALL_CASES.values():
        tested |= {rule for bad in cases.bad for rule in bad.rules} | {case.rule for case in cases.sets}
    suites = {name: load_suite(settings, name) for name in suite_names(settings)}
    of_files = {name: suite for name, suite in suites.items() if suite.inspects is None and name not in BY_OVERRIDES}
    assert {rule.id for suite in of_files.values() for rule in suite.rules} == tested
    assert set(ALL_CASES) == set(of_files)
    assert set(suites) - set(of_files) == {"core/fund", "governance/delivery", "mart/portfolio_nav", *BY_OVERRIDES}


@pytest.mark.parametrize("name", sorted(ALL_CASES))
def test_good_rows_pass_every_rule(settings: Settings, world: Connection, name: str) -> None:
    cases = ALL_CASES[name]
    verdict = judged(settings, world, contract_of(cases), cases.delivery())
    assert failures(verdict).keys() <= AS_OF_TODAY
    assert (verdict.verdict, verdict.rows_quarantined) == ("passed", 0)


@pytest.mark.parametrize("name", sorted(ALL_CASES))
def test_no_rule_breaks_on_a_feed_that_delivers_every_column(settings: Settings, world: Connection, name: str) -> None:
    """`price.bond_range` did: a column that is mostly absent was then in the file and in what it was joined with."""
    cases = ALL_CASES[name]
    verdict = judged(settings, world, contract_of(cases), [], columns=target(cases.target).staging_types)
    assert [result.message for result in verdict.results if result.status == "broken"] == []


@pytest.mark.parametrize("name", sorted(ALL_CASES))
def test_bad_rows_fail_their_rules_and_no_other(settings: Settings, world: Connection, name: str) -> None:
    cases = ALL_CASES[name]
    bad = [cases.good(cases.count + number) | dict(bad.changes) for number, bad in enumerate(cases.bad)]
    verdict = judged(settings, world, contract_of(cases), [*cases.delivery(), *bad])
    expected = Counter(rule for case in cases.bad for rule in case.rules)
    expected[f"{name.removeprefix('core/')}.line_once"] = 2  # the line and the one that it contradicts
    found = {rule: count for rule, count in failures(verdict).items() if count is not None}
    assert found == dict(expected)
    critical = {result.rule_id for result in verdict.results if result.severity == Severity.CRITICAL.value}
    refused = {number for number, case in enumerate(cases.bad) if set(case.rules) & critical}
    lines = world.execute(
        "select array_agg(distinct source_row) from quality.quarantined_row q"
        " join quality.validation v using (delivery_id) where v.validation_id = %s",
        (verdict.validation_id,),
    ).fetchone()
    assert lines is not None
    quarantined = {row - 2 - cases.count for row in lines[0]}
    assert refused == {number for number in quarantined if number >= 0}


def test_set_rules_fail_on_the_deliveries_made_for_them(settings: Settings, world: Connection) -> None:
    wrong = {}
    for name, cases in ALL_CASES.items():
        for case in cases.sets:
            verdict = judged(
                settings,
                world,
                contract_of(cases),
                case.rows(),
                metadata=case.metadata,
                rows_refused=case.rows_refused,
                columns=cases.good(0),
            )
            found = {result.rule_id: result for result in verdict.results}[case.rule]
            stops = case.status == "failed" and found.severity == "critical"
            if found.status != case.status or (stops and verdict.verdict != "blocked"):
                wrong[name, case.rule] = (found.status, found.message, verdict.verdict)
    assert wrong == {}


def test_names_that_will_be_registered_are_counted_and_published(settings: Settings, world: Connection) -> None:
    cases = CASES["core/holding"]
    contract = contract_of(cases, unknown_instruments="provisional", unknown_portfolios="provisional")
    row = cases.good(0) | {"portfolio_code": "NEW", "isin": "US0378331005"}
    verdict = judged(settings, world, contract, [cases.good(1), row], columns=cases.good(0))
    found = failures(verdict)
    assert (found["holding.portfolio_provisional"], found["holding.instrument_provisional"]) == (1, 1)
    assert verdict.rows_quarantined == 0
    prices = contract_of(CASES["core/price"], unknown_instruments="provisional")
    verdict = judged(settings, world, prices, [CASES["core/price"].good(0) | {"isin": "US0378331005"}])
    assert failures(verdict)["price.instrument_provisional"] == 1


def filing(count: int, price: Decimal) -> list[dict[str, Any]]:
    """Positions of 10 shares each."""
    row = CASES["core/holding"].good
    return [row(number) | {"market_value": 10 * price, "price": None} for number in range(count)]


@pytest.mark.parametrize(
    ("rows", "price", "expected"),
    [
        (12, "15", {}),
        (12, "15000", {"holding.filing_price_not_too_high", "holding.filing_price_agrees"}),
        (12, "0.015", {"holding.filing_price_not_too_low", "holding.filing_price_agrees"}),
        (3, "15000", {"holding.filing_price_agrees"}),
    ],
)
def test_a_filing_in_the_wrong_unit_is_blocked(
    settings: Settings, world: Connection, rows: int, price: str, expected: set[str]
) -> None:
    contract = contract_of(CASES["core/holding"], feed="form13f_filing")
    verdict = judged(settings, world, contract, filing(rows, Decimal(price)))
    assert {rule for rule in failures(verdict) if "filing" in rule} == set(expected)
    assert (verdict.verdict == "blocked") is bool(expected)


def test_a_filing_without_known_prices_is_not_compared_with_them(settings: Settings, world: Connection) -> None:
    world.execute("delete from core.price")
    world.commit()
    contract = contract_of(CASES["core/holding"], feed="form13f_filing")
    verdict = judged(settings, world, contract, filing(3, Decimal(15000)))
    found = {result.rule_id: result for result in verdict.results}
    for rule in ("filing_price_not_too_high", "filing_price_not_too_low", "filing_price_agrees"):
        assert found[f"holding.{rule}"].status == "not_run"
    assert "known price" in found["holding.filing_price_agrees"].message


@pytest.mark.parametrize(
    ("price", "expected"),
    [
        ("1000", {"price.no_slip", "price.no_jump", "price.no_unit_break"}),
        ("0.1", {"price.no_slip", "price.no_jump", "price.no_unit_break"}),
        ("10000", {"price.no_slip", "price.no_jump", "price.no_unit_break"}),
        ("15", {"price.no_jump"}),
        ("13.9", set()),
    ],
)
def test_slips_and_jumps_against_the_last_published_prices(
    settings: Settings, world: Connection, price: str, expected: set[str]
) -> None:
    cases = CASES["core/price"]
    row = cases.good(0) | {"price": Decimal(price), "high_price": None, "low_price": None}
    verdict = judged(settings, world, contract_of(cases), [row, cases.good(1)])
    assert {rule for rule in failures(verdict) if rule in TESTED_BELOW} == expected
    assert verdict.rows_quarantined == int("price.no_slip" in expected)


def series(prices: Iterable[str]) -> list[dict[str, Any]]:
    """A file of one instrument that nobody priced before, from DAY backwards in time."""
    days = list(prices)
    first = DAY - dt.timedelta(days=len(days))
    row = CASES["core/price"].good(0) | {"source_code": "OTHER", "high_price": None, "low_price": None}
    return [
        row | {"business_date": first + dt.timedelta(days=number), "price": Decimal(price)}
        for number, price in enumerate(days)
    ]


@pytest.mark.parametrize(
    ("prices", "slipped"),
    [
        (["10", "10.1", "1020", "10.2", "10.3", "10.1"], {4}),
        (["10", "10.1", "1020", "1030", "10.3", "10.1", "10.2", "10.4"], {4, 5}),
        (["10"] * 10 + ["1000"] * 10, set()),
        (["1"] * 4 + ["3", "8", "20", "50", "100"], set()),
    ],
)
def test_in_a_history_only_the_days_that_slipped_are_refused(
    settings: Settings, world: Connection, prices: list[str], slipped: set[int]
) -> None:
    verdict = judged(settings, world, contract_of(CASES["core/price"]), series(prices))
    rows = world.execute(
        "select source_row from quality.quarantined_row q join quality.validation v using (delivery_id)"
        " where v.validation_id = %s and rule_id = 'price.no_slip'",
        (verdict.validation_id,),
    ).fetchall()
    assert {row for (row,) in rows} == slipped


def test_a_price_that_repeats_is_stale_from_the_fifth_day(settings: Settings, world: Connection) -> None:
    verdict = judged(settings, world, contract_of(CASES["core/price"]), series(["10"] * 6))
    assert failures(verdict)["price.not_stale"] == 2
    world.execute("update core.price set price = 10 where instrument_id = 1")
    world.commit()
    row = CASES["core/price"].good(0) | {"price": 10}
    verdict = judged(settings, world, contract_of(CASES["core/price"]), [row, CASES["core/price"].good(1)])
    assert failures(verdict)["price.not_stale"] == 1


def test_a_close_outside_its_day_is_flagged_unless_adjusted(settings: Settings, world: Connection) -> None:
    row = CASES["core/price"].good(0) | {"price": PRICES[0], "low_price": 1, "high_price": 5}
    rows = [row, row | {"price_type_code": "ADJUSTED_CLOSE"}]
    assert failures(judged(settings, world, contract_of(CASES["core/price"]), rows))["price.within_the_day"] == 1


@pytest.mark.parametrize(
    ("rate", "expected"),
    [("170", {"fx_rate.no_jump"}), ("0.0066", {"fx_rate.no_jump", "fx_rate.not_inverted"}), ("151", set())],
)
def test_rates_are_compared_with_the_last_published_ones(
    settings: Settings, world: Connection, rate: str, expected: set[str]
) -> None:
    cases = CASES["core/fx_rate"]
    rows = [cases.good(0) | {"rate": Decimal(rate)}, cases.good(1)]
    assert set(failures(judged(settings, world, contract_of(cases), rows))) == expected
