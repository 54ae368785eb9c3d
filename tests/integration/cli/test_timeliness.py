"""`quality timeliness` by command: it fails for what is missing, and only names what nobody ever sent."""

from __future__ import annotations

import json
from typing import Any

import psycopg
from typer.testing import CliRunner

from fulcrum.cli import app
from fulcrum.settings import Settings
from tests.factories.staging import new_delivery
from tests.factories.suites import CASES, contract_of


def test_a_missing_file_is_an_exit_code_and_a_feed_that_never_came_is_a_name(
    database: Settings, connection: psycopg.Connection[Any]
) -> None:
    assert database.database_url is not None
    environment = {
        "FULCRUM_HOME": str(database.home),
        "FULCRUM_DATABASE_URL": database.database_url.get_secret_value(),
        "COLUMNS": "200",
    }

    def told(code: int, *words: str) -> str:
        done = CliRunner().invoke(app, ["quality", "timeliness", "--date", "2026-04-30", *words], env=environment)
        assert done.exit_code == code, done.output
        return done.stdout

    nothing = json.loads(told(0, "--json"))
    assert {one["status"] for one in nothing["results"]} == {"not_run"}, "nothing was due, nothing is passed either"
    assert {"house_prices", "house_holdings"} <= set(nothing["never_delivered"])
    assert "never delivered yet, so not missed: ecb_fx_rates, " in told(0)
    new_delivery(connection, contract_of(CASES["core/price"]), business_date_to="2026-04-29", outcome="published")
    connection.commit()
    missing = json.loads(told(1, "--json"))
    failed = {one["rule"]: one["failed"] for one in missing["results"] if one["status"] == "failed"}
    assert [subject for subject, _ in failed["delivery.not_missing"]] == ["house_prices"]
    assert "house_prices" not in missing["never_delivered"]
