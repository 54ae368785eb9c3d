"""Contracts and deliveries for tests of publishing, without files and without the gate."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

import psycopg

from fulcrum.contracts.model import FeedContract, FeedField, Identifier
from fulcrum.warehouse.publications import latest_publication
from fulcrum.warehouse.publish import Published, publish
from tests.factories.staging import stage_rows

Connection = psycopg.Connection[Any]

D1 = dt.date(2026, 1, 5)
D2 = dt.date(2026, 1, 6)
D3 = dt.date(2026, 2, 2)


def contract(target: str, **changes: Any) -> FeedContract:
    """A feed of `target`; fields do not matter, since rows are staged by hand."""
    defaults: dict[str, Any] = {
        "feed": f"test_{target.partition('.')[2]}",
        "title": "Test",
        "owner": "tests",
        "source": "TEST",
        "target": target,
        "fields": (FeedField(name="business_date", header="date"),),
    }
    return FeedContract(**(defaults | changes))


HOLDINGS = contract(
    "core.holding",
    identifiers=(Identifier(scheme="ISIN", columns=("isin",)), Identifier(scheme="TICKER", columns=("ticker",))),
    unknown_instruments="provisional",
    unknown_portfolios="provisional",
    scope=("portfolio_code", "business_date"),
)
PRICES = contract(
    "core.price",
    identifiers=(Identifier(scheme="ISIN", columns=("isin",)), Identifier(scheme="TICKER", columns=("ticker",))),
    unknown_instruments="provisional",
    mode="delta",
)
INSTRUMENTS = contract(
    "core.instrument",
    identifiers=(
        Identifier(scheme="HOUSE", columns=("instrument_code",)),
        Identifier(scheme="ISIN", columns=("isin",)),
        Identifier(scheme="TICKER", columns=("ticker",)),
    ),
)
PORTFOLIOS = contract("core.portfolio")
CLIENTS = contract("core.client")


def deliver(connection: Connection, feed: FeedContract, rows: Iterable[Mapping[str, Any]], **options: Any) -> Published:
    """Stage `rows` and publish them with the verdict `passed`."""
    verdict = options.pop("verdict", "passed")
    delivery_id, staged = stage_rows(connection, feed, rows, **options)
    connection.execute(
        "update governance.delivery set business_date_from = %s, business_date_to = %s where delivery_id = %s",
        (*staged.business_dates, delivery_id),
    )
    connection.commit()
    return publish(connection, feed, staged, delivery_id, verdict)


def holding(portfolio: str, isin: str, quantity: object, date: dt.date = D1, **more: Any) -> dict[str, Any]:
    """A staged holding."""
    return {"portfolio_code": portfolio, "business_date": date, "isin": isin, "quantity": quantity, **more}


def holdings_at(connection: Connection, publication: int | None = None) -> dict[tuple[str, dt.date, str], str]:
    """Quantity by (portfolio, date, identifier code and position) as known at `publication` (None: now)."""
    number = latest_publication(connection) if publication is None else publication
    rows = connection.execute(
        """
        select p.portfolio_code, h.business_date,
               split_part(i.instrument_code, ':', 2)
               || case when position_code = '' then '' else '/' || position_code end,
               h.quantity
          from core.holding as h join core.portfolio as p using (portfolio_id)
          join core.instrument as i using (instrument_id)
         where h.published_in <= %(n)s and (h.superseded_in is null or h.superseded_in > %(n)s)
        """,
        {"n": number},
    ).fetchall()
    found = {(code, date, isin): str(quantity.normalize()) for code, date, isin, quantity in rows}
    assert len(found) == len(rows), "two visible rows have one key"
    return found
