"""Overrides by command: asked under one key, approved under another, seen in what `explain` says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner

from fulcrum.cli import app
from fulcrum.settings import Settings
from tests.factories import house
from tests.factories.access import make_key

APPLE = house.ISINS[0]
ASK = ("overrides", "ask", APPLE, "12.5", "USD", "--begin", "2026-01-05", "--end", "2026-01-06", "--code", "wrong")


class Desk:
    def __init__(self, settings: Settings, connection: psycopg.Connection[Any]) -> None:
        assert settings.database_url is not None
        self.environment = {
            "FULCRUM_HOME": str(settings.home),
            "FULCRUM_DATABASE_URL": settings.database_url.get_secret_value(),
            "COLUMNS": "200",
        }
        roles = (("ann", "data_engineer"), ("bob", "risk_officer"), ("eve", "analyst"))
        self.keys = {name: make_key(connection, name, roles=[role]) for name, role in roles}

    def say(self, who: str | None, *words: str, code: int = 0) -> str:
        key = {"FULCRUM_API_KEY": self.keys[who] if who else ""}
        done = CliRunner().invoke(app, list(words), env=self.environment | key)
        assert done.exit_code == code, done.output
        return done.stdout if code == 0 else done.output + done.stderr

    def run(self, who: str | None, *words: str) -> Any:
        return json.loads(self.say(who, *words, "--json"))


@pytest.fixture
def desk(database: Settings, connection: psycopg.Connection[Any], tmp_path: Path) -> Desk:
    house.prepare(database, tmp_path)
    rows = [house.holding(isin, 100, price="10.00") for isin in house.ISINS]
    made = Desk(database, connection)
    made.say(None, "ingest", "house_holdings", str(house.holdings_file(database, tmp_path, "h.csv", rows)), "--derive")
    return made


def test_it_takes_two_keys_and_then_the_nav_says_by_whom_and_until_when(desk: Desk) -> None:
    assert "nobody is signed in" in desk.say(None, *ASK, "--reason", "split", code=1)
    assert "`work`" in desk.say("eve", *ASK, "--reason", "split", code=1)
    made = desk.run("ann", *ASK, "--reason", "split not applied")
    number = str(made["override_id"])
    assert (made["value"], made["currency_code"], made["state"]) == ("12.5", "USD", "asked")
    assert "`decide`" in desk.say("ann", "overrides", "approve", number, code=1)
    shown = desk.run("bob", "overrides", "show", number)["reach"]
    assert (shown["portfolios"], shown["is_whole_house"], shown["changes"]) == (1, True, {"USD": "250"})
    assert "their NAVs change by 250 USD" in desk.say(None, "overrides", "show", number)
    assert "`quality`" in desk.say("eve", "overrides", "show", number, code=1)
    done = desk.run("bob", "overrides", "approve", number, "--comment", "seen")
    assert (done["state"], done["decided_by"], done["carried_to"]) == ("approved", "bob", "2026-01-06")
    listed = desk.say(None, "overrides", "list")
    assert "lapsed" in listed
    assert "12.5 USD" in listed
    nav = desk.say(None, "explain", "nav", "--portfolio", "P1", "--date", "2026-01-05")
    assert "5250" in nav
    (moved,) = desk.run("bob", "overrides", "show", number)["reach"]["largest"]
    assert (moved["nav_base_before"], moved["nav_base_under"], moved["nav_base_now"]) == ("5000", "5250", "5250")
    why = f"override {number} of ann, approved by bob, to 2026-01-06: wrong, split not applied"
    assert why in nav
    told = desk.run(None, "explain", "valuation", "--portfolio", "P1", "--isin", APPLE, "--date", "2026-01-05")
    (price,) = [each for each in told["inputs"] if each["name"] == "price"]
    assert price["source"]["feed"] == "override_prices"
    assert price["source"]["override"]["override_id"] == made["override_id"]
    assert price["source"]["override"]["asked_by"] == "ann"
    assert "split not applied,ann,bob" in price["source"]["text"]


def test_it_is_ended_early_by_somebody_else(desk: Desk) -> None:
    number = str(desk.run("ann", *ASK, "--reason", "split")["override_id"])
    approved = desk.say("bob", "overrides", "approve", number)
    assert approved.index("It reaches 1 portfolio") < approved.index("is approved")
    assert "Give either" in desk.say("bob", "overrides", "end", number, "--comment", "mended", code=1)
    ended = desk.run("bob", "overrides", "end", number, "--comment", "mended", "--altogether")
    assert (ended["state"], ended["last_date"]) == ("ended", "2026-01-04")
    nav = desk.say(None, "explain", "nav", "--portfolio", "P1", "--date", "2026-01-05")
    assert "5000" in nav
    assert "override" not in nav
    assert desk.run(None, "overrides", "apply") == {"overrides": []}
    events = [(event["actor_name"], event["action"]) for event in desk.run(None, "audit")["events"]]
    assert events == [("bob", "override.ended"), ("bob", "override.approved"), ("ann", "override.asked")]


def test_requests_can_be_refused_or_withdrawn_and_other_kinds_are_not_asked_for(desk: Desk) -> None:
    first = str(desk.run("ann", *ASK, "--reason", "split")["override_id"])
    assert desk.run("bob", "overrides", "refuse", first, "--comment", "no evidence")["state"] == "refused"
    rate = ("overrides", "ask", "EUR/USD", "1.1", "--begin", "2026-01-05", "--end", "2026-01-05", "--code", "stale")
    second = str(desk.run("ann", *rate, "--reason", "feed repeats")["override_id"])
    assert desk.run("ann", "overrides", "withdraw", second)["state"] == "withdrawn"
    assert "is refused" in desk.say(None, "overrides", "show", first)
    assert "There is no instrument" in desk.say("ann", "overrides", "ask", "P1", *ASK[3:], "--reason", "a NAV", code=1)
    assert "is no value" in desk.say("ann", "overrides", "ask", APPLE, "ten", *ASK[5:], "--reason", "x", code=1)
