"""The page of today: what came, what became of it, and what is served where it was stopped."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from fulcrum.entitlements.rights import Permission, Rights
from fulcrum.governance.desk import daily, inbox
from fulcrum.graph.desk import access
from fulcrum.graph.pages.desk.known import contracts_of
from fulcrum.graph.pages.desk.shown import day, plain, shown
from fulcrum.graph.pages.signing import needs
from fulcrum.graph.pages.site import site_of
from fulcrum.quality.missed import never_delivered
from fulcrum.settings import Settings


@needs(Permission.QUALITY)
async def show(request: Request, rights: Rights) -> Response:
    """`GET /desk?day=2026-01-05&feed=house_holdings&before=2026-01-05&after=house_holdings`."""
    asked = request.query_params
    wanted, feed = day(asked.get("day")), plain(asked.get("feed"))
    before, after = day(asked.get("before")), plain(asked.get("after"))
    place = (before, after) if before is not None and after is not None else None
    found = await asyncio.to_thread(_read, site_of(request).settings, rights, wanted, feed, place)
    return shown(request, "today.html", rights, wanted=wanted, feed=feed, is_later=place is not None, **found)


def _read(
    settings: Settings, rights: Rights, wanted: dt.date | None, feed: str | None, place: tuple[dt.date, str] | None
) -> dict[str, Any]:
    is_front = wanted is None and feed is None and place is None
    contracts = contracts_of(settings)
    with access.reading(settings, rights) as connection:
        lines, following = daily.today(connection, day=wanted, feed=feed, before=place)
        days = sorted({line["business_date"] for line in lines} | ({wanted} if wanted else set()))
        calendar = daily.calendar(connection) if is_front else []
        return {
            "lines": lines,
            "next": following,
            "arrivals": daily.arrivals(connection, days),
            "judged_days": daily.judged_days(connection, days),
            "stopped": daily.stopped(connection, calendar) if is_front else [],
            "most_stopped": daily.STOPPED,
            "calendar": calendar,
            "undated": daily.undated(connection) if is_front else [],
            "counts": inbox.counts(connection),
            "scheduled": {name for name, feed in contracts.items() if feed.sla.calendar},
            "never_delivered": never_delivered(connection, contracts, dt.datetime.now(dt.UTC)) if is_front else [],
        }
