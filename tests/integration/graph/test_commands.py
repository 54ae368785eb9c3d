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


def test_a_key_that_lives_too_long_is_wrong_usage(run: Any) -> None:
    assert run("keys", "create", "desk", "--expires-days", "400").exit_code == 2
    assert run("keys", "create", " ").exit_code == 1


def test_the_schema_is_printed_as_it_is_committed(run: Any, tmp_path: Any) -> None:
    committed = (PROJECT_ROOT / "schemas" / "graphql" / "schema.graphql").read_text("utf-8")
    assert run("schema", "print").stdout == committed
    assert run("schema", "print", "--output", str(tmp_path / "s.graphql")).exit_code == 0
    assert (tmp_path / "s.graphql").read_text("utf-8") == committed
