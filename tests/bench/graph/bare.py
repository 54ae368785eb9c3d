"""The finished statements behind a bare ASGI server: no GraphQL, nobody recognised, nothing counted.

A request names a statement and carries its parameters as PostgreSQL takes them. The statements are Fulcrum's
own, so the difference to Fulcrum is what Fulcrum adds to them; the row scope is set once per connection.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import orjson

from fulcrum.graph.limits import Limits
from fulcrum.graph.service import open_wires
from fulcrum.graph.wire import Wires
from fulcrum.settings import read_settings

STATEMENTS = "BENCH_STATEMENTS"
"""The environment variable with the path of a JSON object: name -> SQL."""
_JSON = (b"content-type", b"application/json")


class Bare:
    """The ASGI application."""

    def __init__(self, statements: dict[str, str]) -> None:
        self.statements = {name: (name.encode(), sql.encode()) for name, sql in statements.items()}
        self.wires: Wires | None = None

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        message = await receive()
        body = message["body"]
        while message.get("more_body"):
            message = await receive()
            body += message["body"]
        asked = orjson.loads(body)
        name, sql = self.statements[asked["name"]]
        values = [None if value is None else value.encode() for value in asked["values"]]
        assert self.wires is not None
        row = await self.wires.fetch_row(name, sql, values)
        answer = b'{"data":%b}' % (row[3] or b"null")
        headers = [_JSON, (b"content-length", b"%d" % len(answer))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    async def _live(self, receive: Any, send: Any) -> None:
        await receive()
        self.wires = open_wires(read_settings(), Limits())
        await self.wires.open()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self.wires.close()
        await send({"type": "lifespan.shutdown.complete"})


def create_app() -> Bare:
    """The application over the statements of the environment."""
    return Bare(orjson.loads(Path(os.environ[STATEMENTS]).read_bytes()))
