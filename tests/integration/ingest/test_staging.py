"""Staging a house file: what lands in the table, what in quarantine, what is refused."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest

from fulcrum.contracts.catalog import contract_for
from fulcrum.contracts.delivery import Staged
from fulcrum.errors import DeliveryRefusedError
from fulcrum.ingest.landing import land
from fulcrum.ingest.staging import stage
from fulcrum.settings import Settings

HEADER = "portfolio_code,isin,quantity,price,market_value,currency_code,cost,business_date\n"
Stage = Callable[..., Staged]


@pytest.fixture
def staging(settings: Settings, connection: psycopg.Connection[Any], tmp_path: Path) -> Stage:
    """Write, land and stage a file; `stage(text, feed=..., name=..., **parameters)`."""

    def run(
        content: str | bytes, feed: str = "house_holdings", name: str = "holdings.csv", **parameters: str
    ) -> Staged:
        file = tmp_path / name
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        landed = land(settings, file)
        row = connection.execute(
            "insert into governance.delivery (feed, file_name, sha256, size_bytes) values (%s, %s, %s, %s)"
            " returning delivery_id",
            (feed, name, landed.sha256, landed.size_bytes),
        ).fetchone()
        connection.commit()
        assert row is not None
        return stage(connection, contract_for(settings, feed), landed, row[0], parameters)

    return run


def test_a_canonical_file_is_staged_with_types_and_physical_rows(
    staging: Stage, connection: psycopg.Connection[Any]
) -> None:
    staged = staging(HEADER + "P1,US0378331005,10.50,1.1,11.55,USD,9,2026-01-05\nP1,,-3,,,EUR,,2026-01-05\n")
    assert (staged.rows_in, staged.rows_refused) == (2, 0)
    assert staged.business_dates == (dt.date(2026, 1, 5), dt.date(2026, 1, 5))
    rows = connection.execute(f"select source_row, isin, quantity, cost, business_date from {staged.table}").fetchall()
    assert rows == [
        (2, "US0378331005", Decimal("10.50"), Decimal(9), dt.date(2026, 1, 5)),
        (3, None, Decimal(-3), None, dt.date(2026, 1, 5)),
    ]
