"""Staging tables made by hand, for tests that need one without reading a file."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

import psycopg
from psycopg import sql

from fulcrum.contracts.delivery import Staged
from fulcrum.contracts.model import FeedContract
from fulcrum.warehouse.targets import target


def new_delivery(connection: psycopg.Connection[Any], contract: FeedContract, **values: Any) -> int:
    """A delivery that landed; the caller commits."""
    columns = {"feed": contract.feed, "file_name": f"{contract.feed}.csv", "sha256": "0" * 64, "size_bytes": 1} | values
    statement = sql.SQL("insert into governance.delivery ({}) values ({}) returning delivery_id").format(
        sql.SQL(", ").join(map(sql.Identifier, columns)), sql.SQL(", ").join(sql.Placeholder() * len(columns))
    )
    row = connection.execute(statement, list(columns.values())).fetchone()
    assert row is not None
    return int(row[0])


def stage_rows(
    connection: psycopg.Connection[Any],
    contract: FeedContract,
    rows: Iterable[Mapping[str, Any]],
    *,
    delivery_id: int | None = None,
    metadata: Mapping[str, str] | None = None,
    rows_refused: int = 0,
    columns: Iterable[str] | None = None,
) -> tuple[int, Staged]:
    """Commit `staging.delivery_<id>` with `rows`, numbered from 2 as under a header.

    The columns are those that the rows name, in the order of the target, unless `columns` says.
    """
    given = [dict(row) for row in rows]
    types = target(contract.target).staging_types
    wanted = set(columns) if columns is not None else {name for row in given for name in row}
    names = [name for name in types if name in wanted]
    number = new_delivery(connection, contract) if delivery_id is None else delivery_id
    table = f"staging.delivery_{number}"
    shape = ", ".join(f"{name} {types[name]}" for name in names)
    connection.execute(f"create unlogged table {table} (source_row bigint, {shape})".encode())
    with connection.cursor().copy(f"copy {table} (source_row, {', '.join(names)}) from stdin".encode()) as copy:
        for source_row, row in enumerate(given, start=2):
            copy.write_row([source_row, *(row.get(name) for name in names)])
    connection.commit()
    dates = [row["business_date"] for row in given if isinstance(row.get("business_date"), dt.date)]
    staged = Staged(
        table=table,
        columns=tuple(names),
        rows_in=len(given) + rows_refused,
        rows_refused=rows_refused,
        business_dates=(min(dates), max(dates)) if dates else (None, None),
        metadata=dict(metadata or {}),
    )
    return number, staged
