"""uvicorn with our HTTP protocol: answers are whole and in order, and a small one is one write."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket
from websockets.sync.client import connect

from fulcrum.graph.http.protocol import Protocol
from fulcrum.services.catalog import services
from fulcrum.settings import read_settings
from tests.integration.graph.serving import free_port

CHUNKS = [bytes([65 + number % 26]) * 3_000 for number in range(200)]
LARGE = b"x" * 3_000_000


class Recorded:
    """A transport that keeps how often it was written to."""

    def __init__(self, plain: asyncio.Transport, writes: list[int]) -> None:
        self.plain, self.writes = plain, writes

    def write(self, data: bytes) -> None:
        self.writes.append(len(data))
        self.plain.write(data)

    def writelines(self, parts: Any) -> None:
        self.writes.append(sum(map(len, parts)))
        self.plain.writelines(parts)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.plain, name)


class Recording(Protocol):
    """Our protocol over a recorded transport."""

    writes: list[int] = []  # noqa: RUF012 - of all connections of a test

    def connection_made(self, transport: Any) -> None:
        super().connection_made(Recorded(transport, self.writes))  # type: ignore[arg-type]


async def small(request: Request) -> Response:
    return PlainTextResponse(request.url.query or "small")


async def streamed(_request: Request) -> Response:
    async def chunks() -> Any:
        for chunk in CHUNKS:
            yield chunk

    return StreamingResponse(chunks())


async def large(_request: Request) -> Response:
    return Response(LARGE)


async def echo(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text(await websocket.receive_text())
    await websocket.close()


APP = Starlette(
    routes=[Route("/small", small), Route("/streamed", streamed), Route("/large", large), WebSocketRoute("/echo", echo)]
)


@pytest.fixture
def address() -> Iterator[str]:
    port = free_port()
    Recording.writes.clear()
    server = uvicorn.Server(uvicorn.Config(APP, host="127.0.0.1", port=port, log_level="critical", http=Recording))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.01)
    yield f"127.0.0.1:{port}"
    server.should_exit = True
    thread.join(20)


def test_head_and_body_of_an_answer_are_one_write(address: str) -> None:
    with httpx.Client(base_url=f"http://{address}") as client:
        assert [client.get("/small").text for _ in range(3)] == ["small"] * 3
    assert len(Recording.writes) == 3


def test_an_answer_without_a_body_is_sent_too(address: str) -> None:
    answer = httpx.head(f"http://{address}/small", timeout=5)
    assert answer.status_code == 200
    assert answer.headers["content-length"] == "5"


def test_large_and_streamed_answers_are_whole(address: str) -> None:
    with httpx.Client(base_url=f"http://{address}") as client:
        assert client.get("/streamed").content == b"".join(CHUNKS)
        assert client.get("/large").content == LARGE


def test_requests_sent_ahead_are_answered_in_order_and_the_last_before_the_end(address: str) -> None:
    host, _, port = address.partition(":")
    with socket.create_connection((host, int(port)), 5) as client:
        asked = [f"GET /small?{number} HTTP/1.1\r\nHost: x\r\n" for number in range(5)]
        client.sendall("\r\n".join([*asked[:-1], asked[-1] + "Connection: close\r\n", ""]).encode())
        received = b""
        while data := client.recv(65_536):
            received += data
    bodies = [part.rpartition(b"\r\n\r\n")[2] for part in received.split(b"HTTP/1.1 200 OK")[1:]]
    assert bodies == [b"0", b"1", b"2", b"3", b"4"]


def test_a_websocket_is_left_as_it_was(address: str) -> None:
    with connect(f"ws://{address}/echo") as client:
        client.send("heard")
        assert client.recv(timeout=5) == "heard"


def test_the_api_service_is_started_with_it() -> None:
    command = services(read_settings())[0].command
    config = uvicorn.Config(APP, http=command[command.index("--http") + 1])
    config.load()
    assert config.http_protocol_class is Protocol
