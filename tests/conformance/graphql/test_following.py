"""The client of graphql-ws loses no publication over restarts of the server, and sees none twice."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator
from queue import Queue
from typing import Any

import psycopg
import pytest

from fulcrum.settings import Settings
from tests.factories.access import make_key
from tests.factories.api_process import api_process, free_port
from tests.factories.graph_world import GraphWorld
from tests.factories.node_project import NodeProject

SECONDS = 60.0


class Follower:
    """The program that follows, and what it has printed."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self._lines: Queue[dict[str, Any]] = Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(json.loads(line))

    def next(self) -> dict[str, Any]:
        """The next line."""
        return self._lines.get(timeout=SECONDS)

    def numbers(self, count: int) -> list[int]:
        """The numbers of the next events; connections between them are passed over."""
        found: list[int] = []
        while len(found) < count:
            line = self.next()
            if "connected" not in line:
                found.append(line["number"])
        return found


@pytest.fixture
def follow(judges: NodeProject, connection: psycopg.Connection[Any]) -> Iterator[Any]:
    key = make_key(connection)
    started: list[Follower] = []

    def begin(port: int, first: int, last: int) -> Follower:
        command = ["node", "checks/follow.js", f"ws://127.0.0.1:{port}/graphql", key, str(first), str(last)]
        process = subprocess.Popen(command, cwd=judges.folder, stdout=subprocess.PIPE, text=True)
        started.append(Follower(process))
        return started[-1]

    yield begin
    for one in started:
        one.process.kill()
        one.process.communicate()


@pytest.mark.slow
def test_every_publication_comes_once_and_in_order_over_two_restarts(
    follow: Any, database: Settings, connection: psycopg.Connection[Any]
) -> None:
    world = GraphWorld(connection)

    def publish(count: int) -> list[int]:
        made = [world.publish("core.price", world.known_at(1).date(), feed="house_prices") for _ in range(count)]
        connection.commit()
        return made

    before = publish(3)
    port = free_port()
    with api_process(database, port=port):
        follower = follow(port, first=before[0], last=13)
        assert follower.next() == {"connected": True}
        assert follower.numbers(2) == before[1:]
        live = publish(2)
        assert follower.numbers(2) == live
    missed = publish(3)  # while nobody serves
    with api_process(database, port=port):
        more = publish(1)
        assert follower.numbers(4) == missed + more
    missed = publish(2)
    with api_process(database, port=port):
        more = publish(2)
        assert follower.numbers(4) == missed + more
        assert follower.process.wait(SECONDS) == 0
