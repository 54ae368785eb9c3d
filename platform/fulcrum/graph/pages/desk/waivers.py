"""Waivers on pages: asked for, decided by somebody else, and what was blocked delivered again when approved."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from fulcrum.entitlements.rights import Permission, Rights
from fulcrum.errors import DecisionError
from fulcrum.governance.desk import inbox, reading, waivers
from fulcrum.governance.desk.policy import load_desk_policy
from fulcrum.governance.desk.waivers import Waiver
from fulcrum.graph.desk import access, again
from fulcrum.graph.desk.deciding import decide_waiver
from fulcrum.graph.pages.desk.exceptions import page_of as exception_page
from fulcrum.graph.pages.desk.shown import form_of, number_of, plain, shown, whole
from fulcrum.graph.pages.desk.signed import Form, decision_of, known, period_of, refuse_forbidden, settled
from fulcrum.graph.pages.signing import needs, refuse_foreign
from fulcrum.graph.pages.site import Site, site_of
from fulcrum.warehouse.models.desk import DECISIONS


@needs(Permission.QUALITY)
async def show_all(request: Request, rights: Rights) -> Response:
    """`GET /desk/waivers?state=approved`: the undecided first."""
    return await _list(request, rights)


@needs(Permission.WORK)
async def ask(request: Request, rights: Rights) -> Response:
    """`POST /desk/waivers`: fields `rule`, `feed`, `begin`, `end`, `reason` and `exception`."""
    refuse_foreign(request)
    form, settings = await form_of(request), site_of(request).settings
    exception = whole(form.get("exception"), 1)

    def write() -> str:
        begin, end = period_of(form)
        if not form.get("rule") or not form.get("feed"):
            raise DecisionError("A waiver is for a rule and a feed.")
        wanted = waivers.Request(form["rule"], form["feed"], begin, end, form.get("reason", ""), exception)
        with access.writing(settings, rights) as connection:
            made = waivers.ask(connection, load_desk_policy(settings), rights.principal, wanted)
        return f"/desk/waivers/{made.waiver_id}"

    async def refused(error: DecisionError) -> Response:
        told = form | {"move": "ask"}
        if exception is not None:
            return await exception_page(request, rights, exception, form=told, trouble=error)
        return await _list(request, rights, form=told, trouble=error)

    return await settled(write, refused)


@needs(Permission.QUALITY)
async def show(request: Request, rights: Rights) -> Response:
    """`GET /desk/waivers/ID`."""
    return await _one(request, rights, number_of(request))


@needs(Permission.WORK)
async def decide(request: Request, rights: Rights) -> Response:
    """`POST /desk/waivers/ID`: fields `decision` (approve, refuse, withdraw or end) and `comment`."""
    refuse_foreign(request)
    number, form, settings = number_of(request), await form_of(request), site_of(request).settings
    refuse_forbidden(form, rights)

    def write() -> str:
        what = decision_of(form)
        with access.writing(settings, rights) as connection:
            waiting = decide_waiver(connection, rights.principal, number, what, form.get("comment", ""))
        if waiting:
            again.start(settings, waiting)
        return f"/desk/waivers/{number}"

    async def refused(error: DecisionError) -> Response:
        return await _one(request, rights, number, form=form, trouble=error)

    return await settled(write, refused)


async def _list(
    request: Request, rights: Rights, *, form: Form | None = None, trouble: DecisionError | None = None
) -> Response:
    state = plain(request.query_params.get("state"))

    def read() -> list[Waiver]:
        with access.reading(site_of(request).settings, rights) as connection:
            return waivers.listed(connection, state=state)

    found = await asyncio.to_thread(read)
    told = {"found": found, "state": state, "states": DECISIONS}
    return shown(request, "waivers.html", rights, form=form or {}, trouble=trouble, **told)


async def _one(
    request: Request, rights: Rights, number: int, *, form: Form | None = None, trouble: DecisionError | None = None
) -> Response:
    told = await asyncio.to_thread(_read, site_of(request), rights, number)
    return shown(request, "waiver.html", rights, form=form or {}, trouble=trouble, **told)


def _read(site: Site, rights: Rights, number: int) -> dict[str, Any]:
    with access.reading(site.settings, rights) as connection:
        found = known(lambda: waivers.get(connection, number))
        started = again.started_by(connection, number)
        deliveries = [one for each in started if (one := reading.delivery(connection, each)) is not None]
        return {
            "waiver": found,
            "log": inbox.decided(connection, f"waiver:{number}"),
            "again": [(one, again.progress(connection, one)) for one in deliveries],
            "publications": inbox.published_under(connection, number),
        }
