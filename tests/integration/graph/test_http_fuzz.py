"""Broken requests of every kind: never a fault of ours, never a word of the inside."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fulcrum.graph.app import Application, create_app
from fulcrum.graph.errors import CODES
from fulcrum.settings import Settings
from tests.factories.access import make_key
from tests.factories.graph_story import write_story

INSIDE = (
    "traceback",
    "select coalesce",
    " from (",
    "with known",
    "psycopg",
    "governance.",
    "core.",
    "/platform/",
    "recursion",
    "orjson",
    "joserfc",
)
QUERIES = (
    "{ clients { totalCount } }",
    "query A($c: String!) { client(code: $c) { code } } query B($n: Int) { clients(first: $n) { totalCount } }",
    "query($w: PortfolioWhere) { portfolios(where: $w) { totalCount } }",
    "query($i: ID!) { node(id: $i) { id __typename } }",
    "query($a: String) { clients(first: 1, after: $a) { nodes { code } } }",
    "mutation { __typename }",
    "subscription { __typename }",
    '{ clients(asOf: "2026-01-01", knownAt: "2026-01-01T00:00:00Z") { totalCount } }',
    "{ __schema { queryType { name } } }",
    "fragment F on Query { ...F } { ...F }",
    "query($a: [[[String!]!]!]! = [[[]]]) { __typename }",
)
HEADERS = (b"accept", b"content-type", b"content-length", b"content-encoding", b"if-none-match", b"authorization")
VALUES = (
    b"*/*;q=x",
    b"application/json",
    b"application/graphql-response+json;q=0.1, */*",
    b"text/html",
    b"application/json; charset=utf-16",
    b"gzip",
    b"9" * 5000,
    b"-1",
    b"*",
    b'W/"a", "b',
    b"Bearer a.b.c",
    b"Bearer \xff\xfe.\x00.",
    b"",
)

words = st.sampled_from(["c", "n", "w", "i", "a", "and", "not", "code", "eq", "in"])
leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["Portfolio:1", "1:2026-01-01::x"])
)
json_values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3), max_leaves=8
)
asks = st.fixed_dictionaries(
    {},
    optional={
        "query": st.sampled_from(QUERIES) | st.text(max_size=40) | json_values,
        "operationName": st.sampled_from(["A", "B", "", "C"]) | json_values,
        "variables": json_values,
        "extensions": json_values,
        "documentId": st.sampled_from(["sha256:" + "0" * 64, "x"]) | json_values,
    },
)
bodies = (
    asks.map(lambda ask: json.dumps(ask, default=str).encode())
    | st.binary(max_size=60)
    | asks.map(lambda ask: json.dumps([ask]).encode()[:-2])
)
headers = st.lists(st.tuples(st.sampled_from(HEADERS), st.sampled_from(VALUES) | st.binary(max_size=30)), max_size=3)


class Wire:
    """Speaks ASGI to the API, byte for byte."""

    def __init__(self, app: Application, key: str) -> None:
        self._app, self._key = app, key
        self._loop = asyncio.new_event_loop()
        self._lifespan = app.router.lifespan_context(app)
        self._loop.run_until_complete(self._lifespan.__aenter__())

    def close(self) -> None:
        self._loop.run_until_complete(self._lifespan.__aexit__(None, None, None))
        self._loop.close()

    def send(
        self, method: str, body: bytes, query_string: bytes, more: list[tuple[bytes, bytes]], *, has_key: bool = True
    ) -> tuple[int, dict[bytes, bytes], bytes]:
        """Status, headers and body of the answer."""
        usual = [(b"content-type", b"application/json"), *([(b"x-api-key", self._key.encode())] if has_key else [])]
        scope = {
            "type": "http",
            "method": method,
            "path": "/graphql",
            "query_string": query_string,
            "headers": usual + more,
        }
        parts = [body[: len(body) // 2], body[len(body) // 2 :]]
        incoming = [{"type": "http.request", "body": part, "more_body": not index} for index, part in enumerate(parts)]
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return incoming.pop(0) if incoming else {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)

        self._loop.run_until_complete(self._app(scope, receive, send))
        return sent[0]["status"], dict(sent[0]["headers"]), sent[1]["body"]


@pytest.fixture
def wire(database: Settings, connection: psycopg.Connection[Any]) -> Iterator[Wire]:
    write_story(connection)
    running = Wire(create_app(database.model_copy(update={"api_rate": 0})), make_key(connection))
    yield running
    running.close()


def hold(status: int, sent: dict[bytes, bytes], body: bytes, asked: object) -> None:
    assert status < 500, (status, body, asked)
    assert len(sent[b"x-request-id"]) == 16
    if status == 304:
        assert body == b""
        return
    assert sent[b"content-type"].endswith(b"json; charset=utf-8")
    answer = json.loads(body)
    for error in answer.get("errors", ()):
        assert error["extensions"]["code"] in {code.code for code in CODES}
        assert error["extensions"]["requestId"].encode() == sent[b"x-request-id"]
        for word in INSIDE:
            assert word not in error["message"].lower(), error
    assert ("data" in answer) != ("errors" in answer)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(method=st.sampled_from(["POST", "POST", "GET", "PUT"]), body=bodies, more=headers)
def test_broken_bodies_and_headers_are_mistakes_of_the_caller(
    wire: Wire, method: str, body: bytes, more: list[tuple[bytes, bytes]]
) -> None:
    hold(*wire.send(method, body, b"", more), (body, more))


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ask=asks, rest=st.binary(max_size=20), more=headers)
def test_broken_addresses_are_mistakes_of_the_caller(
    wire: Wire, ask: dict[str, Any], rest: bytes, more: list[tuple[bytes, bytes]]
) -> None:
    pairs = {
        name: value if isinstance(value, str) else json.dumps(value, default=str)
        for name, value in ask.items()
        if not isinstance(value, str) or value.isprintable()
    }
    address = urlencode(pairs, errors="replace").encode() + b"&" + rest
    hold(*wire.send("GET", b"", address, more), (address, more))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(credential=st.binary(max_size=60) | st.sampled_from(VALUES))
def test_broken_credentials_open_nothing(wire: Wire, credential: bytes) -> None:
    for name in (b"authorization", b"x-api-key"):
        status, sent, body = wire.send("POST", b'{"query": "{ __typename }"}', b"", [(name, credential)], has_key=False)
        assert status == 401
        hold(status, sent, body, credential)


def test_deeply_nested_variables_are_refused_and_not_a_fault(wire: Wire) -> None:
    deep = '{"not": ' * 900 + "{}" + "}" * 900
    query = "query($w: PortfolioWhere) { portfolios(where: $w) { totalCount } }"
    body = json.dumps({"query": query}).encode()[:-1] + b', "variables": {"w": ' + deep.encode() + b"}}"
    hold(*wire.send("POST", body, b"", []), "nested")


def test_whoever_hangs_up_before_the_body_is_complete_gets_nothing(wire: Wire) -> None:
    incoming = [{"type": "http.request", "body": b"{", "more_body": True}, {"type": "http.disconnect"}]
    sent: list[Any] = []

    async def receive() -> Any:
        return incoming.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/graphql",
        "query_string": b"",
        "headers": [(b"content-type", b"application/json"), (b"x-api-key", wire._key.encode())],
    }
    wire._loop.run_until_complete(wire._app(scope, receive, send))
    assert sent == []
