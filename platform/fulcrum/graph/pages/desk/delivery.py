"""The page of a delivery: every rule's result with its trend, the refused rows, and delivering it again."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from fulcrum.entitlements.rights import Permission, Rights
from fulcrum.errors import FulcrumError
from fulcrum.governance.desk import found, inbox, reading, rollbacks
from fulcrum.governance.desk.subjects import FEEDS
from fulcrum.governance.reconciliation.reading import sees_the_house
from fulcrum.graph.desk import access, again
from fulcrum.graph.errors import NotFoundError
from fulcrum.graph.pages.desk.known import contracts_of
from fulcrum.graph.pages.desk.masking import Veil, veil
from fulcrum.graph.pages.desk.shown import number_of, shown, whole
from fulcrum.graph.pages.rendering import HEADERS
from fulcrum.graph.pages.signing import needs, refuse_foreign
from fulcrum.graph.pages.site import Site, site_of
from fulcrum.quality import results

_SEE_OTHER = 303
_LINES = 8
"""Lines of a failed warning that stand beside it; its own page has all that are kept."""


@needs(Permission.QUALITY)
async def show(request: Request, rights: Rights) -> Response:
    """`GET /desk/deliveries/ID?row=12&id=34`: refused rows after a place."""
    return await page_of(request, rights, number_of(request))


async def page_of(
    request: Request,
    rights: Rights,
    number: int,
    *,
    form: dict[str, str] | None = None,
    trouble: FulcrumError | None = None,
) -> Response:
    """The page of one delivery, with what was typed and refused still in its form."""
    asked = request.query_params
    place = (whole(asked.get("row")) or 0, whole(asked.get("id")) or 0)
    told = await asyncio.to_thread(_read, site_of(request), rights, number, place)
    return shown(request, "delivery.html", rights, place=place, form=form or {}, trouble=trouble, **told)


@needs(Permission.WORK)
async def deliver_again(request: Request, rights: Rights) -> Response:
    """`POST /desk/deliveries/ID/again`."""
    refuse_foreign(request)
    site, number = site_of(request), number_of(request)

    def start() -> None:
        with access.writing(site.settings, rights) as connection:
            if reading.delivery(connection, number) is None:
                raise unknown(number)
            again.record(connection, rights.principal, [number])
        again.start(site.settings, [number])

    await asyncio.to_thread(start)
    return RedirectResponse(f"/desk/deliveries/{number}#again", _SEE_OTHER, headers=HEADERS)


def veil_of(site: Site, rights: Rights, connection: access.Connection, feed: str) -> Veil:
    """What the caller may see of a feed's values."""
    row = connection.execute("select key from governance.hash_key").fetchone()
    return veil(site.policy, rights, contracts_of(site.settings).get(feed), row[0] if row else "")


def _read(site: Site, rights: Rights, number: int, place: tuple[int, int]) -> dict[str, Any]:
    with access.reading(site.settings, rights) as connection:
        known = reading.delivery(connection, number)
        if known is None:
            raise unknown(number)
        rows, following = reading.refused_rows(connection, number, place)
        shade = veil_of(site, rights, connection, known["feed"])
        judged = results.latest_results(connection, number)
        return {
            "delivery": known,
            "results": sorted(judged, key=_worst_first),
            "found": _found(judged, is_whole_house=sees_the_house(connection)),
            "trends": reading.trends(connection, known["feed"], number),
            "open": inbox.open_by_rule(connection, known["feed"]),
            "rows": [shade.row(row) for row in rows],
            "hides": shade.hides,
            "next": following,
            "served": reading.served_instead(connection, known["feed"], known["business_date_to"]),
            "again": again.progress(connection, known),
            "rollback": _foreseen(connection, rights, known),
            "override": known["parameters"].get("override_id") if known["feed"] in FEEDS.values() else None,
            "is_kept": (site.settings.landing / known["sha256"][:2] / known["sha256"]).is_file(),
            "kept_at": f"{site.settings.landing.name}/{known['sha256'][:2]}/{known['sha256']}",
        }


def _foreseen(connection: access.Connection, rights: Rights, known: reading.Row) -> rollbacks.Foreseen | None:
    if known["publication_id"] is None or not rights.may(Permission.DECIDE):
        return None
    return rollbacks.foresee(connection, known["publication_id"])


def _found(judged: Sequence[results.StoredResult], *, is_whole_house: bool) -> dict[str, dict[str, Any]]:
    """Rule -> how many lines it keeps, and the first of them for who may see all: others, on the rule's own page."""
    kept = {one.rule_id: lines for one in judged if (lines := found.lines_of(one))}
    return {
        rule: {"kept": len(lines), "lines": lines[:_LINES] if is_whole_house else []} for rule, lines in kept.items()
    }


def _worst_first(result: results.StoredResult) -> int:
    return ("broken", "failed").index(result.status) if result.status in ("broken", "failed") else 2


def unknown(number: int) -> NotFoundError:
    """Of a delivery that is not there."""
    return NotFoundError(f"There is no delivery {number}.", remedy="The page of today lists them.")
