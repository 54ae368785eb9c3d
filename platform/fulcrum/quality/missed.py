"""From which business date on a feed is missed when it does not come, and which feeds nobody has ever sent.

When a file is due on such a date is `timeliness.py`'s.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import psycopg

from fulcrum.contracts.model import FeedContract

# Of each feed the business date of its oldest file; of files that told none, the day on which the first of them landed.
_FIRST = """
select feed, coalesce(
         (select d.business_date_to from governance.delivery d
           where d.feed = wanted.feed and d.business_date_to is not null and d.landed_at <= %(known_at)s
           order by d.business_date_to limit 1),
         (select (min(d.landed_at) at time zone 'UTC')::date from governance.delivery d
           where d.feed = wanted.feed and d.business_date_to is null and d.landed_at <= %(known_at)s)) as first_date
  from unnest(%(feeds)s::text[]) wanted (feed)
"""


def missed_from(
    connection: psycopg.Connection[Any], contracts: Mapping[str, FeedContract], known_at: dt.datetime
) -> dict[str, dt.date]:
    """Feed -> the business date from which on it is missed when it does not come, by what had come until `known_at`.

    Told are feeds with a calendar whose contract states the date (`first_date`) or of which a file came, whatever
    became of it. Nobody can have missed the others: a house takes some of the feeds that there are contracts for.
    """
    scheduled = _scheduled(contracts)
    rows = connection.execute(_FIRST, {"feeds": sorted(scheduled), "known_at": known_at}).fetchall()
    found = {feed: scheduled[feed].sla.first_date or came for feed, came in rows}
    return {feed: date for feed, date in found.items() if date is not None}


def never_delivered(
    connection: psycopg.Connection[Any], contracts: Mapping[str, FeedContract], known_at: dt.datetime
) -> list[str]:
    """Active feeds with a calendar of which no file has ever come and that are not missed either, by name."""
    return sorted(_scheduled(contracts).keys() - missed_from(connection, contracts, known_at).keys())


def _scheduled(contracts: Mapping[str, FeedContract]) -> dict[str, FeedContract]:
    return {feed: one for feed, one in contracts.items() if one.sla.calendar and one.status == "active"}
