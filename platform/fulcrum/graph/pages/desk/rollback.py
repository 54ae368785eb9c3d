"""Taking back what a delivery published, from its page: with a reason, confirmed, by somebody who may decide."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from fulcrum.entitlements.rights import Permission, Rights
from fulcrum.errors import DecisionError, PublishError, Refusal
from fulcrum.governance.desk import reading, rollbacks
from fulcrum.graph.desk import access, again
from fulcrum.graph.pages.desk.delivery import page_of, unknown
from fulcrum.graph.pages.desk.shown import form_of, number_of
from fulcrum.graph.pages.rendering import HEADERS
from fulcrum.graph.pages.signing import needs, refuse_foreign
from fulcrum.graph.pages.site import site_of
from fulcrum.settings import Settings

_SEE_OTHER = 303


@needs(Permission.DECIDE)
async def take_back(request: Request, rights: Rights) -> Response:
    """`POST /desk/deliveries/ID/rollback`: fields `publication`, `reason` and `confirmed`."""
    refuse_foreign(request)
    number, form, site = number_of(request), await form_of(request), site_of(request)
    try:
        await asyncio.to_thread(_take_back, site.settings, rights, number, form)
    except (DecisionError, PublishError) as error:
        return await page_of(request, rights, number, form=form, trouble=error)
    return RedirectResponse(f"/desk/deliveries/{number}#rollback", _SEE_OTHER, headers=HEADERS)


def _take_back(settings: Settings, rights: Rights, number: int, form: dict[str, str]) -> None:
    with access.publishing(settings, rights) as connection:
        known = reading.delivery(connection, number)
        if known is None:
            raise unknown(number)
        publication = known["publication_id"]
        if publication is None or form.get("publication") != str(publication):
            raise DecisionError("That is not what this delivery published.", remedy="Look at the page again.")
        if form.get("confirmed") != "yes":
            raise DecisionError(
                "A rollback has to be confirmed.", remedy="Tick what it will do.", reason=Refusal.INCOMPLETE
            )
        rollbacks.decide(connection, rights.principal, publication, form.get("reason", ""))
    again.start_deriving(settings)
