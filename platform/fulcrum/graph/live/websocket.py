"""The sub-protocol `graphql-transport-ws` of the package graphql-ws: messages, order and close codes.

Which events there are is `following.py`'s; a query over the socket is answered like one over HTTP.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from typing import Any

import orjson
from starlette.websockets import WebSocket, WebSocketState

from fulcrum.entitlements.rights import Rights
from fulcrum.graph.errors import ApiError, UnauthenticatedError
from fulcrum.graph.http.endpoint import Endpoint
from fulcrum.graph.http.routes import told
from fulcrum.graph.live.hub import Hub
from fulcrum.graph.service import Request

PROTOCOL = "graphql-transport-ws"
SLOW, BAD, UNAUTHORIZED, FORBIDDEN, NOT_ACCEPTABLE = 1013, 4400, 4401, 4403, 4406
INIT_TIMEOUT, DUPLICATE, TOO_MANY_INITS = 4408, 4409, 4429
_MOST_REASON = 123  # bytes, RFC 6455


class _ClosedError(Exception):
    """The conversation ends with this code."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


class Conversation:
    """One socket, from its first message to its last."""

    def __init__(self, socket: WebSocket, endpoint: Endpoint, hub: Hub) -> None:
        self._socket, self._endpoint, self._hub = socket, endpoint, hub
        self._credentials: tuple[str | None, str | None] = (None, None)
        self._principal: str | None = None
        self._is_initialised = False
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._lock = asyncio.Lock()
        self._ending: asyncio.Future[_ClosedError] = asyncio.get_running_loop().create_future()
        self._held = ExitStack()

    async def run(self) -> None:
        """Talk until either side closes."""
        if PROTOCOL not in self._socket.scope.get("subprotocols", ()):
            await self._socket.accept()
            await self._socket.close(NOT_ACCEPTABLE, "Subprotocol not acceptable")
            return
        await self._socket.accept(PROTOCOL)
        listening = asyncio.ensure_future(self._listen())
        parts = [listening, *(asyncio.ensure_future(part) for part in (self._wait_for_init(), self._ping()))]
        try:
            waited: set[asyncio.Future[Any]] = {listening, self._ending}
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            if self._ending.done():
                await self._close(self._ending.result())
        finally:
            pending = [*parts, *self._tasks.values()]
            for task in pending:
                task.cancel()
            await asyncio.gather(*pending, return_exceptions=True)
            self._held.close()

    async def _listen(self) -> None:
        while True:
            received = await self._socket.receive()
            if received["type"] == "websocket.disconnect":
                return
            try:
                await self._take(_message(received.get("text"), self._endpoint.limits.body_bytes))
            except _ClosedError as closed:
                self._end(closed)
                return

    async def _take(self, message: Mapping[str, Any]) -> None:
        match message["type"]:
            case "connection_init":
                await self._initialise(message)
            case "ping":
                await self._send({"type": "pong"} | _payload(message))
            case "pong":
                _payload(message)
            case "subscribe":
                self._subscribe(message)
            case "complete":
                task = self._tasks.pop(_id(message), None)
                if task is not None:
                    task.cancel()
            case other:
                raise _ClosedError(BAD, f"Invalid message type {other[:40]!r}")

    async def _initialise(self, message: Mapping[str, Any]) -> None:
        if self._is_initialised:
            raise _ClosedError(TOO_MANY_INITS, "Too many initialisation requests")
        self._is_initialised = True
        payload = _payload(message).get("payload") or {}
        headers = self._socket.headers
        named = {str(name).lower(): value for name, value in payload.items() if isinstance(value, str)}
        authorization = named.get("authorization") or headers.get("authorization")
        self._credentials = (authorization, named.get("x-api-key") or named.get("apikey") or headers.get("x-api-key"))
        try:
            rights = await self._recognise()
            self._held.enter_context(self._hub.counted("connections", rights.principal))
        except ApiError as error:
            raise _ClosedError(FORBIDDEN, f"Forbidden: {error.message}") from None
        self._principal = rights.principal
        await self._send({"type": "connection_ack"})

    def _subscribe(self, message: Mapping[str, Any]) -> None:
        if self._principal is None:
            raise _ClosedError(UNAUTHORIZED, "Unauthorized")
        operation_id, payload = _id(message), _payload(message).get("payload")
        if payload is None or not isinstance(payload.get("query"), str):
            raise _ClosedError(BAD, "Invalid message: subscribe needs a payload with a query")
        if operation_id in self._tasks:
            raise _ClosedError(DUPLICATE, f"Subscriber for {operation_id} already exists")
        if len(self._tasks) >= self._hub.limits.per_connection:
            raise _ClosedError(BAD, f"More than {self._hub.limits.per_connection} operations on one connection")
        self._tasks[operation_id] = asyncio.ensure_future(self._operate(operation_id, payload))

    async def _operate(self, operation_id: str, payload: Mapping[str, Any]) -> None:
        """One operation: what it gives, and how it ends."""
        request_id = self._endpoint.ids.next().decode()
        try:
            await self._give(operation_id, payload)
            self._tasks.pop(operation_id, None)
            await self._send({"type": "complete", "id": operation_id})
        except UnauthenticatedError as error:
            self._end(_ClosedError(FORBIDDEN, f"Forbidden: {error.message}"))
        except Exception as error:  # noqa: BLE001 - the caller gets a request id, the log the cause
            self._tasks.pop(operation_id, None)
            found = told(error, request_id)
            await self._send({"type": "error", "id": operation_id, "payload": found.as_errors(request_id)})

    async def _give(self, operation_id: str, payload: Mapping[str, Any]) -> None:
        endpoint, rights = self._endpoint, await self._recognise()
        variables, name = payload.get("variables"), payload.get("operationName")
        if not isinstance(variables, dict | None) or not isinstance(name, str | None):
            raise _ClosedError(BAD, "Invalid message: variables is no object, or operationName no text")
        endpoint.rates.enter(rights.principal)
        try:
            text = await endpoint.documents.text(payload["query"], None, rights)
            following = await self._hub.follow(text, name, variables or {}, self._recognise)
            if following is None:
                answer = await self._hub.service.answer(Request(text, name, variables or {}, rights))
                await self._send_next(operation_id, answer.body or b"null")
                return
        finally:
            endpoint.rates.leave(rights.principal)
        with self._hub.counted("subscriptions", rights.principal):
            while True:
                _, answered = await following.next()
                await self._send_next(operation_id, answered)

    async def _recognise(self) -> Rights:
        rights = await self._endpoint.doorkeeper.recognise(*self._credentials)
        if self._principal is not None and rights.principal != self._principal:
            raise UnauthenticatedError("The key belongs to somebody else now.")
        return rights

    async def _wait_for_init(self) -> None:
        await asyncio.sleep(self._hub.limits.init_seconds)
        if not self._is_initialised:
            self._end(_ClosedError(INIT_TIMEOUT, "Connection initialisation timeout"))

    async def _ping(self) -> None:
        """Keep proxies from closing what is idle, and end the conversation of a key that has ended."""
        while True:
            await asyncio.sleep(self._hub.limits.ping_seconds)
            try:
                if self._principal is not None:
                    await self._recognise()
                    await self._send({"type": "ping"})
            except UnauthenticatedError as error:
                self._end(_ClosedError(FORBIDDEN, f"Forbidden: {error.message}"))
            except ApiError:
                continue  # the warehouse restarts: the key is looked up again at the next ping

    async def _send_next(self, operation_id: str, payload: bytes) -> None:
        text = b'{"id":%b,"type":"next","payload":%b}' % (orjson.dumps(operation_id), payload)
        await self._send_text(text.decode())

    async def _send(self, message: Mapping[str, Any]) -> None:
        await self._send_text(orjson.dumps(message).decode())

    async def _send_text(self, text: str) -> None:
        try:
            async with asyncio.timeout(self._hub.limits.send_seconds), self._lock:
                await self._socket.send_text(text)
        except TimeoutError:
            self._end(_ClosedError(SLOW, "Too slow: resume from the last number that you have seen"))
            await asyncio.Event().wait()  # until the conversation's end cancels this

    def _end(self, closed: _ClosedError) -> None:
        if not self._ending.done():
            self._ending.set_result(closed)

    async def _close(self, closed: _ClosedError) -> None:
        reason = closed.reason.encode()[:_MOST_REASON].decode(errors="ignore")
        if self._socket.application_state is WebSocketState.CONNECTED:
            with suppress(TimeoutError, RuntimeError):
                async with asyncio.timeout(self._hub.limits.send_seconds):
                    await self._socket.close(closed.code, reason)


def _message(text: str | None, most_bytes: int) -> Mapping[str, Any]:
    if text is None or len(text) > most_bytes:
        raise _ClosedError(BAD, "Invalid message: not a text, or too long")
    try:
        message = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise _ClosedError(BAD, "Invalid message: not JSON") from None
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise _ClosedError(BAD, "Invalid message: no object with a type")
    return message


def _payload(message: Mapping[str, Any]) -> dict[str, Any]:
    """The payload of a message, which must be an object if there is one; nothing else."""
    payload = message.get("payload")
    if payload is None:
        return {}
    if not isinstance(payload, dict):
        raise _ClosedError(BAD, "Invalid message: the payload is no object")
    return {"payload": payload}


def _id(message: Mapping[str, Any]) -> str:
    operation_id = message.get("id")
    if not isinstance(operation_id, str) or not operation_id:
        raise _ClosedError(BAD, "Invalid message: no id")
    return operation_id


async def converse(socket: WebSocket) -> None:
    """One socket; the application holds `state.endpoint` and `state.hub`."""
    state = socket.app.state
    await Conversation(socket, state.endpoint, state.hub).run()
