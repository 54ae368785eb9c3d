"""Makes the tables that several rules of a suite build on, once for each delivery.

What they hold is said in the suite (`prepares`); they go away with the delivery's other staging tables.
"""
# ruff: noqa: S608 the names of tables are our own

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg

from fulcrum.contracts.model import FeedContract
from fulcrum.quality.calendars import ensure
from fulcrum.quality.checks import CHECKS
from fulcrum.quality.plan import Batch, Planned, filled, names_for, prepared_table
from fulcrum.quality.suite import Suite, Tolerance


def build(
    connection: psycopg.Connection[Any],
    suite: Suite,
    tolerances: Mapping[str, Tolerance],
    contract: FeedContract,
    batch: Batch,
    runnable: Sequence[Planned],
) -> dict[str, str]:
    """Make and commit the tables that rules of `runnable` need, and no other.

    Returns, by rule id, why a rule cannot be measured: the database refused a query that it builds on.

    Raises:
        GateError: a preparation names a tolerance or placeholder that does not exist.
    """
    broken: dict[str, str] = {}
    for name, preparation in suite.prepares.items():
        users = [one.rule.id for one in runnable if name in suite.preparations_of(one.rule)]
        if not users:
            continue
        who = f"The preparation {name} of {suite.suite}"
        names = names_for(who, preparation, preparation.numbers, tolerances, contract, batch)
        names |= {made: prepared_table(batch, made) for made in suite.prepares if made != name}
        try:
            _make(connection, prepared_table(batch, name), filled(who, preparation.sql, names))
            if preparation.checked_by is not None:
                _check(connection, prepared_table(batch, name), preparation.checked_by)
        except psycopg.DatabaseError as error:
            if connection.broken:
                raise
            reason = str(error).strip().splitlines()[0]
            broken = dict.fromkeys(users, f"{who}: {reason}") | broken  # what broke first is the cause
    if suite.trading_days is not None and not broken:
        _fill_sessions(connection, suite, batch, runnable)
    connection.commit()
    return broken


def _fill_sessions(
    connection: psycopg.Connection[Any], suite: Suite, batch: Batch, runnable: Sequence[Planned]
) -> None:
    """The calendars that rules will count on; most files need none, and asking for one takes a second."""
    if not any("sessions" in suite.placeholders_of(one.rule) for one in runnable):
        return
    made = {name: prepared_table(batch, name) for name in suite.prepares}
    query = filled(f"The trading days of {suite.suite}", suite.trading_days or "", made)
    for exchange, first, last in connection.execute(query.encode()).fetchall():
        ensure(connection, [exchange], first, last)


def _make(connection: psycopg.Connection[Any], table: str, query: str) -> None:
    """With statistics, which rules that read a tenth of it need; with the planner's settings of `runner.py`."""
    with connection.transaction():
        connection.execute("set local enable_nestloop = off")
        connection.execute("set local work_mem = '128MB'")  # 248,838 rows sort in memory
        connection.execute(f"drop table if exists {table}".encode())
        connection.execute(f"create unlogged table {table} as {query}".encode())
        connection.execute(f"analyze {table}".encode())


def _check(connection: psycopg.Connection[Any], table: str, check: str) -> None:
    """Add `is_valid` to a table of texts: what the library says of each row."""
    with connection.transaction():
        cursor = connection.execute(f"select * from {table}".encode())
        names = [column.name for column in cursor.description or ()]
        answers = [(*row, CHECKS[check](*row)) for row in cursor.fetchall()]
        connection.execute(f"alter table {table} add column is_valid boolean".encode())
        connection.execute(f"truncate {table}".encode())
        with connection.cursor().copy(f"copy {table} ({', '.join(names)}, is_valid) from stdin".encode()) as copy:
            for answer in answers:
                copy.write_row(answer)
