"""Which feeds are due for a business date, and the judgement of what arrived: also of what did not.

When a feed is due stands in its contract (`slaProperties`); the rules are `quality/suites/governance/delivery.yaml`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from fulcrum.contracts.model import FeedContract
from fulcrum.quality.calendars import ensure, sessions
from fulcrum.quality.inspection import inspect
from fulcrum.quality.missed import missed_from
from fulcrum.quality.plan import literal
from fulcrum.quality.verdict import Verdict
from fulcrum.settings import Settings
from fulcrum.warehouse.engine import connect

SUITE = "governance/delivery"
_AHEAD = dt.timedelta(days=20)  # the longest holidays (lunar new year) are ten days


@dataclass(frozen=True)
class Expected:
    """One feed of which a file is due for a business date: not before `earliest_at`, by `due_at`."""

    feed: str
    exchange: str
    earliest_at: dt.datetime
    due_at: dt.datetime


def judge_timeliness(
    settings: Settings, contracts: Mapping[str, FeedContract], day: dt.date, now: dt.datetime | None = None
) -> Verdict:
    """Judge the arrivals for business date `day`, as of `now` (unset: this moment); the results are stored.

    A feed that is not missed yet (`missed_from`) is not judged.

    Raises:
        GateError: the suite cannot be read or its query is refused.
    """
    moment = now or dt.datetime.now(dt.UTC)
    feeds = expected(contracts, day)
    with connect(settings, application_name="fulcrum timeliness") as connection:
        ensure(connection, {one.exchange for one in feeds}, day, day + _AHEAD)
        begun = missed_from(connection, contracts, moment)
        feeds = [one for one in feeds if one.feed in begun and begun[one.feed] <= day]
        connection.commit()
    rows = ", ".join(
        f"({literal(one.feed)}, {_moment(one.earliest_at)}, {_moment(one.due_at)}, {_moment(moment)})" for one in feeds
    )
    nothing = f"select ''::text, {_moment(moment)}, {_moment(moment)}, {_moment(moment)} where false"
    return inspect(settings, SUITE, "arrivals", day, {"expected": f"(values {rows})" if feeds else f"({nothing})"})


def expected(contracts: Mapping[str, FeedContract], day: dt.date) -> list[Expected]:
    """The feeds whose exchange trades on `day`, by name; feeds without a calendar come when they come.

    A file is due `lag_days` trading days after its business date; one that may take a day cannot be right before
    that date is over.
    """
    found = []
    for feed, contract in sorted(contracts.items()):
        sla = contract.sla
        days = sessions(sla.calendar, day, day + _AHEAD) if sla.calendar and contract.status == "active" else []
        if sla.calendar is None or not days or days[0] != day:
            continue
        zone = ZoneInfo(sla.time_zone)
        due = days[min(sla.lag_days, len(days) - 1)]
        hour, minute = (int(part) for part in sla.due_time.split(":"))
        first = day + dt.timedelta(days=1) if sla.lag_days else day
        found.append(
            Expected(
                feed,
                sla.calendar,
                dt.datetime.combine(first, dt.time(0), zone),
                dt.datetime.combine(due, dt.time(hour, minute), zone),
            )
        )
    return found


def _moment(moment: dt.datetime) -> str:
    return f"timestamptz {literal(moment.isoformat())}"
