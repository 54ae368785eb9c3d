"""Answers as ASGI sends them: status, headers made beforehand where they can be, body.

Which answer it is, is decided in `endpoint.py`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import orjson
from starlette.responses import Response

from fulcrum.graph.errors import ApiError
from fulcrum.graph.http.media import GRAPHQL_JSON, JSON

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

# Answers depend on who asks and on the media type; nobody may keep them for others, and the caller
# must ask whether they still hold (with the ETag, by GET).
_PRIVATE = (b"cache-control", b"private, no-cache")
_SAME = (
    _PRIVATE,
    (b"vary", b"accept, authorization, x-api-key"),
    (b"x-content-type-options", b"nosniff"),
)
_NEVER_KEPT = ((b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"))
_CONTENT_TYPES = {
    is_strict: (b"content-type", f"{kind}; charset=utf-8".encode())
    for is_strict, kind in ((True, GRAPHQL_JSON), (False, JSON))
}


async def send_answer(send: Send, body: bytes, request_id: bytes, etag: bytes | None, *, is_strict: bool) -> None:
    """Status 200 and the JSON of an answer; with its ETag, if it may be asked for again (GET)."""
    headers = [_CONTENT_TYPES[is_strict], (b"content-length", b"%d" % len(body)), (b"x-request-id", request_id)]
    if etag is None:
        headers.append(_PRIVATE)
    else:
        headers += ((b"etag", etag), *_SAME)
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def send_unchanged(send: Send, etag: bytes, request_id: bytes) -> None:
    """Status 304: the caller has this answer already."""
    headers = [(b"etag", etag), (b"x-request-id", request_id), *_SAME]
    await send({"type": "http.response.start", "status": 304, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


async def send_refusal(send: Send, error: ApiError, request_id: bytes, *, is_strict: bool) -> None:
    """The errors of an answer without data; with plain JSON, mistakes in the query itself are status 200."""
    body = orjson.dumps({"errors": error.as_errors(request_id.decode())})
    headers = [
        _CONTENT_TYPES[is_strict],
        (b"content-length", b"%d" % len(body)),
        (b"x-request-id", request_id),
        *_NEVER_KEPT,
        *error.headers(),
    ]
    status = 200 if error.is_of_query and not is_strict else error.status
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def refusal(error: ApiError, request_id: str) -> Response:
    """The same for the routes that Starlette serves."""
    headers = {name.decode(): value.decode() for name, value in (*_NEVER_KEPT, *error.headers())}
    body = orjson.dumps({"errors": error.as_errors(request_id)})
    return Response(body, error.status, headers=headers | {"X-Request-Id": request_id}, media_type=JSON)
