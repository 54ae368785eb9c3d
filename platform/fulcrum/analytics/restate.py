"""Brings a `mart` table to newly computed rows: only rows that differ are superseded and inserted.

What the rows are is computed elsewhere (`positions.py`, `nav.py`); here is only the comparison.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import sql

from fulcrum.warehouse.partitions import months_of

ANALYZED_ABOVE = 10_000
"""Rows inserted at once after which the planner gets new numbers: the NAV would sort a million rows."""


@dataclass(frozen=True)
class Change:
    """What happened to one table: rows in, rows out, and the publications that lost rows."""

    inserted: int = 0
    superseded: int = 0
    supersedes: frozenset[int] = field(default_factory=frozenset)

    def __add__(self, other: Change) -> Change:
        return Change(
            self.inserted + other.inserted, self.superseded + other.superseded, self.supersedes | other.supersedes
        )


@dataclass(frozen=True)
class Computed:
    """A `mart` table and the temporary table that holds what its pairs should say."""

    table: str
    scratch: str
    key: Sequence[str]
    columns: Sequence[str]


_SUPERSEDE = """
with gone as (
    update {table} old set superseded_in = %(publication)s
      from derive_scope s
     where s.portfolio_id = old.portfolio_id and s.business_date = old.business_date
       and s.is_known and old.superseded_in is null and old.business_date = any(%(dates)s)
       and not exists (select from {scratch} new where {same_key}
                          and ({new_values}) is not distinct from ({old_values}))
    returning old.published_in
)
select published_in, count(*) from gone group by published_in
"""

_INSERT = """
insert into {table} ({columns}, published_in)
select {new_columns}, %(publication)s from {scratch} new
 where not exists (select from {table} old where {same_key} and old.superseded_in is null
                      and old.business_date = any(%(dates)s))
"""

_INSERT_ALL = "insert into {table} ({columns}, published_in) select {columns}, %(publication)s from ({query}) new"


def insert_all(
    connection: psycopg.Connection[Any], to: Computed, query: sql.Composable, parameters: dict[str, Any]
) -> Change:
    """Insert the rows of `query` without looking at what is current: for pairs that have nothing yet."""
    statement = sql.SQL(_INSERT_ALL).format(table=_table(to.table), columns=_names(to.columns), query=query)
    inserted = connection.execute(statement, parameters).rowcount
    if inserted > ANALYZED_ABOVE:
        _analyze_months(connection, to.table, parameters["dates"])
    return Change(inserted=inserted)


def _analyze_months(connection: psycopg.Connection[Any], table: str, dates: Sequence[dt.date]) -> None:
    for month in months_of(dates):
        connection.execute(sql.SQL("analyze {} (portfolio_id, business_date)").format(_table(f"{table}_p{month:%Y%m}")))


def fill(connection: psycopg.Connection[Any], to: Computed, query: sql.Composable, parameters: dict[str, Any]) -> None:
    """Put the rows of `query` into the temporary table that `restate` compares with."""
    statement = sql.SQL("insert into {} ({}, published_in) select {}, 0 from ({}) new").format(
        sql.Identifier(to.scratch), _names(to.columns), _names(to.columns), query
    )
    connection.execute(statement, parameters)
    connection.execute(sql.SQL("analyze {}").format(sql.Identifier(to.scratch)))


def restate(connection: psycopg.Connection[Any], to: Computed, parameters: dict[str, Any]) -> Change:
    """Supersede current rows of known pairs that differ or are gone, and insert what is new.

    `parameters` holds `publication` and `dates`. An equal row stays as it is.
    """
    parts = {
        "table": _table(to.table),
        "scratch": sql.Identifier(to.scratch),
        "columns": _names(to.columns),
        "new_columns": _names(to.columns, "new"),
        "same_key": sql.SQL(" and ").join(
            sql.SQL("new.{0} = old.{0}").format(sql.Identifier(column)) for column in to.key
        ),
        "new_values": _names([column for column in to.columns if column not in to.key], "new"),
        "old_values": _names([column for column in to.columns if column not in to.key], "old"),
    }
    gone = connection.execute(sql.SQL(_SUPERSEDE).format(**parts), parameters).fetchall()
    inserted = connection.execute(sql.SQL(_INSERT).format(**parts), parameters).rowcount
    return Change(inserted, sum(count for _, count in gone), frozenset(number for number, _ in gone))


def _table(name: str) -> sql.Identifier:
    return sql.Identifier(*name.split("."))


def _names(columns: Sequence[str], alias: str | None = None) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(alias, column) if alias else sql.Identifier(column) for column in columns)
