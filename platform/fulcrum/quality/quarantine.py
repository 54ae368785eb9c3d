"""Writes the rows that failed critical row rules to `quality.quarantined_row`, by one statement.

Cells that did not parse are written by staging under the rule `cell.parse` and are left alone here.
"""
# ruff: noqa: S608 the SQL comes from reviewed rule files and from column names of our own

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg

from fulcrum.quality.plan import KEY_COLUMNS, Batch, Planned, literal

CELL_RULE = "cell.parse"


def clear(connection: psycopg.Connection[Any], delivery_id: int) -> None:
    """Forget what an earlier, unfinished judgement of this delivery put into quarantine."""
    connection.execute(
        "delete from quality.quarantined_row where delivery_id = %s and rule_id <> %s", (delivery_id, CELL_RULE)
    )


def put(connection: psycopg.Connection[Any], batch: Batch, failed: Sequence[Planned]) -> None:
    """One query for all failed rules; nothing is read into Python.

    Predicates share one scan of the batch; what queries found is joined to it once. It fills a temporary table
    first, because PostgreSQL plans no parallel worker for an INSERT.
    """
    if not failed:
        return
    connection.execute("set local enable_nestloop = off")  # as in runner.py: staging has no statistics
    names = [name for name in KEY_COLUMNS if name in batch.columns]
    pairs = ", ".join(f"'{name}', s.{name}" for name in names)
    rules = ", ".join(
        f"({number}, {literal(one.rule.id)}, {literal(one.rule.column) if one.rule.column else 'null'},"
        f" {literal(one.rule.says)})"
        for number, one in enumerate(failed)
    )
    found = " union all ".join(_found(batch, failed, f"jsonb_strip_nulls(jsonb_build_object({pairs}))"))
    connection.execute("drop table if exists pg_temp.refused_row")
    connection.execute(f"create temporary table refused_row on commit drop as {found}".encode())
    connection.execute(
        f"""
        insert into quality.quarantined_row
            (delivery_id, source_row, rule_id, column_name, value, row_key, message)
        select {batch.delivery_id}, found.source_row, rule.rule_id, rule.column_name, left(found.value, 500),
               found.row_key, rule.message
          from refused_row found
          join (values {rules}) rule (number, rule_id, column_name, message) using (number)
         order by found.source_row, number
        """.encode()
    )


def _found(batch: Batch, failed: Sequence[Planned], row_key: str) -> list[str]:
    """Queries of (source_row, number, value, row_key), one for the rules that are predicates and one for the others."""
    predicates = [(number, one) for number, one in enumerate(failed) if one.good is not None]
    queries = [(number, one) for number, one in enumerate(failed) if one.good is None]
    found = []
    if predicates:
        each = ", ".join(f"({number}, not ({one.good}), ({one.shown})::text)" for number, one in predicates)
        found.append(
            f"select s.source_row, judged.rule_number as number, judged.rule_value as value, {row_key} as row_key"
            f" from {batch.table} s"
            f" cross join lateral (values {each}) judged (rule_number, rule_is_bad, rule_value)"
            f" where judged.rule_is_bad and ({' or '.join(f'not ({one.good})' for _, one in predicates)})"
        )
    if queries:
        each = " union all ".join(
            f"select source_row, {number} as number, value from ({one.rows}) q" for number, one in queries
        )
        found.append(
            f"select s.source_row, each.number, each.value, {row_key} as row_key"
            f" from ({each}) each join {batch.table} s using (source_row)"
        )
    return found


def count(connection: psycopg.Connection[Any], delivery_id: int) -> int:
    """How many rows of the file are in quarantine, however many rules refused each."""
    row = connection.execute(
        "select count(distinct source_row) from quality.quarantined_row where delivery_id = %s", (delivery_id,)
    ).fetchone()
    assert row is not None
    return int(row[0])
