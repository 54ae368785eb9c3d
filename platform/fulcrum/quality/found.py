"""Keeps the rows that critical queries find in a large delivery, so that counting and refusing them asks once.

Predicates are not kept: one scan counts all of them, and another refuses what they fail (`quarantine.py`).
"""
# ruff: noqa: S608 the SQL comes from reviewed rule files

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import psycopg

from fulcrum.quality.plan import Batch, Planned, prepared_table
from fulcrum.quality.suite import Level, Severity

LARGE = 100_000
"""Rows from which it pays: a table costs 8 ms, asking again of 1,000,000 rows 5 s, of 100,000 half a second."""


def keep(connection: psycopg.Connection[Any], batch: Batch, planned: Sequence[Planned]) -> list[Planned]:
    """Ask the critical row queries of `planned` now; those that are answered are measured by their answers.

    A query that the database refuses stays as it is, for the runner to say why. The caller commits.
    """
    if batch.rows_in < LARGE:
        return list(planned)
    return [_kept(connection, prepared_table(batch, f"found_{n}"), one) for n, one in enumerate(planned)]


def _kept(connection: psycopg.Connection[Any], table: str, one: Planned) -> Planned:
    rule = one.rule
    if one.rows is None or one.good is not None or rule.after_quarantine:
        return one
    if (rule.level, rule.severity) != (Level.ROW, Severity.CRITICAL):
        return one
    try:
        with connection.transaction():
            connection.execute("set local enable_nestloop = off")  # as in runner.py
            connection.execute("set local work_mem = '128MB'")
            connection.execute(f"drop table if exists {table}".encode())
            query = f"select source_row, value::text as value from ({one.rows}) found"
            connection.execute(f"create unlogged table {table} as {query}".encode())
            connection.execute(f"analyze {table}".encode())
    except psycopg.DatabaseError:
        if connection.broken:
            raise
        return one
    return replace(one, sql=f"select count(*) from {table}", rows=f"select source_row, value from {table}")
