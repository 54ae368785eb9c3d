"""Rules over time on prices, each on a series made for it: what is flagged, and that its honest twin is not."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from fulcrum.contracts.model import Identifier
from fulcrum.quality.gate import failed_rows, judge
from fulcrum.settings import Settings
from tests.factories.staging import stage_rows
from tests.factories.suites import CASES, contract_of
from tests.factories.world import DAY, ISINS, publish_world

Connection = psycopg.Connection[Any]
Row = dict[str, Any]
FIRST = dt.date(2024, 1, 1)
TICKER = Identifier(scheme="TICKER", columns=("ticker",), market="US")


@pytest.fixture
def world(connection: Connection) -> Connection:
    publish_world(connection)
    return connection


def wave(number: int, level: float = 100.0) -> Decimal:
    """A price that moves by about a percent a day, and never twice to the same value."""
    return Decimal(str(round(level * (1 + 0.01 * ((number * 7) % 5 - 2) + 0.0001 * number), 4)))


def bars(prices: Sequence[Decimal | int | str], events: Mapping[int, Mapping[str, Any]] | None = None) -> list[Row]:
    """One bar per weekday from FIRST; the adjusted price is right for the dividends in `events`."""
    days = [FIRST + dt.timedelta(days=7 * (n // 5) + n % 5) for n in range(len(prices))]
    factor, rows = Decimal(1), []
    for number in reversed(range(len(prices))):
        row: Row = {
            "isin": ISINS[0], "business_date": days[number], "price_type_code": "SPLIT_ADJUSTED_CLOSE",
            "source_code": "OTHER", "price": Decimal(prices[number]), "currency_code": "USD", "volume": 5,
            "dividend": 0, "split_ratio": 0, "capital_gain": 0, "adjusted_price": Decimal(prices[number]) * factor,
        } | dict((events or {}).get(number, {}))  # fmt: skip
        rows.append(row)
        if number and row["dividend"]:
            factor *= 1 - Decimal(row["dividend"]) / Decimal(prices[number - 1])
    return list(reversed(rows))


def flagged(settings: Settings, connection: Connection, rows: Sequence[Row]) -> dict[str, list[int]]:
    """By rule, the places (from 0) of the rows that a critical rule or a warning flags."""
    contract = contract_of(CASES["core/price"])
    delivery_id, staged = stage_rows(connection, contract, rows)
    verdict = judge(settings, contract, staged, delivery_id)
    assert [result.message for result in verdict.results if result.status == "broken"] == []
    failed = [result.rule_id for result in verdict.results if result.status == "failed" and result.severity != "info"]
    found = failed_rows(settings, connection, contract, staged, delivery_id, failed)
    return {rule: sorted(line - 2 for line, _ in lines) for rule, lines in found.items()}


def test_an_honest_history_with_dividends_is_not_flagged(settings: Settings, world: Connection) -> None:
    events = {20: {"dividend": Decimal("1.5")}, 50: {"dividend": Decimal("1.6")}}
    assert flagged(settings, world, bars([wave(n) for n in range(80)], events)) == {}


def test_a_unit_that_changes_for_good_is_shown_on_both_sides(settings: Settings, world: Connection) -> None:
    rows = bars([wave(n) * (100 if n < 30 else 1) for n in range(60)])
    assert flagged(settings, world, rows) == {"price.no_unit_break": [29, 30], "price.no_jump": [30]}


def test_a_tenfold_slip_is_refused_and_a_tenfold_rise_is_not(settings: Settings, world: Connection) -> None:
    slipped = bars([wave(n) * (10 if n == 20 else 1) for n in range(40)])
    assert flagged(settings, world, slipped)["price.no_slip"] == [20]
    grown = bars([Decimal(str(round(10 * 1.08**n, 4))) for n in range(40)])
    assert "price.no_slip" not in flagged(settings, world, grown)


@pytest.mark.parametrize(("ratio", "split"), [(10, "10"), (2, "2"), (Decimal("0.1"), "0.1")])
def test_a_split_that_part_of_the_history_lacks_is_found(
    settings: Settings, world: Connection, ratio: Decimal, split: str
) -> None:
    rows = bars([wave(n) * (ratio if n < 25 else 1) for n in range(50)], {30: {"split_ratio": Decimal(split)}})
    assert flagged(settings, world, rows)["price.split_applied"] == [24, 25]


def test_a_quoted_close_falls_at_its_split_as_it_should(settings: Settings, world: Connection) -> None:
    rows = bars([wave(n) * (2 if n < 25 else 1) for n in range(50)], {25: {"split_ratio": 2}})
    assert flagged(settings, world, [row | {"price_type_code": "CLOSE"} for row in rows]).keys() <= {
        "price.adjustment_explained"
    }


@pytest.mark.parametrize(
    ("change", "rule", "places"),
    [
        ({"dividend": Decimal(150)}, "price.dividend_size", [40]),
        ({"dividend": Decimal("0.0150")}, "price.dividend_adjusted", [39, 40]),
        ({"dividend": Decimal(0)}, "price.adjustment_explained", [39, 40]),
    ],
)
def test_a_dividend_that_the_adjusted_price_does_not_know_is_found(
    settings: Settings, world: Connection, change: Row, rule: str, places: list[int]
) -> None:
    rows = bars([wave(n) for n in range(80)], {n: {"dividend": Decimal("1.5")} for n in (20, 40, 60)})
    rows[40] |= change
    assert flagged(settings, world, rows)[rule] == places


def test_a_dividend_in_another_unit_is_told_from_those_beside_it(settings: Settings, world: Connection) -> None:
    dividends = {20: "1.5", 40: "0.015", 60: "1.5"}
    rows = bars([wave(n) for n in range(80)], {n: {"dividend": Decimal(paid)} for n, paid in dividends.items()})
    assert flagged(settings, world, rows) == {"price.dividend_like_others": [40]}


def test_a_dividend_told_twice_is_found_and_a_monthly_one_is_not(settings: Settings, world: Connection) -> None:
    twice = bars([wave(n) for n in range(80)], {n: {"dividend": Decimal("1.5")} for n in (20, 21, 60)})
    assert flagged(settings, world, twice)["price.dividend_once"] == [20, 21]
    monthly = bars([wave(n) for n in range(80)], {n: {"dividend": Decimal("0.5")} for n in range(10, 80, 21)})
    assert flagged(settings, world, monthly) == {}


def test_an_adjusted_price_below_zero_is_found(settings: Settings, world: Connection) -> None:
    rows = bars([wave(n) for n in range(10)])
    rows[3] |= {"adjusted_price": -1}
    assert flagged(settings, world, rows)["price.adjusted_positive"] == [3]


def test_stale_is_what_the_series_itself_does_not_do(settings: Settings, world: Connection) -> None:
    lively = [wave(n) for n in range(60)] + [wave(60)] * 5
    assert flagged(settings, world, bars(lively)) == {"price.not_stale": [64]}
    sleepy = [wave(n // 8) for n in range(160)]
    assert flagged(settings, world, bars(sleepy)) == {}
    untraded = bars(lively)
    for row in untraded[60:]:
        row |= {"volume": 0}
    assert flagged(settings, world, untraded) == {}


def test_a_gap_is_counted_in_trading_days_of_the_exchange(settings: Settings, world: Connection) -> None:
    days = [*range(10, 20), *range(40, 50)]  # 2024-01-10 to 19, then from 2024-02-09: Shanghai is closed until 19
    rows = [bars([wave(n)])[0] | {"business_date": FIRST + dt.timedelta(days=n - 1)} for n in days]
    assert flagged(settings, world, [row | {"exchange_code": "XNYS"} for row in rows])["price.no_gap"] == [10]
    holidays = [row for row in rows if not dt.date(2024, 2, 9) <= row["business_date"] < dt.date(2024, 2, 19)]
    assert flagged(settings, world, [row | {"exchange_code": "XNONE"} for row in holidays]) == {}


def test_a_share_that_stays_when_its_exchange_falls_is_found(settings: Settings, world: Connection) -> None:
    rows = []
    for number in range(30):
        prices = [wave(n + number) for n in range(30)] + [wave(30 + number) * Decimal("0.68")]
        if number == 7:
            prices[-1] = wave(30 + number)
        names = {"isin": None, "ticker": f"T{number}", "exchange_code": "XNYS"}
        rows += [row | names for row in bars(prices)]
    contract = contract_of(CASES["core/price"], unknown_instruments="provisional", identifiers=(TICKER,))
    delivery_id, staged = stage_rows(world, contract, rows)
    verdict = judge(settings, contract, staged, delivery_id)
    found = {result.rule_id: result for result in verdict.results}
    assert (found["price.moves_with_market"].status, found["price.moves_with_market"].rows_failed) == ("failed", 1)


def test_two_sources_that_disagree_are_told(settings: Settings, world: Connection) -> None:
    world.execute(
        "insert into core.price (instrument_id, business_date, price_type_code, source_code, published_in, price)"
        " values (1, %s, 'CLOSE', 'VENDOR', 1, 10.9), (2, %s, 'CLOSE', 'VENDOR', 1, 11.1)",
        (DAY, DAY),
    )
    world.commit()
    rows = [CASES["core/price"].good(0), CASES["core/price"].good(1)]
    assert flagged(settings, world, rows)["price.agrees_with_second_source"] == [0]


def test_a_bond_costs_what_a_bond_can_cost(settings: Settings, world: Connection) -> None:
    world.execute(
        "update core.instrument_version set asset_class_code = 'DEBT', quote_unit_code = 'PER_100'"
        " where instrument_id < 4"
    )
    world.execute("update core.price set price = 100 + price / 10 where instrument_id < 3")
    world.execute("update core.price set price = 1 + price / 1000 where instrument_id = 3")
    world.commit()
    good = CASES["core/price"].good
    rows = [
        good(0) | {"price": Decimal("101.2")},
        good(1) | {"price": Decimal("99.1")},
        good(2) | {"price": Decimal("1.01")},
    ]
    rows = [row | {"high_price": None, "low_price": None} for row in rows]
    assert flagged(settings, world, rows)["price.bond_range"] == [2]
