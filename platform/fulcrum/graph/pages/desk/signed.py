"""What pages of waivers and of overrides share: one person asks by a form, another decides by a form.

What a waiver or an override is, and what follows a decision, stands in their own pages.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable
from typing import TypeVar

from starlette.responses import RedirectResponse, Response

from fulcrum.entitlements.rights import Rights
from fulcrum.errors import DecisionError, Refusal
from fulcrum.graph.desk.deciding import NEEDED, Deciding
from fulcrum.graph.errors import ForbiddenError, NotFoundError
from fulcrum.graph.pages.desk.shown import day
from fulcrum.graph.pages.rendering import HEADERS

Form = dict[str, str]
T = TypeVar("T")
_SEE_OTHER = 303


async def settled(write: Callable[[], str], refused: Callable[[DecisionError], Awaitable[Response]]) -> Response:
    """On to the address that `write` gives, in a thread; or the page that says why it is refused."""
    try:
        address = await asyncio.to_thread(write)
    except DecisionError as error:
        return await refused(error)
    return RedirectResponse(address, _SEE_OTHER, headers=HEADERS)


def refuse_forbidden(form: Form, rights: Rights) -> None:
    """Refuse a decision for which the caller lacks the permission.

    Raises:
        ForbiddenError: it is lacking.
    """
    needed = NEEDED[Deciding(form["decision"])] if form.get("decision") in NEEDED else None
    if needed is not None and not rights.may(needed):
        raise ForbiddenError(
            f"This needs the permission `{needed}`, which your roles do not give.",
            remedy="Ask somebody who decides.",
        )


def decision_of(form: Form) -> Deciding:
    """What a form decides.

    Raises:
        DecisionError: there is no such decision.
    """
    decision = form.get("decision", "")
    if decision not in NEEDED:
        raise DecisionError(f"There is no decision {decision!r}.")
    return Deciding(decision)


def period_of(form: Form) -> tuple[dt.date, dt.date]:
    """The first and the last business date that is asked for.

    Raises:
        DecisionError: one is missing or no date.
    """
    begin, end = day(form.get("begin")), day(form.get("end"))
    if begin is None or end is None:
        raise DecisionError(
            "It takes a first and a last business date.",
            remedy="Write them as YYYY-MM-DD.",
            reason=Refusal.INCOMPLETE,
        )
    return begin, end


def known(get: Callable[[], T]) -> T:
    """What `get` finds.

    Raises:
        NotFoundError: there is none of this number.
    """
    try:
        return get()
    except DecisionError as error:
        raise NotFoundError(error.message) from None
