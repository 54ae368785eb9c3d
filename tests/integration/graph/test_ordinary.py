"""The ordinary path answers as the compiled one does: bytes, codes, pages, masks; and when the compiler fails."""

from __future__ import annotations

import asyncio
import dataclasses
import gc
import inspect
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import orjson
import psycopg
import pytest

from fulcrum.entitlements.principals import RowScope
from fulcrum.entitlements.rights import EVERYTHING
from fulcrum.graph.app import create_app
from fulcrum.graph.compiler.operation import compile_operation
from fulcrum.graph.errors import TimedOutError
from fulcrum.graph.limits import Limits
from fulcrum.graph.ordinary.execution import Ordinary
from fulcrum.graph.ordinary.session import Sessions
from fulcrum.graph.plans import Plans
from fulcrum.graph.schema import load_graph
from fulcrum.graph.service import connecting
from fulcrum.settings import Settings
from tests.factories.access import make_key
from tests.factories.graph_world import GraphWorld
from tests.factories.two_houses import DAY, write_two_houses
from tests.integration.graph.conftest import Asked
from tests.integration.graph.everything import questions

WIDE = Limits(fields=20_000, tokens=60_000, depth=30, aliases=1_000, body_bytes=4_000_000, is_cost_measured_only=True)
ROLES = ("administrator", "risk_officer", "data_engineer", "analyst", "partner")
ONE = RowScope("only-one", client_codes=("C-one",))

QUERIES = [
    (
        "{ __typename portfolios { nodes { id code name holdings(first: 3) { edges { cursor node { quantity"
        " instrument { code isin latestPrice { price businessDate } } } } } } totalCount } }"
    ),
    (
        "{ clients(first: 2) { pageInfo { hasNextPage endCursor } nodes { code wealth { currencyCode amount }"
        " trust { verdict warnings waivers { number } } history { nodes { changed validFrom knownAt } } } } }"
    ),
    (
        "{ holdings { aggregate { count } groups(by: [CURRENCY_CODE]) { key { currencyCode } count"
        " sum { marketValue { amount currencyCode } } avg { marketValue { amount } } } } }"
    ),
    "{ holdings { nodes { explain { calculation inputs { label value currencyCode } } } } }",
    (
        '{ holdings(page: { number: 1, size: 2 }) { pageInfo { pageNumber pageCount } aggregate(in: "EUR")'
        " { sum { marketValue { amount } } } } }"
    ),
    '{ nodes(ids: ["Portfolio:1", "Client:99", "Portfolio:1"]) { id ... on Portfolio { code } } }',
    '{ _entities(representations: [{ __typename: "Portfolio", code: "FUND" }]) { ... on Portfolio { name } } }',
    '{ portfolio(code: "FUND") { exposure(by: CURRENCY) { nodes { __typename } } children { totalCount } } }',
    "{ __schema { queryType { name } } portfolios { totalCount } }",
    "{ __schema { queryType { name } } }",
    "{ __typename }",
]
REFUSED = [
    "{ portfolios(first: 1001) { nodes { code } } }",
    "{ portfolios(first: 1, last: 1) { nodes { code } } }",
    '{ portfolios(after: "1:2:3") { nodes { code } } }',
    "{ portfolios(where: { or: [] }) { nodes { code } } }",
    '{ portfolios(where: { name: { search: " " } }) { nodes { code } } }',
    "{ portfolios(where: { name: { gt: null } }) { nodes { code } } }",
    '{ node(id: "Nobody:1") { id } }',
    '{ a: portfolios(asOf: "2026-01-05") { totalCount } b: portfolios(asOf: "2026-01-06") { totalCount } }',
    "{ holdings { groups(by: [CURRENCY_CODE]) { key { portfolioCode } } } }",
    '{ holdings { aggregate(in: "euro") { sum { marketValue { amount } } } } }',
    "{ portfolios(first: 1000) { nodes { holdings(first: 1000) { nodes { id } } } } }",
    "{ nothing }",
    "{",
]


@pytest.fixture
def ordinary(database: Settings, connection: psycopg.Connection[Any]) -> Iterator[Asked]:
    running = Asked(create_app(database, is_ordinary_only=True), make_key(connection))
    yield running
    running.close()


def as_bytes(answer: dict[str, Any]) -> bytes:
    """An answer with its keys in their order; the request id of an error is another one each time."""
    for error in answer.get("errors", []):
        del error["extensions"]["requestId"]
    return orjson.dumps(answer)


@pytest.mark.usefixtures("world")
def test_both_paths_give_the_same_bytes(asked: Asked, ordinary: Asked) -> None:
    for query in QUERIES:
        answer = asked.answer(query)
        assert "errors" not in answer, answer
        assert as_bytes(ordinary.answer(query)) == as_bytes(answer)


@pytest.mark.usefixtures("world")
def test_both_paths_refuse_with_the_same_words(asked: Asked, ordinary: Asked) -> None:
    for query in REFUSED:
        answer = asked.answer(query)
        assert "errors" in answer, query
        assert as_bytes(ordinary.answer(query)) == as_bytes(answer)


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("order", ["", ", orderBy: [NAME_DESC]", ", orderBy: [NAME_ASC]"])
@pytest.mark.parametrize(
    ("size", "cursor", "end"), [("first", "after", "endCursor"), ("last", "before", "startCursor")]
)
def test_cursors_of_one_path_page_on_the_other(
    asked: Asked, ordinary: Asked, order: str, size: str, cursor: str, end: str
) -> None:
    query = (
        f"query($at: String) {{ instruments({size}: 2, {cursor}: $at{order}) {{ nodes {{ code name }}"
        " pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"
    )
    place, seen = None, 0
    while True:
        answers = [one.data(query, {"at": place})["instruments"] for one in (asked, ordinary)]
        assert answers[0] == answers[1]
        seen += len(answers[0]["nodes"])
        if len(answers[0]["nodes"]) < 2:
            break
        place = answers[0]["pageInfo"][end]
    assert seen == asked.data("{ instruments { totalCount } }")["instruments"]["totalCount"]


@pytest.mark.slow
def test_every_field_is_the_same_on_both_paths_for_every_role(
    database: Settings, connection: psycopg.Connection[Any]
) -> None:
    write_two_houses(connection)
    keys = [
        make_key(connection, f"{role}-{scope}", roles=[role], scope=ONE if scope else None)
        for role in ROLES
        for scope in (0, 1)
    ]
    running = [Asked(create_app(database, limits=WIDE, is_ordinary_only=only), "") for only in (False, True)]
    shown, refused = 0, 0
    try:
        for nth, query in enumerate(questions(load_graph().schema, 2)):
            answers = []
            for one in running:
                one.key = keys[nth % len(keys)]  # all questions to all callers would take minutes
                answers.append(as_bytes(one.answer(query)))
            assert answers[0] == answers[1], query
            refused += b'"FORBIDDEN"' in answers[0]
            shown += b'"data"' in answers[0]
    finally:
        for one in running:
            one.close()
    assert shown > 3 * refused > 0


def test_an_operation_sees_one_publication_while_others_come(
    database: Settings, connection: psycopg.Connection[Any]
) -> None:
    world = GraphWorld(connection)
    world.publish("core.portfolio", DAY)
    connection.commit()

    async def numbers() -> list[int]:
        sessions = Sessions(connecting(database, Limits()), load_graph())
        counted = "select count(*) from governance.publication"
        async with sessions.open(EVERYTHING) as session:
            await session.set_clock(None, None, None)
            found = [session.clock.version, (await session.fetch(counted, []))[0][0]]
            world.publish("core.portfolio", DAY)
            connection.commit()
            found.append((await session.fetch(counted, []))[0][0])
        async with sessions.open(EVERYTHING) as session:
            found.append((await session.fetch(counted, []))[0][0])
        await sessions.close()
        return found

    assert asyncio.run(numbers()) == [1, 1, 1, 2]


def test_no_connection_stays_open_after_the_server_stopped_or_a_caller_hung_up(
    database: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[psycopg.AsyncConnection[Any]] = []
    then: Callable[[], object] = bool
    opened = psycopg.AsyncConnection.connect

    async def noted(*given: Any, **named: Any) -> psycopg.AsyncConnection[Any]:
        made.append(await opened(*given, **named))
        asyncio.get_running_loop().call_soon(then)
        return made[-1]

    async def stopped() -> None:
        sessions = Sessions(connecting(database, Limits()), load_graph())
        async with sessions.open(EVERYTHING):
            await sessions.close()

    async def hung_up() -> None:
        nonlocal then
        caller = asyncio.ensure_future(connecting(database, Limits())())
        then = caller.cancel
        with pytest.raises(asyncio.CancelledError):
            await caller

    monkeypatch.setattr(psycopg.AsyncConnection, "connect", noted)
    for way in (stopped, hung_up):
        made.clear()
        asyncio.run(way())
        assert [one.closed for one in made] == [True], way.__name__


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("way", ["raises", "writes what PostgreSQL refuses"])
def test_what_the_compiler_fails_at_is_answered_ordinarily_and_logged_with_its_request(
    asked: Asked, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, way: str
) -> None:
    """A fault is put in: a compiler that is known to fail would have been mended."""
    expected = asked.answer(QUERIES[0])

    def failing(*given: Any) -> Any:
        if way == "raises":
            raise AssertionError("a fault of ours")
        return dataclasses.replace(compile_operation(*given), sql="select nothing")

    monkeypatch.setattr("fulcrum.graph.plans.compile_operation", failing)
    sent = asked.request(
        "POST",
        "/graphql",
        json={"query": f"{QUERIES[0]} # again"},
        headers={"X-API-Key": asked.key},
    )
    assert sent.status_code == 200
    assert as_bytes(sent.json()) == as_bytes(expected)
    (logged,) = [record.getMessage() for record in caplog.records if record.name == "fulcrum.graph"]
    assert sent.headers["x-request-id"] in logged
    assert asked.code("{ portfolios(first: 1001) { nodes { code } } }") == "BAD_USER_INPUT"


@pytest.mark.usefixtures("world")
def test_an_operation_has_one_bound_of_time_however_many_statements_it_takes(
    database: Settings, connection: psycopg.Connection[Any]
) -> None:
    """With a bound of nothing not even the connection is there in time."""
    key = make_key(connection)
    running = Asked(create_app(database, is_ordinary_only=True, limits=Limits(statement_seconds=0)), key)
    assert [running.code(QUERIES[0]) for _ in range(10)] == ["TIMEOUT"] * 10
    running.close()


DEEP = (
    "{ portfolios { nodes { code holdings { nodes { quantity explain { calculation inputs { label } }"
    " instrument { name latestPrice { price } } } aggregate { count sum { marketValue { amount } } } } } }"
    " clients { nodes { code wealth { amount } trust { verdict } } } }"
)


class Running:
    """The ordinary path alone, on the loop of the test; its statements may take longer than an operation."""

    def __init__(self, database: Settings, connection: psycopg.Connection[Any], seconds: int = 60) -> None:
        row = connection.execute("select scope_id from governance.row_scope where is_whole_house").fetchone()
        assert row is not None
        rights = dataclasses.replace(EVERYTHING, scope_id=row[0])
        graph, bounds = load_graph(), dataclasses.replace(WIDE, statement_seconds=seconds)
        self.sessions = Sessions(connecting(database, Limits(statement_seconds=30)), graph)
        parsed, operation = Plans(graph, bounds).query(DEEP, None)
        self._ordinary = Ordinary(graph, self.sessions, bounds)
        self._asked = operation, parsed.fragments, rights

    def ask(self) -> asyncio.Task[bytes]:
        """Ask for the answer."""
        operation, fragments, rights = self._asked
        return asyncio.ensure_future(self._ordinary.answer(operation, fragments, {}, rights))


def has_not_begun(task: asyncio.Task[Any]) -> bool:
    """Whether the task's coroutine has not run yet."""
    return inspect.getcoroutinestate(task.get_coro()) == inspect.CORO_CREATED  # type: ignore[arg-type]


@pytest.mark.usefixtures("world")
def test_an_operation_whose_caller_hangs_up_leaves_no_coroutine_that_never_ran(
    database: Settings, connection: psycopg.Connection[Any], recwarn: pytest.WarningsRecorder
) -> None:
    """Hung up at every turn of the loop at which a coroutine has been made and has not begun."""

    async def hung_up() -> tuple[int, bytes]:
        warnings.simplefilter("always")
        running, times = Running(database, connection), 0
        while True:
            asked, seen = running.ask(), 0
            await asyncio.sleep(0)
            while not asked.done() and seen <= times:
                await asyncio.sleep(0)
                seen += any(has_not_begun(task) for task in asyncio.all_tasks())
            if asked.done():
                await running.sessions.close()
                return times, asked.result()
            asked.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asked
            times += 1

    times, whole = asyncio.run(hung_up())
    gc.collect()
    assert times > 3, "there was no such turn"
    assert b'"quantity"' in whole
    assert [str(one.message) for one in recwarn] == []


@pytest.mark.usefixtures("world")
def test_a_statement_that_waits_ends_with_the_time_of_its_operation(
    database: Settings, connection: psycopg.Connection[Any]
) -> None:
    connection.execute("lock table core.holding in access exclusive mode")

    async def waited() -> tuple[float, bytes]:
        running = Running(database, connection, seconds=1)
        begun = time.monotonic()
        with pytest.raises(TimedOutError):
            await running.ask()
        seconds = time.monotonic() - begun
        connection.rollback()
        answer = await running.ask()
        await running.sessions.close()
        return seconds, answer

    seconds, answer = asyncio.run(waited())
    assert 1 <= seconds < 5, "PostgreSQL itself would have ended it after 30"
    assert b'"quantity"' in answer
