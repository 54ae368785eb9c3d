"""`/graphql/stream`: one operation as server-sent events, GraphQL over SSE in its "distinct connections" mode.

The id of an event is its number, so a browser that reconnects (`Last-Event-ID`) misses none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from functools import partial

import orjson
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from fulcrum.entitlements.rights import Rights
from fulcrum.graph.errors import ApiError, BadRequestError
from fulcrum.graph.http.answering import Receive, Scope, Send
from fulcrum.graph.http.endpoint import Endpoint
from fulcrum.graph.http.routes import hang_up, read_sent, recognise, told
from fulcrum.graph.live.following import Following, Recognise
from fulcrum.graph.live.hub import Hub
from fulcrum.graph.service import Request

MEDIA_TYPE = "text/event-stream"
_COMPLETE = b"event: complete\ndata:\n\n"
_ALIVE = b":\n\n"


async def stream(http: HttpRequest, endpoint: Endpoint, rights: Rights) -> Response:
    """`GET|POST /graphql/stream`.

    Mistakes in the operation are told as an event (a browser cannot read the body of a refusal).
    """
    hub: Hub = http.app.state.hub
    accepted = http.headers.get("accept", "*/*")
    if MEDIA_TYPE not in accepted and "*/*" not in accepted:
        raise BadRequestError("The answer is a stream of events.", status=406, remedy=f"Send Accept: {MEDIA_TYPE}.")
    sent, _ = await read_sent(http, endpoint)
    last = _number(http.headers.get("last-event-id"))
    text = await endpoint.documents.text(sent.query, sent.document_id, rights)

    known = partial(recognise, http, endpoint)
    try:
        following = await hub.follow(text, sent.operation_name, sent.variables, known, last)
        if following is None:
            answer = await hub.service.answer(Request(text, sent.operation_name, sent.variables, rights))
            return _Events(hub, None, _event(None, answer.body or b"null") + _COMPLETE)
    except ApiError as error:
        if not error.is_of_query:
            raise
        return _Events(hub, None, _refusal(error, endpoint.ids.next().decode()) + _COMPLETE)
    held = ExitStack()
    held.enter_context(hub.counted("subscriptions", rights.principal))
    return _Events(hub, following, _ALIVE, held, known, endpoint.ids.next().decode())


def _number(last_event_id: str | None) -> int | None:
    if not last_event_id:
        return None
    if not last_event_id.isascii() or not last_event_id.isdigit() or len(last_event_id) > 18:  # noqa: PLR2004 - int8
        raise BadRequestError("Last-Event-ID is no number.", remedy="Send the id of an event of this stream.")
    return int(last_event_id)


def _event(number: int | None, payload: bytes) -> bytes:
    """JSON has no line breaks of its own, so one `data` line holds it."""
    named = b"" if number is None else b"id: %d\n" % number
    return b"event: next\n%bdata: %b\n\n" % (named, payload)


def _refusal(error: ApiError, request_id: str) -> bytes:
    return _event(None, orjson.dumps({"errors": error.as_errors(request_id)}))


class _Events(Response):
    """A stream as ASGI sends it; `first` is sent at once, so that callers know that they are heard."""

    def __init__(
        self,
        hub: Hub,
        following: Following | None,
        first: bytes,
        held: ExitStack | None = None,
        recognise: Recognise | None = None,
        request_id: str = "",
    ) -> None:
        self._hub, self._following, self._first = hub, following, first
        self._held = held or ExitStack()
        self._recognise, self._request_id = recognise, request_id
        self.status_code, self.background, self.body = 200, None, b""
        self.init_headers(
            {
                "content-type": f"{MEDIA_TYPE}; charset=utf-8",
                "cache-control": "no-store",
                "x-accel-buffering": "no",  # nginx would hold events back
                "x-content-type-options": "nosniff",
            }
        )
        del self.headers["content-length"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's signature
        """Send until the operation ends or the caller hangs up."""
        with self._held:
            sending = asyncio.ensure_future(self._send(send))
            hearing = asyncio.ensure_future(hang_up(receive))
            try:
                await asyncio.wait({sending, hearing}, return_when=asyncio.FIRST_COMPLETED)
                if sending.done():
                    sending.result()
            finally:
                for task in (sending, hearing):
                    task.cancel()
                await asyncio.gather(sending, hearing, return_exceptions=True)

    async def _send(self, send: Send) -> None:
        async def put(body: bytes, *, is_last: bool = False) -> None:
            async with asyncio.timeout(self._hub.limits.send_seconds):  # a slow caller is cut off, and resumes
                await send({"type": "http.response.body", "body": body, "more_body": not is_last})

        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        await put(self._first, is_last=self._following is None)
        if self._following is None:
            return
        try:
            await self._follow(self._following, put)
        except TimeoutError:
            raise
        except Exception as error:  # noqa: BLE001 - the caller gets a request id, the log the cause
            await put(_refusal(told(error, self._request_id), self._request_id) + _COMPLETE, is_last=True)

    async def _follow(self, following: Following, put: Callable[[bytes], Awaitable[None]]) -> None:
        waiting = asyncio.ensure_future(following.next())
        try:
            while True:
                done, _ = await asyncio.wait({waiting}, timeout=self._hub.limits.ping_seconds)
                if done:
                    number, payload = waiting.result()
                    await put(_event(number, payload))
                    waiting = asyncio.ensure_future(following.next())
                else:
                    if self._recognise is not None:
                        await self._recognise()
                    await put(_ALIVE)
        finally:
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
