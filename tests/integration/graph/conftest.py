"""A running API over a database of its own, asked inside the process through ASGI."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pytest
from starlette.applications import Starlette

from fulcrum.graph.app import create_app
from fulcrum.settings import Settings
from tests.factories.access import make_key
from tests.factories.graph_story import write_story
from tests.factories.graph_world import GraphWorld


class Asked:
    """The API and a key, for tests that are not asynchronous themselves."""

    def __init__(self, app: Starlette, key: str) -> None:
        self.key = key
        self._loop = asyncio.new_event_loop()
        self._lifespan = app.router.lifespan_context(app)
        self._loop.run_until_complete(self._lifespan.__aenter__())
        self._client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1")

    def close(self) -> None:
        """End the API."""
        self._loop.run_until_complete(self._client.aclose())
        self._loop.run_until_complete(self._lifespan.__aexit__(None, None, None))
        self._loop.close()

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Any HTTP request, without a key."""
        return self._loop.run_until_complete(self._client.request(method, path, **options))

    def together(self, *queries: str) -> list[dict[str, Any]]:
        """Several queries at once."""

        async def all_of_them() -> list[httpx.Response]:
            sent = [
                self._client.post("/graphql", json={"query": query}, headers={"X-API-Key": self.key})
                for query in queries
            ]
            return await asyncio.gather(*sent)

        return [answer.json() for answer in self._loop.run_until_complete(all_of_them())]

    def answer(self, query: str, variables: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
        """The whole answer to a query."""
        body = {"query": query, "variables": variables, **more}
        sent = self.request("POST", "/graphql", json=body, headers={"Authorization": f"Bearer {self.key}"})
        answer: dict[str, Any] = sent.json()
        return answer

    def data(self, query: str, variables: dict[str, Any] | None = None) -> dict[str, Any]:
        """The data of an answer that has no errors."""
        answer = self.answer(query, variables)
        assert "errors" not in answer, answer["errors"]
        data: dict[str, Any] = answer["data"]
        return data

    def code(self, query: str, variables: dict[str, Any] | None = None) -> str:
        """The code of the first error of an answer that has no data."""
        answer = self.answer(query, variables)
        assert "data" not in answer, answer
        return str(answer["errors"][0]["extensions"]["code"])


@pytest.fixture
def world(connection: psycopg.Connection[Any]) -> GraphWorld:
    """The story of `graph_story`, committed."""
    return write_story(connection)


@pytest.fixture
def asked(database: Settings, connection: psycopg.Connection[Any]) -> Iterator[Asked]:
    """The API over `database`, and a key."""
    key = make_key(connection)
    running = Asked(create_app(database), key)
    yield running
    running.close()
