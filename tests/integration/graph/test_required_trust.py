"""`requireTrust`: an answer that rests on what its caller does not want is refused as a whole, on every way."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from fulcrum.graph.app import create_app
from fulcrum.settings import Settings
from tests.factories.access import make_key
from tests.factories.graph_story import DAY
from tests.factories.graph_world import GraphWorld
from tests.integration.graph.conftest import Asked
from tests.integration.graph.test_entities_trust import waive

WAYS = ("compiled", "ordinary")


class Story:
    """The story of `graph_story`, whose prices were published under a waiver that ends a day later."""

    def __init__(self, asked: Asked, connection: psycopg.Connection[Any]) -> None:
        self.asked, self.connection = asked, connection
        row = connection.execute(
            "select min(publication_id) from governance.publication where target = 'core.price'"
        ).fetchone()
        assert row is not None
        self.prices = int(row[0])
        self.waiver = waive(connection, self.prices)

    def code(self, query: str, demand: str | None, **variables: Any) -> str | None:
        """The code of the refusal of `query`, in which TRUST stands for the argument; None: it is answered."""
        argument = "" if demand is None else f"requireTrust: {demand}"
        answer = self.asked.answer(
            query.replace("(TRUST)", f"({argument})" if argument else "").replace("TRUST", argument), variables
        )
        if "errors" not in answer:
            return None
        assert "data" not in answer
        return str(answer["errors"][0]["extensions"]["code"])


@pytest.fixture(params=WAYS)
def story(
    request: pytest.FixtureRequest, database: Settings, world: GraphWorld, connection: psycopg.Connection[Any]
) -> Iterator[Story]:
    assert world.publications
    running = Asked(create_app(database, is_ordinary_only=request.param == "ordinary"), make_key(connection))
    yield Story(running, connection)
    running.close()


RESTING = {
    "a price": "{ prices(TRUST) { nodes { price } } }",
    "an edge": "{ prices(TRUST) { edges { node { price } } } }",
    "a valuation": '{ portfolio(code: "FUND", TRUST) { valuations { nodes { marketValueBase } } } }',
    "a nav": '{ portfolio(code: "FUND", TRUST) { nav { navBase } } }',
    "a name beside it": '{ portfolio(code: "FUND", TRUST) { nav { __typename } } }',
    "a count": "{ prices(TRUST) { totalCount } }",
    "pages of it": "{ prices(page: { number: 1, size: 1 }, TRUST) { pageInfo { pageCount } } }",
    "a sum": "{ prices(TRUST) { aggregate { max { volume } } } }",
    "groups": "{ prices(TRUST) { groups(by: [SOURCE_CODE]) { key { sourceCode } count } } }",
    "a history": "{ prices(TRUST) { nodes { history { nodes { price } } } } }",
    "an exposure": '{ portfolio(code: "FUND", TRUST) { exposure(by: CURRENCY) { nodes { valueBase } } } }',
    "wealth": '{ client(code: "C-1", TRUST) { wealth { amount } } }',
    "another field": '{ portfolio(code: "FUND", TRUST) { name } prices { nodes { price } } }',
    "an alias that is dear to nobody": "{ it: prices(TRUST) { n: nodes { p: price } } }",
}
CLEAN = {
    "holdings": "{ holdings(TRUST) { totalCount nodes { quantity } aggregate { count } } }",
    "entities": '{ portfolio(code: "FUND", TRUST) { name holdings { nodes { quantity instrument { name } } } } }',
    "nothing": '{ portfolio(code: "none", TRUST) { nav { navBase } } }',
    "prices of a day without any": '{ prices(asOf: "2020-01-01", TRUST) { totalCount nodes { price } } }',
    "the desk": "{ exceptions(TRUST) { totalCount nodes { state } } }",
}


@pytest.mark.parametrize("query", RESTING.values(), ids=RESTING.keys())
def test_what_rests_on_a_waiver_is_refused_where_clean_is_demanded(story: Story, query: str) -> None:
    assert story.code(query, "CLEAN") == "NOT_TRUSTED"
    assert story.code(query, "WAIVED") is None, "the waiver is in force on the business date"
    assert story.code(query, "ANY") is None
    assert story.code(query, None) is None


@pytest.mark.parametrize("query", CLEAN.values(), ids=CLEAN.keys())
def test_what_rests_on_nothing_else_than_clean_files_is_answered(story: Story, query: str) -> None:
    assert story.code(query, "CLEAN") is None
    assert story.code(query, "WAIVED") is None


def test_the_refusal_names_what_it_rests_on(story: Story) -> None:
    answer = story.asked.answer("{ prices(requireTrust: CLEAN) { nodes { price } } }")
    (error,) = answer["errors"]
    until = str(DAY + dt.timedelta(days=1))
    assert f"waiver {story.waiver} of price.jump (house_prices, approved, until {until})" in error["message"]
    assert error["extensions"]["requireTrust"] == "CLEAN"
    assert {
        "publication": story.prices,
        "feed": "house_prices",
        "verdict": "waived",
        "waiver": story.waiver,
        "ruleId": "price.jump",
        "state": "approved",
        "until": until,
    } in error["extensions"]["restsOn"]


def test_a_waiver_that_is_over_or_was_ended_refuses_again(story: Story) -> None:
    later = DAY + dt.timedelta(days=2)
    query = f'{{ portfolio(code: "FUND", asOf: "{DAY}", TRUST) {{ nav {{ navBase }} }} }}'
    assert story.code(query, "WAIVED") is None
    old = f'{{ instruments(asOf: "{later}", TRUST) {{ nodes {{ latestPrice {{ price }} }} }} }}'
    assert story.code(old, None) is None
    assert story.code(old, "WAIVED") == "NOT_TRUSTED", "the price of a day before stands on a later one"
    story.connection.execute(
        "update quality.waiver set state = 'ended', ended_by = 'bob', ended_at = now(), end_comment = 'x'"
    )
    story.connection.commit()
    assert story.code(query, "WAIVED") == "NOT_TRUSTED"
    answer = story.asked.answer(query.replace("TRUST", "requireTrust: WAIVED"))
    assert "ended" in answer["errors"][0]["message"]


@pytest.mark.parametrize("way", WAYS)
def test_an_overridden_value_is_not_clean(
    database: Settings, world: GraphWorld, connection: psycopg.Connection[Any], way: str
) -> None:
    assert world.publications
    connection.execute("update governance.publication set feed = 'override_prices' where target = 'core.price'")
    connection.commit()
    running = Asked(create_app(database, is_ordinary_only=way == "ordinary"), make_key(connection))
    try:
        assert running.code("{ prices(requireTrust: CLEAN) { nodes { price } } }") == "NOT_TRUSTED"
        assert running.data("{ prices(requireTrust: WAIVED) { nodes { price } } }")["prices"]["nodes"]
    finally:
        running.close()


def test_one_operation_has_one_demand(story: Story) -> None:
    query = "{ holdings(requireTrust: CLEAN) { totalCount } prices(requireTrust: WAIVED) { totalCount } }"
    assert story.code(query, None) == "BAD_USER_INPUT"
    by_variable = "query($t: RequireTrust) { prices(requireTrust: $t) { totalCount } }"
    assert story.code(by_variable, None, t="CLEAN") == "NOT_TRUSTED"
    assert story.code(by_variable, None, t="ANY") is None
    assert story.code(by_variable, None) is None


@pytest.mark.parametrize(
    "query",
    [
        '{ prices(TRUST) { aggregate(in: "EUR") { sum { volume } } } }',
        '{ holdings(TRUST) { groups(by: [CURRENCY_CODE], in: "EUR") { count } } }',
        "{ changes(since: { publication: 0 }, TRUST) { navs { nodes { navBaseAfter } } } }",
    ],
)
def test_what_cannot_tell_what_it_rests_on_is_refused_as_a_mistake(story: Story, query: str) -> None:
    assert story.code(query, "CLEAN") == "BAD_USER_INPUT"
    assert story.code(query, None) is None


def test_nodes_by_their_ids_are_held_too(story: Story) -> None:
    ids = [each["id"] for each in story.asked.data("{ prices { nodes { id } } }")["prices"]["nodes"]]
    query = "query($ids: [ID!]!) { nodes(ids: $ids, TRUST) { id } }"
    assert story.code(query, "CLEAN", ids=ids) == "NOT_TRUSTED"
    assert story.code(query, "ANY", ids=ids) is None
    beside = 'query($id: ID!) { node(id: $id) { id } portfolio(code: "FUND", TRUST) { name } }'
    assert story.code(beside, "CLEAN", id=ids[0]) == "NOT_TRUSTED"
    reference = "query($r: [_Any!]!) { _entities(representations: $r, TRUST) { __typename } }"
    sent = [{"__typename": "Price", "id": ids[0]}]
    assert story.code(reference, "CLEAN", r=sent) == "NOT_TRUSTED"


def test_an_export_is_refused_before_its_first_byte(story: Story) -> None:
    def exported(query: str) -> Any:
        key = {"X-API-Key": story.asked.key}
        return story.asked.request("POST", "/export", json={"query": query, "format": "csv"}, headers=key)

    sent = exported("{ prices(requireTrust: CLEAN) { nodes { price } } }")
    assert sent.status_code == 409
    assert sent.json()["errors"][0]["extensions"]["code"] == "NOT_TRUSTED"
    assert exported("{ prices(requireTrust: WAIVED) { nodes { price } } }").status_code == 200
    assert exported("{ holdings(requireTrust: CLEAN) { nodes { quantity instrument { name } } } }").status_code == 200
    beside = "{ holdings(requireTrust: CLEAN) { nodes { quantity instrument { latestPrice { price } } } } }"
    assert exported(beside).status_code == 409, "what stands beside a row counts as the row does"


def test_a_job_of_an_export_fails_with_the_code_and_leaves_no_file(story: Story, database: Settings) -> None:
    key = {"X-API-Key": story.asked.key}

    def ended(demand: str) -> dict[str, Any]:
        query = f"query Out {{ prices(requireTrust: {demand}) {{ nodes {{ price }} }} }}"
        sent = story.asked.request("POST", "/exports", json={"query": query, "format": "parquet"}, headers=key)
        assert sent.status_code == 202, sent.text
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            told: dict[str, Any] = story.asked.request("GET", sent.headers["location"], headers=key).json()
            if told["state"] not in ("queued", "running"):
                return told
        raise AssertionError(told)

    told = ended("CLEAN")
    assert (told["state"], told["error"]["code"]) == ("failed", "NOT_TRUSTED")
    assert told["error"]["message"].startswith(
        f"CLEAN is demanded, and the answer would rest on waiver {story.waiver} "
    )
    assert (told["file"], told["rows"], told["sha256"]) == (None, None, None)
    assert story.asked.request("GET", f"/exports/{told['id']}/file", headers=key).status_code == 404
    assert list((database.home / "exports").iterdir()) == []
    assert ended("WAIVED")["state"] == "done"


def test_an_answer_that_is_held_is_asked_again_when_the_waiver_ends(story: Story) -> None:
    query = {"query": "{ prices(requireTrust: WAIVED) { totalCount } }"}
    key = {"X-API-Key": story.asked.key}
    first = story.asked.request("GET", "/graphql", params=query, headers=key)
    held = key | {"If-None-Match": first.headers["etag"]}
    assert story.asked.request("GET", "/graphql", params=query, headers=held).status_code == 304
    story.connection.execute(
        "update quality.waiver set state = 'ended', ended_by = 'bob', ended_at = now(), end_comment = 'x'"
    )
    story.connection.commit()
    again = story.asked.request("GET", "/graphql", params=query, headers=held)
    assert again.json()["errors"][0]["extensions"]["code"] == "NOT_TRUSTED"
