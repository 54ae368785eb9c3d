"""What the page of reconciliation shows: runs, breaks by class and age, and breaks side by side, in pages.

Nothing is written here; which breaks are seen is decided by the row scope of the connection.
"""
# ruff: noqa: S608 every part of a statement is a constant of this module; values are bound

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import dict_row

Connection = psycopg.Connection[Any]
Row = dict[str, Any]
Cursor = tuple[int, dt.date, int]
"""Rank of severity, first day, number."""

LINES = 50
"""Breaks of one page: each has several lines."""
RUNS = 30

_RANK = "array_position(array['critical', 'warning', 'info'], b.severity)"
_OPEN = "b.state = 'open'"
_OF_DAY = """b.reconciliation_run_id = any(array(
    select distinct on (r.name) r.reconciliation_run_id from quality.reconciliation_run r
     where r.business_date = %(day)s and (%(name)s::text is null or r.name = %(name)s) and r.status <> 'not_run'
     order by r.name, r.reconciliation_run_id desc))"""
_OF_EXCEPTION = "b.exception_id = %(exception)s"
_FILTERS = """
 where {which} and (%(name)s::text is null or b.name = %(name)s)
   and (%(class)s::text is null or b.class_code = %(class)s) and (%(age)s::text is null or b.age_bucket = %(age)s)
   and (%(severity)s::text is null or b.severity = %(severity)s)
   and (%(book)s::text is null or b.book_code = %(book)s)
"""


@dataclass(frozen=True)
class Wanted:
    """Which breaks: those open now, those of the last run for `day`, or all that one exception ever had."""

    name: str | None = None
    day: dt.date | None = None
    class_code: str | None = None
    age: str | None = None
    severity: str | None = None
    book: str | None = None
    exception: int | None = None

    @property
    def filters(self) -> str:
        """Of SQL, over `b`."""
        which = _OF_EXCEPTION if self.exception is not None else _OF_DAY if self.day is not None else _OPEN
        return _FILTERS.format(which=which)

    @property
    def values(self) -> Row:
        """What the filters are told."""
        told = {"name": self.name, "day": self.day, "class": self.class_code, "age": self.age}
        return told | {"severity": self.severity, "book": self.book, "exception": self.exception}


def newest_runs(connection: Connection) -> list[Row]:
    """The newest run of each reconciliation, by name."""
    return _rows(
        connection,
        """
        select distinct on (name) * from quality.reconciliation_run
         order by name, business_date desc, reconciliation_run_id desc
        """,
        {},
    )


def runs(connection: Connection, name: str, limit: int = RUNS) -> list[Row]:
    """The last run for each business date of a reconciliation, newest date first."""
    return _rows(
        connection,
        """
        select distinct on (business_date) * from quality.reconciliation_run where name = %(name)s
         order by business_date desc, reconciliation_run_id desc limit %(limit)s
        """,
        {"name": name, "limit": limit},
    )


def by_class_and_age(connection: Connection, wanted: Wanted) -> dict[tuple[str, str], int]:
    """(class, age) -> how many breaks."""
    rows = _rows(
        connection,
        "select b.class_code, b.age_bucket, count(*) as found from quality.reconciliation_break b"
        f" {wanted.filters} group by 1, 2",
        wanted.values,
    )
    return {(row["class_code"], row["age_bucket"]): row["found"] for row in rows}


def breaks(
    connection: Connection, wanted: Wanted, after: Cursor | None = None, limit: int = LINES
) -> tuple[list[Row], Cursor | None]:
    """Breaks with their run, instrument and finding, the worst and oldest first, and where the next page begins."""
    place = f"and ({_RANK}, b.first_seen, b.reconciliation_break_id) > (%(rank)s, %(first)s, %(id)s)" if after else ""
    rank, first, number = after or (None, None, None)
    rows = _rows(
        connection,
        f"""
        with found as materialized (
            select b.*, {_RANK} as rank from quality.reconciliation_break b {wanted.filters} {place}
             order by {_RANK}, b.first_seen, b.reconciliation_break_id limit %(limit)s)
        select found.*, r.version, r.a_name, r.b_name, r.judged_by, r.finished_at, e.state as exception_state,
               e.owner_name, e.due_date, known.instrument_name, other.instrument_code as other_instrument_code
          from found
          join quality.reconciliation_run r using (reconciliation_run_id)
          left join quality.exception e on e.exception_id = found.exception_id
          left join core.instrument other on other.instrument_id = found.other_instrument_id
          left join lateral (
               select v.instrument_name from core.instrument_version v
                where v.instrument_id = found.instrument_id and v.superseded_in is null
                order by v.valid_from desc limit 1) known on true
         order by found.rank, found.first_seen, found.reconciliation_break_id
        """,
        wanted.values | {"rank": rank, "first": first, "id": number, "limit": limit + 1},
    )
    rows, last = rows[:limit], rows[limit - 1] if len(rows) > limit else None
    return rows, (last["rank"], last["first_seen"], last["reconciliation_break_id"]) if last else None


def sees_the_house(connection: Connection) -> bool:
    """Whether the row scope of the connection sees breaks at all."""
    (row,) = _rows(
        connection,
        "select coalesce((select is_whole_house from governance.row_scope"
        " where scope_id = nullif(current_setting('fulcrum.scope', true), '')::bigint), false) as sees",
        {},
    )
    return bool(row["sees"])


def all_breaks(connection: Connection, wanted: Wanted, at_once: int = 2_000) -> Iterator[list[Row]]:
    """Every break that is wanted, some at a time."""
    rows, after = breaks(connection, wanted, None, at_once)
    yield rows
    while after is not None:
        rows, after = breaks(connection, wanted, after, at_once)
        yield rows


def _rows(connection: Connection, statement: str, values: Row) -> list[Row]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement.encode(), values or None).fetchall()
