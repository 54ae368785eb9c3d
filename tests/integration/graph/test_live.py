"""Subscriptions tell every event once, in order, to those who may see it, over any reconnect."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pytest

from fulcrum.entitlements.principals import RowScope
from fulcrum.graph.app import create_app
from fulcrum.graph.live.hub import LiveLimits
from fulcrum.settings import Settings
from tests.factories.access import make_key
from tests.factories.graph_world import GraphWorld
from tests.integration.graph.conversing import PUBLICATIONS, talking
from tests.integration.graph.serving import free_port, served


@pytest.fixture
def address(database: Settings) -> Iterator[str]:
    with served(create_app(database, live_limits=LiveLimits(init_seconds=1.0, ping_seconds=0.5))) as running:
        yield running


@pytest.fixture
def key(connection: psycopg.Connection[Any]) -> str:
    return make_key(connection)


def publish(world: GraphWorld, target: str = "core.price", feed: str = "house_prices", **more: Any) -> int:
    number = world.publish(target, world.known_at(1).date(), feed=feed, **more)
    world.connection.commit()
    return number


def test_events_arrive_as_they_are_published(address: str, key: str, connection: psycopg.Connection[Any]) -> None:
    world = GraphWorld(connection)
    publish(world)
    with talking(address) as talk:
        talk.initialise(key)
        talk.subscribe(PUBLICATIONS, {"since": 1})
        made = [publish(world) for _ in range(5)]
        assert talk.numbers(5) == made
        talk.send(type="complete", id="1")
        publish(world)
        assert talk.silent()


def test_a_subscriber_resumes_after_a_number_and_filters(
    address: str, key: str, connection: psycopg.Connection[Any]
) -> None:
    world = GraphWorld(connection)
    for n in range(250):
        world.publish("core.price" if n % 2 else "core.fx_rate", None, feed=f"feed_{n % 5}")
    connection.execute("update governance.publication set supersedes = '[1]' where publication_id = 123")
    connection.commit()
    with talking(address) as talk:
        talk.initialise(key)
        talk.subscribe(PUBLICATIONS, {"since": "0"})
        assert talk.numbers(250) == list(range(1, 251))
        talk.subscribe(PUBLICATIONS, {"since": 240, "feeds": ["feed_1", "feed_2"], "targets": ["core.price"]}, "2")
        assert talk.numbers(2) == [242, 248]
        talk.subscribe(PUBLICATIONS, {"since": "3", "restated": True}, "3")
        message = talk.receive()
        assert (message["id"], message["payload"]["data"]["publications"]["isRestatement"]) == ("3", True)
        assert talk.silent()
        talk.subscribe(PUBLICATIONS, {"since": "251"}, "4")
        refused = talk.receive()
        assert (refused["type"], refused["payload"][0]["extensions"]["code"]) == ("error", "BAD_USER_INPUT")


def test_none_is_lost_or_told_twice_over_a_restart(database: Settings, connection: psycopg.Connection[Any]) -> None:
    world, key, port = GraphWorld(connection), make_key(connection), free_port()
    with served(create_app(database), port) as address, talking(address) as talk:
        talk.initialise(key)
        talk.subscribe(PUBLICATIONS, {"since": "0"})
        first = [publish(world) for _ in range(3)]
        assert talk.numbers(3) == first
    missed = [publish(world) for _ in range(4)]
    with served(create_app(database), port) as address, talking(address) as talk:
        talk.initialise(key)
        talk.subscribe(PUBLICATIONS, {"since": str(first[-1])})
        assert talk.numbers(4) == missed
        made = publish(world)
        assert talk.numbers(1) == [made]


def test_none_is_lost_when_the_warehouse_drops_all_connections(
    address: str, key: str, connection: psycopg.Connection[Any]
) -> None:
    world = GraphWorld(connection)
    with talking(address) as talk:
        talk.initialise(key)
        talk.subscribe(PUBLICATIONS, {"since": 0})
        first = publish(world)
        assert talk.numbers(1) == [first]
        with psycopg.connect(connection.info.dsn, user="postgres", autocommit=True) as admin:
            admin.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where datname = current_database() and application_name in ('fulcrum-live', 'fulcrum-api')"
            )
            made = [publish(world) for _ in range(3)]
        assert talk.numbers(3) == made


@pytest.mark.parametrize(
    ("messages", "code", "reason"),
    [
        (["not json"], 4400, "Invalid message"),
        (["[]"], 4400, "Invalid message"),
        (['{"type": "unheard_of"}'], 4400, "Invalid message type"),
        ([b"\x00\x01"], 4400, "Invalid message"),
        (['{"type": "connection_init", "payload": "x"}'], 4400, "Invalid message"),
        (['{"type": "subscribe", "id": "1", "payload": {"query": "{ __typename }"}}'], 4401, "Unauthorized"),
        (['{"type": "connection_init"}'], 4403, "Forbidden"),
        (['{"type": "connection_init", "payload": {"apiKey": "fk_wrong"}}'], 4403, "Forbidden"),
        ([], 4408, "Connection initialisation timeout"),
    ],
)
def test_a_broken_conversation_ends_with_its_code(
    address: str, messages: list[str | bytes], code: int, reason: str
) -> None:
    with talking(address) as talk:
        for message in messages:
            talk.socket.send(message)
        closed = talk.code()
        assert closed[0] == code
        assert str(closed[1]).startswith(reason)


def test_a_second_initialisation_and_a_second_subscriber_end_it(address: str, key: str) -> None:
    with talking(address) as talk:
        talk.initialise(key)
        talk.send(type="connection_init")
        assert talk.code() == (4429, "Too many initialisation requests")
    with talking(address) as talk:
        talk.initialise(key)
        talk.subscribe(PUBLICATIONS, name="same")
        talk.subscribe(PUBLICATIONS, name="same")
        assert talk.code() == (4409, "Subscriber for same already exists")
    with talking(address, "graphql-ws") as talk:
        assert talk.code() == (4406, "Subprotocol not acceptable")


def test_queries_and_mistakes_are_answered_over_the_socket(address: str, key: str) -> None:
    with talking(address) as talk:
        talk.initialise(key)
        talk.subscribe("{ __typename portfolios { nodes { code } } }")
        answer = talk.receive()
        assert (answer["type"], answer["payload"]["data"]) == (
            "next",
            {"__typename": "Query", "portfolios": {"nodes": []}},
        )
        assert talk.receive() == {"type": "complete", "id": "1"}
        for query, code in (
            ("subscription { nothing }", "GRAPHQL_VALIDATION_FAILED"),
            ("subscription { publications { number } qualityEvents { number } }", "GRAPHQL_VALIDATION_FAILED"),
            ("subscription {", "GRAPHQL_PARSE_FAILED"),
            ("subscription { publications @skip(if: true) { number } }", "BAD_USER_INPUT"),
        ):
            talk.subscribe(query)
            refused = talk.receive()
            assert (refused["type"], refused["payload"][0]["extensions"]["code"]) == ("error", code)
        assert talk.silent()


def test_who_may_not_subscribe_is_refused(address: str, connection: psycopg.Connection[Any]) -> None:
    with talking(address) as talk:
        talk.initialise(make_key(connection, "them", roles=["partner"]))
        talk.subscribe(PUBLICATIONS)
        assert talk.receive()["payload"][0]["extensions"]["code"] == "FORBIDDEN"


def test_a_revoked_key_ends_the_conversation(
    address: str, key: str, connection: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fulcrum.graph.identity.REMEMBERED_SECONDS", 0.0)
    with talking(address) as talk:
        talk.initialise(key)
        talk.subscribe(PUBLICATIONS)
        assert talk.silent()
        connection.execute("update governance.api_key set is_revoked = true")
        connection.commit()
        assert talk.code()[0] == 4403


def test_a_caller_of_some_rows_hears_of_publications_that_changed_them(
    address: str, connection: psycopg.Connection[Any]
) -> None:
    world = GraphWorld(connection)
    started = publish(world, "core.portfolio", "house_portfolios")
    day = world.known_at(1).date()
    for code in ("MINE", "THEIRS"):
        portfolio = world.identity("portfolio", code, started)
        world.version("portfolio", portfolio, started, portfolio_kind_code="MANDATE")
        instrument = world.identity("instrument", code, started)
        number = world.publish("core.holding", day, feed=code)
        world.fact(
            "core.holding",
            number,
            portfolio_id=portfolio,
            business_date=day,
            instrument_id=instrument,
            position_code="",
        )
    connection.commit()
    prices = publish(world)
    mine = make_key(connection, "mine", roles=["product_service"], scope=RowScope("mine", portfolio_codes=("MINE",)))
    with talking(address) as talk:
        talk.initialise(mine)
        talk.subscribe(PUBLICATIONS, {"since": "0"})
        assert talk.numbers(3) == [started, started + 1, prices]
        assert talk.silent()
        taken = world.publish("core.holding", day, feed="MINE")
        world.supersede("core.holding", taken, portfolio_id=1)  # the first identity: MINE
        connection.commit()
        publish(world, "core.holding", "THEIRS")
        last = publish(world)
        assert talk.numbers(2) == [taken, last]


EVENTS = "subscription($since: BigInt) { qualityEvents(sinceEvent: $since) { number kind feed ruleIds MORE } }"


def judged(connection: psycopg.Connection[Any], feed: str, outcome: str, verdict: str | None) -> int:
    """A delivery that ended; its number."""
    row = connection.execute(
        "insert into governance.delivery (feed, file_name, sha256, size_bytes, business_date_to)"
        " values (%s, 'f.csv', 'ab', 1, '2026-01-15') returning delivery_id",
        [feed],
    ).fetchone()
    assert row is not None
    if verdict is not None:
        made = connection.execute(
            "insert into quality.validation (delivery_id, suite_name, started_at, finished_at, verdict, rows_judged,"
            " engine_version) values (%s, 's', now(), now(), %s, 1, '1') returning validation_id",
            [row[0], verdict],
        ).fetchone()
        assert made is not None
        connection.execute(
            "insert into quality.validation_result (validation_id, rule_id, rule_version, dimension, severity, level,"
            " owner, status, message) values (%s, 'price.positive', 1, 'accuracy', 'warning', 'row', 'risk', 'failed',"
            " 'Row 3: -1'), (%s, 'price.known', 1, 'accuracy', 'warning', 'row', 'risk', 'passed', '')",
            [made[0], made[0]],
        )
    connection.execute("update governance.delivery set outcome = %s where delivery_id = %s", [outcome, row[0]])
    connection.commit()
    return int(row[0])


def test_what_the_gate_says_is_told(address: str, key: str, connection: psycopg.Connection[Any]) -> None:
    publish(GraphWorld(connection))
    judged(connection, "house_prices", "blocked", "blocked")
    judged(connection, "house_prices", "published", "passed")
    judged(connection, "house_prices", "blocked", "broken")
    judged(connection, "house_prices", "refused", None)
    with talking(address) as talk:
        talk.initialise(key)
        talk.subscribe(EVENTS.replace("MORE", "messages delivery { fileName }"), {"since": 0})
        judged(connection, "house_prices", "restated", "warned")
        found = [talk.receive()["payload"]["data"]["qualityEvents"] for _ in range(4)]
    assert [(each["number"], each["kind"]) for each in found] == [
        (1, "blocked"),
        (2, "broken"),
        (3, "refused"),
        (4, "warned"),
    ]
    assert found[0]["ruleIds"] == ["price.positive"]
    assert found[0]["messages"] == ["Row 3: -1"]
    assert found[2]["ruleIds"] == []


def test_messages_of_the_gate_need_a_permission_and_files_about_clients_the_whole_house(
    address: str, connection: psycopg.Connection[Any]
) -> None:
    world = GraphWorld(connection)
    publish(world)
    publish(world, "core.holding", "house_holdings")
    for feed in ("house_holdings", "never_published", "house_prices"):
        judged(connection, feed, "blocked", "blocked")
    some = make_key(connection, "some", roles=["analyst"], scope=RowScope("none", portfolio_codes=("X",)))
    with talking(address) as talk:
        talk.initialise(some)
        talk.subscribe(EVENTS.replace("MORE", "messages"))
        assert talk.receive()["payload"][0]["extensions"]["code"] == "FORBIDDEN"
        talk.subscribe(EVENTS.replace("MORE", ""), {"since": 0}, "2")
        assert talk.receive()["payload"]["data"]["qualityEvents"]["feed"] == "house_prices"
        assert talk.silent()


class Events:
    """The events of a stream, as a browser would read them."""

    def __init__(self, lines: Iterator[str]) -> None:
        self.lines = lines

    def next(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for line in self.lines:
            if not line and found:
                return found
            name, _, value = line.partition(":")
            if name:
                found[name] = value.removeprefix(" ")
        return found


def test_a_stream_of_events_has_numbers_to_resume_from(
    address: str, key: str, connection: psycopg.Connection[Any]
) -> None:
    world = GraphWorld(connection)
    made = [publish(world) for _ in range(3)]
    headers = {"X-API-Key": key, "Accept": "text/event-stream"}
    url = f"http://{address}/graphql/stream"
    body = {"query": PUBLICATIONS, "variables": {"since": 0}}
    with httpx.stream("POST", url, json=body, headers=headers, timeout=15) as answer:
        assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
        events = Events(answer.iter_lines())
        told = [events.next() for _ in range(3)]
    assert [(each["event"], int(each["id"])) for each in told] == [("next", number) for number in made]
    again = {**headers, "Last-Event-ID": told[1]["id"]}
    with httpx.stream("GET", url, params={"query": PUBLICATIONS}, headers=again, timeout=15) as answer:
        events = Events(answer.iter_lines())
        assert events.next() == told[2]
        last = publish(world)
        assert json.loads(events.next()["data"])["data"]["publications"]["number"] == last


def test_a_stream_tells_mistakes_as_events_and_refusals_as_answers(
    address: str, key: str, connection: psycopg.Connection[Any]
) -> None:
    url, headers = f"http://{address}/graphql/stream", {"X-API-Key": key, "Accept": "text/event-stream"}
    wrong = httpx.post(url, json={"query": "subscription { nothing }"}, headers=headers).text
    assert wrong.startswith('event: next\ndata: {"errors":')
    assert wrong.endswith("\n\nevent: complete\ndata:\n\n")
    asked = httpx.post(url, json={"query": "{ __typename }"}, headers=headers).text
    assert asked.startswith('event: next\ndata: {"data":{"__typename":"Query"}')
    assert asked.endswith("\n\nevent: complete\ndata:\n\n")
    elsewhere = httpx.post(f"http://{address}/graphql", json={"query": PUBLICATIONS}, headers={"X-API-Key": key})
    assert elsewhere.json()["errors"][0]["message"] == "Subscriptions go to /graphql/stream."
    assert httpx.post(url, json={"query": PUBLICATIONS}).status_code == 401
    assert httpx.post(url, json={"query": PUBLICATIONS}, headers={**headers, "Accept": "text/html"}).status_code == 406
    partner = {**headers, "X-API-Key": make_key(connection, "them", roles=["partner"])}
    assert httpx.post(url, json={"query": PUBLICATIONS}, headers=partner).status_code == 403
    bad = {**headers, "Last-Event-ID": "x"}
    assert httpx.post(url, json={"query": PUBLICATIONS}, headers=bad).status_code == 400
