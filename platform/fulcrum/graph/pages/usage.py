"""The page of who uses what, and of what nobody uses.

The numbers come from `fulcrum.governance.usage`, as those of the command `fulcrum usage` do.
"""

from __future__ import annotations

import asyncio

import psycopg
from starlette.requests import Request
from starlette.responses import Response

from fulcrum.entitlements.rights import Permission, Rights
from fulcrum.errors import WarehouseError
from fulcrum.governance.usage import Usage, read_usage
from fulcrum.graph.errors import TimedOutError, UnavailableError
from fulcrum.graph.pages.rendering import page
from fulcrum.graph.pages.signing import needs
from fulcrum.graph.pages.site import site_of
from fulcrum.graph.requested import Askable, askable
from fulcrum.settings import Settings
from fulcrum.warehouse import engine, server

PERIODS = (1, 7, 30, 90, 365)
"""Days back that can be chosen."""
_USUAL = 30


@needs(Permission.USAGE)
async def show(request: Request, rights: Rights) -> Response:
    """`GET /usage?days=30`."""
    site = site_of(request)
    asked = request.query_params.get("days")
    days = next((period for period in PERIODS if str(period) == asked), _USUAL)
    usage = await asyncio.to_thread(_read, site.settings, days)
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


def _read(settings: Settings, days: int) -> Usage:
    """On a connection of its own: it may take seconds, and queries wait behind each other on those that serve."""
    try:
        with engine.connect(settings, role=server.API_ROLE, application_name="fulcrum-usage-page") as connection:
            connection.execute("set local statement_timeout = '60s'")
            return read_usage(connection, days)
    except psycopg.errors.QueryCanceled:
        raise TimedOutError(
            "So much was used that it takes over a minute to add up.",
            remedy="Choose a shorter period; `fulcrum usage --compact` makes the record small.",
        ) from None
    except (psycopg.OperationalError, WarehouseError):
        raise UnavailableError("The warehouse does not answer.", remedy="Try again in a few seconds.") from None
