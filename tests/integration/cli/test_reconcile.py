"""`fulcrum reconcile` and `fulcrum breaks`, as scripts and people call them."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner, Result

from fulcrum.cli.main import app
from fulcrum.settings import Settings
from tests.factories.market import Market

DAY = dt.date(2026, 1, 5)


@pytest.fixture
def market(connection: psycopg.Connection[Any], database: Settings, monkeypatch: pytest.MonkeyPatch) -> Market:
    assert database.database_url is not None
    monkeypatch.setenv("FULCRUM_HOME", str(database.home))
    monkeypatch.setenv("FULCRUM_DATABASE_URL", database.database_url.get_secret_value())
    made = Market(connection)
    made.instrument("X")
    for code in ("P1", "CUSTODY:P1"):
        made.portfolio(code)
        made.holdings(code, DAY, [{"instrument": "X", "quantity": "9"}])
    return made


def fulcrum(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def test_agreement_is_exit_code_0_and_a_break_1(market: Market) -> None:
    agreed = fulcrum("reconcile", "custody_positions", "--date", "2026-01-05")
    assert (agreed.exit_code, agreed.stdout) == (
        0,
        "custody_positions on 2026-01-05: 1 lines against 1; breaks: none.\n",
    )
    market.holdings("CUSTODY:P1", DAY, [{"instrument": "X", "quantity": "7"}])
    broken = fulcrum("reconcile", "custody_positions", "--date", "2026-01-05", "--json")
    assert broken.exit_code == 1
    done = json.loads(broken.stdout)
    assert (done["status"], done["by_class"], done["opened"]) == ("broken", {"quantity": 1}, 1)
    (found,) = json.loads(fulcrum("breaks", "custody_positions", "--json").stdout)["breaks"]
    assert (found["break_key"], found["a_quantity"], found["b_quantity"]) == ("P1/X", "7", "9")
    assert "P1/X" in fulcrum("breaks", "--date", "2026-01-05", "--class", "quantity").stdout
    assert fulcrum("breaks", "--class", "fx").stdout == "Nothing differs.\n"


def test_an_unknown_name_is_answered_with_those_that_exist(market: Market) -> None:
    assert market.portfolios
    refused = fulcrum("reconcile", "nothing", "--date", "2026-01-05")
    assert refused.exit_code == 1
    assert "custody_positions" in refused.stderr
    assert "Traceback" not in refused.stderr
