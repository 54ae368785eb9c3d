"""What the page of today shows: lines of feeds and dates, what is stopped now, arrivals, and the calendar.

One delivery and one rule are read in `reading.py`; nothing is written here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from fulcrum.governance.desk.reading import LINES, SERVED, Connection, Row, rows_of

CALENDAR_DAYS = 60
STOPPED = 50
"""Stopped deliveries that are named; the inbox has the others."""

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
       served.business_date as served_date, served.known_at as served_at, served.publication_id as served_publication
  from line
  left join lateral (
       select v.verdict, v.finished_at from quality.validation v
        where v.delivery_id = line.delivery_id order by v.validation_id desc limit 1) judged on true
  left join governance.publication published on published.publication_id = line.publication_id
  left join lateral (
       select * from ({served}) good where line.outcome in ('blocked', 'refused', 'failed', 'landed')) served on true
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

# Day by day: one scan over all 60 sorts 60,000 lines of 1,000 feeds (190 ms instead of 75).
_CALENDAR = """
with newest as (
    select max(business_date_to) as day from governance.delivery
     where same_as_delivery_id is null and business_date_to is not null
       and business_date_to <= (current_date + 1)
)
select wanted.day, counted.*
  from newest
 cross join lateral (select newest.day - back as day from generate_series(0, %(days)s - 1) back) wanted
 cross join lateral (
       select count(*) filter (where outcome in ('published', 'restated', 'no_op')) as published,
              count(*) filter (where outcome in ('blocked', 'refused', 'failed')) as stopped,
              count(*) filter (where outcome = 'landed') as under_way,
              array_agg(delivery_id) filter (where outcome in ('blocked', 'refused', 'failed')) as stopped_deliveries
         from (select distinct on (d.feed) d.outcome, d.delivery_id from governance.delivery d
                where d.same_as_delivery_id is null and d.business_date_to is not null
                  and d.business_date_to = wanted.day
                order by d.feed, d.delivery_id desc) line) counted
 where newest.day is not null
 order by wanted.day
"""

# The newest line of each feed, found feed by feed (1,000 feeds take 30 ms, reading all of their lines 200), and others.
_STOPPED = """
with recursive feed (name) as (
    (select feed from governance.delivery order by feed limit 1)
    union all
    select (select d.feed from governance.delivery d where d.feed > feed.name order by d.feed limit 1)
      from feed where feed.name is not null
),
stopped as materialized (
    select line.delivery_id, line.feed, line.business_date_to, line.outcome, line.landed_at
      from feed
     cross join lateral (
           select * from governance.delivery d
            where d.feed = feed.name and d.same_as_delivery_id is null and d.business_date_to is not null
            order by d.business_date_to desc, d.delivery_id desc limit 1) line
     where line.outcome in ('blocked', 'refused', 'failed')
    union
    select delivery_id, feed, business_date_to, outcome, landed_at
      from governance.delivery where delivery_id = any(%(others)s)
     order by business_date_to desc, feed limit %(limit)s
)
select stopped.delivery_id, stopped.feed, stopped.business_date_to as business_date, stopped.outcome, stopped.landed_at,
       served.business_date as served_date, served.known_at as served_at,
       served.publication_id as served_publication,
       (select count(*) from quality.exception e where e.feed = stopped.feed and e.state <> 'resolved')
         as open_exceptions
  from stopped
  left join lateral (
       {served}) served on true
 order by stopped.business_date_to desc, stopped.feed
"""

_ARRIVALS = """
select v.business_date, r.rule_id, failed.value ->> 0 as feed, failed.value ->> 1 as says,
       came.delivery_id is not null as has_come
  from unnest(%s::date[]) wanted (day)
  cross join lateral (
       select validation_id, business_date from quality.validation
        where subject = 'arrivals' and business_date = wanted.day order by validation_id desc limit 1) v
  join quality.validation_result r using (validation_id)
  cross join lateral jsonb_array_elements(coalesce(r.result -> 'failed', '[]')) failed
  left join lateral (  -- not `exists`, which the planner turns into a hash of all deliveries
       select d.delivery_id from governance.delivery d
        where d.feed = failed.value ->> 0 and d.business_date_to = v.business_date limit 1) came on true
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

    `served_*` say what is served for its date, where the newest delivery of a line is not published.
    """
    date, after = before if before is not None else (None, None)
    conditions = [sql for sql, value in ((_ON_DAY, day), (_OF_FEED, feed), (_AFTER, date)) if value is not None]
    served = SERVED.format(feed="line.feed", day="line.business_date_to")
    statement = _TODAY.format(conditions=" ".join(conditions), served=served)
    rows = rows_of(
        connection, statement, {"day": day, "feed": feed, "before": date, "after": after, "limit": limit + 1}
    )
    rows, last = rows[:limit], rows[limit - 1] if len(rows) > limit else None
    return rows, (last["business_date"], last["feed"]) if last else None


def undated(connection: Connection, limit: int = 10) -> list[Row]:
    """The newest files that did not get so far as to tell their date."""
    return rows_of(connection, _UNDATED, [limit])


def calendar(connection: Connection, days: int = CALENDAR_DAYS) -> list[Row]:
    """For each day up to the newest business date: feeds published, stopped and under way; what is stopped."""
    return rows_of(connection, _CALENDAR, {"days": days})


def stopped(connection: Connection, days: Sequence[Row], limit: int = STOPPED) -> list[Row]:
    """What is stopped on days of the calendar or is the newest of its feed, and what is served; newest date first."""
    others = [number for day in days for number in day["stopped_deliveries"] or ()]
    statement = _STOPPED.format(served=SERVED.format(feed="stopped.feed", day="stopped.business_date_to"))
    return rows_of(connection, statement, {"others": others, "limit": limit})


@dataclass(frozen=True)
class Arrivals:
    """What the newest judgement of arrivals found on some days, by (business date, feed)."""

    found: dict[tuple[dt.date, str], list[tuple[str, str]]]
    """Rule and what it says."""
    missing: dict[dt.date, list[tuple[str, str]]]
    """Feeds of which nothing has come until now, and what the rule says."""


def arrivals(connection: Connection, days: Sequence[dt.date]) -> Arrivals:
    """Lateness and the like on these days."""
    found: dict[tuple[dt.date, str], list[tuple[str, str]]] = {}
    missing: dict[dt.date, list[tuple[str, str]]] = {}
    for row in rows_of(connection, _ARRIVALS, [sorted(set(days))]):
        found.setdefault((row["business_date"], row["feed"]), []).append((row["rule_id"], row["says"] or ""))
        if row["rule_id"] == "delivery.not_missing" and not row["has_come"]:
            missing.setdefault(row["business_date"], []).append((row["feed"], row["says"] or ""))
    return Arrivals(found, missing)


def judged_days(connection: Connection, days: Sequence[dt.date]) -> set[dt.date]:
    """Those of the days whose arrivals were judged."""
    rows = rows_of(
        connection,
        "select distinct business_date from quality.validation where subject = 'arrivals' and business_date = any(%s)",
        [sorted(set(days))],
    )
    return {row["business_date"] for row in rows}
