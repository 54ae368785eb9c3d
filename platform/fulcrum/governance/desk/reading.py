"""What the pages of the desk show of deliveries and rules: every query in pages, each by an index.

Exceptions and waivers are read in `inbox.py`; nothing is written here. Times at 5,000,000 results: decision 0034.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

import psycopg
from psycopg.rows import dict_row

Connection = psycopg.Connection[Any]
Row = dict[str, Any]

LINES = 100
"""Rows of one page."""
CALENDAR_DAYS = 60
TREND = 30
"""Deliveries that a trend looks back."""
JUDGED = 10_000
"""Newest results that a pass rate is counted over."""

# One line per feed and business date: its newest delivery that did not repeat the bytes of another.
_TODAY = """
with found as (
    select distinct on (business_date_to, feed) business_date_to, feed, delivery_id from governance.delivery
     where same_as_delivery_id is null and business_date_to is not null {conditions}
     order by business_date_to desc, feed, delivery_id desc limit %(limit)s
),
line as materialized (select d.* from found join governance.delivery d using (delivery_id))
select line.delivery_id, line.feed, line.file_name, line.business_date_to as business_date, line.landed_at,
       line.outcome, line.rows_in, line.rows_quarantined, line.rows_published, line.publication_id,
       judged.verdict, judged.finished_at as gated_at, published.known_at as published_at,
       (select count(*) from quality.exception e where e.feed = line.feed and e.state <> 'resolved') as open_exceptions,
       served.business_date_to as served_date, served.known_at as served_at, served.publication_id as served_publication
  from line
  left join lateral (
       select v.verdict, v.finished_at from quality.validation v
        where v.delivery_id = line.delivery_id order by v.validation_id desc limit 1) judged on true
  left join governance.publication published on published.publication_id = line.publication_id
  left join lateral (
       select p.business_date_to, p.known_at, p.publication_id from governance.publication p
        where line.outcome in ('blocked', 'refused', 'failed', 'landed') and p.feed = line.feed and p.kind = 'delivery'
        order by p.business_date_to desc nulls last, p.publication_id desc limit 1) served on true
 order by line.business_date_to desc, line.feed
"""

# Each as it is asked for: with all in one statement none of them is found by the index (6 s of 250,000 lines).
_ON_DAY = "and business_date_to = %(day)s"
_OF_FEED = "and feed = %(feed)s"
_AFTER = (
    "and business_date_to <= %(before)s and (business_date_to < %(before)s"
    " or (business_date_to = %(before)s and feed > %(after)s))"
)

_UNDATED = """
select delivery_id, feed, file_name, landed_at, outcome, messages from governance.delivery
 where business_date_to is null order by delivery_id desc limit %s
"""

_CALENDAR = """
with newest as (
    select max(business_date_to) as day from governance.delivery
     where same_as_delivery_id is null and business_date_to is not null
       and business_date_to <= (current_date + 1)
),
line as (
    select distinct on (d.business_date_to, d.feed) d.business_date_to, d.outcome
      from governance.delivery d, newest
     where d.same_as_delivery_id is null and d.business_date_to is not null
       and d.business_date_to > newest.day - %(days)s and d.business_date_to <= newest.day
     order by d.business_date_to desc, d.feed, d.delivery_id desc
)
select (newest.day - back) as day,
       count(line.outcome) filter (where outcome in ('published', 'restated', 'no_op')) as published,
       count(line.outcome) filter (where outcome in ('blocked', 'refused', 'failed')) as stopped,
       count(line.outcome) filter (where outcome = 'landed') as under_way
  from newest cross join generate_series(0, %(days)s - 1) back
  left join line on line.business_date_to = newest.day - back
 where newest.day is not null
 group by 1 order by 1
"""

_ARRIVALS = """
select v.business_date, r.rule_id, failed.value ->> 0 as feed, failed.value ->> 1 as says
  from unnest(%s::date[]) wanted (day)
  cross join lateral (
       select validation_id, business_date from quality.validation
        where subject = 'arrivals' and business_date = wanted.day order by validation_id desc limit 1) v
  join quality.validation_result r using (validation_id)
  cross join lateral jsonb_array_elements(coalesce(r.result -> 'failed', '[]')) failed
"""


def today(
    connection: Connection,
    *,
    day: dt.date | None = None,
    feed: str | None = None,
    before: tuple[dt.date, str] | None = None,
    limit: int = LINES,
) -> tuple[list[Row], tuple[dt.date, str] | None]:
    """One line per business date and feed, newest date first, and where the next page begins (None: nowhere).

    `served_*` say what is current instead, where the newest delivery of a line is not published.
    """
    date, after = before if before is not None else (None, None)
    conditions = [sql for sql, value in ((_ON_DAY, day), (_OF_FEED, feed), (_AFTER, date)) if value is not None]
    statement = _TODAY.format(conditions=" ".join(conditions))
    rows = _rows(connection, statement, {"day": day, "feed": feed, "before": date, "after": after, "limit": limit + 1})
    rows, last = rows[:limit], rows[limit - 1] if len(rows) > limit else None
    return rows, (last["business_date"], last["feed"]) if last else None


def undated(connection: Connection, limit: int = 10) -> list[Row]:
    """The newest files that did not get so far as to tell their date."""
    return _rows(connection, _UNDATED, [limit])


def calendar(connection: Connection, days: int = CALENDAR_DAYS) -> list[Row]:
    """For each of the days up to the newest business date: feeds published, stopped and under way."""
    return _rows(connection, _CALENDAR, {"days": days})


def arrivals(connection: Connection, days: Sequence[dt.date]) -> dict[tuple[dt.date, str], list[tuple[str, str]]]:
    """(business date, feed) -> (rule, what it says) of what the newest judgement of arrivals found."""
    found: dict[tuple[dt.date, str], list[tuple[str, str]]] = {}
    for row in _rows(connection, _ARRIVALS, [sorted(set(days))]):
        found.setdefault((row["business_date"], row["feed"]), []).append((row["rule_id"], row["says"] or ""))
    return found


def judged_days(connection: Connection, days: Sequence[dt.date]) -> set[dt.date]:
    """Those of the days whose arrivals were judged."""
    rows = _rows(
        connection,
        "select distinct business_date from quality.validation where subject = 'arrivals' and business_date = any(%s)",
        [sorted(set(days))],
    )
    return {row["business_date"] for row in rows}


def delivery(connection: Connection, delivery_id: int) -> Row | None:
    """One delivery with its publication and the waivers that it rests on."""
    found = _rows(
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


def served_instead(connection: Connection, feed: str) -> Row | None:
    """The newest business date of a feed that is published."""
    found = _rows(
        connection,
        """
        select publication_id, business_date_to as business_date, known_at, delivery_id from governance.publication
         where feed = %s and kind = 'delivery' order by business_date_to desc nulls last, publication_id desc limit 1
        """,
        [feed],
    )
    return found[0] if found else None


def again(connection: Connection, known: Row) -> list[Row]:
    """Later deliveries of the same bytes, newest first."""
    return _rows(
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
    rows = _rows(
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
    rows = _rows(
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


def rule_counts(connection: Connection, rule_id: str) -> dict[str, int]:
    """Status -> how many of the newest `JUDGED` results of a rule."""
    rows = _rows(
        connection,
        """
        select status, count(*) as times from (
            select status from quality.validation_result where rule_id = %s
             order by validation_id desc limit %s) newest group by status
        """,
        [rule_id, JUDGED],
    )
    return {row["status"]: row["times"] for row in rows}


def rule_results(
    connection: Connection, rule_id: str, before: int | None = None, limit: int = LINES
) -> tuple[list[Row], int | None]:
    """Results of a rule, newest first, and where the next page begins."""
    rows = _rows(
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


def _rows(connection: Connection, statement: str, values: Any) -> list[Row]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement.encode(), values).fetchall()
