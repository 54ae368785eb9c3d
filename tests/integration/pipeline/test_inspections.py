"""What no file tells becomes an exception of the desk, follows its subject over the days, and heals."""

from __future__ import annotations

import datetime as dt
from typing import Any

import psycopg
import pytest

from fulcrum.contracts.catalog import load_contracts
from fulcrum.contracts.model import FeedContract
from fulcrum.pipeline.inspections import judge_days, reconcile_days
from fulcrum.quality.missed import missed_from, never_delivered
from fulcrum.settings import Settings
from tests.factories.staging import new_delivery
from tests.factories.suites import CASES, contract_of
from tests.factories.two_books import DAY, write_books
from tests.factories.world import DAY as WORLD_DAY
from tests.factories.world import publish_world

Connection = psycopg.Connection[Any]
WEDNESDAY, THURSDAY = dt.date(2026, 4, 29), dt.date(2026, 4, 30)
TUESDAY_AFTER = dt.datetime(2026, 5, 5, 12, tzinfo=dt.UTC)


@pytest.fixture
def prices(settings: Settings) -> dict[str, FeedContract]:
    return {"house_prices": load_contracts(settings)["house_prices"]}


def arrive(connection: Connection, day: dt.date) -> None:
    at = f"{day + dt.timedelta(days=1)} 01:00 UTC"
    contract = contract_of(CASES["core/price"])
    new_delivery(connection, contract, landed_at=at, rows_in=100, business_date_to=day, outcome="published")
    connection.commit()


def on_the_desk(connection: Connection) -> list[tuple[Any, ...]]:
    rows = connection.execute(
        "select rule_id, subject, state, severity, business_date, message from quality.exception order by 1, 2"
    ).fetchall()
    connection.rollback()
    return rows


def test_a_file_that_did_not_come_is_an_exception_until_it_comes(
    settings: Settings, connection: Connection, prices: dict[str, FeedContract]
) -> None:
    publish_world(connection)
    for day in (WEDNESDAY - dt.timedelta(days=1), THURSDAY):
        arrive(connection, day)
    days = [THURSDAY, WEDNESDAY]
    first = judge_days(settings, prices, "timeliness", days, TUESDAY_AFTER)
    assert first.opened == 1
    ((rule, subject, state, severity, day, message),) = on_the_desk(connection)
    assert (rule, subject, state, severity) == ("delivery.not_missing", "feed:house_prices", "open", "critical")
    assert day == THURSDAY
    assert message == "Not so for 2026-04-29: A file came for each feed that is due."
    again = judge_days(settings, prices, "timeliness", days, TUESDAY_AFTER)
    assert (again.opened, again.healed) == (0, 0), "the day that has its file must not heal the one that has not"
    arrive(connection, WEDNESDAY)
    assert judge_days(settings, prices, "timeliness", days, TUESDAY_AFTER).healed == 1
    assert [row[2] for row in on_the_desk(connection)] == ["resolved"]


def test_what_nobody_ever_sent_is_missed_from_the_date_of_its_contract_only(
    settings: Settings, connection: Connection, prices: dict[str, FeedContract]
) -> None:
    publish_world(connection)
    (house,) = prices.values()
    rates = {"house_fx_rates": house.model_copy(update={"feed": "house_fx_rates"})}
    days = [WEDNESDAY, THURSDAY]
    arrive(connection, WEDNESDAY)
    assert judge_days(settings, prices | rates, "timeliness", days, TUESDAY_AFTER).opened == 1
    assert [row[:2] for row in on_the_desk(connection)] == [("delivery.not_missing", "feed:house_prices")]
    assert never_delivered(connection, prices | rates, TUESDAY_AFTER) == ["house_fx_rates"]
    assert never_delivered(connection, prices, dt.datetime(2026, 4, 29, tzinfo=dt.UTC)) == ["house_prices"]
    (awaited,) = rates.values()
    stated = {
        "house_fx_rates": awaited.model_copy(update={"sla": house.sla.model_copy(update={"first_date": THURSDAY})})
    }
    assert never_delivered(connection, stated, TUESDAY_AFTER) == []
    done = judge_days(settings, prices | stated, "timeliness", [WEDNESDAY], TUESDAY_AFTER)
    assert done.opened == 0, "Wednesday is before the date of the contract"
    assert judge_days(settings, stated, "timeliness", days, TUESDAY_AFTER).opened == 1
    assert ("delivery.not_missing", "feed:house_fx_rates") in [row[:2] for row in on_the_desk(connection)]
    new_delivery(connection, awaited, landed_at="2026-05-05 06:00 UTC", business_date_to=None, outcome="refused")
    connection.commit()
    assert missed_from(connection, rates, TUESDAY_AFTER) == {"house_fx_rates": TUESDAY_AFTER.date()}


def test_rules_that_could_not_run_say_nothing(settings: Settings, connection: Connection) -> None:
    publish_world(connection)
    done = judge_days(settings, {}, "accounts", [THURSDAY])
    assert (done.opened, done.healed) == (0, 0)
    assert on_the_desk(connection) == []


def test_one_fund_from_two_sources_that_disagree_is_one_exception(settings: Settings, connection: Connection) -> None:
    publish_world(connection)
    connection.execute("insert into core.portfolio (portfolio_id, portfolio_code, created_in) values (2, 'P2', 1)")
    connection.execute("update core.holding set market_value = 100")
    connection.execute(
        "insert into core.holding (portfolio_id, business_date, instrument_id, published_in, quantity, market_value)"
        " select 2, business_date, instrument_id, 1, quantity, 100 from core.holding where instrument_id < 11"
    )
    connection.execute(
        "insert into core.portfolio_version (portfolio_id, valid_from, published_in, isin)"
        " select portfolio_id, '0001-01-01', 1, 'IE00B4L5Y983' from core.portfolio"
    )
    connection.commit()
    assert judge_days(settings, {}, "funds", [WORLD_DAY]).opened == 1
    assert [row[:2] for row in on_the_desk(connection)] == [("fund.sources_agree", "funds:P1 and P2")]


def test_every_reconciliation_runs_on_every_day_and_keeps_what_it_found(
    settings: Settings, connection: Connection
) -> None:
    write_books(connection, 1, 5, days=(DAY,))
    connection.execute(
        "update core.holding set quantity = quantity + 7 where (portfolio_id, instrument_id) ="
        " (select min(portfolio_id), min(instrument_id) from core.holding)"
    )
    connection.commit()
    found = {(one.name, one.business_date): one for one in reconcile_days(settings, [DAY, DAY + dt.timedelta(days=1)])}
    assert {day for _, day in found} == {DAY, DAY + dt.timedelta(days=1)}
    assert found["custody_positions", DAY].status == "broken"
    assert found["custody_positions", DAY + dt.timedelta(days=1)].status == "not_run"
    assert found["price_sources", DAY].status == "not_run"
    assert [row[0] for row in on_the_desk(connection)] == ["reconciliation.custody_positions"]
