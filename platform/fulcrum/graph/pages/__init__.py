"""The pages for people: what there is, the schema, its changes, who uses what, and GraphiQL; no other host.

A page asks the same warehouse under the same rights as `/graphql` does. Data of clients is on none of them, but for
values of refused rows, masked by role: that is what queries are for.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fulcrum.graph.errors import ApiError
from fulcrum.graph.pages import changes, desk, files, graphiql, overview, reference, signing, usage
from fulcrum.graph.pages.rendering import page
from fulcrum.graph.pages.site import Site

__all__ = ["Site", "routes"]


_Show = Callable[[Request], Awaitable[Response]]

_PAGES: tuple[tuple[str, str, _Show], ...] = (
    ("GET", "/", overview.show),
    ("GET", "/sign-in", signing.show),
    ("POST", "/sign-in", signing.sign_in),
    ("POST", "/sign-out", signing.sign_out),
    ("GET", "/schema", reference.show_index),
    ("GET", "/schema/{name}", reference.show_type),
    ("GET", "/changes", changes.show),
    ("GET", "/usage", usage.show),
    ("GET", "/graphiql", graphiql.show),
    ("GET", "/graphiql/examples.json", graphiql.examples),
    ("GET", "/graphiql/files/{name}", files.show),
    *desk.PAGES,
)


def routes() -> list[Route]:
    """The routes of all pages; the application's state must hold a `Site`."""
    return [Route(path, _with_errors(show), methods=[method]) for method, path, show in _PAGES]


def _with_errors(show: _Show) -> _Show:
    async def shown(request: Request) -> Response:
        try:
            return await show(request)
        except ApiError as error:
            return page("trouble.html", None, status=error.status, error=error)

    return shown
