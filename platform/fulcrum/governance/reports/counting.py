"""How often rules passed in a month, what came and when: counted in the warehouse, told by dimension, feed and owner.

What people decided is `decisions.py`'s.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from typing import Any

import psycopg
from psycopg.rows import dict_row

from fulcrum.contracts.model import FeedContract
from fulcrum.governance.reports.month import Edition
from fulcrum.quality.missed import missed_from

Connection = psycopg.Connection[Any]
Row = dict[str, Any]
_CENT = Decimal("0.01")

# Judgements of files by the date of the file, of what no file tells by the date that they are about. Most days of a
# feed have the same tally, so that one of each is taken apart; what has none is counted. A month's deliveries lie
# together: from the first to the last, the index alone tells 30,000 of them (40 ms; each by itself 150).
_RESULTS = """
with came as materialized (
    select delivery_id, feed from governance.delivery
     where same_as_delivery_id is null and business_date_to between %(first)s and %(last)s
),
judged as not materialized (
    select came.feed, v.validation_id, v.tally_key
      from (select min(delivery_id) as lowest, max(delivery_id) as highest from came) ends
      join quality.validation v on v.delivery_id between ends.lowest and ends.highest
      join came using (delivery_id)
     where v.finished_at <= %(known_at)s
    union all
    select subject, validation_id, tally_key from quality.validation
     where delivery_id is null and business_date between %(first)s and %(last)s and finished_at <= %(known_at)s
),
told as (
    select feed, min(validation_id) as validation_id, count(*) as validations
      from judged group by feed, tally_key, case when tally_key is null then validation_id end
),
uncounted as materialized (
    select v.validation_id, coalesce(d.feed, v.subject) as feed
      from quality.validation v left join governance.delivery d using (delivery_id)
     where v.tally is null and v.finished_at <= %(known_at)s
       and (v.delivery_id is null and v.business_date between %(first)s and %(last)s
            or d.business_date_to between %(first)s and %(last)s)
)
select one.value ->> 0 as dimension, feed, one.value ->> 1 as owner, one.value ->> 2 as status,
       sum(validations * (one.value ->> 3)::bigint)::bigint as times
  from told join quality.validation using (validation_id) cross join lateral jsonb_array_elements(tally) one
 group by 1, 2, 3, 4
union all
select r.dimension, uncounted.feed, r.owner, r.status, count(*) as times
  from uncounted join quality.validation_result r using (validation_id)
 group by 1, 2, 3, 4
"""

_DELIVERIES = """
select feed, count(*) as files,
       count(*) filter (where is_known and outcome in ('published', 'restated', 'no_op')) as published,
       count(*) filter (where is_known and outcome in ('blocked', 'refused', 'failed')) as stopped,
       coalesce(sum(rows_in) filter (where is_known), 0)::bigint as rows_in,
       coalesce(sum(rows_quarantined) filter (where is_known), 0)::bigint as rows_quarantined
  from (select *, coalesce(finished_at <= %(known_at)s, false) as is_known from governance.delivery
         where same_as_delivery_id is null and landed_at <= %(known_at)s
           and business_date_to between %(first)s and %(last)s
        union all
        select *, coalesce(finished_at <= %(known_at)s, false) from governance.delivery
         where same_as_delivery_id is null and landed_at <= %(known_at)s and business_date_to is null
           and (landed_at at time zone 'UTC')::date between %(first)s and %(last)s) d
 group by feed
"""

_ARRIVALS = """
select v.business_date, r.rule_id, coalesce(r.rows_failed, 0) as failures,
       array(select failed.value ->> 0 from jsonb_array_elements(coalesce(r.result -> 'failed', '[]')) failed) as feeds
  from (select distinct on (business_date) business_date, validation_id from quality.validation
         where subject = 'arrivals' and business_date between %(first)s and %(last)s and finished_at <= %(known_at)s
         order by business_date, validation_id desc) v
  join quality.validation_result r using (validation_id)
"""

_SESSIONS = """
select exchange_code, session_date from quality.exchange_session
 where exchange_code = any(%(exchanges)s) and session_date between %(first)s and %(last)s
"""

MISSING, LATE, EARLY, SMALL = "delivery.not_missing", "delivery.not_late", "delivery.not_early", "delivery.not_small"


@dataclass(frozen=True)
class Results:
    """Results of rules of one kind: how many, by what became of them."""

    dimension: str
    feed: str
    owner: str
    status: str
    times: int


@dataclass
class Tally:
    """Results of a group; what was not run was not judged."""

    passed: int = 0
    failed: int = 0
    broken: int = 0
    not_run: int = 0

    def add(self, status: str, times: int) -> None:
        """Count results of one status."""
        setattr(self, status, getattr(self, status) + times)

    @property
    def judged(self) -> int:
        """The denominator of the pass rate."""
        return self.passed + self.failed + self.broken

    @property
    def pass_pct(self) -> Decimal | None:
        """Percent with two decimals, never rounded up; None: nothing was judged."""
        return percent(self.passed, self.judged)


@dataclass(frozen=True)
class Arrivals:
    """What came of a feed in a month. `due` counts trading days on which a file was due and arrivals were judged.

    Nothing is due before the date from which on a feed is missed. `early` and `small` came all the same; `untold`
    counts days on which not every late feed was named.
    """

    feed: str
    owner: str
    calendar: str | None
    due: int
    not_judged: int
    missing: int
    late: int
    early: int
    small: int
    untold: int
    files: int
    published: int
    stopped: int
    rows_in: int
    rows_quarantined: int

    @property
    def on_time(self) -> int:
        """Days whose file came by its time."""
        return self.due - self.missing - self.late

    @property
    def on_time_pct(self) -> Decimal | None:
        """Percent with two decimals, never rounded up; None: no day was judged."""
        return percent(self.on_time, self.due)


def percent(part: int, whole: int) -> Decimal | None:
    """Percent with two decimals, rounded down: 100.00 means all."""
    return (Decimal(part) * 100 / Decimal(whole)).quantize(_CENT, ROUND_DOWN) if whole else None


def results(connection: Connection, edition: Edition) -> list[Results]:
    """Results of the month by dimension, feed (or subject), owner and status."""
    return [Results(**row) for row in rows(connection, _RESULTS, edition)]


def arrivals(connection: Connection, edition: Edition, feeds: Mapping[str, FeedContract]) -> list[Arrivals]:
    """Every active feed, and whatever else came, by name."""
    came = {row["feed"]: row for row in rows(connection, _DELIVERIES, edition)}
    exchanges = sorted({one.sla.calendar for one in feeds.values() if one.sla.calendar})
    sessions: dict[str, set[Any]] = {}
    for row in rows(connection, _SESSIONS, edition, exchanges=exchanges):
        sessions.setdefault(row["exchange_code"], set()).add(row["session_date"])
    days = {
        feed: {day for day in sessions.get(feeds[feed].sla.calendar or "", ()) if day >= begun}
        for feed, begun in missed_from(connection, feeds, edition.known_at).items()
    }
    judged: set[Any] = set()
    failed: dict[tuple[str, str], int] = {}
    untold: set[Any] = set()
    for row in rows(connection, _ARRIVALS, edition):
        judged.add(row["business_date"])
        if row["failures"] > len(row["feeds"]):
            untold.add(row["business_date"])
        for feed in (one for one in row["feeds"] if row["business_date"] in days.get(one, ())):
            failed[feed, row["rule_id"]] = failed.get((feed, row["rule_id"]), 0) + 1
    active = {name for name, one in feeds.items() if one.status == "active"}
    return [
        _arrivals(feed, feeds.get(feed), came.get(feed, {}), days.get(feed, set()), judged, failed, untold)
        for feed in sorted(active | came.keys())
    ]


def _arrivals(
    feed: str,
    contract: FeedContract | None,
    came: Mapping[str, Any],
    days: set[Any],
    judged: set[Any],
    failed: Mapping[tuple[str, str], int],
    untold: set[Any],
) -> Arrivals:
    calendar = contract.sla.calendar if contract and contract.status == "active" else None
    counts = {name: int(came.get(name, 0)) for name in ("files", "published", "stopped", "rows_in", "rows_quarantined")}
    found = {rule: failed.get((feed, rule), 0) for rule in (MISSING, LATE, EARLY, SMALL)}
    return Arrivals(
        feed=feed,
        owner=contract.owner if contract else "",
        calendar=calendar,
        due=len(days & judged),
        not_judged=len(days - judged),
        missing=found[MISSING],
        late=found[LATE],
        early=found[EARLY],
        small=found[SMALL],
        untold=len(days & untold),
        **counts,
    )


def rows(connection: Connection, statement: str, edition: Edition, **further: Any) -> Iterable[Row]:
    """The rows of a statement that asks for `first`, `last`, `known_at` and `publication` of an edition."""
    values = {
        "first": edition.month.first,
        "last": edition.month.last,
        "known_at": edition.known_at,
        "publication": edition.publication_id,
    }
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement.encode(), values | further).fetchall()
