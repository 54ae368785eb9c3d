"""Storing and reading verdicts, rule results and quarantined rows; every statement on them but one.

Filling the quarantine is `quarantine.py`.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import psycopg
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from fulcrum.quality.verdict import RuleResult


@dataclass(frozen=True)
class StoredResult:
    """One row of `quality.validation_result` with its validation's verdict and time."""

    validation_id: int
    verdict: str
    finished_at: dt.datetime
    rule_id: str
    rule_version: int
    dimension: str
    severity: str
    level: str
    owner: str
    status: str
    measured: Decimal | None
    threshold: Decimal | None
    unit: str | None
    rows_failed: int | None
    message: str
    result: dict[str, Any]


@dataclass(frozen=True)
class QuarantinedRow:
    """One row of `quality.quarantined_row` with the file that it came from."""

    quarantined_row_id: int
    delivery_id: int
    feed: str
    file_name: str
    business_date: dt.date | None
    source_row: int
    rule_id: str
    column_name: str | None
    value: str | None
    row_key: dict[str, Any]
    message: str


def store(  # noqa: PLR0913 the columns of a validation
    connection: psycopg.Connection[Any],
    *,
    delivery_id: int | None,
    suite_name: str,
    started_at: dt.datetime,
    verdict: str,
    rows_judged: int,
    engine_version: str,
    results: Sequence[RuleResult],
    subject: str | None = None,
    business_date: dt.date | None = None,
) -> int:
    """Write one validation with all its results; its number. The caller commits.

    `subject` and `business_date` say what was judged where no delivery was.
    """
    row = connection.execute(
        """
        insert into quality.validation
            (delivery_id, suite_name, started_at, finished_at, verdict, rows_judged, engine_version,
             subject, business_date, tally, tally_key)
        select %s, %s, %s::timestamptz, clock_timestamp(), %s, %s, %s, %s, %s, told.tally,
               hashtextextended(told.tally::text, 0)
          from (select %s::jsonb as tally) told
        returning validation_id
        """,
        (
            delivery_id,
            suite_name,
            started_at,
            verdict,
            rows_judged,
            engine_version,
            subject,
            business_date,
            Jsonb(_tally(results)),
        ),
    ).fetchone()
    assert row is not None
    validation_id = int(row[0])
    with connection.cursor() as cursor:
        cursor.executemany(
            """
            insert into quality.validation_result (validation_id, rule_id, rule_version, dimension, severity,
                level, owner, status, measured, threshold, unit, rows_failed, message, result)
            values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
            """,
            [
                (
                    validation_id,
                    result.rule.id,
                    result.rule.version,
                    result.rule.dimension.value,
                    result.rule.severity.value,
                    result.rule.level.value,
                    result.rule.owner,
                    result.status,
                    result.measured,
                    result.threshold,
                    result.unit,
                    result.rows_failed,
                    result.message,
                    Jsonb(result.details),
                )
                for result in results
            ],
        )
    return validation_id


def _tally(results: Sequence[RuleResult]) -> list[list[str | int]]:
    """[dimension, owner, status, number] of each kind of result, sorted: a month is counted by them."""
    kinds = Counter((one.rule.dimension.value, one.rule.owner, str(one.status)) for one in results)
    return [[*kind, times] for kind, times in sorted(kinds.items())]


def latest_results(connection: psycopg.Connection[Any], delivery_id: int) -> list[StoredResult]:
    """The results of the newest validation of a delivery, in the order of severity, then rule."""
    with connection.cursor(row_factory=class_row(StoredResult)) as cursor:
        return cursor.execute(
            """
            select r.validation_id, v.verdict, v.finished_at, r.rule_id, r.rule_version, r.dimension, r.severity,
                   r.level, r.owner, r.status, r.measured, r.threshold, r.unit, r.rows_failed, r.message, r.result
              from quality.validation v join quality.validation_result r using (validation_id)
             where v.validation_id = (select max(validation_id) from quality.validation where delivery_id = %s)
             order by array_position(array['critical', 'warning', 'info'], r.severity), r.rule_id
            """,
            (delivery_id,),
        ).fetchall()


def quarantined(
    connection: psycopg.Connection[Any],
    delivery_id: int | None = None,
    feed: str | None = None,
    limit: int = 100,
) -> list[QuarantinedRow]:
    """Rows in quarantine, newest delivery first, in the order of the file; at most `limit`."""
    with connection.cursor(row_factory=class_row(QuarantinedRow)) as cursor:
        return cursor.execute(
            """
            select q.quarantined_row_id, q.delivery_id, d.feed, d.file_name, d.business_date_to as business_date,
                   q.source_row, q.rule_id, q.column_name, q.value, q.row_key, q.message
              from quality.quarantined_row q join governance.delivery d using (delivery_id)
             where (%(delivery_id)s::bigint is null or q.delivery_id = %(delivery_id)s)
               and (%(feed)s::text is null or d.feed = %(feed)s)
             order by q.delivery_id desc, q.source_row, q.quarantined_row_id
             limit %(limit)s
            """,
            {"delivery_id": delivery_id, "feed": feed, "limit": limit},
        ).fetchall()
