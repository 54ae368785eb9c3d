"""SQL of staging: its tables, what is refused, and the checks that need all rows at once.

How bytes or cells reach a table is `bulk.py` and `rows.py`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

Connection = psycopg.Connection[Any]

PARSE_RULE = "cell.parse"
REQUIRED_RULE = "cell.required"


@dataclass(frozen=True)
class Refusal:
    """One row that goes to quarantine instead of staging."""

    source_row: int
    rule_id: str
    column: str | None
    value: str | None
    message: str


def identifier(table: str) -> sql.Identifier:
    """`staging.delivery_7` as an SQL identifier."""
    return sql.Identifier(*table.split("."))


def clear(connection: Connection, table: str, delivery_id: int) -> None:
    """Remove what an interrupted staging of this delivery left."""
    connection.execute(sql.SQL("drop table if exists {}").format(identifier(table)))
    connection.execute("delete from quality.quarantined_row where delivery_id = %s", (delivery_id,))


def create(
    connection: Connection, table: str, columns: Mapping[str, str], defaults: Mapping[str, str], first_row: int
) -> None:
    """An unlogged table of `columns` (name -> SQL type); `source_row` counts from `first_row` by itself."""
    sequence = identifier(f"{table}_row")
    parts = [sql.SQL("source_row bigint default nextval({})").format(sql.Literal(f"{table}_row"))]
    for name, sql_type in columns.items():
        column = sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(sql_type))
        if name in defaults:
            column += sql.SQL(" default {}::{}").format(
                sql.Literal(defaults[name]),
                sql.SQL(sql_type),
            )
        parts.append(column)
    connection.execute(sql.SQL("drop sequence if exists {}").format(sequence))
    connection.execute(
        sql.SQL("create unlogged sequence {} minvalue 0 start {} cache 10000").format(sequence, sql.Literal(first_row))
    )
    connection.execute(sql.SQL("create unlogged table {} ({})").format(identifier(table), sql.SQL(", ").join(parts)))
    connection.execute(sql.SQL("alter sequence {} owned by {}.source_row").format(sequence, identifier(table)))


def quarantine(connection: Connection, delivery_id: int, refusals: Iterable[Refusal]) -> None:
    """Write refused rows where people look for them; by INSERT, as COPY refuses a table with row policies."""
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into quality.quarantined_row (delivery_id, source_row, rule_id, column_name, value, message)"
            " values (%s, %s, %s, %s, %s, %s)",
            (
                (
                    delivery_id,
                    refusal.source_row,
                    refusal.rule_id,
                    refusal.column,
                    refusal.value.replace("\x00", "\\0")[:2000] if refusal.value else refusal.value,
                    refusal.message,
                )
                for refusal in refusals
            ),
        )


def fill_nulls(connection: Connection, table: str, defaults: Mapping[str, str]) -> None:
    """Put a contract's defaults where the file has the column but an empty cell."""
    for name, value in defaults.items():
        connection.execute(
            sql.SQL("update {} set {column} = {value} where {column} is null").format(
                identifier(table), column=sql.Identifier(name), value=sql.Literal(value)
            )
        )


def trim(connection: Connection, table: str, columns: Sequence[str]) -> None:
    """Take outer blanks off the text cells; what is left empty becomes null."""
    if not columns:
        return
    blanks = sql.Literal(" \t\r\u00a0\u3000")
    trimmed = [sql.SQL("nullif(btrim({}, {}), '')").format(sql.Identifier(name), blanks) for name in columns]
    pairs = list(zip(map(sql.Identifier, columns), trimmed, strict=True))
    connection.execute(
        sql.SQL("update {} set {} where {}").format(
            identifier(table),
            sql.SQL(", ").join(sql.SQL("{} = {}").format(name, value) for name, value in pairs),
            sql.SQL(" or ").join(sql.SQL("{} is distinct from {}").format(name, value) for name, value in pairs),
        )
    )


@dataclass(frozen=True)
class Summary:
    """What one pass over staging found.

    `lacking` are the columns with nulls, `endless` those with NaN or Infinity, which PostgreSQL takes
    for numbers.
    """

    rows: int
    first: dt.date | None
    last: dt.date | None
    lacking: tuple[str, ...]
    endless: tuple[str, ...]


def summary(connection: Connection, table: str, needed: Sequence[str], numbers: Sequence[str]) -> Summary:
    """Rows, business dates, and which of the `needed` and `numbers` columns have bad cells, in one pass."""
    parts = [sql.SQL("count({})").format(sql.Identifier(name)) for name in needed]
    parts += [  # scale() of NaN and Infinity is null; comparing with both costs twice as much
        sql.SQL("count({0}) - count(scale({0}))").format(sql.Identifier(name)) for name in numbers
    ]
    row = connection.execute(
        sql.SQL("select count(*), min(business_date), max(business_date), {} from {}").format(
            sql.SQL(", ").join([*parts, sql.SQL("0")]), identifier(table)
        )
    ).fetchone()
    assert row is not None
    rows, first, last, *counts = row
    return Summary(
        rows,
        first,
        last,
        tuple(name for name, count in zip(needed, counts, strict=False) if count < rows),
        tuple(name for name, count in zip(numbers, counts[len(needed) :], strict=False) if count),
    )


def move_to_quarantine(
    connection: Connection, table: str, delivery_id: int, column: str, condition: str, rule_id: str, message: str
) -> int:
    """Take the rows that meet `condition` (SQL, `{}` for the column) out of staging; returns how many."""
    name = sql.Identifier(column)
    test = sql.SQL(condition).format(*[name] * condition.count("{}"))
    return connection.execute(
        sql.SQL(
            """
            with bad as (delete from {table} where {test} returning source_row, {name}::text as value)
            insert into quality.quarantined_row (delivery_id, source_row, rule_id, column_name, value, message)
            select %s, source_row, %s, %s, value, %s from bad
            """
        ).format(table=identifier(table), test=test, name=name),
        (delivery_id, rule_id, column, message),
    ).rowcount


def first_other(connection: Connection, table: str, column: str, value: str) -> tuple[int, str | None] | None:
    """The first row, and its value, in which `column` is not `value`."""
    found = connection.execute(
        sql.SQL(
            "select source_row, {column}::text from {table} where {column}::text is distinct from {value}"
            " order by source_row limit 1"
        ).format(column=sql.Identifier(column), table=identifier(table), value=sql.Literal(value))
    ).fetchone()
    return (found[0], found[1]) if found else None
