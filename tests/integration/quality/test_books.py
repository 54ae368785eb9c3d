"""Rules that hold a file against the books (trades, portfolios, maturities, accounts), and the books themselves."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from fulcrum.contracts.catalog import load_contracts
from fulcrum.errors import GateError
from fulcrum.quality.gate import Verdict, judge
from fulcrum.quality.inspection import inspect
from fulcrum.quality.timeliness import expected, judge_timeliness
from fulcrum.quality.verdict import RuleResult
from fulcrum.settings import Settings, read_settings
from tests.factories.staging import new_delivery, stage_rows
from tests.factories.suites import CASES, contract_of
from tests.factories.world import BEFORE, DAY, ISINS, publish_world

Connection = psycopg.Connection[Any]
HOLDING = CASES["core/holding"]


@pytest.fixture
def world(connection: Connection) -> Connection:
    publish_world(connection)
    return connection


def by_rule(verdict: Verdict) -> dict[str, RuleResult]:
    assert [result.message for result in verdict.results if result.status == "broken"] == []
    return {result.rule_id: result for result in verdict.results}


def judged(settings: Settings, connection: Connection, rows: list[dict[str, Any]]) -> dict[str, RuleResult]:
    contract = contract_of(HOLDING)
    delivery_id, staged = stage_rows(connection, contract, rows)
    return by_rule(judge(settings, contract, staged, delivery_id))


def trade(connection: Connection, instrument: int, kind: str, quantity: int) -> None:
    connection.execute("select governance.ensure_month('core.transaction', %s)", (DAY,))
    connection.execute(
        "insert into core.transaction (portfolio_id, transaction_code, business_date, published_in, instrument_id,"
        " transaction_kind_code, quantity, currency_code) values (1, %s, %s, 1, %s, %s, %s, 'USD')",
        (f"T{instrument}", DAY, instrument, kind, quantity),
    )
    connection.commit()


def test_a_position_that_moved_without_a_trade_is_found(settings: Settings, world: Connection) -> None:
    rows = HOLDING.delivery()
    rows[2] |= {"quantity": Decimal(15), "market_value": 15 * rows[2]["price"]}
    rows[3] |= {"quantity": Decimal(15), "market_value": 15 * rows[3]["price"]}
    assert judged(settings, world, rows)["holding.moved_with_a_trade"].rows_failed == 0  # no trades are known yet
    trade(world, 3, "BUY", 5)
    found = judged(settings, world, rows)["holding.moved_with_a_trade"]
    assert (found.status, found.rows_failed) == ("failed", 1)


def test_a_matured_instrument_and_one_that_nobody_described_are_told(settings: Settings, world: Connection) -> None:
    world.execute(
        "update core.instrument_version set maturity_date = %s where instrument_id = 1", (dt.date(2025, 6, 1),)
    )
    world.execute("update core.instrument_version set maturity_date = %s where instrument_id = 2", (DAY,))
    world.execute("update core.instrument_version set is_provisional = true where instrument_id = 4")
    world.commit()
    found = judged(settings, world, HOLDING.delivery())
    assert found["holding.instrument_not_expired"].rows_failed == 1
    assert found["holding.instrument_described"].rows_failed == 1


def test_a_portfolio_that_the_file_before_had_is_missed(settings: Settings, world: Connection) -> None:
    assert judged(settings, world, HOLDING.delivery())["holding.portfolios_kept"].status == "not_run"
    world.execute("insert into core.portfolio (portfolio_id, portfolio_code, created_in) values (2, 'P2', 1)")
    before = new_delivery(world, contract_of(HOLDING), outcome="published", business_date_to=BEFORE)
    world.execute("update core.holding set delivery_id = %s", (before,))
    world.execute(
        "insert into core.holding (portfolio_id, business_date, instrument_id, published_in, quantity, delivery_id)"
        " values (2, %s, 1, 1, 10, %s)",
        (BEFORE, before),
    )
    world.commit()
    found = judged(settings, world, HOLDING.delivery())["holding.portfolios_kept"]
    assert (found.status, found.measured) == ("failed", Decimal(1))
    both = [*HOLDING.delivery(), HOLDING.good(0) | {"portfolio_code": "P2", "position_code": "other"}]
    assert judged(settings, world, both)["holding.portfolios_kept"].status == "passed"


def test_a_value_in_the_currency_of_the_fund_agrees_by_its_rate(settings: Settings, world: Connection) -> None:
    rows = [row | {"fx_rate": Decimal(2)} for row in HOLDING.delivery()]
    rows[0] |= {"market_value": rows[0]["market_value"] / 2}
    rows[1] |= {"market_value": rows[1]["market_value"] / 3}
    assert judged(settings, world, rows)["holding.value_agrees"].rows_failed == 1


def test_a_client_without_an_account_is_counted_once_there_are_accounts(settings: Settings, world: Connection) -> None:
    clients = CASES["core/client"]
    contract = contract_of(clients)
    rows = [clients.good(0) | {"client_code": "C1", "client_kind_code": "INDIVIDUAL"}]
    for accounts, failed in ((0, 0), (1, 1)):
        if accounts:
            world.execute(
                "insert into core.account_version (account_id, valid_from, published_in, account_kind_code,"
                " account_status_code) values (1, '0001-01-01', 1, 'CUSTODY', 'OPEN')"
            )
            world.commit()
        delivery_id, staged = stage_rows(world, contract, rows)
        found = by_rule(judge(settings, contract, staged, delivery_id))
        assert found["client.has_account"].rows_failed == failed


def nav(connection: Connection, day: dt.date, quantity: int, price: int) -> None:
    """P1 holds one share and cash of 50, and its net asset value is their sum."""
    for table in ("mart.position_valuation", "mart.portfolio_nav"):
        connection.execute("select governance.ensure_month(%s, %s)", (table, day))
    for instrument, held, each in ((1, quantity, price), (12, 50, 1)):
        connection.execute(
            "insert into mart.position_valuation (portfolio_id, business_date, instrument_id, position_code,"
            " published_in, quantity, market_value_base, valuation_status_code, holding_publication_id)"
            " values (1, %s, %s, '', 1, %s, %s, 'VALUED', 1)",
            (day, instrument, held, held * each),
        )
    connection.execute(
        "insert into mart.portfolio_nav (portfolio_id, business_date, published_in, base_currency_code, nav_base,"
        " positions, positions_valued, positions_flagged, is_complete, valuation_publication_id)"
        " values (1, %s, 1, 'USD', %s, 2, 2, 0, true, 1)",
        (day, quantity * price + 50),
    )
    connection.execute("update core.instrument_version set asset_class_code = 'CASH' where instrument_id = 12")
    connection.commit()


def accounts(settings: Settings, day: dt.date = DAY) -> dict[str, RuleResult]:
    return by_rule(inspect(settings, "mart/portfolio_nav", "mart.portfolio_nav", day))


def test_a_net_asset_value_that_keeps_the_identities_passes(settings: Settings, world: Connection) -> None:
    nav(world, BEFORE, 10, 100)
    nav(world, DAY, 15, 110)
    trade(world, 1, "BUY", 5)
    found = accounts(settings)
    assert [found[f"nav.{rule}"].status for rule in ("is_sum_of_parts", "rolls_forward")] == ["passed", "passed"]
    assert found["nav.is_units_times_price"].status == "not_run"  # nobody told a value per unit
    assert {result.status for result in accounts(settings, dt.date(2026, 3, 1)).values()} == {"not_run"}


def test_a_net_asset_value_that_breaks_an_identity_is_named_with_what_it_should_be(
    settings: Settings, world: Connection
) -> None:
    nav(world, BEFORE, 10, 100)
    nav(world, DAY, 15, 110)
    trade(world, 2, "BUY", 5)  # of another share
    world.execute("update mart.portfolio_nav set nav_base = 1800 where business_date = %s", (DAY,))
    world.execute("update core.share_class_version set portfolio_id = 1, currency_code = 'USD', isin = %s", (ISINS[4],))
    world.execute(
        "insert into core.price (instrument_id, business_date, price_type_code, source_code, published_in, price)"
        " values (5, %s, 'NAV', 'ADMIN', 1, 1.7)",
        (DAY,),
    )
    world.commit()
    found = accounts(settings)
    assert found["nav.is_sum_of_parts"].details["failed"] == [["P1 2026-01-06", "1800, parts 1700"]]
    assert found["nav.rolls_forward"].details["failed"][0][1].startswith("1800, rolled 1150")
    assert found["nav.is_units_times_price"].details["failed"] == [["P1 2026-01-06", "1800, units 1700.0"]]
    stored = world.execute(
        "select subject, business_date, verdict, delivery_id from quality.validation where subject is not null"
    ).fetchall()
    assert stored == [("mart.portfolio_nav", DAY, "warned", None)]


def test_two_sources_of_one_fund_are_compared_by_weight(settings: Settings, world: Connection) -> None:
    world.execute("insert into core.portfolio (portfolio_id, portfolio_code, created_in) values (2, 'P2', 1)")
    world.execute("update core.holding set market_value = 100")
    world.execute(
        "insert into core.holding (portfolio_id, business_date, instrument_id, published_in, quantity, market_value)"
        " select 2, business_date, instrument_id, 1, quantity, 100 from core.holding where instrument_id < 11"
    )
    world.execute(
        "insert into core.portfolio_version (portfolio_id, valid_from, published_in, isin)"
        " select portfolio_id, '0001-01-01', 1, %s from core.portfolio",
        (ISINS[5],),
    )
    world.commit()
    found = by_rule(inspect(settings, "core/fund", "funds", DAY))["fund.sources_agree"]
    assert found.details["failed"] == [["P1 and P2", "83.33 percent in common, 2026-01-05 and 2026-01-05"]]


THURSDAY = dt.date(2026, 4, 30)
"""Friday is Labour Day: Zurich is closed, so what is about Thursday is due on Monday."""
MONDAY = dt.datetime(2026, 5, 4, 12, tzinfo=dt.UTC)


def test_feeds_are_due_on_the_trading_days_of_their_exchange() -> None:
    contracts = {feed: found for feed, found in load_contracts(read_settings()).items() if feed == "house_prices"}
    (due,) = expected(contracts, THURSDAY)
    assert due.due_at == dt.datetime(2026, 5, 4, 5, tzinfo=dt.UTC)
    assert expected(contracts, dt.date(2026, 5, 1)) == []


def arrive(
    connection: Connection, at: str, rows: int = 100, day: dt.date = THURSDAY, outcome: str = "published"
) -> None:
    contract = contract_of(CASES["core/price"])
    new_delivery(connection, contract, landed_at=at, rows_in=rows, business_date_to=day, outcome=outcome)
    connection.commit()


@pytest.mark.parametrize(
    ("at", "rows", "outcome", "failed"),
    [
        (None, 0, "", {"not_missing"}),
        ("2026-05-01 08:00 UTC", 100, "published", set()),
        ("2026-05-04 05:30 UTC", 100, "published", {"not_late"}),
        ("2026-04-30 12:00 UTC", 100, "published", {"not_early"}),
        ("2026-05-01 08:00 UTC", 60, "published", {"not_small"}),
        ("2026-05-01 08:00 UTC", 100, "blocked", {"not_blocked"}),
        ("2026-05-01 08:00 UTC", 100, "refused", {"not_missing"}),
    ],
)
def test_what_did_not_come_or_came_wrongly_is_found(
    settings: Settings, world: Connection, at: str | None, rows: int, outcome: str, failed: set[str]
) -> None:
    for age in range(1, 8):
        arrive(world, "2026-04-20 08:00 UTC", day=THURSDAY - dt.timedelta(days=age))
    if at is not None:
        arrive(world, at, rows, outcome=outcome)
    contracts = {feed: found for feed, found in load_contracts(settings).items() if feed == "house_prices"}
    found = by_rule(judge_timeliness(settings, contracts, THURSDAY, MONDAY))
    assert {rule for rule, result in found.items() if result.status == "failed"} == {
        f"delivery.{one}" for one in failed
    }


def test_nothing_is_missing_before_it_is_due(settings: Settings, world: Connection) -> None:
    arrive(world, "2026-04-30 08:00 UTC", day=THURSDAY - dt.timedelta(days=1))
    contracts = {feed: found for feed, found in load_contracts(settings).items() if feed == "house_prices"}
    now = dt.datetime(2026, 5, 1, 12, tzinfo=dt.UTC)
    assert by_rule(judge_timeliness(settings, contracts, THURSDAY, now))["delivery.not_missing"].status == "passed"


def test_a_suite_of_files_cannot_be_inspected(settings: Settings) -> None:
    with pytest.raises(GateError, match="judges files"):
        inspect(settings, "core/price", "prices", DAY)
