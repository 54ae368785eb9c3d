"""What the API says over HTTP: keys, limits, errors with stable codes, and nothing of the inside."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import psycopg
import pytest

from fulcrum.entitlements.keys import create_key, list_keys, revoke_keys
from fulcrum.errors import QueryError, UnsafeRoleError
from fulcrum.graph.app import create_app
from fulcrum.graph.limits import Limits
from fulcrum.settings import Settings
from tests.factories.access import make_key
from tests.integration.graph.conftest import Asked

QUERY = {"query": "{ clients { totalCount } }"}


def test_without_a_known_key_nothing_is_answered(asked: Any, connection: psycopg.Connection[Any]) -> None:
    revoked, expired = make_key(connection, "gone"), make_key(connection, "old")
    assert revoke_keys(connection, "gone") == 1
    connection.execute(
        "update governance.api_key set expires_at = now() - interval '1 second' where principal_name = 'old'"
    )
    connection.commit()
    for headers in (
        {},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer fk_wrong"},
        {"Authorization": f"Basic {asked.key}"},
        {"Authorization": f"Bearer {revoked}"},
        {"X-API-Key": expired},
    ):
        answer = asked.request("POST", "/graphql", json=QUERY, headers=headers)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith('Bearer realm="fulcrum"')
        assert answer.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
        assert "data" not in answer.json()
    introspected = asked.request("POST", "/graphql", json={"query": "{ __schema { types { name } } }"})
    assert introspected.status_code == 401
    for headers in ({"Authorization": f"Bearer {asked.key}"}, {"X-API-Key": asked.key}):
        assert asked.request("POST", "/graphql", json=QUERY, headers=headers).json()["data"] == {
            "clients": {"totalCount": 0}
        }


def test_only_the_digest_of_a_key_is_kept(connection: psycopg.Connection[Any]) -> None:
    make_key(connection, "desk")
    connection.execute("delete from governance.api_key")
    key = create_key(connection, " desk ", 5)
    row = connection.execute("select key_sha256, principal_name from governance.api_key").fetchone()
    assert row is not None
    assert key not in row[0]
    assert row[1] == "desk"
    assert [state.principal_name for state in list_keys(connection)] == ["desk"]
    for principal, days in (("desk", 0), ("desk", 367), ("  ", 1)):
        with pytest.raises(QueryError):
            create_key(connection, principal, days)


MISTAKES: tuple[tuple[str, dict[str, Any] | None, str], ...] = (
    ("{ clients { nodes { ", None, "GRAPHQL_PARSE_FAILED"),
    ("{ clients { nodes { nope } } }", None, "GRAPHQL_VALIDATION_FAILED"),
    ("query($n: Int!) { clients(first: $n) { totalCount } }", {"n": "x"}, "BAD_USER_INPUT"),
    ("query($n: Int!) { clients(first: $n) { totalCount } }", {}, "BAD_USER_INPUT"),
    ('{ holdings(asOf: "soon") { totalCount } }', None, "GRAPHQL_VALIDATION_FAILED"),
    ('{ node(id: "Nothing:1") { id } }', None, "BAD_USER_INPUT"),
    ('{ node(id: "Portfolio:x") { id } }', None, "BAD_USER_INPUT"),
    ('{ node(id: "Portfolio:99999999999999999999") { id } }', None, "BAD_USER_INPUT"),
    ("query($i: ID!) { node(id: $i) { id } }", {"i": "Holding:1:2026-13-01:1:"}, "BAD_USER_INPUT"),
    ("query($c: String!) { client(code: $c) { code } }", {"c": "a\x00b"}, "BAD_USER_INPUT"),
    ("query($c: String!) { client(code: $c) { code } }", {"c": "a\ud800b"}, "BAD_REQUEST"),
    ("query A { clients { totalCount } } query B { clients { totalCount } }", None, "BAD_USER_INPUT"),
    ("{ instrument(by: {}) { code } }", None, "BAD_USER_INPUT"),
    ("query($b: InstrumentBy!) { instrument(by: $b) { code } }", {"b": {"isin": "a", "figi": "b"}}, "BAD_USER_INPUT"),
    ("mutation { a }", None, "GRAPHQL_VALIDATION_FAILED"),
    ("{ " + " ".join(f"a{n}: clients {{ totalCount }}" for n in range(21)) + " }", None, "LIMIT_EXCEEDED"),
    ("{ clients { nodes { " + " ".join(f"a{n}: code" for n in range(101)) + " } } }", None, "LIMIT_EXCEEDED"),
    ('{ portfolio(code: "x") ' + "{ parent " * 13 + "{ code }" + " }" * 13 + " }", None, "LIMIT_EXCEEDED"),
    ("{ clients { totalCount } " + "# \n code " * 3000 + "}", None, "LIMIT_EXCEEDED"),
    ("{ " * 1_900, None, "GRAPHQL_PARSE_FAILED"),
    ('{ portfolio(code: "x") ' + "{ parent " * 600 + "{ code }" + " }" * 601, None, "LIMIT_EXCEEDED"),
)


def test_mistakes_get_a_stable_code_and_nothing_of_the_inside(asked: Any) -> None:
    for query, variables, code in MISTAKES:
        body = json.dumps({"query": query, "variables": variables})
        headers = {"X-API-Key": asked.key, "Content-Type": "application/json"}
        answer = asked.request("POST", "/graphql", content=body, headers=headers)
        first = answer.json()["errors"][0]
        assert first["extensions"]["code"] == code, (query[:200], first)
        assert len(first["extensions"]["requestId"]) == 16
        assert "data" not in answer.json()
        for inside in ("Traceback", "select", "psycopg", "core.", "governance"):
            assert inside not in answer.text


def test_query_errors_are_status_400_for_clients_that_speak_graphql_over_http(asked: Any) -> None:
    headers = {"X-API-Key": asked.key, "Accept": "application/graphql-response+json"}
    bad = asked.request("POST", "/graphql", json={"query": "{ nope }"}, headers=headers)
    assert bad.status_code == 400
    assert bad.headers["content-type"] == "application/graphql-response+json; charset=utf-8"
    assert asked.request("POST", "/graphql", json=QUERY, headers=headers).status_code == 200
    plain = asked.request("POST", "/graphql", json={"query": "{ nope }"}, headers={"X-API-Key": asked.key})
    assert plain.status_code == 200


def test_bodies_that_are_no_graphql_request_are_refused(asked: Any) -> None:
    key = {"X-API-Key": asked.key}
    for content, kind, status in (
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"{}", "application/json", 400),
        (b'{"query": 1}', "application/json", 400),
        (b'{"query": "{ a }", "variables": []}', "application/json", 400),
        (b'{"query": "{ a }", "operationName": 3}', "application/json", 400),
        (b"query=1", "application/x-www-form-urlencoded", 415),
        (b" " * 1_000_001, "application/json", 413),
    ):
        answer = asked.request("POST", "/graphql", content=content, headers=key | {"Content-Type": kind})
        assert answer.status_code == status
        assert answer.json()["errors"][0]["extensions"]["code"] == "BAD_REQUEST"
        assert "data" not in answer.json()
    for method in ("PUT", "DELETE", "OPTIONS"):
        wrong = asked.request(method, "/graphql")
        assert (wrong.status_code, wrong.headers["allow"]) == (405, "GET, POST")
    assert asked.request("GET", "/nowhere").json()["errors"][0]["extensions"]["code"] == "NOT_FOUND"


@pytest.mark.parametrize("role", ["postgres", "fulcrum_heir"])
def test_the_api_refuses_to_start_as_a_role_that_bypasses_row_level_security(database: Settings, role: str) -> None:
    assert database.database_url is not None
    with psycopg.connect(database.database_url.get_secret_value(), autocommit=True) as connection:
        known = connection.execute("select from pg_roles where rolname = 'fulcrum_heir'").fetchone()
        if known is None:
            connection.execute("create role fulcrum_heir login in role postgres")
        connection.execute("grant connect on database " + connection.info.dbname + " to fulcrum_heir")
    app = create_app(database, role=role)

    async def start() -> None:
        async with app.router.lifespan_context(app):
            pass

    with pytest.raises(UnsafeRoleError, match="bypasses row-level security"):
        asyncio.run(start())


def test_a_statement_that_takes_too_long_is_ended_and_the_next_one_is_answered(
    database: Settings, connection: psycopg.Connection[Any]
) -> None:
    key = make_key(connection)
    connection.execute(
        "insert into governance.publication select n, now() + n * interval '1 ms', 'delivery', 'f', 't', null,"
        " null, null, 'passed', 0, 0, '' from generate_series(1, 3000) n"
    )
    connection.commit()
    asked = Asked(create_app(database, limits=Limits(statement_seconds=1)), key)
    try:
        slow = (
            "{ publications(first: 1000) { nodes { "
            + " ".join(f"a{n}: trust {{ warnings }} b{n}: trust {{ stalenessDays }}" for n in range(50))
            + " } } }"
        )
        fast = "{ publications(first: 1) { nodes { number } } }"
        connection.execute("begin")
        connection.execute("lock table quality.validation_result in access exclusive mode")
        answer = asked.answer(slow)
        assert answer["errors"][0]["extensions"]["code"] == "TIMEOUT"
        connection.rollback()
        assert asked.data(fast)["publications"]["nodes"] == [{"number": 3000}]
    finally:
        asked.close()


def test_requests_at_once_get_their_own_answers(asked: Any, world: Any) -> None:
    queries = [
        f'{{ x{n}: portfolio(code: "FUND") {{ code }} publications(first: {n}) {{ nodes {{ number }} }} }}'
        for n in range(40)
    ]
    for n, answer in enumerate(asked.together(*queries)):
        assert answer["data"][f"x{n}"] == {"code": "FUND"}
        assert len(answer["data"]["publications"]["nodes"]) == min(n, world.publications)


def test_the_api_comes_back_when_its_connections_are_cut(asked: Any, database: Settings) -> None:
    assert asked.data("{ clients { totalCount } }") == {"clients": {"totalCount": 0}}
    assert database.database_url is not None
    with psycopg.connect(database.database_url.get_secret_value(), autocommit=True) as admin:
        admin.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'fulcrum-api'"
            " and datname = current_database()"
        )
    answers = [asked.answer("{ clients { totalCount } }") for _ in range(3)]
    assert answers[-1]["data"] == {"clients": {"totalCount": 0}}
    assert asked.request("GET", "/healthz").json() == {"status": "ok"}
