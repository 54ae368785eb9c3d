"""Trusted documents: registered by command, checked against schema and rights, found by their id."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner

from fulcrum.cli import app
from fulcrum.entitlements.policy import load_policy
from fulcrum.errors import QueryError
from fulcrum.graph import documents
from fulcrum.graph.app import create_app
from fulcrum.graph.documents import EVERYBODY, document_id
from fulcrum.graph.registration import Candidate, Checker, list_registered, read_candidates, register, retire
from fulcrum.graph.schema import load_graph
from fulcrum.settings import Settings
from tests.factories.access import make_key
from tests.integration.graph.conftest import Asked

TEXT = "query One($code: String!) { client(code: $code) { code } }"


@pytest.fixture
def checker(database: Settings) -> Checker:
    return Checker(load_graph(database.project), load_policy(database))


@pytest.fixture
def strict(database: Settings, connection: psycopg.Connection[Any]) -> Iterator[Asked]:
    running = Asked(create_app(database.model_copy(update={"trusted_documents_only": True})), make_key(connection))
    yield running
    running.close()


def code(answer: Any) -> str:
    return str(answer.json()["errors"][0]["extensions"]["code"])


@pytest.mark.usefixtures("world")
def test_a_registered_document_is_answered_by_get_and_post(asked: Asked, connection: psycopg.Connection[Any]) -> None:
    (wanted,) = register(connection, [TEXT], "tests", "a test")
    connection.commit()
    assert wanted == "sha256:" + hashlib.sha256(TEXT.encode()).hexdigest()
    variables = {"code": "C1"}
    key = {"X-API-Key": asked.key}
    posted = asked.request("POST", "/graphql", json={"documentId": wanted, "variables": variables}, headers=key)
    got = asked.request(
        "GET", "/graphql", params={"documentId": wanted, "variables": json.dumps(variables)}, headers=key
    )
    in_full = asked.request("POST", "/graphql", json={"query": TEXT, "variables": variables}, headers=key)
    assert posted.status_code == got.status_code == 200
    assert "errors" not in posted.json()
    assert posted.content == got.content == in_full.content


def test_an_unknown_id_has_a_stable_code(asked: Asked, connection: psycopg.Connection[Any]) -> None:
    (retired,) = register(connection, [TEXT], "tests", "a test")
    assert retire(connection, retired[:20], None) == 1
    connection.commit()
    headers = {"X-API-Key": asked.key, "Accept": "application/graphql-response+json"}
    for wanted in (retired, "sha256:" + "0" * 64, "sha256:" + "0" * 63, "nothing", "x-mine:1", "sha256:" + "G" * 64):
        answer = asked.request("POST", "/graphql", json={"documentId": wanted}, headers=headers)
        assert (answer.status_code, code(answer)) == (400, "PERSISTED_DOCUMENT_NOT_FOUND")
        assert len(answer.json()["errors"]) == 1
    both = asked.request("POST", "/graphql", json={"documentId": retired, "query": TEXT}, headers=headers)
    assert (both.status_code, code(both)) == (400, "BAD_REQUEST")


def test_a_document_is_for_its_client_only_unless_for_everybody(
    asked: Asked, connection: psycopg.Connection[Any]
) -> None:
    (mine,) = register(connection, [TEXT], "desk", "a test")
    (common,) = register(connection, ["{ __typename }"], EVERYBODY, "a test")
    keys = {name: make_key(connection, name, roles=("analyst",)) for name in ("desk", "other")}
    seen = {
        (name, wanted): "errors"
        not in asked.request(
            "POST", "/graphql", json={"documentId": wanted, "variables": {"code": "C1"}}, headers={"X-API-Key": key}
        ).json()
        for name, key in keys.items()
        for wanted in (mine, common)
    }
    assert seen == {("desk", mine): True, ("desk", common): True, ("other", mine): False, ("other", common): True}


def test_where_only_registered_documents_are_answered_others_are_refused(
    strict: Asked, connection: psycopg.Connection[Any]
) -> None:
    register(connection, [TEXT], "desk", "a test")
    headers = {"X-API-Key": make_key(connection, "desk", roles=("analyst",))}
    registered = strict.request("POST", "/graphql", json={"query": TEXT, "variables": {"code": "C"}}, headers=headers)
    assert "errors" not in registered.json()
    refused = strict.request("POST", "/graphql", json={"query": TEXT + " "}, headers=headers)
    assert (refused.status_code, code(refused)) == (403, "PERSISTED_DOCUMENT_REQUIRED")
    assert strict.data("{ __typename }") == {"__typename": "Query"}  # the key of an administrator may try things out


def test_a_retired_document_is_forgotten_in_time(
    asked: Asked, connection: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "REMEMBERED_SECONDS", 0.0)
    (wanted,) = register(connection, ["{ __typename }"], "tests", "a test")
    connection.commit()
    headers = {"X-API-Key": asked.key}
    assert "errors" not in asked.request("POST", "/graphql", json={"documentId": wanted}, headers=headers).json()
    retire(connection, wanted, "tests")
    connection.commit()
    assert code(asked.request("POST", "/graphql", json={"documentId": wanted}, headers=headers)) == (
        "PERSISTED_DOCUMENT_NOT_FOUND"
    )


@pytest.mark.parametrize(
    ("text", "roles", "words"),
    [
        ("{ nope }", ("administrator",), "nope"),
        ("{ clients {", ("administrator",), "Syntax Error"),
        ('{ portfolio(code: "x") ' + "{ parent " * 13 + "{ code }" + " }" * 13 + " }", ("administrator",), "levels"),
        ("{ __schema { types { name } } }", ("partner",), "schema"),
        ('{ clients(where: {name: {eq: "x"}}) { totalCount } }', ("administrator", "partner"), "masked"),
        ("{ deliveries { nodes { messages } } }", ("administrator", "partner"), "permission"),
        ("query($r: [_Any!]!) { _entities(representations: $r) { __typename } }", ("administrator",), "guessed"),
    ],
)
def test_documents_that_could_not_be_answered_are_not_registered(
    checker: Checker, text: str, roles: tuple[str, ...], words: str
) -> None:
    with pytest.raises(QueryError, match=words) as refused:
        checker.check(Candidate("a.graphql", text), roles)
    assert "a.graphql" in str(refused.value)


APPROVE = "mutation Approve($id: ID!) { approveWaiver(input: { id: $id }) { waiver { state } } }"


def test_a_mutation_is_registered_for_who_may_decide_and_answered_by_its_id(
    asked: Asked, connection: psycopg.Connection[Any], checker: Checker
) -> None:
    candidate = Candidate("approve.graphql", APPROVE, {"id": "Waiver:1"})
    assert checker.check(candidate, ("risk_officer",)) == ("Approve",)
    with pytest.raises(QueryError, match="decide"):
        checker.check(candidate, ("analyst",))
    (wanted,) = register(connection, [APPROVE], "tests", "a test")
    connection.commit()
    sent = {"documentId": wanted, "variables": {"id": "Waiver:99"}}
    key = {"X-API-Key": asked.key}
    answer = asked.request("POST", "/graphql", json=sent, headers=key)
    assert answer.json()["errors"][0]["extensions"]["reason"] == "UNKNOWN"
    got = asked.request(
        "GET", "/graphql", params={"documentId": wanted, "variables": '{"id": "Waiver:99"}'}, headers=key
    )
    assert got.status_code == 405


def test_variables_are_guessed_or_taken_from_the_example_beside_the_document(checker: Checker, tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.graphql").write_text("query A($id: ID!) { node(id: $id) { ... on Portfolio { code } } }")
    (tmp_path / "b.graphql").write_text("query B($b: InstrumentBy!) { instrument(by: $b) { code } }")
    (tmp_path / "b.json").write_text('{"b": {"isin": "US0378331005"}}')
    (tmp_path / "manifest.json").write_text(json.dumps({"any": TEXT}))
    found = read_candidates([tmp_path, tmp_path / "manifest.json"])
    assert [checker.check(candidate, ["administrator"]) for candidate in found] == [("B",), ("A",), ("One",)]
    with pytest.raises(QueryError, match="no document"):
        read_candidates([])
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(QueryError, match=r"broken\.json"):
        read_candidates([tmp_path / "broken.json"])


def test_the_commands_register_list_and_retire(
    database: Settings, connection: psycopg.Connection[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert database.database_url is not None
    monkeypatch.setenv("FULCRUM_DATABASE_URL", database.database_url.get_secret_value())
    monkeypatch.setenv("FULCRUM_HOME", str(database.home))
    make_key(connection, "desk", roles=("analyst",))
    (tmp_path / "good.graphql").write_text(TEXT)
    (tmp_path / "bad.graphql").write_text("{ nope }")
    runner = CliRunner()

    def run(*words: str) -> tuple[int, Any]:
        result = runner.invoke(app, ["documents", *words, "--json"])
        return result.exit_code, json.loads(result.stdout)

    assert run("register", str(tmp_path), "--client", "desk")[0] == 1
    assert list_registered(connection) == []
    assert run("register", str(tmp_path / "good.graphql"), "--client", "nobody")[0] == 1
    status, done = run("register", str(tmp_path / "good.graphql"), "--client", "desk", "--by", "build 7")
    assert (status, done["roles"], done["documents"][0]["document_id"]) == (0, ["analyst"], document_id(TEXT))
    assert [(each["client"], each["operations"], each["state"]) for each in run("list")[1]["documents"]] == [
        ("desk", ["One"], "active")
    ]
    assert run("retire", "sha256:123")[0] == 1
    assert run("retire", document_id(TEXT), "--client", "other") == (1, {"retired": 0})
    assert run("retire", document_id(TEXT)) == (0, {"retired": 1})
    run("register", str(tmp_path / "good.graphql"), "--client", "desk")
    assert [each.is_active for each in list_registered(connection)] == [True]
