"""Monthly partitions of the fact tables, made when the first row of a month comes.

What goes into them is decided elsewhere; only the owner may make tables in `core` and `mart`, so the
loader asks through functions of schema `governance`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

import psycopg

Connection = psycopg.Connection[Any]


def months_of(dates: Iterable[dt.date]) -> list[dt.date]:
    """The first days of the months that `dates` fall in, in order."""
    return sorted({date.replace(day=1) for date in dates})


def missing_months(connection: Connection, parent: str, dates: Iterable[dt.date]) -> list[dt.date]:
    """The months of `dates` for which `parent` (`core.holding`) has no partition yet."""
    rows = connection.execute(
        "select month from unnest(%s::date[]) as month"
        " where to_regclass(%s || '_p' || to_char(month, 'YYYYMM')) is null order by month",
        (months_of(dates), parent),
    ).fetchall()
    return [row[0] for row in rows]


def ensure_months(connection: Connection, parent: str, dates: Iterable[dt.date]) -> None:
    """Make and attach the partitions that rows of `dates` need; readers are not locked out."""
    for month in missing_months(connection, parent, dates):
        connection.execute("select governance.ensure_month(%s, %s)", (parent, month))


def build_month(connection: Connection, parent: str, month: dt.date) -> str | None:
    """Make the month's table without key and unattached, to load it fast; None where it exists already."""
    row = connection.execute("select governance.build_month(%s, %s)", (parent, month)).fetchone()
    assert row is not None
    name: str | None = row[0]
    return name


def attach_month(connection: Connection, parent: str, month: dt.date) -> None:
    """Give the loaded table its key and indexes, and attach it."""
    connection.execute("select governance.attach_month(%s, %s)", (parent, month))
