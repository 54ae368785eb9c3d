"""`fulcrum keys` and `fulcrum schema print`, as scripts and people use them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from fulcrum.cli.main import app
from fulcrum.settings import PROJECT_ROOT, Settings


@pytest.fixture
def run(database: Settings, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run a command against `database`."""
    assert database.database_url is not None
    monkeypatch.setenv("FULCRUM_DATABASE_URL", database.database_url.get_secret_value())
    monkeypatch.setenv("FULCRUM_HOME", str(database.home))
    return lambda *arguments: CliRunner().invoke(app, list(arguments))


def test_a_key_is_made_listed_used_and_revoked(run: Any, asked: Any) -> None:
    unknown = run("keys", "create", "desk")
    assert unknown.exit_code == 1
    assert "no active principal 'desk'" in unknown.output + unknown.stderr
    assert run("principals", "set", "desk", "--role", "analyst", "--scope", "house").exit_code == 0
    made = json.loads(run("keys", "create", "desk", "--expires-days", "3", "--json").stdout)
    assert made["principal"] == "desk"
    listed = json.loads(run("keys", "list", "--json").stdout)["keys"]
    assert [(key["principal"], key["state"]) for key in listed] == [("tests", "valid"), ("desk", "valid")]
    assert made["key"] not in json.dumps(listed)
    sent = {"json": {"query": "{ __typename }"}, "headers": {"X-API-Key": made["key"]}}
    assert asked.request("POST", "/graphql", **sent).json()["data"] == {"__typename": "Query"}
    assert json.loads(run("keys", "revoke", "desk", "--json").stdout) == {"revoked": 1}
    again = run("keys", "revoke", "desk")
    assert again.exit_code == 1
    assert "Revoked 0 keys" in again.stdout
    assert "desk" in run("keys", "list").stdout


def test_a_principal_sees_what_its_scope_and_roles_say_until_it_is_ended(run: Any, asked: Any) -> None:
    for words, said in (
        (("principals", "set", "p", "--role", "king"), "Unknown role: king"),
        (("principals", "set", "p", "--role", "partner", "--scope", "moon"), "no row scope 'moon'"),
        (("principals", "set", "p", "--role", "partner", "--kind", "robot"), "not a robot"),
        (("scopes", "set", "house", "--client", "C-1"), "is the whole house"),
    ):
        refused = run(*words)
        assert refused.exit_code == 1
        assert said in refused.output + refused.stderr
    assert run("scopes", "set", "two", "--client", "C-1", "--client", "C-2", "--funds").exit_code == 0
    assert run("principals", "set", "p", "--role", "partner", "--scope", "two", "--kind", "partner").exit_code == 0
    scopes = {each["scope"]: each["sees"] for each in json.loads(run("scopes", "list", "--json").stdout)["scopes"]}
    assert scopes == {"house": "everything", "nothing": "no client's rows", "two": "clients C-1, C-2; funds"}
    listed = json.loads(run("principals", "list", "--json").stdout)["principals"]
    assert {"principal": "p", "kind": "partner", "roles": ["partner"], "scope": "two", "state": "active"} in listed
    key = json.loads(run("keys", "create", "p", "--json").stdout)["key"]
    sent = {"json": {"query": "{ __typename }"}, "headers": {"X-API-Key": key}}
    assert asked.request("POST", "/graphql", **sent).status_code == 200
    assert run("principals", "end", "p").exit_code == 0
    assert run("keys", "create", "p").exit_code == 1
    assert "restricted" in run("policy").stdout


def test_a_key_can_be_narrower_than_its_principal(run: Any) -> None:
    run("principals", "set", "p", "--role", "analyst", "--role", "risk_officer", "--scope", "house")
    assert run("keys", "create", "p", "--role", "analyst").exit_code == 0
    refused = run("keys", "create", "p", "--role", "administrator")
    assert refused.exit_code == 1
    assert "has no role administrator" in refused.output + refused.stderr


def test_a_key_that_lives_too_long_is_wrong_usage(run: Any) -> None:
    assert run("keys", "create", "desk", "--expires-days", "400").exit_code == 2
    assert run("keys", "create", " ").exit_code == 1


def test_the_schema_is_printed_as_it_is_committed(run: Any, tmp_path: Any) -> None:
    committed = (PROJECT_ROOT / "schemas" / "graphql" / "schema.graphql").read_text("utf-8")
    assert run("schema", "print").stdout == committed
    assert run("schema", "print", "--output", str(tmp_path / "s.graphql")).exit_code == 0
    assert (tmp_path / "s.graphql").read_text("utf-8") == committed
