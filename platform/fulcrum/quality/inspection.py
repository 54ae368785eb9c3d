"""Judges what no file tells: arrivals that did not happen, identities of computed tables.

Suites with `inspects` are its content; the rules, tolerances, engine and stored results are those of the gate, only
that nothing is refused: what is judged here is published already, or was never there.
"""
# ruff: noqa: S608 composing the SQL of reviewed rule files is this module's task

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import psycopg

from fulcrum.contracts.model import FeedContract
from fulcrum.errors import GateError
from fulcrum.quality import results
from fulcrum.quality.judged import judged
from fulcrum.quality.plan import Batch, Planned, Unplanned, filled, literal, names_for, plan
from fulcrum.quality.resolution import Known
from fulcrum.quality.suite import Suite
from fulcrum.quality.suites import load_suite, load_tolerances
from fulcrum.quality.verdict import RuleResult, Verdict, outcome
from fulcrum.settings import Settings
from fulcrum.warehouse.engine import connect

SHOWN = 100
"""Failed subjects that a result keeps by name."""


def inspect(
    settings: Settings, name: str, subject: str, day: dt.date, further: Mapping[str, str] | None = None
) -> Verdict:
    """Judge the suite called `name` for business date `day`; the results are stored under `subject`.

    `further` are placeholders of its query besides `{business_date}` and `{dates}` (only that day), as SQL. A
    failed rule's `details` list up to `SHOWN` failed subjects with the value that failed; a rule that is unknown for
    every subject did not run.

    Raises:
        GateError: there is no such suite, it inspects nothing, cannot be read, or its query is refused.
    """
    from fulcrum.quality import runner

    started_at = dt.datetime.now(dt.UTC)
    suite, tolerances = load_suite(settings, name), load_tolerances(settings, started_at.date())
    if suite.inspects is None:
        raise GateError(f"The suite {name} judges files.", remedy="Only suites with `inspects` run without one.")
    feed = _as_feed(suite)
    date = f"date {literal(day.isoformat())}"
    placeholders = {"business_date": date, "dates": f"array[{date}]", **(further or {})}
    with connect(settings, application_name="fulcrum inspection") as connection:
        batch = Batch("", ("subject",), 0, 0, 0, {}, Known(), further=placeholders)
        names = names_for(f"Suite {name}", suite.inspects, suite.inspects.numbers, tolerances, feed, batch)
        batch = _made(connection, batch, filled(f"Suite {name}", suite.inspects.sql, names))
        try:
            runnable, impossible = _answerable(connection, batch, *plan(suite, tolerances, feed, batch))
            measured = runner.run(settings, batch.table, runnable)
            found = judged(suite, runnable, impossible, measured, batch.rows_in)
            found = _with_subjects(connection, found, runnable, batch)
        finally:
            connection.rollback()
            connection.execute(f"drop table if exists {batch.table}".encode())
            connection.commit()
        verdict = outcome(found)
        number = results.store(
            connection,
            delivery_id=None,
            suite_name=name,
            started_at=started_at,
            verdict=verdict,
            rows_judged=batch.rows_in,
            engine_version=runner.engine_version(),
            results=found,
            subject=subject,
            business_date=day,
        )
        connection.commit()
        return Verdict(number, verdict, found, 0)


def _as_feed(suite: Suite) -> FeedContract:
    """Rules are planned for a feed; an inspection's rows are as if one had delivered them."""
    return FeedContract(
        feed=suite.suite,
        title=suite.title,
        owner=suite.owner or "",
        source="FULCRUM",
        target="core.price",  # any target would do: rules of an inspection use no key
        fields=(),
    )


def _made(connection: psycopg.Connection[Any], batch: Batch, query: str) -> Batch:
    """The batch with its table, committed because rules are measured through another connection."""
    row = connection.execute("select nextval(pg_get_serial_sequence('quality.validation', 'validation_id'))").fetchone()
    assert row is not None
    table = f"staging.inspection_{row[0]}"
    try:
        numbered = f"select row_number() over () as source_row, found.* from ({query}) found"
        connection.execute(f"create unlogged table {table} as {numbered}".encode())
    except psycopg.DatabaseError as error:
        connection.rollback()
        raise GateError(f"The inspection is refused: {str(error).strip().splitlines()[0]}") from error
    connection.execute(f"analyze {table}".encode())
    with connection.cursor() as cursor:
        rows = cursor.execute(f"select count(*) from {table}".encode()).fetchone()
        cursor.execute(f"select * from {table} limit 0".encode())
        columns = tuple(column.name for column in cursor.description or ())
    connection.commit()
    assert rows is not None
    return replace(batch, table=table, columns=columns, rows_in=int(rows[0]))


def _answerable(
    connection: psycopg.Connection[Any], batch: Batch, runnable: Sequence[Planned], impossible: Sequence[Unplanned]
) -> tuple[list[Planned], list[Unplanned]]:
    """Sort out the rules whose predicate is null on every row: they would pass without having looked at anything."""
    asked = [one for one in runnable if one.good is not None]
    counts = ", ".join(f"count(*) filter (where ({one.good}) is not null)" for one in asked)
    try:
        known = connection.execute(f"select {counts or 0} from {batch.table}".encode()).fetchone()
    except psycopg.DatabaseError:  # the runner finds out which of them is broken
        connection.rollback()
        return list(runnable), list(impossible)
    idle = {one.rule.id for one, count in zip(asked, known or (), strict=True) if not count} if asked else set()
    left = [one for one in runnable if one.rule.id not in idle]
    return left, [*impossible, *(Unplanned(one.rule, one.rule.unmeasured) for one in runnable if one not in left)]


def _with_subjects(
    connection: psycopg.Connection[Any], found: Sequence[RuleResult], runnable: Sequence[Planned], batch: Batch
) -> list[RuleResult]:
    queries = {one.rule.id: one.rows for one in runnable}
    shown = []
    for result in found:
        rows = queries.get(result.rule_id)
        if result.status == "failed" and rows is not None:
            failed = connection.execute(
                f"select subject, left(value, 500) from ({rows}) failed join {batch.table} b using (source_row)"
                " order by subject".encode()
            ).fetchall()
            kept = [list(row) for row in failed[:SHOWN]]
            shown.append(replace(result, failed=tuple(failed), details=result.details | {"failed": kept}))
        else:
            shown.append(result)
    return shown


def dates_sql(days: Sequence[dt.date]) -> str:
    """`{dates}` for more than one day."""
    return f"array[{', '.join(f'date {literal(day.isoformat())}' for day in days)}]::date[]"
