"""The pages of the monthly reports: which months there are, and one of them as a page and as JSON.

PDF and evidence pack are `report_files.py`'s; the numbers are `fulcrum.governance.reports`'.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from fulcrum.entitlements.rights import Permission, Rights
from fulcrum.errors import QueryError
from fulcrum.governance.desk.policy import load_desk_policy
from fulcrum.governance.reports import Month, Report, edition, read_report
from fulcrum.governance.reports.counting import Arrivals
from fulcrum.governance.reports.coverage import Declared
from fulcrum.governance.reports.month import editions, months
from fulcrum.governance.reports.report import Group, canonical
from fulcrum.graph.desk import access
from fulcrum.graph.errors import BadRequestError, NotFoundError
from fulcrum.graph.pages.desk.known import LAYERS, contracts_of, datasets_of, reconciliations_of, rules_of
from fulcrum.graph.pages.desk.shown import shown
from fulcrum.graph.pages.rendering import HEADERS
from fulcrum.graph.pages.signing import needs
from fulcrum.graph.pages.site import site_of
from fulcrum.settings import Settings

MONTHS = 36
"""Months that the list has."""
LINES = 100
"""Feeds that a table of the page lists."""
FINDINGS = 100
"""Open findings that the page lists."""
_SETTLED = dt.timedelta(hours=1)
"""From then on no transaction is still to commit what it had recorded: an edition stays as it is."""
_MOST_KEPT = 24
_editions: dict[tuple[Any, ...], tuple[Declared, Report]] = {}
_declared: dict[Settings, tuple[tuple[Any, ...], Declared]] = {}


@needs(Permission.QUALITY)
async def show_all(request: Request, rights: Rights) -> Response:
    """`GET /desk/reports`."""
    settings = site_of(request).settings

    def read() -> list[Any]:
        days = load_desk_policy(settings).reports.closing_days
        with access.reading(settings, rights) as connection:
            return editions(connection, months(connection, MONTHS), days)

    return shown(request, "reports.html", rights, editions=await asyncio.to_thread(read))


@needs(Permission.QUALITY)
async def show(request: Request, rights: Rights) -> Response:
    """`GET /desk/reports/2026-01?known=now`."""
    report = await asyncio.to_thread(report_of, request, rights)
    lines: dict[str, Any] = {
        "feeds": worst_feeds(report),
        "arrivals": worst_arrivals(report),
        "most_findings": FINDINGS,
    }
    return shown(request, "report.html", rights, report=report, known=_known(request), **lines)


@needs(Permission.QUALITY)
async def as_json(request: Request, rights: Rights) -> Response:
    """`GET /desk/reports/2026-01/report.json`."""
    report = await asyncio.to_thread(report_of, request, rights)
    body = canonical(report.as_json()) + b"\n"
    return Response(body, media_type="application/json", headers=HEADERS | attached(report, "json"))


def report_of(request: Request, rights: Rights) -> Report:
    """The report that an address asks for, as its reader may see it.

    Raises:
        NotFoundError: it names no month.
        BadRequestError: `known` is neither `now` nor a moment with a time zone.
    """
    settings, month, known = site_of(request).settings, month_of(request), _moment(_known(request))
    policy = load_desk_policy(settings)
    with access.reading(settings, rights) as connection:
        wanted = edition(connection, month, policy.reports.closing_days, known)
        house, declared = sees_whole_house(connection, rights), declared_of(settings)

        def read() -> Report:
            return read_report(connection, wanted, declared, policy, is_whole_house=house)

        if dt.datetime.now(dt.UTC) - wanted.known_at < _SETTLED:
            return read()
        return _kept((settings, wanted, house), declared, read)


def worst_feeds(report: Report, most: int = LINES) -> list[Group]:
    """The lines by feed that a page shows: all, or of many those with most amiss."""
    found = list(report.by_feed)
    if len(found) > most:
        found.sort(key=lambda one: (-one.overdue, -one.open, -one.broken, -one.failed, one.name))
    return found[:most]


def worst_arrivals(report: Report, most: int = LINES) -> list[Arrivals]:
    """The feeds of which anything came or was due, or of many those with most amiss."""
    found = [one for one in report.arrivals if one.due or one.not_judged or one.files]
    if len(found) > most:
        found.sort(key=lambda one: (-one.missing - one.late, -one.stopped, -one.not_judged, one.feed))
    return found[:most]


def month_of(request: Request) -> Month:
    """The month in the address.

    Raises:
        NotFoundError: it is none.
    """
    try:
        return Month.parse(request.path_params["month"])
    except QueryError as error:
        raise NotFoundError(error.message, remedy=error.remedy) from None


def sees_whole_house(connection: access.Connection, rights: Rights) -> bool:
    """Whether every row is seen: what rests on a waiver is a sum over portfolios."""
    row = connection.execute(
        "select is_whole_house from governance.row_scope where scope_id = %s", [rights.scope_id]
    ).fetchone()
    return bool(row and row[0])


def declared_of(settings: Settings) -> Declared:
    """Contracts and rules, from the memory of the pages: the same object while no file changes."""
    read = datasets_of(settings), rules_of(settings), contracts_of(settings), reconciliations_of(settings)
    known = _declared.get(settings)
    if known is not None and all(one is other for one, other in zip(known[0], read, strict=True)):
        return known[1]
    datasets, rules, feeds, reconciliations = read
    documents = {name: one.document for name, one in datasets.items() if name.partition(".")[0] in LAYERS}
    owners = {one.rule_id: one.owner for one in reconciliations.values()}
    _declared[settings] = read, Declared(documents, rules.suites, feeds, owners)
    return _declared[settings][1]


def attached(report: Report, ending: str) -> dict[str, str]:
    """The header that names a file."""
    return {"Content-Disposition": f'attachment; filename="quality-{report.edition.month}.{ending}"'}


def _kept(key: tuple[Any, ...], declared: Declared, read: Callable[[], Report]) -> Report:
    """An edition that was read before, while contracts and rules are the same; it is read once."""
    found = _editions.get(key)
    if found is not None and found[0] is declared:
        return found[1]
    report = read()
    _editions[key] = (declared, report)
    for oldest in list(_editions)[:-_MOST_KEPT]:
        _editions.pop(oldest, None)
    return report


def _known(request: Request) -> str:
    return request.query_params.get("known", "")[:40]


def _moment(text: str) -> dt.datetime | None:
    if text == "now":
        return dt.datetime.now(dt.UTC)
    try:
        moment = dt.datetime.fromisoformat(text.replace(" ", "+")) if text else None
    except ValueError:
        moment = None
    if text and (moment is None or moment.tzinfo is None):
        raise BadRequestError("`known` is no moment.", remedy="Write it as 2026-02-07T00:00:00Z, or `now`.")
    return moment
