"""Waivers on pages: asked for, decided by somebody else, and what was blocked delivered again when approved."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from fulcrum.entitlements.rights import Permission, Rights
from fulcrum.errors import DecisionError
from fulcrum.governance.desk import inbox, reading, waivers
from fulcrum.governance.desk.policy import load_desk_policy
from fulcrum.governance.desk.waivers import Waiver
from fulcrum.graph.desk import access, again
from fulcrum.graph.desk.deciding import NEEDED, WaiverDecision, decide_waiver
from fulcrum.graph.errors import ForbiddenError, NotFoundError
from fulcrum.graph.pages.desk.exceptions import page_of as exception_page
from fulcrum.graph.pages.desk.shown import day, form_of, number_of, plain, shown, whole
from fulcrum.graph.pages.rendering import HEADERS
from fulcrum.graph.pages.signing import needs, refuse_foreign
from fulcrum.graph.pages.site import Site, site_of
from fulcrum.settings import Settings
from fulcrum.warehouse.models.desk import DECISIONS

_SEE_OTHER, _CONFLICT = 303, 409


@needs(Permission.QUALITY)
async def show_all(request: Request, rights: Rights) -> Response:
    """`GET /desk/waivers?state=approved`: the undecided first."""
    return await _list(request, rights)


@needs(Permission.WORK)
async def ask(request: Request, rights: Rights) -> Response:
    """`POST /desk/waivers`: fields `rule`, `feed`, `begin`, `end`, `reason` and `exception`."""
    refuse_foreign(request)
    form, site = await form_of(request), site_of(request)
    exception = whole(form.get("exception"), 1)
    begin, end = day(form.get("begin")), day(form.get("end"))

    def write() -> Waiver:
        if begin is None or end is None:
            raise DecisionError("A waiver needs a first and a last business date.", remedy="Write them as YYYY-MM-DD.")
        if not form.get("rule") or not form.get("feed"):
            raise DecisionError("A waiver is for a rule and a feed.")
        wanted = waivers.Request(form["rule"], form["feed"], begin, end, form.get("reason", ""), exception)
        with access.writing(site.settings, rights) as connection:
            return waivers.ask(connection, load_desk_policy(site.settings), rights.principal, wanted)

    try:
        made = await asyncio.to_thread(write)
    except DecisionError as error:
        told = form | {"move": "ask"}
        if exception is not None:
            return await exception_page(request, rights, exception, form=told, trouble=error)
        return await _list(request, rights, form=told, trouble=error)
    return RedirectResponse(f"/desk/waivers/{made.waiver_id}", _SEE_OTHER, headers=HEADERS)


@needs(Permission.QUALITY)
async def show(request: Request, rights: Rights) -> Response:
    """`GET /desk/waivers/ID`."""
    return await _one(request, rights, number_of(request))


@needs(Permission.WORK)
async def decide(request: Request, rights: Rights) -> Response:
    """`POST /desk/waivers/ID`: fields `decision` (approve, refuse, withdraw or end) and `comment`."""
    refuse_foreign(request)
    number, form, site = number_of(request), await form_of(request), site_of(request)
    decision, comment = form.get("decision", ""), form.get("comment", "")
    needed = NEEDED[WaiverDecision(decision)] if decision in NEEDED else None
    if needed is not None and not rights.may(needed):
        raise ForbiddenError(
            f"This needs the permission `{needed}`, which your roles do not give.",
            remedy="Ask somebody who decides on waivers.",
        )
    try:
        await asyncio.to_thread(_decide, site.settings, rights, number, decision, comment)
    except DecisionError as error:
        return await _one(request, rights, number, form=form, trouble=error)
    return RedirectResponse(f"/desk/waivers/{number}", _SEE_OTHER, headers=HEADERS)


def _decide(settings: Settings, rights: Rights, number: int, decision: str, comment: str) -> None:
    if decision not in NEEDED:
        raise DecisionError(f"There is no decision {decision!r}.")
    with access.writing(settings, rights) as connection:
        waiting = decide_waiver(connection, rights.principal, number, WaiverDecision(decision), comment)
    if waiting:
        again.start(settings, waiting)


async def _list(
    request: Request, rights: Rights, *, form: dict[str, str] | None = None, trouble: DecisionError | None = None
) -> Response:
    state = plain(request.query_params.get("state"))

    def read() -> list[Waiver]:
        with access.reading(site_of(request).settings, rights) as connection:
            return waivers.listed(connection, state=state)

    found = await asyncio.to_thread(read)
    status = 200 if trouble is None else _CONFLICT
    return shown(
        request,
        "waivers.html",
        rights,
        status=status,
        found=found,
        state=state,
        states=DECISIONS,
        form=form or {},
        trouble=trouble,
    )


async def _one(
    request: Request,
    rights: Rights,
    number: int,
    *,
    form: dict[str, str] | None = None,
    trouble: DecisionError | None = None,
) -> Response:
    told = await asyncio.to_thread(_read, site_of(request), rights, number)
    status = 200 if trouble is None else _CONFLICT
    return shown(request, "waiver.html", rights, status=status, form=form or {}, trouble=trouble, **told)


def _read(site: Site, rights: Rights, number: int) -> dict[str, Any]:
    with access.reading(site.settings, rights) as connection:
        try:
            found = waivers.get(connection, number)
        except DecisionError as error:
            raise NotFoundError(error.message) from None
        started = again.started_by(connection, number)
        deliveries = [one for each in started if (one := reading.delivery(connection, each)) is not None]
        return {
            "waiver": found,
            "log": inbox.decided(connection, f"waiver:{number}"),
            "again": [(one, again.progress(connection, one)) for one in deliveries],
            "publications": inbox.published_under(connection, number),
        }
