"""Overrides on pages: asked for, decided by somebody else, ended early, and how far they have reached the warehouse."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from fulcrum.analytics.policy import load_policy
from fulcrum.entitlements.rights import Permission, Rights
from fulcrum.errors import DecisionError, Refusal
from fulcrum.governance.desk import inbox, overrides, reading, subjects
from fulcrum.governance.desk.overrides import Override
from fulcrum.governance.desk.policy import load_desk_policy
from fulcrum.governance.desk.reach import Reach, read_reach
from fulcrum.graph.desk import access, again
from fulcrum.graph.desk.deciding import Deciding, decide_override
from fulcrum.graph.pages.desk.shown import day, form_of, number_of, plain, shown, whole
from fulcrum.graph.pages.desk.signed import Form, decision_of, known, period_of, refuse_forbidden, settled
from fulcrum.graph.pages.signing import needs, refuse_foreign
from fulcrum.graph.pages.site import Site, site_of
from fulcrum.warehouse.models.desk import DECISIONS

_PATIENCE = dt.timedelta(minutes=30)
_SECONDS_OF_REACH = 10


@needs(Permission.QUALITY)
async def show_all(request: Request, rights: Rights) -> Response:
    """`GET /desk/overrides?state=approved`: the undecided first; `of` and `exception` fill in the form."""
    given = {name: text for name in ("of", "exception") if (text := plain(request.query_params.get(name)))}
    return await _list(request, rights, form=given)


@needs(Permission.WORK)
async def ask(request: Request, rights: Rights) -> Response:
    """`POST /desk/overrides`: fields `of`, `value`, `currency`, `unit`, `begin`, `end`, `code`, `reason`."""
    refuse_foreign(request)
    form, settings = await form_of(request), site_of(request).settings

    def write() -> str:
        wanted = _request(form)
        with access.writing(settings, rights) as connection:
            made = overrides.ask(connection, load_desk_policy(settings), rights.principal, wanted)
        return f"/desk/overrides/{made.override_id}"

    async def refused(error: DecisionError) -> Response:
        return await _list(request, rights, form=form, trouble=error)

    return await settled(write, refused)


@needs(Permission.QUALITY)
async def show(request: Request, rights: Rights) -> Response:
    """`GET /desk/overrides/ID`."""
    return await _one(request, rights, number_of(request))


@needs(Permission.WORK)
async def decide(request: Request, rights: Rights) -> Response:
    """`POST /desk/overrides/ID`: fields `decision` (as for waivers), `comment`, `last` and `altogether`."""
    refuse_foreign(request)
    number, form, settings = number_of(request), await form_of(request), site_of(request).settings
    refuse_forbidden(form, rights)

    def write() -> str:
        what = decision_of(form)
        last, comment = _last(form) if what is Deciding.END else None, form.get("comment", "")
        with access.writing(settings, rights) as connection:
            is_due = decide_override(connection, rights.principal, number, what, comment, last)
        if is_due:
            again.start_deriving(settings)
        return f"/desk/overrides/{number}"

    async def refused(error: DecisionError) -> Response:
        return await _one(request, rights, number, form=form, trouble=error)

    return await settled(write, refused)


def _request(form: Form) -> overrides.Request:
    begin, end = period_of(form)
    try:
        value = Decimal(form.get("value", ""))
    except InvalidOperation:
        raise DecisionError(
            "The value is no number.", remedy="Write it like 12.34.", reason=Refusal.INCOMPLETE
        ) from None
    kind, names = subjects.named(form.get("of", ""))
    code, reason = form.get("code", ""), form.get("reason", "")
    currency, unit = form.get("currency") or None, form.get("unit") or None
    exception = whole(form.get("exception"), 1)
    return overrides.Request(kind, names, value, begin, end, code, reason, currency, unit, exception)


def _last(form: Form) -> dt.date | None:
    last, altogether = day(form.get("last")), form.get("altogether") == "yes"
    if (last is None) is not altogether:
        raise DecisionError(
            "From when on shall it not stand?",
            remedy="Give its last date, or take it back altogether.",
            reason=Refusal.INCOMPLETE,
        )
    return last


async def _list(request: Request, rights: Rights, *, form: Form, trouble: DecisionError | None = None) -> Response:
    state = plain(request.query_params.get("state"))
    settings = site_of(request).settings

    def read() -> list[Override]:
        with access.reading(settings, rights) as connection:
            return overrides.listed(connection, state=state)

    told = {"found": await asyncio.to_thread(read), "policy": load_desk_policy(settings).overrides}
    told |= {"state": state, "states": DECISIONS, "today": dt.datetime.now(dt.UTC).date()}
    return shown(request, "overrides.html", rights, form=form, trouble=trouble, **told)


async def _one(
    request: Request, rights: Rights, number: int, *, form: Form | None = None, trouble: DecisionError | None = None
) -> Response:
    told = await asyncio.to_thread(_read, site_of(request), rights, number)
    today = dt.datetime.now(dt.UTC).date()
    return shown(request, "override.html", rights, form=form or {}, trouble=trouble, today=today, **told)


def _read(site: Site, rights: Rights, number: int) -> dict[str, Any]:
    with access.reading(site.settings, rights) as connection:
        found = known(lambda: overrides.get(connection, number))
        publications = subjects.publications(connection, found.target, number)
        return {
            "override": found,
            "log": inbox.decided(connection, f"override:{number}"),
            "delivered": subjects.delivered(connection, found.subject, found.begin_date),
            "delivery": None if found.delivery_id is None else reading.delivery(connection, found.delivery_id),
            "publications": publications,
            "reach": _reach(site, rights, connection, found),
            "progress": _progress(found, publications),
        }


def _reach(site: Site, rights: Rights, connection: access.Connection, found: Override) -> Reach | None:
    if not found.is_live:
        return None
    policy = load_policy(site.settings)
    return read_reach(connection, policy, found.override_id, rights, most_seconds=_SECONDS_OF_REACH)


def _progress(found: Override, publications: Sequence[subjects.Publication]) -> str:
    """Whether NAVs say what was decided: done, running, or lost if it takes too long; none if they need not."""
    at = found.ended_at or found.decided_at
    if found.state not in ("approved", "ended") or at is None:
        return "none"
    if found.carried_to is None and min(found.stands_to, dt.datetime.now(dt.UTC).date()) < found.begin_date:
        return "none"
    is_carried = found.carried_to is not None and found.carried_to <= found.stands_to
    is_fresh = dt.datetime.now(dt.UTC) - at < _PATIENCE
    if is_carried and (not is_fresh or all(one.is_valued for one in publications)):
        return "done"
    return "running" if is_fresh else "lost"
