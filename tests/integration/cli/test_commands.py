"""Commands answer people with text and scripts with JSON, and their exit codes can be relied on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from fulcrum.cli import app
from fulcrum.settings import Settings

runner = CliRunner()


@pytest.fixture
def told(database: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The database of this test, told to commands by the environment as a user would."""
    assert database.database_url is not None
    monkeypatch.setenv("FULCRUM_HOME", str(database.home))
    monkeypatch.setenv("FULCRUM_DATABASE_URL", database.database_url.get_secret_value())
    monkeypatch.setenv("FULCRUM_API_PORT", str(database.api_port))
    monkeypatch.setenv("FULCRUM_DAGSTER_PORT", str(database.dagster_port))
    return database


def run_json(*arguments: str, code: int = 0) -> Any:
    result = runner.invoke(app, [*arguments, "--json"])
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize("name", ["deliveries", "publications", "quarantine"])
def test_an_empty_warehouse_lists_nothing(name: str) -> None:
    assert run_json(name) == {name: []}


@pytest.mark.usefixtures("told")
def test_feeds_are_listed_with_owner_and_target() -> None:
    feeds = {feed["feed"]: feed for feed in run_json("feeds")["feeds"]}
    assert feeds["house_holdings"]["target"] == "core.holding"
    assert all(feed["owner"] for feed in feeds.values())


@pytest.mark.usefixtures("told")
def test_migrating_the_newest_schema_applies_nothing() -> None:
    assert run_json("migrate")["applied"] == []


@pytest.mark.usefixtures("told")
def test_an_unknown_feed_is_an_error_with_the_nearest_name(tmp_path: Path) -> None:
    file = tmp_path / "h.csv"
    file.write_text("a\n1\n")
    error = run_json("ingest", "house_holding", str(file), code=1)["error"]
    assert error["type"] == "ContractError"
    assert "house_holdings" in error["remedy"]


@pytest.mark.usefixtures("told")
def test_a_file_that_is_absent_is_refused_and_named() -> None:
    deliveries = run_json("ingest", "house_holdings", "absent.csv", code=1)["deliveries"]
    assert [(found["outcome"], found["file"]) for found in deliveries] == [("refused", "absent.csv")]
    assert "absent.csv" in deliveries[0]["messages"][0]


@pytest.mark.parametrize(
    "arguments",
    [
        ["ingest"],
        ["ingest", "house_holdings"],
        ["ingest", "house_holdings", "x.csv", "--date", "21.01.2026"],
        ["ingest", "house_holdings", "x.csv", "--set", "IWM"],
        ["deliveries", "--limit", "0"],
        ["reset"],
        ["no-such-command"],
    ],
)
def test_wrong_usage_exits_2(arguments: list[str]) -> None:
    assert runner.invoke(app, arguments).exit_code == 2


def test_errors_for_people_go_to_stderr_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FULCRUM_API_PORT", "eighty")
    result = runner.invoke(app, ["status"])
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "FULCRUM_API_PORT" in result.stderr
    assert "Correct or unset it." in result.stderr


def test_an_external_database_is_never_reset(told: Settings) -> None:
    error = run_json("reset", "--yes", code=1)["error"]
    assert "FULCRUM_DATABASE_URL" in error["message"]
    assert told.database_url is not None


def test_status_of_an_empty_installation_exits_1_and_creates_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FULCRUM_HOME", str(tmp_path / "none"))
    services = {found["name"]: found["status"] for found in run_json("status", code=1)["services"]}
    assert services == {
        "postgres": "absent",
        "api": "stopped",
        "dagster-webserver": "stopped",
        "dagster-daemon": "stopped",
    }
    assert not (tmp_path / "none").exists()


def test_doctor_exits_1_only_if_something_is_broken(told: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    verdicts = {found["check"]: found["verdict"] for found in run_json("doctor")["findings"]}
    assert "broken" not in verdicts.values()
    monkeypatch.setenv("FULCRUM_CONTRACTS_EXTRA", str(told.home.parent / "extra"))
    (told.home.parent / "extra").mkdir()
    (told.home.parent / "extra" / "odd.yaml").write_text("apiVersion: [")
    assert run_json("doctor", code=1)["findings"]


def test_reset_deletes_the_state_and_leaves_what_is_not_ours(tmp_path: Path) -> None:
    home = tmp_path / "home"
    command = [sys.executable, "-c", "from fulcrum.cli import app; app()"]
    environment = {**os.environ, "FULCRUM_HOME": str(home), "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([*command, "migrate"], env=environment, check=True, capture_output=True)
    assert (home / "postgres").exists()
    (home / "notes.txt").write_text("mine")
    subprocess.run([*command, "reset", "--yes"], env=environment, check=True, capture_output=True)
    assert [path.name for path in home.iterdir()] == ["notes.txt"]
