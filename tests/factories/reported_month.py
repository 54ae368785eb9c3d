"""A month with something of everything that is reported: waiver, override, rollback, refusals."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg

from fulcrum.contracts.catalog import load_contracts
from fulcrum.governance.desk import overrides, rollbacks, waivers
from fulcrum.governance.desk.policy import load_desk_policy
from fulcrum.pipeline.deliver import deliver
from fulcrum.pipeline.derive import derive
from fulcrum.quality.timeliness import judge_timeliness
from fulcrum.settings import Settings
from tests.factories import house
from tests.factories.access import make_key

MONTH = "2026-01"
RULE = "holding.control_total"
DAY, NEXT = dt.date(2026, 1, 5), dt.date(2026, 1, 6)
BIRTH = "1990-13-77"
"""A personal value of a cell in quarantine: no date, so that it is quoted by what is said about it."""


@dataclass(frozen=True)
class ReportedMonth:
    """What is in it."""

    waiver_id: int
    waived_delivery: int
    override_id: int
    rolled_back: int
    keys: dict[str, str]


def write_month(
    settings: Settings, connection: psycopg.Connection[Any], folder: Path, *, reason: str = "Sender's sum."
) -> ReportedMonth:
    """Deliver, block, waive, value, judge arrivals and roll back, all by the ordinary ways; committed."""
    keys = {
        name: make_key(connection, name, roles=[role])
        for name, role in {"ann": "data_engineer", "bob": "risk_officer", "eve": "analyst"}.items()
    }
    house.prepare(settings, folder)
    euros = [house.portfolio("P2", "EUR")]
    file = house.write(settings, folder, "house_portfolios", "portfolios_20260102.csv", [house.portfolio(), *euros])
    deliver(settings, "house_portfolios", file, business_date=dt.date(2026, 1, 2))
    _market(settings, folder)
    good = [house.holding(isin, 1) for isin in house.ISINS]
    assert house.deliver_holdings(settings, folder, "good.csv", good).outcome == "published"
    waiver_id, delivery = _waived(settings, connection, folder, reason)
    _quarantined(settings, folder)
    derive(settings)
    override_id = _overridden(settings, connection)
    taken_back = _rolled_back(settings, connection, folder)
    for day in (DAY, NEXT):
        judge_timeliness(settings, load_contracts(settings), day)
    return ReportedMonth(waiver_id, delivery, override_id, taken_back, keys)


def _market(settings: Settings, folder: Path) -> None:
    for day in (DAY, NEXT):
        prices = [
            {"isin": isin, "price": Decimal(10), "currency_code": "USD", "price_type_code": "CLOSE",
             "source_code": "HOUSE", "quote_unit_code": "UNIT", "business_date": day}
            for isin in house.ISINS
        ]  # fmt: skip
        deliver(
            settings, "house_prices", house.write(settings, folder, "house_prices", f"prices_{day:%Y%m%d}.csv", prices)
        )
        rate = {"base_currency_code": "EUR", "quote_currency_code": "USD", "rate": Decimal("1.25"),
                "business_date": day, "source_code": "HOUSE"}  # fmt: skip
        deliver(
            settings, "house_fx_rates", house.write(settings, folder, "house_fx_rates", f"fx_{day:%Y%m%d}.csv", [rate])
        )


def _waived(settings: Settings, connection: psycopg.Connection[Any], folder: Path, reason: str) -> tuple[int, int]:
    """A file of the next day with a wrong total, let in under a waiver that bob has approved."""
    rows = [house.holding(isin, 2, code=code, day=NEXT) for code in ("P1", "P2") for isin in house.ISINS]
    file = house.broken_total(house.holdings_file(settings, folder, "broken.csv", rows))
    assert deliver(settings, "house_holdings", file).outcome == "blocked"
    policy = load_desk_policy(settings)
    asked = waivers.ask(connection, policy, "ann", waivers.Request(RULE, "house_holdings", DAY, NEXT, reason))
    waivers.decide(connection, "bob", asked.waiver_id, "approved", "Checked with the sender.")
    connection.commit()
    again = deliver(settings, "house_holdings", file)
    assert again.outcome == "published"
    assert again.delivery_id is not None
    return asked.waiver_id, again.delivery_id


def _quarantined(settings: Settings, folder: Path) -> None:
    """Clients of whom one has no birthday that can be read and one no kind: both rows are refused."""
    person: dict[str, Any] = {"client_kind_code": "INDIVIDUAL", "risk_class_code": "C2"}
    rows = [
        {"client_code": "C1", "client_name": "Ann Example", **person, "birth_date": dt.date(1970, 1, 1)},
        {"client_code": "C2", "client_name": "Zhang Example", **person, "birth_date": dt.date(1977, 7, 7)},
        {"client_code": "C3", "client_name": "Li Example", **person, "client_kind_code": "WIZARD"},
    ]
    file = house.write(settings, folder, "house_clients", "clients_20260105.csv", rows)
    file.write_text(file.read_text("utf-8").replace("1977-07-07", BIRTH), "utf-8")
    deliver(settings, "house_clients", file, business_date=DAY)


def _overridden(settings: Settings, connection: psycopg.Connection[Any]) -> int:
    """A rate of two later days, asked by ann and approved by bob; nothing is carried out."""
    policy, pair = load_desk_policy(settings), {"base_currency_code": "EUR", "quote_currency_code": "USD"}
    days = dt.date(2026, 1, 8), dt.date(2026, 1, 9)
    wanted = overrides.Request("fx_rate", pair, Decimal("1.2612"), *days, "stale", "The bank was closed.")
    asked = overrides.ask(connection, policy, "ann", wanted)
    overrides.decide(connection, "bob", asked.override_id, "approved", "Seen on the screen.")
    connection.commit()
    return asked.override_id


def _rolled_back(settings: Settings, connection: psycopg.Connection[Any], folder: Path) -> int:
    rate = {"base_currency_code": "EUR", "quote_currency_code": "USD", "rate": Decimal("1.26"),
            "business_date": dt.date(2026, 1, 7), "source_code": "HOUSE"}  # fmt: skip
    told = deliver(
        settings, "house_fx_rates", house.write(settings, folder, "house_fx_rates", "fx_20260107.csv", [rate])
    )
    assert told.publication_id is not None
    rollbacks.decide(connection, "bob", told.publication_id, "Rate of another day.")
    connection.commit()
    return told.publication_id
