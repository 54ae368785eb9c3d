"""Writes the rows that failed a critical row rule to `quality.quarantined_row`, set-wise.

Cells that did not parse are written by staging under the rule `cell.parse` and are left alone here.
"""
# ruff: noqa: S608 the SQL comes from reviewed rule files and from column names of our own

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import psycopg
from psycopg import sql

from fulcrum.quality.plan import KEY_COLUMNS, Batch, Planned

CELL_RULE = "cell.parse"


def clear(connection: psycopg.Connection[Any], delivery_id: int) -> None:
    """Forget what an earlier, unfinished judgement of this delivery put into quarantine."""
    connection.execute(
        "delete from quality.quarantined_row where delivery_id = %s and rule_id <> %s", (delivery_id, CELL_RULE)
    )


def put(connection: psycopg.Connection[Any], batch: Batch, failed: Iterable[Planned]) -> None:
    """One INSERT ... SELECT for each failed rule; nothing is read into Python."""
    connection.execute("set local enable_nestloop = off")  # as in runner.py: staging has no statistics
    names = [name for name in KEY_COLUMNS if name in batch.columns]
    pairs = ", ".join(f"'{name}', staged.{name}" for name in names)
    for planned in failed:
        # `%` in a rule is SQL's own; psycopg only looks for %s when there are parameters
        rows = (planned.rows or "").replace("%", "%%")
        value, source = "failed.value", f"({rows}) failed join {batch.table} staged using (source_row)"
        if planned.good is not None:  # a predicate needs no join, which costs as much as the judgement
            bad, shown = (str(text).replace("%", "%%") for text in (planned.good, planned.shown))
            value, source = f"({shown})::text", f"{batch.table} staged where not ({bad})"
        statement = f"""
            insert into quality.quarantined_row
                (delivery_id, source_row, rule_id, column_name, value, row_key, message)
            select %s, staged.source_row, %s, %s, left({value}, 500),
                   jsonb_strip_nulls(jsonb_build_object({pairs})), %s
              from {source}
             order by staged.source_row
        """
        rule = planned.rule
        connection.execute(sql.SQL(statement), (batch.delivery_id, rule.id, rule.column, rule.says))


def count(connection: psycopg.Connection[Any], delivery_id: int) -> int:
    """How many rows of the file are in quarantine, however many rules refused each."""
    row = connection.execute(
        "select count(distinct source_row) from quality.quarantined_row where delivery_id = %s", (delivery_id,)
    ).fetchone()
    assert row is not None
    return int(row[0])
