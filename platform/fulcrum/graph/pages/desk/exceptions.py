"""The inbox of findings, and the page of one: its history, its moves, and asking for a waiver."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from fulcrum.entitlements.rights import Permission, Rights
from fulcrum.errors import DecisionError
from fulcrum.governance.desk import exceptions, inbox, overrides
from fulcrum.governance.desk.moves import Move, State, Step, possible
from fulcrum.governance.desk.policy import load_desk_policy
from fulcrum.graph.desk import access
from fulcrum.graph.errors import NotFoundError
from fulcrum.graph.pages.desk.shown import day, form_of, number_of, plain, shown, whole
from fulcrum.graph.pages.rendering import HEADERS
from fulcrum.graph.pages.signing import needs, refuse_foreign
from fulcrum.graph.pages.site import Site, site_of

_UNRESOLVED = tuple(state for state in State if state is not State.RESOLVED)
_FILTERS = ("state", "severity", "feed", "owner", "rule", "age", "overdue")
_SEE_OTHER = 303


@needs(Permission.QUALITY)
async def show_inbox(request: Request, rights: Rights) -> Response:
    """`GET /desk/exceptions?state=...&severity=...&feed=...&owner=...&rule=...&age=2-5&overdue=1`.

    Without a state all that is open.
    """
    asked = request.query_params
    state = asked.get("state", "")
    states = _UNRESOLVED if state == "" else () if state == "all" else (state,)
    severity, feed, owner, rule = (plain(asked.get(name)) for name in ("severity", "feed", "owner", "rule"))
    age, is_overdue = plain(asked.get("age")), asked.get("overdue") == "1"
    wanted = inbox.Wanted(states, severity, feed, owner, rule, age, is_overdue)
    kept = {name: value for name in _FILTERS if (value := plain(asked.get(name)))}
    rank, due, number = whole(asked.get("rank")), day(asked.get("due")), whole(asked.get("id"))
    after = None if rank is None or due is None or number is None else (rank, due.isoformat(), number)

    def read() -> dict[str, Any]:
        with access.reading(site_of(request).settings, rights) as connection:
            found, following = inbox.found(connection, wanted, after)
            return {
                "found": found,
                "next": following,
                "choices": inbox.choices(connection),
                "counts": inbox.counts(connection),
                "ageing": inbox.ageing(connection),
            }

    told = await asyncio.to_thread(read)
    today = dt.datetime.now(dt.UTC).date()
    listed: dict[str, Any] = {
        "states": State,
        "ages": tuple(inbox.AGES),
        "nobody": inbox.UNASSIGNED,
        "kept": urlencode(kept),
    }
    return shown(request, "inbox.html", rights, wanted=wanted, state=state, today=today, **listed, **told)


@needs(Permission.QUALITY)
async def show(request: Request, rights: Rights) -> Response:
    """`GET /desk/exceptions/ID`."""
    return await page_of(request, rights, number_of(request))


@needs(Permission.WORK)
async def move(request: Request, rights: Rights) -> Response:
    """`POST /desk/exceptions/ID`: fields `move`, `owner`, `reason` and `comment`."""
    refuse_foreign(request)
    number, form = number_of(request), await form_of(request)
    wanted = form.get("move", "")
    site = site_of(request)

    def write() -> None:
        if wanted not in list(Move):
            raise DecisionError(f"There is no move {wanted!r}.")
        step = Step(Move(wanted), *(form.get(name) or None for name in ("owner", "reason", "comment")))
        with access.writing(site.settings, rights) as connection:
            exceptions.move(connection, load_desk_policy(site.settings), number, rights.principal, step)

    try:
        await asyncio.to_thread(write)
    except DecisionError as error:
        return await page_of(request, rights, number, form=form, trouble=error)
    return RedirectResponse(f"/desk/exceptions/{number}", _SEE_OTHER, headers=HEADERS)


async def page_of(
    request: Request,
    rights: Rights,
    number: int,
    *,
    form: dict[str, str] | None = None,
    trouble: DecisionError | None = None,
) -> Response:
    """The page of one finding, with what was typed and refused still in its form."""
    told = await asyncio.to_thread(_read, site_of(request), rights, number)
    return shown(request, "exception.html", rights, form=form or {}, trouble=trouble, Move=Move, **told)


def _read(site: Site, rights: Rights, number: int) -> dict[str, Any]:
    policy = load_desk_policy(site.settings)
    with access.reading(site.settings, rights) as connection:
        try:
            found = exceptions.get(connection, number)
        except DecisionError as error:
            raise NotFoundError(error.message) from None
        return {
            "found": found,
            "history": exceptions.history(connection, number),
            "moves": possible(State(found.state)),
            "waivers": inbox.waivers_of(connection, number),
            "overrides": overrides.of_exception(connection, number),
            "policy": policy,
            "today": dt.datetime.now(dt.UTC).date(),
        }
