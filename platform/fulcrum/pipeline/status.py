"""Reads what arrived and what became of it, for the command line, the demo and the tests."""

from __future__ import annotations

import datetime as dt
from typing import Any

import psycopg
from psycopg.rows import dict_row

from fulcrum.pipeline.report import DeliveryReport, Outcome

Connection = psycopg.Connection[Any]


def deliveries(
    connection: Connection,
    *,
    feed: str | None = None,
    business_date: dt.date | None = None,
    outcome: str | None = None,
    limit: int = 50,
) -> list[dict[str, Any]]:
    """The newest deliveries first, as plain rows of `governance.delivery`."""
    return _rows(
        connection,
        """
        select * from governance.delivery
         where (%(feed)s::text is null or feed = %(feed)s)
           and (%(outcome)s::text is null or outcome = %(outcome)s)
           and (%(day)s::date is null or %(day)s between business_date_from and business_date_to)
         order by delivery_id desc limit %(limit)s
        """,
        {"feed": feed, "outcome": outcome, "day": business_date, "limit": limit},
    )


def publications(connection: Connection, *, feed: str | None = None, limit: int = 50) -> list[dict[str, Any]]:
    """The newest publications first, with the name of the file that caused each."""
    return _rows(
        connection,
        """
        select p.*, d.file_name from governance.publication p
          left join governance.delivery d using (delivery_id)
         where (%(feed)s::text is null or p.feed = %(feed)s)
         order by p.publication_id desc limit %(limit)s
        """,
        {"feed": feed, "limit": limit},
    )


def finished_delivery(connection: Connection, feed: str, sha256: str) -> DeliveryReport | None:
    """The last delivery of these bytes that ended, apart from mere repetitions."""
    found = _rows(
        connection,
        """
        select * from governance.delivery
         where feed = %(feed)s and sha256 = %(sha256)s and same_as_delivery_id is null
           and outcome not in ('landed', 'failed')
         order by delivery_id desc limit 1
        """,
        {"feed": feed, "sha256": sha256},
    )
    return report_of(found[0]) if found else None


def report_of(row: dict[str, Any]) -> DeliveryReport:
    """A row of `governance.delivery` in the words of `fulcrum ingest --json`."""
    return DeliveryReport(
        feed=row["feed"],
        file=row["file_name"],
        sha256=row["sha256"],
        outcome=Outcome(row["outcome"]),
        business_date=row["business_date_to"],
        business_date_from=row["business_date_from"],
        rows_in=row["rows_in"] or 0,
        rows_quarantined=row["rows_quarantined"] or 0,
        rows_published=row["rows_published"] or 0,
        rows_superseded=row["rows_superseded"] or 0,
        publication_id=row["publication_id"],
        messages=tuple(row["messages"]),
        delivery_id=row["delivery_id"],
    )


def _rows(connection: Connection, statement: Any, values: dict[str, Any]) -> list[dict[str, Any]]:
    with connection.cursor(row_factory=dict_row) as cursor:
        found = cursor.execute(statement, values).fetchall()
    connection.rollback()
    return found
