"""The HTTP application: `/graphql`, `/graphiql`, `/healthz` and a front page.

uvicorn fulcrum.graph.app:create_app --factory
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import orjson
from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route

from fulcrum.entitlements.policy import load_policy
from fulcrum.entitlements.rights import Rights
from fulcrum.graph import pages
from fulcrum.graph.errors import (
    ApiError,
    BadRequestError,
    InternalError,
    NotFoundError,
    UnauthenticatedError,
    UnavailableError,
)
from fulcrum.graph.identity import Doorkeeper
from fulcrum.graph.limits import Limits
from fulcrum.graph.schema import load_graph
from fulcrum.graph.service import GraphService, Request, open_wires
from fulcrum.graph.wire import StatementFailedError
from fulcrum.settings import Settings, read_settings
from fulcrum.warehouse import server

JSON = "application/json"
GRAPHQL_JSON = "application/graphql-response+json"

_log = logging.getLogger("fulcrum.graph")


def create_app(
    settings: Settings | None = None, *, limits: Limits | None = None, role: str = server.API_ROLE
) -> Starlette:
    """The ASGI application. It refuses to start on a role that bypasses row-level security."""
    chosen, bounds = settings or read_settings(), limits or Limits()
    graph = load_graph(chosen.project)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        wires = open_wires(chosen, bounds, role=role)
        await wires.open()
        try:
            service = GraphService(graph, wires, bounds)
            await service.refuse_unsafe_role()
            app.state.api = Api(service, Doorkeeper(wires, load_policy(chosen)), bounds)
            yield
        finally:
            wires.close()

    return Starlette(
        routes=[
            Route("/graphql", graphql, methods=["POST"]),
            Route("/healthz", healthz),
            *pages.routes(),
        ],
        exception_handlers={404: _not_found, 405: _wrong_method},
        lifespan=lifespan,
    )


class Api:
    """What the routes share."""

    def __init__(self, service: GraphService, doorkeeper: Doorkeeper, limits: Limits) -> None:
        self.service = service
        self.doorkeeper = doorkeeper
        self.limits = limits

    async def respond(self, http: HttpRequest) -> Response:
        """Answer one GraphQL request over HTTP."""
        request_id = secrets.token_hex(8)
        headers = http.headers
        is_strict = GRAPHQL_JSON in headers.get("accept", "")
        try:
            rights = await self.doorkeeper.recognise(headers.get("authorization"), headers.get("x-api-key"))
            body = await self._body(http)
            content = await self.service.answer(_request(body, request_id, rights))
            return _response(content, 200, is_strict=is_strict)
        except ApiError as error:
            if isinstance(error, StatementFailedError):
                _log.error("request %s failed in PostgreSQL: %s %s", request_id, error.state, error.text)
            return _refusal(error, request_id, is_strict=is_strict)
        except Exception:  # noqa: BLE001 - the caller gets a request id, the log the cause
            _log.exception("request %s failed", request_id)
            failed = InternalError(
                "The query could not be answered.", remedy="Tell the request id to the platform team."
            )
            return _refusal(failed, request_id, is_strict=is_strict)

    async def _body(self, http: HttpRequest) -> bytes:
        kind = http.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != JSON:
            raise BadRequestError("The body is not JSON.", status=415, remedy=f"Send Content-Type: {JSON}.")
        received = bytearray()
        async for chunk in http.stream():
            received += chunk
            if len(received) > self.limits.body_bytes:
                raise BadRequestError(f"The body is over {self.limits.body_bytes} bytes.", status=413)
        return bytes(received)


async def graphql(http: HttpRequest) -> Response:
    """`POST /graphql`."""
    api: Api = http.app.state.api
    return await api.respond(http)


async def healthz(http: HttpRequest) -> Response:
    """`GET /healthz`: 200 if the warehouse answers, else 503."""
    api: Api = http.app.state.api
    try:
        await api.service.wires.fetch_row(b"healthz", b"select 1", [])
    except ApiError:
        return Response(orjson.dumps({"status": "unavailable"}), 503, media_type=JSON)
    return Response(orjson.dumps({"status": "ok"}), media_type=JSON)


def _request(body: bytes, request_id: str, rights: Rights) -> Request:
    try:
        sent = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise BadRequestError("The body is not valid JSON.") from None
    if not isinstance(sent, Mapping):
        raise BadRequestError("The body is not a JSON object.", remedy='Send {"query": "...", "variables": {}}.')
    query, name = sent.get("query"), sent.get("operationName")
    variables = sent.get("variables")
    if not isinstance(query, str) or not query:
        raise BadRequestError("The body has no `query`.", remedy='Send {"query": "...", "variables": {}}.')
    if name is not None and not isinstance(name, str):
        raise BadRequestError("`operationName` is not a text.")
    if variables is not None and not isinstance(variables, Mapping):
        raise BadRequestError("`variables` is not an object.")
    return Request(query, name or None, variables or {}, request_id, rights)


def _response(content: bytes, status: int, *, is_strict: bool) -> Response:
    return Response(content, status, media_type=GRAPHQL_JSON if is_strict else JSON)


def _refusal(error: ApiError, request_id: str, *, is_strict: bool) -> Response:
    """As GraphQL over HTTP has it: with plain JSON, errors in the query itself are status 200."""
    is_of_query = error.status == BadRequestError.status and not isinstance(error, BadRequestError)
    status = 200 if is_of_query and not is_strict else error.status
    content = orjson.dumps({"errors": error.as_errors(request_id)})
    response = _response(content, status, is_strict=is_strict)
    if isinstance(error, UnauthenticatedError):
        response.headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, UnavailableError):
        response.headers["Retry-After"] = "2"
    return response


async def _not_found(http: HttpRequest, _error: Exception) -> Response:
    error = NotFoundError(f"There is nothing at {http.url.path}.", remedy="Look at / for what there is.")
    return _refusal(error, secrets.token_hex(8), is_strict=False)


async def _wrong_method(_http: HttpRequest, _error: Exception) -> Response:
    error = BadRequestError("This address takes POST.", status=405)
    response = _refusal(error, secrets.token_hex(8), is_strict=False)
    response.headers["Allow"] = "POST"
    return response
