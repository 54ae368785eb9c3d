"""What one client may ask: how often, how much at once, how large; and what it is not told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import psycopg
import pytest

from fulcrum.graph import errors
from fulcrum.graph.app import create_app
from fulcrum.graph.errors import CODES, ApiError, BadRequestError, RateLimitedError, TooManyRequestsError
from fulcrum.graph.http.reading import from_address
from fulcrum.graph.limits import Limits
from fulcrum.graph.rates import Allowance, Rates
from fulcrum.settings import Settings
from tests.factories.access import make_key
from tests.integration.graph.conftest import Asked

QUERY = {"query": "{ __typename }"}


@pytest.fixture
def slow(database: Settings, connection: psycopg.Connection[Any]) -> Iterator[Asked]:
    """The API that lets a client send one request in ten seconds, and two at first."""
    settings = database.model_copy(update={"api_rate": 0.1, "api_burst": 2})
    running = Asked(create_app(settings), make_key(connection))
    yield running
    running.close()


def test_a_client_that_asks_too_often_is_told_when_to_come_back(
    slow: Asked, connection: psycopg.Connection[Any]
) -> None:
    other = make_key(connection, "other")
    headers = {"X-API-Key": slow.key}
    answers = [slow.request("POST", "/graphql", json=QUERY, headers=headers) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    refused = answers[-1]
    assert refused.json()["errors"][0]["extensions"]["code"] == "RATE_LIMITED"
    assert 1 <= int(refused.headers["retry-after"]) <= 10
    assert refused.headers["ratelimit-policy"] == '"client";q=2;w=20'
    assert refused.headers["ratelimit"] == f'"client";r=0;t={refused.headers["retry-after"]}'
    assert slow.request("POST", "/graphql", json=QUERY, headers={"X-API-Key": other}).status_code == 200


def test_the_bucket_fills_with_time() -> None:
    now = 0.0
    rates = Rates(Allowance(per_second=2, burst=3, at_once=100), now=lambda: now)
    for _ in range(3):
        rates.enter("a")
    with pytest.raises(RateLimitedError) as refused:
        rates.enter("a")
    assert refused.value.wait == pytest.approx(0.5)
    rates.enter("b")
    now = 0.5
    rates.enter("a")
    with pytest.raises(RateLimitedError):
        rates.enter("a")
    now = 1_000.0
    for _ in range(3):
        rates.enter("a")
    with pytest.raises(RateLimitedError):
        rates.enter("a")


def test_operations_at_once_are_counted_until_they_end() -> None:
    rates = Rates(Allowance(per_second=0, at_once=2))
    rates.enter("a")
    rates.enter("a")
    with pytest.raises(TooManyRequestsError):
        rates.enter("a")
    rates.enter("b")
    rates.leave("a")
    rates.enter("a")
    rates.leave("nobody")


def test_a_client_that_runs_too_much_at_once_is_refused(
    database: Settings, connection: psycopg.Connection[Any]
) -> None:
    app = create_app(database.model_copy(update={"api_concurrency": 2}))
    asked = Asked(app, make_key(connection))
    running = app.endpoint.rates
    running.enter("tests")
    assert asked.data("{ __typename }") == {"__typename": "Query"}
    running.enter("tests")
    refused = asked.request("POST", "/graphql", json=QUERY, headers={"X-API-Key": asked.key})
    running.leave("tests")
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
    assert refused.json()["errors"][0]["extensions"]["code"] == "TOO_MANY_REQUESTS"
    assert asked.code("{ nope }") == "GRAPHQL_VALIDATION_FAILED"
    assert asked.data("{ __typename }") == {"__typename": "Query"}
    asked.close()


def test_limits_hold_through_fragments_and_for_directives_and_variables(asked: Asked) -> None:
    fragments = "fragment F on Query { " + " ".join(f"a{n}: __typename" for n in range(21)) + " }"
    assert asked.code("{ ...F } " + fragments) == "LIMIT_EXCEEDED"
    assert asked.code("{ __typename " + "@include(if: true) @skip(if: false) " * 26 + "}") in (
        "LIMIT_EXCEEDED",
        "GRAPHQL_VALIDATION_FAILED",
    )
    fields = " ".join(f"a{n}: code @include(if: true)" for n in range(51))
    assert asked.code("{ clients { nodes { " + fields + " } } }") == "LIMIT_EXCEEDED"
    query = "query($c: String!) { client(code: $c) { code } }"
    assert asked.code(query, {"c": "x" * 250_001}) == "BAD_REQUEST"
    with pytest.raises(BadRequestError, match="variables"):
        from_address(urlencode({"query": query, "variables": json.dumps({"c": "x" * 250_001})}).encode(), Limits())


def test_the_schema_is_told_by_role_only(asked: Asked, connection: psycopg.Connection[Any]) -> None:
    partner = make_key(connection, "partner", roles=("partner",))

    def error(query: str, key: str, variables: dict[str, Any] | None = None) -> Any:
        body = {"query": query, "variables": variables}
        return asked.request("POST", "/graphql", json=body, headers={"X-API-Key": key}).json()["errors"][0]

    for query in ("{ __schema { types { name } } }", '{ __type(name: "Client") { name } }', "{ _service { sdl } }"):
        assert error(query, partner)["extensions"]["code"] == "FORBIDDEN"
    mistyped = "{ clients { nodes { cod } } }"
    assert "Did you mean" in error(mistyped, asked.key)["message"]
    assert "Did you mean" not in error(mistyped, partner)["message"]
    for path in ("/graphql/stream", "/exports"):
        sent = {"query": mistyped, "format": "csv"}
        answer = asked.request("POST", path, json=sent, headers={"X-API-Key": partner})
        assert "Did you mean" not in answer.text
    order = "query($o: [ClientOrder!]) { clients(orderBy: $o) { totalCount } }"
    assert "Did you mean" not in error(order, partner, {"o": [{"fielt": "CODE"}]})["message"]


def test_batches_are_refused_with_a_reason(asked: Asked) -> None:
    answer = asked.request("POST", "/graphql", json=[QUERY, QUERY], headers={"X-API-Key": asked.key})
    assert answer.status_code == 400
    assert "batches" in answer.json()["errors"][0]["message"]


def test_get_reads_only(asked: Asked) -> None:
    for query in ("mutation { a }", "query Q { __typename } mutation M { a }"):
        answer = asked.request(
            "GET", "/graphql", params={"query": query, "operationName": "M" if " M " in query else ""},
            headers={"X-API-Key": asked.key},
        )  # fmt: skip
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert asked.request("GET", "/graphql", params={"query": "{ __typename }"}).status_code == 401


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        (None, "application/json"),
        ("*/*", "application/json"),
        ("application/*", "application/json"),
        ("application/graphql-response+json, application/json;q=0.9", "application/graphql-response+json"),
        ("application/json, application/graphql-response+json", "application/graphql-response+json"),
        ("application/json, application/graphql-response+json;q=0.5", "application/json"),
        ("APPLICATION/JSON; charset=utf-8", "application/json"),
        ("text/html, */*;q=0.1", "application/json"),
        ("multipart/mixed;deferSpec=20220824, application/graphql-response+json", "application/graphql-response+json"),
        ("text/html", None),
        ("application/json;q=0", None),
        ("*/*;q=0, application/graphql-response+json", "application/graphql-response+json"),
    ],
)
def test_the_media_type_is_the_one_that_is_wanted_most(asked: Asked, accept: str | None, kind: str | None) -> None:
    headers = {"X-API-Key": asked.key, "Accept": accept or ""}
    answer = asked.request("POST", "/graphql", json=QUERY, headers=headers)
    if kind is None:
        assert answer.status_code == 406
    else:
        assert answer.status_code == 200
        assert answer.headers["content-type"] == f"{kind}; charset=utf-8"


def test_every_code_is_in_the_table_once() -> None:
    def below(cls: type[ApiError]) -> Iterator[type[ApiError]]:
        yield cls
        for child in cls.__subclasses__():
            yield from below(child)

    known = {found.code: found for found in CODES}
    assert len(known) == len(CODES)
    used = list(below(ApiError))
    assert {cls.code for cls in used} == set(known)
    for cls in used:
        if cls not in (ApiError, errors.GraphQLApiError):
            assert str(cls.status) in known[cls.code].status, cls
