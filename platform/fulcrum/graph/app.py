"""The HTTP application: `/graphql`, exports, `/graphiql`, `/healthz` and a front page.

uvicorn fulcrum.graph.app:create_app --factory --http fulcrum.graph.http.protocol:Protocol
"""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import orjson
from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route

from fulcrum.entitlements.policy import load_policy
from fulcrum.graph import fdc3, pages
from fulcrum.graph.documents import Documents
from fulcrum.graph.errors import ApiError, BadRequestError, NotFoundError
from fulcrum.graph.export import endpoints as exports
from fulcrum.graph.export.desk import Desk, ExportLimits
from fulcrum.graph.http.answering import Receive, Scope, Send, refusal
from fulcrum.graph.http.endpoint import Endpoint, RequestIds
from fulcrum.graph.http.media import JSON
from fulcrum.graph.identity import Doorkeeper
from fulcrum.graph.limits import Limits
from fulcrum.graph.live import endpoints as live
from fulcrum.graph.live.hub import Hub, LiveLimits
from fulcrum.graph.mutations.service import Mutations
from fulcrum.graph.ordinary.execution import Ordinary
from fulcrum.graph.ordinary.session import Sessions
from fulcrum.graph.rates import Allowance, Rates
from fulcrum.graph.schema import load_graph
from fulcrum.graph.service import GraphService, connecting, open_wires
from fulcrum.graph.tokens import Tokens, issuer_of
from fulcrum.graph.usage import open_usage
from fulcrum.settings import Settings, read_settings
from fulcrum.warehouse import server

PATH = "/graphql"


class Application(Starlette):
    """Starlette for the pages; `/graphql` goes past its routing and its request and response objects."""

    endpoint: Endpoint
    """Set while it runs."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One ASGI connection."""
        if scope["type"] == "http" and scope["path"] == PATH:
            await self.endpoint(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def create_app(
    settings: Settings | None = None,
    *,
    limits: Limits | None = None,
    role: str = server.API_ROLE,
    export_limits: ExportLimits | None = None,
    live_limits: LiveLimits | None = None,
    is_ordinary_only: bool = False,
) -> Application:
    """The ASGI application. It refuses to start on a role that bypasses row-level security.

    With `is_ordinary_only` nothing is compiled: graphql-core answers with data loaders, for tests and measurements.
    """
    chosen, bounds = settings or read_settings(), limits or Limits()
    graph, policy, issuer = load_graph(chosen.project), load_policy(chosen), issuer_of(chosen)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        wires = open_wires(chosen, bounds, role=role)
        sessions = Sessions(connecting(chosen, bounds, role=role), graph)
        await wires.open()
        try:
            usage = open_usage(chosen, role=role)
            ordinary = Ordinary(graph, sessions, bounds)
            service = GraphService(graph, wires, bounds, usage, ordinary=ordinary, is_ordinary_only=is_ordinary_only)
            await service.refuse_unsafe_role()
            app.state.ids = RequestIds()
            app.state.site = pages.Site.over(chosen, policy, service)
            application.endpoint = app.state.endpoint = Endpoint(
                service=service,
                doorkeeper=Doorkeeper(wires, policy, Tokens(issuer) if issuer else None),
                documents=Documents(wires, is_exclusive=chosen.trusted_documents_only),
                rates=Rates(Allowance(chosen.api_rate, chosen.api_burst, chosen.api_concurrency)),
                limits=bounds,
                ids=app.state.ids,
                mutations=Mutations(chosen, service),
            )
            gc.freeze()  # or a full collection walks the whole schema while requests wait
            async with (
                usage.running(),
                Desk(chosen, service.plans, role=role, limits=export_limits) as app.state.desk,
                Hub(chosen, service, role=role, limits=live_limits) as app.state.hub,
            ):
                yield
        finally:
            gc.unfreeze()
            wires.close()
            await sessions.close()

    application = Application(
        routes=[Route("/healthz", healthz), *exports.routes(), *live.routes(), *fdc3.routes(), *pages.routes()],
        exception_handlers={404: _not_found, 405: _wrong_method},
        lifespan=lifespan,
    )
    return application


async def healthz(http: HttpRequest) -> Response:
    """`GET /healthz`: 200 if the warehouse answers, else 503."""
    endpoint: Endpoint = http.app.state.endpoint
    try:
        await endpoint.service.wires.fetch_row(b"healthz", b"select 1", [])
    except ApiError:
        return Response(orjson.dumps({"status": "unavailable"}), 503, media_type=JSON)
    return Response(orjson.dumps({"status": "ok"}), media_type=JSON)


async def _not_found(http: HttpRequest, _error: Exception) -> Response:
    error = NotFoundError(f"There is nothing at {http.url.path}.", remedy="Look at / for what there is.")
    return refusal(error, http.app.state.ids.next().decode())


async def _wrong_method(http: HttpRequest, error: Exception) -> Response:
    allow = (getattr(error, "headers", None) or {}).get("Allow", "GET")
    wrong = BadRequestError(f"This address takes {allow}.", status=405, allow=allow)
    return refusal(wrong, http.app.state.ids.next().decode())
