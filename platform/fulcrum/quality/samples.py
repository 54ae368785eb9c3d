"""Which rows a failed warning speaks of: the first of each rule by their number in the file, kept with the result.

Rows are only named, never shown: what stands in them is published and read there, under its reader's own rights. Rows
that critical rules refuse are `quarantine.py`.
"""
# ruff: noqa: S608 the SQL comes from reviewed rule files

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg

from fulcrum.quality.plan import Planned

SHOWN = 100
"""Rows that a result names; it counts all."""


def first_rows(connection: psycopg.Connection[Any], failed: Sequence[Planned]) -> dict[str, list[int]]:
    """By rule id, up to `SHOWN` source rows that fail, in the order of the file; one statement for all rules."""
    queries = [
        f"(select {number} as number, source_row from (select distinct source_row from ({one.rows}) bad) q"
        f" order by source_row limit {SHOWN})"
        if one.good is None  # a query may find a row twice
        else f"(select {number} as number, source_row from ({one.rows}) q order by source_row limit {SHOWN})"
        for number, one in enumerate(failed)
    ]
    if not queries:
        return {}
    connection.execute("set local enable_nestloop = off")  # as in runner.py: staging has no statistics
    found = connection.execute(
        "select number, array_agg(source_row order by source_row)"
        f" from ({' union all '.join(queries)}) each group by number".encode()
    ).fetchall()
    return {failed[number].rule.id: rows for number, rows in found}
