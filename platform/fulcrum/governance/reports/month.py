"""Which month a report is about, and as known when: the edition that it says the same by whenever it is printed.

What is told of the month is read by its neighbours.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from fulcrum.errors import QueryError

Connection = psycopg.Connection[Any]

_MOST_MONTHS = 120
_YEARS = range(dt.MINYEAR, dt.MAXYEAR)
"""The last year has a month that no moment ends."""
_PATTERN = re.compile(r"(\d{4})-(\d{2})", re.ASCII)

# The month before the newest, and so on: each step is one look into the index by business date.
_MONTHS = """
with recursive found as (
    (select date_trunc('month', business_date_to)::date as first from governance.delivery
      where same_as_delivery_id is null and business_date_to < '9999-01-01' order by business_date_to desc limit 1)
    union all
    select (select date_trunc('month', d.business_date_to)::date from governance.delivery d
             where d.same_as_delivery_id is null and d.business_date_to is not null and d.business_date_to < found.first
             order by d.business_date_to desc limit 1)
      from found where found.first is not null
)
select first from found where first is not null order by first desc limit %s
"""

# The end of each month, or when its first file or judgement came if all came later: one look at each of its dates.
_BEGUN = """
select greatest((first + interval '1 month') at time zone 'UTC',
         least((select min(came.landed_at)
                  from generate_series(0, 30) n
                 cross join lateral (
                       select d.landed_at from governance.delivery d
                        where d.same_as_delivery_id is null and d.business_date_to = first + n
                        order by d.landed_at limit 1) came
                 where extract(month from first + n) = extract(month from first)),
               (select min(v.finished_at) from quality.validation v
                 where v.delivery_id is null
                   and v.business_date between first and (first + interval '1 month')::date - 1)))
  from unnest(%s::date[]) with ordinality month (first, place) order by place
"""

_NEWEST = """
select greatest(
  (select max(known_at) from governance.publication),
  (select finished_at from quality.validation order by validation_id desc limit 1),
  (select greatest(landed_at, finished_at) from governance.delivery order by delivery_id desc limit 1),
  (select at from quality.exception_event order by exception_event_id desc limit 1),
  (select at from governance.audit_event order by audit_event_id desc limit 1))
"""


# Numbers ascend with the clock; `max` walks back over all that came later (70 ms).
_PUBLICATIONS = """
select coalesce((select publication_id from governance.publication where known_at <= moment
                  order by known_at desc, publication_id desc limit 1), 0)
  from unnest(%s::timestamptz[]) with ordinality known (moment, place) order by place
"""


@dataclass(frozen=True, order=True)
class Month:
    """A calendar month of business dates."""

    year: int
    number: int

    @classmethod
    def parse(cls, text: str) -> Month:
        """Read `2026-01`.

        Raises:
            QueryError: it is no month.
        """
        found = _PATTERN.fullmatch(text)
        if found is None or not 1 <= int(found[2]) <= 12 or int(found[1]) not in _YEARS:  # noqa: PLR2004 months
            raise QueryError(f"{text[:40]!r} is no month.", remedy="Write it as 2026-01.")
        return cls(int(found[1]), int(found[2]))

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.number:02d}"

    @property
    def first(self) -> dt.date:
        """Its first day."""
        return dt.date(self.year, self.number, 1)

    @property
    def last(self) -> dt.date:
        """Its last day."""
        return dt.date(self.year + self.number // 12, self.number % 12 + 1, 1) - dt.timedelta(days=1)


@dataclass(frozen=True)
class Edition:
    """A month as it was known at a moment: what was recorded later is not in it."""

    month: Month
    known_at: dt.datetime
    closes_at: dt.datetime
    """From when on the report of the month stands."""
    publication_id: int
    """The last publication that was known; 0: none."""

    @property
    def is_closed(self) -> bool:
        """Whether this is the edition that stands."""
        return self.known_at == self.closes_at


def edition(
    connection: Connection,
    month: Month,
    closing_days: int,
    known_at: dt.datetime | None = None,
    now: dt.datetime | None = None,
) -> Edition:
    """The edition of a month: the one that stands; before it closes, what is known until now.

    A month closes `closing_days` after its end, or after its first file where history was loaded later. `known_at`
    asks for another edition; it must have a time zone, and what lies ahead means now.
    """
    return editions(connection, [month], closing_days, known_at, now)[0]


def editions(
    connection: Connection,
    wanted: Sequence[Month],
    closing_days: int,
    known_at: dt.datetime | None = None,
    now: dt.datetime | None = None,
) -> list[Edition]:
    """The editions of several months, in their order, as `edition` says."""
    begun = connection.execute(_BEGUN, [[month.first for month in wanted]]).fetchall()
    closing = [row[0].astimezone(dt.UTC) + dt.timedelta(days=closing_days) for row in begun]
    moment = now or dt.datetime.now(dt.UTC)
    known = [known_at or at for at in closing]
    if known_at is not None or any(at > moment for at in closing):
        row = connection.execute(_NEWEST).fetchone()
        assert row is not None
        # The newest that is recorded: the same state of the warehouse is the same edition.
        latest = [row[0] or at - dt.timedelta(days=closing_days) for at in closing]
        known = [
            min(known_at, max(newest, moment)) if known_at is not None else newest if at > moment else at
            for at, newest in zip(closing, latest, strict=True)
        ]
    numbers = connection.execute(_PUBLICATIONS, [known]).fetchall()
    return [
        Edition(month, at.astimezone(dt.UTC), closes_at, number)
        for month, at, closes_at, (number,) in zip(wanted, known, closing, numbers, strict=True)
    ]


def months(connection: Connection, limit: int = _MOST_MONTHS) -> list[Month]:
    """Months with deliveries, newest first."""
    return [Month(row[0].year, row[0].month) for row in connection.execute(_MONTHS, [limit])]
