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
RANGE_RULE = "cell.range"


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
    """Write refused rows where people look for them."""
    with (
        connection.cursor() as cursor,
        cursor.copy(
            "copy quality.quarantined_row (delivery_id, source_row, rule_id, column_name, value, message) from stdin"
        ) as copy,
    ):
        for refusal in refusals:
            copy.write_row(
                (
                    delivery_id,
                    refusal.source_row,
                    refusal.rule_id,
                    refusal.column,
                    refusal.value.replace("\x00", "\\0")[:2000] if refusal.value else refusal.value,
                    refusal.message,
                )
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
    """What one pass over staging found; `bad` counts rows that lack what they must have."""

    rows: int
    first: dt.date | None
    last: dt.date | None
    bad: int


def summary(connection: Connection, table: str, bad: sql.Composable) -> Summary:
    """Rows, business dates and how many rows are `bad`, in one pass."""
    row = connection.execute(
        sql.SQL("select count(*), min(business_date), max(business_date), count(*) filter (where {}) from {}").format(
            bad, identifier(table)
        )
    ).fetchone()
    assert row is not None
    return Summary(*row)


def move_to_quarantine(
    connection: Connection, table: str, delivery_id: int, column: str, condition: sql.Composable, rule: tuple[str, str]
) -> int:
    """Take the rows that meet `condition` out of staging; `rule` is its id and the message."""
    rule_id, message = rule
    return connection.execute(
        sql.SQL(
            """
            with bad as (delete from {table} where {condition} returning source_row, {column}::text as value)
            insert into quality.quarantined_row (delivery_id, source_row, rule_id, column_name, value, message)
            select {delivery_id}, source_row, {rule_id}, {name}, value, {message} from bad
            """
        ).format(
            table=identifier(table),
            condition=condition,
            column=sql.Identifier(column),
            delivery_id=sql.Literal(delivery_id),
            rule_id=sql.Literal(rule_id),
            name=sql.Literal(column),
            message=sql.Literal(message),
        )
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
