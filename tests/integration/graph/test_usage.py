"""Usage is recorded per client, operation and field, survives trouble with the warehouse, and can be read."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from collections.abc import Callable, Coroutine
from typing import Any

import httpx
import psycopg
import pytest
from graphql import OperationDefinitionNode, parse
from typer.testing import CliRunner

from fulcrum.cli import app as commands
from fulcrum.errors import WarehouseError
from fulcrum.governance.usage import Usage, compact, read_usage
from fulcrum.graph import usage as recording
from fulcrum.graph.app import create_app
from fulcrum.graph.requested import Requested, askable, requested
from fulcrum.graph.schema import load_graph
from fulcrum.graph.usage import open_usage
from fulcrum.settings import PROJECT_ROOT, Settings
from tests.factories.access import make_key
from tests.factories.graph_world import GraphWorld
from tests.integration.graph.serving import served

HOUR = dt.datetime(2026, 1, 15, 10, tzinfo=dt.UTC)
NAMES = 'query Names($all: Boolean!) { portfolio(code: "FUND") { code ...More @include(if: $all) } }'
DOCUMENT = NAMES + " fragment More on Portfolio { name holdings { nodes { quantity } } }"

Sender = Callable[..., Coroutine[Any, Any, httpx.Response]]


def used(connection: psycopg.Connection[Any]) -> Usage:
    return read_usage(connection, 3650)


def serve(database: Settings, talk: Callable[[Sender], Coroutine[Any, Any, None]]) -> None:
    """Talk to an API that is started for it and ends after it."""

    async def whole() -> None:
        app = create_app(database)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client,
        ):

            async def send(key: str, query: str, **variables: Any) -> httpx.Response:
                body = {"query": query, "variables": variables}
                return await client.post("/graphql", json=body, headers={"X-API-Key": key})

            await talk(send)

    asyncio.run(whole())


def an_operation(name: str = "Names", text: str = "{ a }", *fields: str) -> Requested:
    return Requested(name, text, frozenset(fields))


def test_what_clients_asked_for_is_in_the_warehouse_when_the_api_has_ended(
    database: Settings, connection: psycopg.Connection[Any], world: GraphWorld
) -> None:
    assert world
    first, second = make_key(connection, "first"), make_key(connection, "second")

    async def talk(send: Sender) -> None:
        for everything in (True, False, False):
            assert "errors" not in (await send(first, DOCUMENT, all=everything)).json()
        await send(second, "{ portfolios { totalCount } }")
        await send(second, "{ absent }")
        await send("fk_nobody", "{ portfolios { totalCount } }")

    serve(database, talk)
    found = used(connection)
    counted = {use.name: (use.executions, use.clients, use.operations) for use in found.fields}
    assert counted == {
        "Query.portfolio": (3, ("first",), ("Names",)),
        "Portfolio.code": (3, ("first",), ("Names",)),
        "Portfolio.name": (1, ("first",), ("Names",)),
        "Portfolio.holdings": (1, ("first",), ("Names",)),
        "HoldingConnection.nodes": (1, ("first",), ("Names",)),
        "Holding.quantity": (1, ("first",), ("Names",)),
        "Query.portfolios": (1, ("second",), ("(unnamed)",)),
        "PortfolioConnection.totalCount": (1, ("second",), ("(unnamed)",)),
    }
    assert [(use.client, use.operation, use.executions) for use in found.operations] == [
        ("first", "Names", 3),
        ("second", "", 1),
    ]
    assert found.since is not None
    assert found.since <= found.fields[0].last_used_at <= dt.datetime.now(dt.UTC)


def test_exports_and_subscriptions_are_counted_as_they_begin(
    database: Settings, connection: psycopg.Connection[Any], world: GraphWorld
) -> None:
    assert world
    headers = {"X-API-Key": make_key(connection, "first")}
    exported = {"query": "query Out { holdings { nodes { quantity } } }", "format": "csv"}
    followed = {"query": "subscription Told { publications(sincePublication: 0) { number } }"}
    with served(create_app(database)) as address, httpx.Client(base_url=f"http://{address}", headers=headers) as client:
        assert client.post("/export", json=exported).status_code == 200
        with client.stream("POST", "/graphql/stream", json=followed, timeout=10) as stream:
            told = next(line for line in stream.iter_lines() if line.startswith("data:") and len(line) > 6)
    assert '"number":1' in told
    found = {use.name: use.operations for use in used(connection).fields}
    assert found == {
        "Query.holdings": ("Out",),
        "HoldingConnection.nodes": ("Out",),
        "Holding.quantity": ("Out",),
        "Subscription.publications": ("Told",),
        "Publication.number": ("Told",),
    }


def test_an_answer_does_not_wait_for_a_warehouse_that_takes_no_record(
    database: Settings, connection: psycopg.Connection[Any], world: GraphWorld, caplog: pytest.LogCaptureFixture
) -> None:
    assert world
    key = make_key(connection, "first")
    with psycopg.connect(_administrator(database), autocommit=True) as administrator:
        administrator.execute("revoke insert, update on governance.usage from fulcrum_api")

    async def talk(send: Sender) -> None:
        assert "errors" not in (await send(key, DOCUMENT, all=True)).json()

    serve(database, talk)
    assert used(connection).fields == ()
    assert "1 executions were not recorded" in caplog.text


def _administrator(database: Settings) -> str:
    assert database.database_url is not None
    return database.database_url.get_secret_value()


def test_counts_wait_until_the_warehouse_takes_them_and_are_written_once(
    database: Settings, connection: psycopg.Connection[Any]
) -> None:
    working = open_usage(database)._connect
    answers = iter([WarehouseError("gone"), None])

    async def connect() -> Any:
        trouble = next(answers)
        if trouble is not None:
            raise trouble
        return await working()

    async def run() -> None:
        usage = recording.Usage(connect)
        asked = an_operation("Names", "x", "Portfolio.code")
        usage.count("first", asked)
        await usage.flush()
        usage.count("first", asked)
        for _ in range(2):
            await usage.flush()
        await usage._hang_up()

    asyncio.run(run())
    assert [(use.name, use.executions) for use in used(connection).fields] == [("Portfolio.code", 2)]


def test_processes_add_to_the_same_hour_and_hours_are_kept_apart(
    database: Settings, connection: psycopg.Connection[Any]
) -> None:
    moment = [HOUR.timestamp() + 1]

    async def run() -> None:
        for fields in (("Portfolio.code", "Portfolio.name"), ("Portfolio.code",), ()):
            usage = recording.Usage(open_usage(database)._connect, now=lambda: moment[0])
            asked = an_operation("Names", "x", *fields)
            usage.count("first", asked)
            usage.count("first", asked)
            if not fields:
                moment[0] += 3600
                usage.count("first", asked)
            await usage.flush()
            await usage._hang_up()

    asyncio.run(run())
    rows = connection.execute(
        "select used_hour, executions, field_counts, last_used_at from governance.usage order by 1"
    ).fetchall()
    second = dt.timedelta(seconds=1)
    later = HOUR + dt.timedelta(hours=1)
    assert rows == [
        (HOUR, 6, {"Portfolio.code": 4, "Portfolio.name": 2}, HOUR + second),
        (later, 1, {}, later + second),
    ]


def test_hours_of_long_ago_become_days_and_nothing_is_lost(connection: psycopg.Connection[Any]) -> None:
    midnight = dt.datetime.now(dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    for days, hour, fields in (
        (9, 0, {"A.x": 1}),
        (9, 5, {"A.x": 2, "A.y": 3}),
        (9, 23, {}),
        (8, 3, {"A.x": 5}),
        (2, 3, {"A.x": 7}),
    ):
        used_hour = midnight - dt.timedelta(days=days) + dt.timedelta(hours=hour)
        connection.execute(
            "insert into governance.usage values (%s, 'first', 'Names', 'x', 10, %s, %s)",
            [used_hour, json.dumps(fields), used_hour + dt.timedelta(minutes=1)],
        )
    before = used(connection)
    for _ in range(2):
        compact(connection)
        rows = connection.execute(
            "select used_hour, executions, field_counts, last_used_at from governance.usage order by 1"
        ).fetchall()
        assert [(midnight - at, times, fields) for at, times, fields, _ in rows] == [
            (dt.timedelta(days=9), 30, {"A.x": 3, "A.y": 3}),
            (dt.timedelta(days=8), 10, {"A.x": 5}),
            (dt.timedelta(days=2, hours=-3), 10, {"A.x": 7}),
        ]
        assert rows[0][3] == midnight - dt.timedelta(days=8, minutes=59)
    after = used(connection)
    assert (after.operations, after.clients) == (before.operations, before.clients)
    assert [(use.name, use.executions) for use in after.fields] == [(use.name, use.executions) for use in before.fields]


def test_memory_is_bounded_by_what_is_counted_together(
    database: Settings, connection: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "MOST_DOCUMENTS", 3)
    monkeypatch.setattr(recording, "_MOST_COUNTED", 5)

    async def run() -> None:
        usage = open_usage(database)
        for number in range(20):
            usage.count("first", an_operation("Names", f"{number}", "Portfolio.code"))
        assert len(usage._counts) <= 5
        await usage.flush()
        await usage._hang_up()

    asyncio.run(run())
    found = used(connection)
    assert [(use.name, use.executions) for use in found.fields] == [("Portfolio.code", 20)]
    assert sorted((use.document, use.executions) for use in found.operations) == [
        ("", 17),
        ("0", 1),
        ("1", 1),
        ("2", 1),
    ]


def test_what_is_beyond_memory_is_told_and_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "MOST_ROWS", 2)

    async def connect() -> Any:
        raise WarehouseError("gone")

    async def run() -> recording.Usage:
        usage = recording.Usage(connect)
        for number in range(5):
            usage.count("first", an_operation("Names", f"{number}"))
        await usage.flush()
        return usage

    assert asyncio.run(run()).lost == 3


def test_a_field_of_an_interface_stands_for_that_of_its_types() -> None:
    graph = load_graph(PROJECT_ROOT)
    text = "query Q($i: ID!) { node(id: $i) { id __typename ... on Portfolio { trust { verdict } } } }"
    operation = parse(text).definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    asked = requested(graph.schema, text, operation, {}, {"i": "x"})
    assert asked.fields == {"Query.node", "Node.id", "Portfolio.trust", "Trust.verdict"}
    known = {field.name: field.aliases for field in askable(graph)}
    assert known["Portfolio.id"] == ("Node.id",)
    assert "PortfolioConnection.nodes" not in known


def test_mutations_subscriptions_and_what_they_answer_with_can_be_asked_for_and_so_be_unused(
    database: Settings, connection: psycopg.Connection[Any], world: GraphWorld
) -> None:
    assert world
    graph = load_graph(PROJECT_ROOT)
    known = {field.name: field.aliases for field in askable(graph)}
    for root in (graph.schema.mutation_type, graph.schema.subscription_type):
        assert root is not None
        assert {f"{root.name}.{name}" for name in root.fields} <= known.keys()
    headers = {"X-API-Key": make_key(connection, "first", roles=["data_engineer"])}
    missing = (
        'mutation Say { commentOnExceptions(input: { ids: ["QualityException:9"], comment: "?" }) { isRepeated } }'
    )
    with served(create_app(database)) as address, httpx.Client(base_url=f"http://{address}", headers=headers) as client:
        answer = client.post("/graphql", json={"query": missing}).json()
    assert answer["errors"][0]["extensions"]["code"] == "DECISION_REFUSED", answer
    unused = used(connection).unused(known)
    assert {"Mutation.resolveExceptions", "Subscription.publications", "ExceptionsPayload.exceptions"} <= set(unused)
    assert {"Mutation.commentOnExceptions", "ExceptionsPayload.isRepeated"}.isdisjoint(unused)


def test_the_command_shows_who_asked_for_what_and_what_nobody_asked_for(
    database: Settings, connection: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run() -> None:
        usage = open_usage(database)
        usage.count("first", an_operation("Names", "ab" * 32, "Portfolio.code", "Node.id"))
        await usage.flush()
        await usage._hang_up()

    asyncio.run(run())
    monkeypatch.setenv("FULCRUM_HOME", str(database.home))
    monkeypatch.setenv("FULCRUM_DATABASE_URL", _administrator(database))
    invoke = CliRunner().invoke
    shown = invoke(commands, ["usage"])
    assert shown.exit_code == 0, shown.output
    assert "Portfolio.code" in shown.output
    assert "first" in shown.output
    assert "abababababab" in invoke(commands, ["usage", "--by", "operation"]).output
    assert "first" in invoke(commands, ["usage", "--by", "client"]).output
    as_json = json.loads(invoke(commands, ["usage", "--json"]).stdout)
    assert {field["name"] for field in as_json["fields"]} == {"Portfolio.code", "Node.id"}
    names = {row["name"] for row in json.loads(invoke(commands, ["usage", "--unused", "--json"]).stdout)["unused"]}
    assert {"Portfolio.name", "Client.email"} <= names
    assert names.isdisjoint({"Portfolio.code", "Portfolio.id"})
    assert "Client.email" in invoke(commands, ["usage", "--unused", "--compact"]).output
    assert connection is not None
