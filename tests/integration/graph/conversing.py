"""A client of graphql-transport-ws that only does what a test tells it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

MOST = 100

PUBLICATIONS = """subscription Follow($since: BigInt, $feeds: [String!], $targets: [String!], $restated: Boolean) {
  publications(sincePublication: $since, feeds: $feeds, targets: $targets, restatementsOnly: $restated) {
    number feed kind isRestatement trust { publication verdict } } }"""


class Talk:
    """One conversation."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    def send(self, **message: Any) -> None:
        self.socket.send(json.dumps(message))

    def receive(self) -> dict[str, Any]:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            message: dict[str, Any] = json.loads(self.socket.recv(timeout=10))
            if message["type"] != "ping":
                return message
        raise AssertionError("Nothing came.")

    def initialise(self, key: str) -> None:
        self.send(type="connection_init", payload={"Authorization": f"Bearer {key}"})
        assert self.receive() == {"type": "connection_ack"}

    def subscribe(self, query: str, variables: dict[str, Any] | None = None, name: str = "1") -> None:
        self.send(type="subscribe", id=name, payload={"query": query, "variables": variables})

    def numbers(self, count: int) -> list[int]:
        found = []
        for _ in range(count):
            message = self.receive()
            assert message["type"] == "next", message
            payload = message["payload"]
            found.append(payload["data"]["publications"]["number"])
            assert payload["extensions"]["event"] == payload["extensions"]["dataVersion"] == found[-1]
        return found

    def silent(self) -> bool:
        """Whether nothing more was said before a ping came back."""
        self.send(type="ping", payload={"mark": 1})
        return self.receive() == {"type": "pong", "payload": {"mark": 1}}

    def rest(self) -> list[dict[str, Any]]:
        """All messages until the connection ends."""
        found: list[dict[str, Any]] = []
        with suppress(ConnectionClosed):
            while len(found) < MOST:
                found.append(json.loads(self.socket.recv(timeout=10)))
        return found

    def code(self) -> tuple[int | None, str | None]:
        """How the server closes."""
        self.rest()
        return self.socket.close_code, self.socket.close_reason


@contextmanager
def talking(address: str, protocol: str = "graphql-transport-ws") -> Iterator[Talk]:
    with connect(f"ws://{address}/graphql", subprotocols=[protocol], proxy=None, compression=None) as socket:  # type: ignore[list-item]
        yield Talk(socket)
