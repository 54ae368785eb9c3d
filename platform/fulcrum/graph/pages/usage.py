"""The page of who uses what, and of what nobody uses.

The numbers come from `fulcrum.governance.usage`, as those of the command `fulcrum usage` do.
"""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from fulcrum.entitlements.rights import Permission, Rights
from fulcrum.governance.usage import READ, read_usage
from fulcrum.graph.pages.rendering import page
from fulcrum.graph.pages.signing import needs
from fulcrum.graph.pages.site import site_of
from fulcrum.graph.requested import Askable, askable

PERIODS = (1, 7, 30, 90, 365)
"""Days back that can be chosen."""
_USUAL = 30


@needs(Permission.USAGE)
async def show(request: Request, rights: Rights) -> Response:
    """`GET /usage?days=30`."""
    site = site_of(request)
    asked = request.query_params.get("days")
    days = next((period for period in PERIODS if str(period) == asked), _USUAL)
    (found,) = await site.wires.fetch_row(b"usage", READ.encode(), [b"%d" % days])
    usage = await asyncio.to_thread(read_usage, found or b"")
    known = {field.name: field for field in askable(site.graph)}
    unused = [known[name] for name in usage.unused({name: field.aliases for name, field in known.items()})]
    by_type: dict[str, list[Askable]] = {}
    for field in unused:
        by_type.setdefault(field.name.partition(".")[0], []).append(field)
    return page(
        "usage.html",
        rights,
        usage=usage,
        unused=by_type,
        counts=(len(unused), len(known)),
        known=known,
        days=days,
        periods=PERIODS,
    )
