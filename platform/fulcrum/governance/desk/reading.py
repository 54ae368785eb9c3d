"""What the pages of the desk show of a delivery and of a rule: every query in pages, each by an index.

Days and feeds are read in `daily.py`, exceptions and waivers in `inbox.py`; nothing is written here. Times at
5,000,000 results: decision 0034.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import psycopg
from psycopg.rows import dict_row

Connection = psycopg.Connection[Any]
Row = dict[str, Any]

LINES = 100
"""Rows of one page."""
TREND = 30
"""Deliveries that a trend looks back."""
JUDGED = 10_000
"""Newest results that a pass rate is counted over."""

SERVED = """
    (select p.publication_id, least(p.business_date_to, {day}) as business_date, p.known_at
       from governance.publication p
      where p.feed = {feed} and p.kind = 'delivery' and p.business_date_to is not null
        and coalesce(p.business_date_from, p.business_date_to) <= coalesce({day}, 'infinity')
        and not exists (
            select 1 from governance.publication r
             where r.kind = 'rollback' and r.target = p.target and r.supersedes @> to_jsonb(p.publication_id))
      order by p.business_date_to desc, p.publication_id desc limit 1)
    union all
    (select p.publication_id, null, p.known_at
       from governance.publication p
      where p.feed = {feed} and p.kind = 'delivery' and p.business_date_to is null
      order by p.publication_id desc limit 1)
    limit 1
"""
"""The newest publication of a feed that was not taken back and has the day or one before it, or has no dates.

In two halves, since `nulls last` is in no index: 2 ms of 250 publications, instead of 0.1."""


def delivery(connection: Connection, delivery_id: int) -> Row | None:
    """One delivery with its publication and the waivers that it rests on."""
    found = rows_of(
        connection,
        """
        select d.*, p.known_at, p.verdict as published_verdict, p.digest,
               (select coalesce(json_agg(json_build_object('waiver_id', w.waiver_id, 'rule_id', w.rule_id)
                       order by w.waiver_id), '[]')
                  from governance.publication_waiver w where w.publication_id = d.publication_id) as waivers
          from governance.delivery d left join governance.publication p using (publication_id)
         where d.delivery_id = %s
        """,
        [delivery_id],
    )
    return found[0] if found else None


def served_instead(connection: Connection, feed: str, day: dt.date | None) -> Row | None:
    """What is served of a feed for a date, without one the newest: publication, business date, since when."""
    found = rows_of(connection, SERVED.format(feed="%(feed)s", day="%(day)s::date"), {"feed": feed, "day": day})
    return found[0] if found else None


def again(connection: Connection, known: Row) -> list[Row]:
    """Later deliveries of the same bytes, newest first."""
    return rows_of(
        connection,
        """
        select d.delivery_id, d.landed_at, d.finished_at, d.outcome, d.publication_id, p.verdict
          from governance.delivery d left join governance.publication p using (publication_id)
         where d.sha256 = %(sha256)s and d.feed = %(feed)s and d.delivery_id > %(delivery_id)s
         order by d.delivery_id desc limit 20
        """,
        known,
    )


def trends(connection: Connection, feed: str, upto: int, count: int = TREND) -> dict[str, list[Row]]:
    """Rule -> its last results on a feed's deliveries up to one of them, oldest first."""
    rows = rows_of(
        connection,
        """
        with judged as (
            select v.validation_id, d.business_date_to, d.delivery_id from (
                select * from governance.delivery
                 where feed = %(feed)s and business_date_to is not null and delivery_id <= %(upto)s
                 order by business_date_to desc, delivery_id desc limit %(count)s) d
             cross join lateral (
                select validation_id from quality.validation
                 where delivery_id = d.delivery_id order by validation_id desc limit 1) v
        )
        select r.rule_id, judged.business_date_to as business_date, judged.delivery_id, r.status, r.measured,
               r.threshold
          from judged join quality.validation_result r using (validation_id)
         order by judged.business_date_to, judged.delivery_id
        """,
        {"feed": feed, "upto": upto, "count": count},
    )
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row["rule_id"], []).append(row)
    return found


def refused_rows(
    connection: Connection, delivery_id: int, after: tuple[int, int] = (0, 0), limit: int = LINES
) -> tuple[list[Row], tuple[int, int] | None]:
    """Quarantined rows in the order of the file, and where the next page begins.

    Which of them are seen is decided by the row scope of the connection.
    """
    rows = rows_of(
        connection,
        """
        select quarantined_row_id, source_row, rule_id, column_name, value, row_key, message
          from quality.quarantined_row
         where delivery_id = %(delivery)s and (source_row, quarantined_row_id) > (%(row)s, %(id)s)
         order by source_row, quarantined_row_id limit %(limit)s
        """,
        {"delivery": delivery_id, "row": after[0], "id": after[1], "limit": limit + 1},
    )
    rows, last = rows[:limit], rows[limit - 1] if len(rows) > limit else None
    return rows, (last["source_row"], last["quarantined_row_id"]) if last else None


def all_refused_rows(connection: Connection, delivery_id: int, at_once: int = 5_000) -> Iterator[list[Row]]:
    """Every quarantined row of a delivery, some at a time."""
    after: tuple[int, int] | None = (0, 0)
    while after is not None:
        rows, after = refused_rows(connection, delivery_id, after, at_once)
        yield rows


def rule_versions(connection: Connection, rule_id: str) -> list[Row]:
    """Each version among the newest `JUDGED` results of a rule, newest first: from when to when, and how it judged."""
    return rows_of(
        connection,
        """
        select judged.*, first.finished_at as first_at, last.finished_at as last_at from (
            select rule_version as version, min(validation_id) as first_id, max(validation_id) as last_id,
                   count(*) filter (where status = 'passed') as passed,
                   count(*) filter (where status = 'failed') as failed,
                   count(*) filter (where status = 'broken') as broken,
                   count(*) filter (where status = 'not_run') as not_run
              from (select rule_version, status, validation_id from quality.validation_result where rule_id = %s
                     order by validation_id desc limit %s) newest group by 1) judged
          join quality.validation first on first.validation_id = judged.first_id
          join quality.validation last on last.validation_id = judged.last_id
         order by version desc
        """,
        [rule_id, JUDGED],
    )


def rule_results(
    connection: Connection, rule_id: str, before: int | None = None, limit: int = LINES
) -> tuple[list[Row], int | None]:
    """Results of a rule, newest first, and where the next page begins."""
    rows = rows_of(
        connection,
        """
        select r.validation_id, r.rule_version, r.status, r.severity, r.measured, r.threshold, r.unit, r.rows_failed,
               r.message, v.finished_at, v.delivery_id, coalesce(d.feed, v.subject) as feed,
               coalesce(d.business_date_to, v.business_date) as business_date
          from (select * from quality.validation_result
                 where rule_id = %(rule)s and (%(before)s::bigint is null or validation_id < %(before)s)
                 order by validation_id desc limit %(limit)s) r
          join quality.validation v using (validation_id)
          left join governance.delivery d using (delivery_id)
         order by r.validation_id desc
        """,
        {"rule": rule_id, "before": before, "limit": limit + 1},
    )
    rows, last = rows[:limit], rows[limit - 1] if len(rows) > limit else None
    return rows, last["validation_id"] if last else None


def rows_of(connection: Connection, statement: str, values: Any) -> list[Row]:
    """The rows of a statement, by column."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement.encode(), values).fetchall()
