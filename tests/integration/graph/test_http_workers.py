"""Several worker processes on one port, as `fulcrum up` starts them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pytest

from fulcrum.services.catalog import Service, environment, services
from fulcrum.settings import Settings
from tests.factories.access import make_key


@pytest.fixture
def api(database: Settings) -> Iterator[Service]:
    """The API with two workers."""
    settings = database.model_copy(update={"api_workers": 2})
    found = next(service for service in services(settings) if service.name == "api")
    found.file.start(found.command, environment(settings), settings.project)
    yield found
    assert found.file.stop(20)
    assert found.file.read() is None


def test_both_workers_answer_on_one_port_and_end_together(api: Service, connection: psycopg.Connection[Any]) -> None:
    key = make_key(connection)
    deadline = time.monotonic() + 60
    while not api.answers(0) and time.monotonic() < deadline:
        time.sleep(0.2)
    workers: set[str] = set()
    while len(workers) < 2 and time.monotonic() < deadline:
        answer = httpx.post(  # a connection of its own each time; whoever is free takes it
            f"http://127.0.0.1:{api.port}/graphql",
            json={"query": "{ __typename }"},
            headers={"X-API-Key": key},
        )
        assert answer.json()["data"] == {"__typename": "Query"}
        assert "server" not in answer.headers
        workers.add(answer.headers["x-request-id"][:8])  # the part that names the process
    assert len(workers) == 2, api.file.last_lines()
