"""ETags: the same answer is not sent twice, and a changed one never taken for the same."""

from __future__ import annotations

import json
from typing import Any

import httpx
import psycopg
import pytest

from fulcrum.entitlements.principals import RowScope, set_scope
from fulcrum.entitlements.rights import EVERYTHING, Mask, Rights
from fulcrum.graph.caching import is_held, is_published_only, tag_of_version
from fulcrum.graph.wire import Wires
from tests.factories.access import make_key
from tests.factories.graph_story import DAY
from tests.factories.graph_world import GraphWorld
from tests.integration.graph.conftest import Asked

ONE = "query($code: String!) { portfolio(code: $code) { code name } }"
LIST = "{ clients { totalCount nodes { code } } }"


def get(asked: Asked, query: str, variables: dict[str, Any] | None = None, **headers: str) -> httpx.Response:
    parameters = {"query": query, "variables": json.dumps(variables or {})}
    sent = {"X-API-Key": asked.key} | {name.replace("_", "-"): value for name, value in headers.items()}
    return asked.request("GET", "/graphql", params=parameters, headers=sent)


def test_an_answer_that_still_holds_is_not_sent_again(asked: Asked, world: GraphWorld) -> None:
    first = get(asked, LIST)
    assert first.status_code == 200
    assert first.headers["cache-control"] == "private, no-cache"
    assert first.headers["vary"] == "accept, authorization, x-api-key"
    for held in (first.headers["etag"], f'"x", W/{first.headers["etag"]}', "*"):
        again = get(asked, LIST, if_none_match=held)
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"]
    assert get(asked, LIST, if_none_match='"x"').content == first.content
    world.publish("core.client", DAY)
    world.connection.commit()
    changed = get(asked, LIST, if_none_match=first.headers["etag"])
    assert changed.status_code == 200
    assert changed.headers["etag"] != first.headers["etag"]


@pytest.mark.usefixtures("world")
def test_every_way_to_ask_the_same_gives_the_same_bytes(asked: Asked) -> None:
    body = {"query": ONE, "variables": {"code": "P1"}}
    posted = [
        asked.request("POST", "/graphql", json=body, headers={"X-API-Key": asked.key, "Accept": accept})
        for accept in ("application/json", "application/graphql-response+json")
    ]
    got = get(asked, ONE, {"code": "P1"})
    assert {answer.content for answer in (*posted, got)} == {got.content}
    assert len({answer.headers["x-request-id"] for answer in (*posted, got)}) == 3
    assert all("etag" not in answer.headers for answer in posted)


@pytest.mark.usefixtures("world")
def test_the_statement_does_not_run_for_what_the_caller_holds(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    etag = get(asked, LIST).headers["etag"]
    ran: list[bytes] = []
    fetch = Wires.fetch_row

    async def counted(self: Wires, name: bytes, *more: Any, **options: Any) -> Any:
        ran.append(name)
        return await fetch(self, name, *more, **options)

    monkeypatch.setattr(Wires, "fetch_row", counted)
    assert get(asked, LIST, if_none_match=etag).status_code == 304
    assert ran == [b"state"]


def test_variables_dates_and_rights_make_other_tags(
    asked: Asked, world: GraphWorld, connection: psycopg.Connection[Any]
) -> None:
    narrow = make_key(connection, "narrow", scope=RowScope("few", client_codes=("C1",)))
    masked = make_key(connection, "masked", roles=("partner",))
    named = "{ clients { nodes { code name } } }"
    answers = [
        get(asked, ONE, {"code": "P1"}),
        get(asked, ONE, {"code": "P2"}),
        get(asked, LIST),
        get(asked, '{ clients(asOf: "2026-01-04") { totalCount nodes { code } } }'),
        get(asked, '{ clients(knownAt: "2026-01-05T09:30:00Z") { totalCount nodes { code } } }'),
        get(asked, LIST, x_api_key=narrow),
        get(asked, named),
        get(asked, named, x_api_key=masked),
    ]
    assert [answer.status_code for answer in answers] == [200] * len(answers)
    assert len({answer.headers["etag"] for answer in answers}) == len(answers)
    assert world.publications > 1


@pytest.mark.usefixtures("world")
def test_rows_given_to_or_taken_from_a_caller_change_the_tag(asked: Asked, connection: psycopg.Connection[Any]) -> None:
    key = make_key(connection, "narrow", scope=RowScope("few"))
    before = get(asked, LIST, x_api_key=key)
    assert before.json()["data"]["clients"]["totalCount"] == 0
    set_scope(connection, RowScope("few", is_whole_house=True))
    connection.commit()
    after = get(asked, LIST, x_api_key=key, if_none_match=before.headers["etag"])
    assert after.status_code == 200
    assert after.json()["data"]["clients"]["totalCount"] > 0


def test_what_changes_between_publications_is_compared_by_its_bytes(asked: Asked, world: GraphWorld) -> None:
    query = "{ deliveries { nodes { fileName outcome } } }"
    first = get(asked, query)
    assert get(asked, query, if_none_match=first.headers["etag"]).status_code == 304
    world.connection.execute("update governance.delivery set outcome = 'restated'")
    world.connection.commit()
    changed = get(asked, query, if_none_match=first.headers["etag"])
    assert (changed.status_code, changed.headers["etag"] != first.headers["etag"]) == (200, True)


def test_introspection_and_errors(asked: Asked) -> None:
    schema = get(asked, "{ __schema { queryType { name } } }")
    assert get(asked, "{ __schema { queryType { name } } }", if_none_match=schema.headers["etag"]).status_code == 304
    wrong = get(asked, "{ nope }")
    assert "etag" not in wrong.headers
    assert wrong.headers["cache-control"] == "no-store"


def test_tags_depend_on_every_part() -> None:
    narrow = Rights("a", (), 7)
    tags = {
        tag_of_version(b"s", [b"1", b"2"], EVERYTHING, [b"5"]),
        tag_of_version(b"t", [b"1", b"2"], EVERYTHING, [b"5"]),
        tag_of_version(b"s", [b"12", None], EVERYTHING, [b"5"]),
        tag_of_version(b"s", [b"1", b"2"], EVERYTHING, [b"6"]),
        tag_of_version(b"s", [b"1", b"2"], narrow, [b"5"]),
        tag_of_version(b"s", [b"1", b"2"], Rights("a", (), 7, {"core.client.name": Mask.FULL}), [b"5"]),
        tag_of_version(b"s", [b"2"], EVERYTHING, [b"5", b"1"]),
    }
    assert len(tags) == 7
    assert tag_of_version(b"s", [], narrow, []) == tag_of_version(b"s", [], Rights("b", ("x",), 7), [])
    assert not is_held(b'"a"', b'"b", *')
    assert is_published_only("select 1 from core.client c, governance.publication p")
    for table in ("governance.delivery", "quality.validation", "governance.publication_note"):
        assert not is_published_only(f"select 1 from {table}")
