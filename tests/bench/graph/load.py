"""Clients that keep a server busy for a while: over HTTP on raw streams, or straight into PostgreSQL."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Awaitable, Callable

from fulcrum.entitlements.rights import EVERYTHING
from fulcrum.graph.service import GraphService, encode
from tests.bench.graph.questions import Question

Ask = Callable[[random.Random], Awaitable[bytes]]


async def rate(asks: list[Ask], seconds: float) -> float:
    """Answers per second of all clients together."""
    counted = 0

    await asyncio.gather(*(ask(random.Random(seed)) for seed, ask in enumerate(asks)))  # prepared everywhere
    until = time.perf_counter() + seconds

    async def client(ask: Ask, seed: int) -> None:
        nonlocal counted
        chance = random.Random(seed)
        while time.perf_counter() < until:
            await ask(chance)
            counted += 1

    started = time.perf_counter()
    await asyncio.gather(*(client(ask, seed) for seed, ask in enumerate(asks)))
    return counted / (time.perf_counter() - started)


async def over_http(port: int, path: str, key: str, question: Question) -> Ask:
    """One client with its own connection, kept open."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    async def ask(chance: random.Random) -> bytes:
        body = json.dumps({"query": question.text, "variables": question.variables(chance)}).encode()
        writer.write(
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nX-API-Key: {key}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
        answer = await reader.readexactly(length)
        if not head.startswith(b"http/1.1 200") or answer.startswith(b'{"errors"'):
            raise RuntimeError(answer[:500].decode())
        return answer

    return ask


def without_server(service: GraphService, question: Question) -> Ask:
    """The finished statement with its parameters, sent by psycopg in this process: no HTTP, no GraphQL."""
    planned = service.plans.find(question.text, None, question.variables(random.Random(0)), EVERYTHING)
    assert planned.plan.sql is not None
    statement = planned.plan.sql.encode()

    async def ask(chance: random.Random) -> bytes:
        values = encode(planned.plan.parameters(question.variables(chance)))
        row = await service.wires.fetch_row(planned.name, statement, values)
        return row[3] or b""

    return ask
