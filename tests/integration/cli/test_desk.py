"""The quality desk by command: every decision is signed by the key of whoever makes it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner

from fulcrum.cli import app
from fulcrum.pipeline.deliver import deliver
from fulcrum.settings import Settings
from tests.factories import house
from tests.factories.access import make_key


class Desk:
    def __init__(self, settings: Settings, connection: psycopg.Connection[Any]) -> None:
        assert settings.database_url is not None
        self.environment = {
            "FULCRUM_HOME": str(settings.home),
            "FULCRUM_DATABASE_URL": settings.database_url.get_secret_value(),
        }
        self.keys = {
            name: make_key(connection, name, roles=[role])
            for name, role in (("ann", "data_engineer"), ("bob", "risk_officer"), ("eve", "analyst"))
        }

    def run(self, who: str | None, *words: str, code: int = 0) -> Any:
        key = {"FULCRUM_API_KEY": self.keys[who]} if who else {"FULCRUM_API_KEY": ""}
        done = CliRunner().invoke(app, [*words, "--json"], env=self.environment | key)
        assert done.exit_code == code, done.output
        return json.loads(done.stdout) if code == 0 else done.output + done.stderr


@pytest.fixture
def desk(database: Settings, connection: psycopg.Connection[Any], tmp_path: Path) -> Desk:
    house.prepare(database, tmp_path)
    rows = [house.holding(isin, 1) for isin in house.ISINS]
    file = house.broken_total(house.holdings_file(database, tmp_path, "broken.csv", rows))
    assert deliver(database, "house_holdings", file).outcome == "blocked"
    return Desk(database, connection)


WAIVER = ("waivers", "ask", "holding.control_total", "house_holdings", "--begin", "2026-01-05", "--end", "2026-01-06")


def test_a_finding_is_worked_from_open_to_resolved(desk: Desk) -> None:
    (found,) = [
        each
        for each in desk.run(None, "exceptions", "list")["exceptions"]
        if each["rule_id"] == "holding.control_total"
    ]
    number = str(found["exception_id"])
    desk.run("ann", "exceptions", "move", number, "assign", "--owner", "bob")
    assert "Possible now" in desk.run("ann", "exceptions", "move", number, "reopen", "--comment", "x", code=1)
    desk.run("bob", "exceptions", "move", number, "resolve", "--reason", "accepted", "--comment", "checked by phone")
    shown = desk.run(None, "exceptions", "show", number)
    assert [(event["actor_name"], event["move"]) for event in shown["history"]] == [
        ("fulcrum", "find"),
        ("ann", "assign"),
        ("bob", "resolve"),
    ]
    assert shown["possible"] == ["comment", "reopen"]


def test_decisions_need_a_key_a_permission_and_a_second_person(desk: Desk) -> None:
    assert "nobody is signed in" in desk.run(None, *WAIVER, "--reason", "sender confirmed", code=1)
    assert "`work`" in desk.run("eve", *WAIVER, "--reason", "sender confirmed", code=1)
    own = desk.run("bob", *WAIVER, "--reason", "sender confirmed")
    assert "somebody else must decide" in desk.run("bob", "waivers", "approve", str(own["waiver_id"]), code=1)
    made = desk.run("ann", *WAIVER, "--reason", "sender confirmed")
    assert "`decide`" in desk.run("ann", "waivers", "approve", str(made["waiver_id"]), code=1)
    assert desk.run("bob", "waivers", "approve", str(made["waiver_id"]))["state"] == "approved"
    assert [(e["actor_name"], e["action"]) for e in desk.run(None, "audit")["events"]] == [
        ("bob", "waiver.approved"),
        ("ann", "waiver.asked"),
        ("bob", "waiver.asked"),
    ]


def test_a_publication_is_rolled_back_by_command_with_its_valuations(
    desk: Desk, database: Settings, tmp_path: Path, connection: psycopg.Connection[Any]
) -> None:
    good = house.deliver_holdings(database, tmp_path, "good.csv", [house.holding(isin, 1) for isin in house.ISINS])
    assert "permission `decide`" in desk.run("ann", "rollback", str(good.publication_id), "--reason", "x", code=1)
    done = desk.run("bob", "rollback", str(good.publication_id), "--reason", "wrong custodian")
    assert done["rows_ended"] == 5
    assert connection.execute("select count(*) from core.holding where superseded_in is null").fetchone() == (0,)
    assert connection.execute("select count(*) from governance.derivation where done_at is null").fetchone() == (0,)
