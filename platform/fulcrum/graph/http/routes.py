"""What the routes beside `/graphql` share: who asks, how often, what was sent, and errors as answers.

`/graphql` itself goes past Starlette and has its own in `endpoint.py`.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from fulcrum.entitlements.rights import Rights
from fulcrum.graph.errors import ApiError, BadRequestError, InternalError
from fulcrum.graph.http import reading
from fulcrum.graph.http.answering import Receive, refusal
from fulcrum.graph.http.endpoint import Endpoint
from fulcrum.graph.http.media import check_content
from fulcrum.graph.http.reading import Sent
from fulcrum.graph.wire import StatementFailedError

Handler = Callable[[HttpRequest, Endpoint, Rights], Awaitable[Response]]

_log = logging.getLogger("fulcrum.graph")


def answered(handler: Handler) -> Callable[[HttpRequest], Awaitable[Response]]:
    """A route for who is recognised, whose errors are answers."""

    async def route(http: HttpRequest) -> Response:
        endpoint: Endpoint = http.app.state.endpoint
        request_id = endpoint.ids.next().decode()
        try:
            rights = await recognise(http, endpoint)
            endpoint.rates.enter(rights.principal)
            try:
                return await handler(http, endpoint, rights)
            finally:
                endpoint.rates.leave(rights.principal)
        except Exception as error:  # noqa: BLE001 - the caller gets a request id, the log the cause
            return refusal(told(error, request_id), request_id)

    return route


async def recognise(http: HttpRequest, endpoint: Endpoint) -> Rights:
    """The rights of whoever sent this.

    Raises:
        UnauthenticatedError: nobody who is known.
    """
    headers = http.headers
    return await endpoint.doorkeeper.recognise(headers.get("authorization"), headers.get("x-api-key"))


def told(error: Exception, request_id: str) -> ApiError:
    """What a caller is told of an error; the log has the rest under the request id."""
    if isinstance(error, StatementFailedError):
        _log.error("request %s failed in PostgreSQL: %s %s", request_id, error.state, error.text)
    if isinstance(error, ApiError):
        return error
    _log.error("request %s failed", request_id, exc_info=error)
    return InternalError("The request could not be answered.", remedy="Tell its id to the platform team.")


async def read_sent(http: HttpRequest, endpoint: Endpoint) -> tuple[Sent, bytes | None]:
    """The parameters of a GET or POST, and the body of a POST.

    Raises:
        BadRequestError: they cannot be read, or are too long.
    """
    limits = endpoint.limits
    if http.method == "GET":
        return reading.from_address(http.scope["query_string"], limits), None
    kind, encoding = (http.headers.get(name) for name in ("content-type", "content-encoding"))
    check_content(kind.encode("latin-1") if kind else None, encoding.encode("latin-1") if encoding else None)
    received = bytearray()
    async for piece in http.stream():
        received += piece
        if len(received) > limits.body_bytes:
            raise BadRequestError(f"The body is over {limits.body_bytes} bytes.", status=413)
    return reading.from_body(bytes(received), limits), bytes(received)


async def hang_up(receive: Receive) -> None:
    """Wait until the caller goes away."""
    while (await receive())["type"] != "http.disconnect":
        pass
