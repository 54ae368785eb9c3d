"""The rows of a file that a failed warning found, as they were published: read under the row scope of the connection.

Which lines these are is kept by number (`fulcrum.quality.samples`); how a role sees their values is the pages' to say.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from fulcrum.errors import ContractError
from fulcrum.governance.desk.reading import Row
from fulcrum.quality.results import StoredResult
from fulcrum.quality.suite import Rule
from fulcrum.warehouse.targets import Kind, Target, target

Connection = psycopg.Connection[Any]
_WORD = re.compile(r"[a-z_][a-z0-9_]*")
_SAYS_NOTHING = frozenset({"is_provisional"})


@dataclass(frozen=True)
class Shown:
    """A column that is told of a row; parents are told by their codes, `path` is schema.table.column."""

    name: str
    path: str
    sql_type: str
    is_key: bool
    expression: sql.Composable


@dataclass(frozen=True)
class FoundRow:
    """A line of the file, and what was published from it as text; `told` is None where nothing can be seen."""

    source_row: int
    told: Mapping[str, str | None] | None
    is_current: bool
    """Whether it is what the warehouse says now, not restated or taken back since."""


@dataclass(frozen=True)
class Found:
    """What a failed rule found: its `kept` first lines, those that the reader may be told, and how many there were."""

    rows: tuple[FoundRow, ...]
    shown: tuple[Shown, ...]
    kept: int
    in_all: int

    @property
    def hidden(self) -> int:
        """Kept lines that are counted only."""
        return self.kept - len(self.rows)


def lines_of(result: StoredResult) -> list[int]:
    """The lines that a result keeps, in the order of the file."""
    return [int(number) for number in result.result.get("rows") or ()] if result.status == "failed" else []


def found(
    connection: Connection,
    delivery: Row,
    result: StoredResult,
    *,
    target_name: str | None,
    rule: Rule | None,
    is_whole_house: bool,
) -> Found:
    """The lines that a result keeps, with what a `delivery` published from them.

    A line of which no row can be seen is told by its number to whoever sees the whole house, and counted for others.
    `target_name` is that of the feed's contract, and `rule` chooses the values that are told; without them nothing
    but lines, or every value.
    """
    lines = lines_of(result)
    shown: tuple[Shown, ...] = ()
    rows: dict[int, Row] = {}
    if lines and target_name is not None and delivery["publication_id"] is not None:
        try:
            wanted = target(target_name)
        except ContractError:
            wanted = None
        if wanted is not None:
            shown = columns(wanted, rule)
            rows = _published(connection, delivery, wanted, shown, lines)
    told = tuple(_row(line, shown, rows.get(line)) for line in lines if line in rows or is_whole_house)
    return Found(told, shown, len(lines), max(len(lines), result.rows_failed or 0))


def columns(wanted: Target, rule: Rule | None) -> tuple[Shown, ...]:
    """The key of a target's rows, and the values that a rule speaks of; all values if it speaks of none."""
    used = _words(rule)
    keys = [_shown(wanted, column, is_key=True) for column in wanted.key]
    if wanted.kind is Kind.VERSIONED:
        keys.append(_shown(wanted, "valid_from", is_key=True))
    values = [_shown(wanted, column, is_key=False) for column in wanted.values if column not in _SAYS_NOTHING]
    return (*keys, *([one for one in values if one.name in used] or values))


def _words(rule: Rule | None) -> set[str]:
    if rule is None:
        return set()
    texts = (rule.condition, rule.value or "", rule.column or "", *rule.requires, *rule.requires_any)
    return set(_WORD.findall(" ".join(texts)))


def _shown(wanted: Target, column: str, *, is_key: bool) -> Shown:
    """A surrogate key becomes the code of its entity: a person knows that one."""
    parents = {one.column: one.entity for one in wanted.references}
    if "instrument_id" in wanted.types:
        parents["instrument_id"] = "instrument"
    if wanted.entity is not None:
        parents[f"{wanted.entity}_id"] = wanted.entity
    entity = parents.get(column)
    if entity is None:
        path, sql_type = f"{wanted.table}.{column}", wanted.types[column]
        return Shown(column, path, sql_type, is_key, sql.SQL("r.{}").format(sql.Identifier(column)))
    code = f"{entity}_code"
    expression = sql.SQL("(select e.{} from {} as e where e.{} = r.{})").format(
        sql.Identifier(code),
        sql.Identifier("core", entity),
        sql.Identifier(f"{entity}_id"),
        sql.Identifier(column),
    )
    name = f"{column.removesuffix('_id')}_code"
    return Shown(name, f"core.{entity}.{code}", "text", is_key, expression)


def _published(
    connection: Connection, delivery: Row, wanted: Target, shown: Sequence[Shown], lines: Sequence[int]
) -> dict[int, Row]:
    """By line, the row that came of it; found by `delivery_id`, of which each table has a small index.

    Whole months, and `published_in + 0`, keep the planner from looking at the key, too: 170 ms instead of 60 for one
    of 10 days of 100,000 holdings.
    """
    months = sql.SQL("")
    if "business_date" in wanted.types and delivery["business_date_to"] is not None:
        months = sql.SQL("r.business_date >= %(first)s and r.business_date < %(end)s and")
    ordered = sql.SQL(", r.valid_from") if "valid_from" in wanted.types else sql.SQL("")
    statement = sql.SQL(
        """
        select distinct on (r.source_row) r.source_row, r.superseded_in is null as is_current, {values}
          from {table} as r
         where {months} r.delivery_id = %(delivery)s and r.published_in + 0 = %(publication)s
           and r.source_row = any(%(lines)s::bigint[])
         order by r.source_row{ordered}
        """
    ).format(
        values=sql.SQL(", ").join(
            sql.SQL("({})::text as {}").format(one.expression, sql.Identifier(f"told_{one.name}")) for one in shown
        ),
        table=sql.Identifier(*wanted.table.split(".")),
        months=months,
        ordered=ordered,
    )
    values = {
        "delivery": delivery["delivery_id"],
        "publication": delivery["publication_id"],
        "lines": list(lines),
    }
    if delivery["business_date_to"] is not None:
        last_month = delivery["business_date_to"].replace(day=1)
        values |= {
            "first": (delivery["business_date_from"] or last_month).replace(day=1),
            "end": (last_month + dt.timedelta(days=31)).replace(day=1),
        }
    with connection.cursor(row_factory=dict_row) as cursor:
        return {row["source_row"]: row for row in cursor.execute(statement, values)}


def _row(line: int, shown: Sequence[Shown], row: Row | None) -> FoundRow:
    if row is None:
        return FoundRow(line, None, is_current=False)
    return FoundRow(line, {one.name: row[f"told_{one.name}"] for one in shown}, row["is_current"])
