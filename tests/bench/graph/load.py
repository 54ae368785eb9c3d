"""Clients that keep a server busy for a while: raw HTTP/1.1 on uvloop, requests written beforehand.

One request costs this process 15 to 30 microseconds, so it takes a part of a core, not all of it.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from functools import partial

import orjson

_END = b"\r\n\r\n"
_LENGTH = b"content-length:"


@dataclass(frozen=True)
class Target:
    """Where requests go, and what all of them carry."""

    port: int
    path: str
    key: str | None = None

    def request(self, content: object) -> bytes:
        """The bytes of a POST with this content as JSON."""
        body = orjson.dumps(content)
        key = f"X-API-Key: {self.key}\r\n" if self.key else ""
        head = (
            f"POST {self.path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nContent-Type: application/json\r\n"
            f"Accept: application/json\r\n{key}Content-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


@dataclass
class Run:
    """What clients measured: seconds of each answer, and how long all of it took."""

    latencies: list[float] = field(default_factory=list)
    seconds: float = 0.0
    bytes_read: int = 0

    @property
    def rate(self) -> float:
        """Answers per second."""
        return len(self.latencies) / self.seconds


class _Client(asyncio.Protocol):
    """One connection that asks the next request when the answer is there."""

    def __init__(self, requests: list[bytes], start: int, run: Run, until: float) -> None:
        self.requests, self.position, self.run, self.until = requests, start, run, until
        self.done: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self.parts: list[bytes] = []
        self.missing = -1
        self.sent_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]
        self._ask()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(exc or ConnectionError("The server closed the connection."))

    def data_received(self, data: bytes) -> None:
        self.parts.append(data)
        if self.missing < 0:
            whole = b"".join(self.parts)
            end = whole.find(_END)
            if end < 0:
                return
            head = whole[:end].lower()
            place = head.find(_LENGTH)
            if not head.startswith(b"http/1.1 200") or place < 0 or whole.startswith(b'{"errors"', end + 4):
                self._fail(whole)
                return
            length = int(head[place + len(_LENGTH) :].split(b"\r\n", 1)[0])
            self.missing = end + len(_END) + length - len(whole)
        else:
            self.missing -= len(data)
        if self.missing <= 0:
            self._answered()

    def _fail(self, answer: bytes) -> None:
        if not self.done.done():
            self.done.set_exception(RuntimeError(answer[:1500].decode("utf-8", "replace")))
        self.transport.close()

    def _answered(self) -> None:
        now = time.perf_counter()
        self.run.latencies.append(now - self.sent_at)
        self.run.bytes_read += sum(map(len, self.parts))
        if now < self.until:
            self._ask()
            return
        if not self.done.done():
            self.done.set_result(b"".join(self.parts).partition(_END)[2])
        self.transport.close()

    def _ask(self) -> None:
        self.parts, self.missing = [], -1
        self.position = (self.position + 1) % len(self.requests)
        self.sent_at = time.perf_counter()
        self.transport.write(self.requests[self.position])


async def keep_busy(target: Target, requests: list[bytes], clients: int, seconds: float) -> Run:
    """Ask for `seconds` with so many clients at once.

    Raises:
        RuntimeError: an answer was not good; its text.
    """
    loop = asyncio.get_running_loop()
    run = Run()
    begin = time.perf_counter()
    waiting = []
    for number in range(clients):
        client = _Client(requests, number * len(requests) // clients, run, begin + seconds)
        await loop.create_connection(partial(_same, client), "127.0.0.1", target.port)
        waiting.append(client.done)
    await asyncio.gather(*waiting)
    run.seconds = time.perf_counter() - begin
    return run


async def ask_once(target: Target, request: bytes) -> bytes:
    """The body of one answer.

    Raises:
        RuntimeError: it was not good; its text.
    """
    client = _Client([request], 0, Run(), 0.0)
    await asyncio.get_running_loop().create_connection(partial(_same, client), "127.0.0.1", target.port)
    return await client.done


def _same(client: _Client) -> _Client:
    return client
