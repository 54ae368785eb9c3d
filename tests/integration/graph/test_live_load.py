"""Many publish at once, many listen, some too slowly: nobody gets a gap, and nothing piles up."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack
from typing import Any

import httpx
import psycopg

from fulcrum.graph.app import create_app
from fulcrum.graph.live.hub import LiveLimits
from fulcrum.settings import Settings
from fulcrum.warehouse import engine
from fulcrum.warehouse.publications import Publication, next_publication, record_publication
from tests.factories.access import make_key
from tests.factories.graph_world import GraphWorld
from tests.integration.graph.conversing import PUBLICATIONS, talking
from tests.integration.graph.serving import served
from tests.integration.graph.test_live import judged

PUBLISHERS, EACH, FOLLOWERS = 4, 15, 3


def publish_some(database: Settings, feed: str) -> None:
    """As `publish` does: the number under the lock, the row as the last act."""
    with engine.connect(database) as connection:
        for n in range(EACH):
            number = next_publication(connection)
            if n % 3 == 2:  # a publication that fails leaves no gap
                connection.rollback()
                continue
            record_publication(
                connection,
                Publication(number, "delivery", feed, "core.price", (None, None), None, "passed", 1, 0, "d"),
            )
            connection.commit()


def test_whoever_listens_hears_every_number_once_and_in_order(
    database: Settings, connection: psycopg.Connection[Any]
) -> None:
    key = make_key(connection)
    expected = list(range(1, PUBLISHERS * EACH * 2 // 3 + 1))
    with served(create_app(database)) as address:
        heard: list[list[int]] = [[] for _ in range(FOLLOWERS)]

        def follow(mine: list[int]) -> None:
            with talking(address) as talk:
                talk.initialise(key)
                talk.subscribe(PUBLICATIONS, {"since": 0})
                mine += talk.numbers(len(expected))

        threads = [threading.Thread(target=follow, args=(mine,)) for mine in heard]
        threads += [
            threading.Thread(target=publish_some, args=(database, f"feed_{place}")) for place in range(PUBLISHERS)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    assert heard == [expected] * FOLLOWERS


def test_quality_events_of_concurrent_deliveries_have_no_gap(
    database: Settings, connection: psycopg.Connection[Any]
) -> None:
    def judge_some(feed: str) -> None:
        with engine.connect(database) as own:
            for _ in range(10):
                judged(own, feed, "blocked", "blocked")

    threads = [threading.Thread(target=judge_some, args=(f"feed_{place}",)) for place in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    rows = connection.execute("select event_id from quality.event order by event_id").fetchall()
    assert [number for (number,) in rows] == list(range(1, 41))


def test_a_caller_that_takes_nothing_is_disconnected_and_resumes(
    database: Settings, connection: psycopg.Connection[Any]
) -> None:
    key, world = make_key(connection), GraphWorld(connection)
    for _ in range(70):  # over what the buffers of two sockets hold (37 MB)
        world.publish("core.price", None)
    connection.execute("update governance.publication set digest = repeat('x', 900000)")
    connection.commit()
    limits = LiveLimits(send_seconds=1.0, ping_seconds=60.0)
    with served(create_app(database, live_limits=limits)) as address:
        with talking(address) as talk:
            talk.initialise(key)
            talk.subscribe("subscription { publications(sincePublication: 0) { number digest } }")
            time.sleep(6)
            seen = talk.rest()[-1]["payload"]["data"]["publications"]["number"]
        assert 0 < seen < 70
        headers = {"X-API-Key": key, "Accept": "text/event-stream", "Last-Event-ID": str(seen)}
        url, query = f"http://{address}/graphql/stream", "subscription { publications { number } }"
        with httpx.stream("GET", url, params={"query": query}, headers=headers, timeout=10) as answer:
            told = []
            for line in answer.iter_lines():
                if line.startswith("id: "):
                    told.append(int(line[4:]))
                if len(told) == 70 - seen:
                    break
        assert told == list(range(seen + 1, 71))


def test_subscriptions_are_bounded_by_connection_and_principal(
    database: Settings, connection: psycopg.Connection[Any]
) -> None:
    key = make_key(connection)
    limits = LiveLimits(per_connection=3, per_principal=4, connections_per_principal=2)
    with served(create_app(database, live_limits=limits)) as address, ExitStack() as held:
        talks = [held.enter_context(talking(address)) for _ in range(3)]
        for talk in talks[:2]:
            talk.initialise(key)
        talks[2].send(type="connection_init", payload={"apiKey": key})
        assert talks[2].code()[0] == 4403
        for name in ("a", "b", "c"):
            talks[0].subscribe(PUBLICATIONS, name=name)
        assert talks[0].silent()
        talks[0].subscribe(PUBLICATIONS, name="d")
        assert talks[0].code()[0] == 4400
        time.sleep(0.2)
        for name in ("a", "b", "c"):
            talks[1].subscribe(PUBLICATIONS, name=name)
        assert talks[1].silent()
        url, headers = f"http://{address}/graphql/stream", {"X-API-Key": key}
        with httpx.stream("POST", url, json={"query": PUBLICATIONS}, headers=headers, timeout=10) as one:
            assert one.status_code == 200
            over = httpx.post(url, json={"query": PUBLICATIONS}, headers=headers)
            assert (over.status_code, over.json()["errors"][0]["extensions"]["code"]) == (429, "TOO_MANY_REQUESTS")
