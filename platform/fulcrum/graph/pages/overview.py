"""The front page: what there is, how to get a key and ask, limits, and codes of errors.

Everything here holds for everybody, so nobody need sign in for it; the schema is `reference.py`'s.
"""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from fulcrum.graph.compiler.paging import MOST_ROWS
from fulcrum.graph.errors import CODES
from fulcrum.graph.pages.rendering import page
from fulcrum.graph.pages.signing import signed_in
from fulcrum.graph.pages.site import Site, site_of


@dataclass(frozen=True)
class Limit:
    """One limit for people; `error` is the code of what exceeds it."""

    what: str
    most: str
    error: str


async def show(request: Request) -> Response:
    """`GET /`."""
    site = site_of(request)
    return page(
        "overview.html",
        await signed_in(request),
        address=str(request.base_url),
        limits=limits(site),
        codes=CODES,
        roles=site.policy.roles.values(),
    )


def limits(site: Site) -> list[Limit]:
    """The limits of this installation as they are now."""
    held, settings = site.limits, site.settings
    too_much = "LIMIT_EXCEEDED"
    found = [
        Limit("Rows of one page (`first`, `last`)", f"{MOST_ROWS:,}", "BAD_USER_INPUT"),
        Limit("Depth of an operation", f"{held.depth} levels", too_much),
        Limit("Fields of an operation", f"{held.fields:,}", too_much),
        Limit("Fields at its root", f"{held.root_fields}", too_much),
        Limit("Aliases", f"{held.aliases}", too_much),
        Limit("Directives", f"{held.directives}", too_much),
        Limit("Length of the query", f"{held.tokens:,} tokens", too_much),
        Limit("Size of the request", f"{held.body_bytes:,} bytes", "BAD_REQUEST"),
        Limit("Size of the variables", f"{held.variables_bytes:,} bytes", too_much),
        Limit("Time of the statement", f"{held.statement_seconds} s", "TIMEOUT"),
        Limit("Operations of one client at once, per worker", f"{settings.api_concurrency}", "TOO_MANY_REQUESTS"),
    ]
    measured = " (measured only)" if held.is_cost_measured_only else ""
    found.insert(1, Limit("Cost: rows that the operation could return at most", f"{held.cost:,}{measured}", too_much))
    if settings.api_rate:
        rate = f"{settings.api_rate:g} per second, {settings.api_burst:,} in a burst"
        found.append(Limit("Requests of one client, per worker", rate, "RATE_LIMITED"))
    if settings.trusted_documents_only:
        found.append(Limit("Documents", "registered ones only", "PERSISTED_DOCUMENT_REQUIRED"))
    return found
