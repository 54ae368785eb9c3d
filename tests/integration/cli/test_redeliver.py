"""`fulcrum redeliver` takes a landed file through the gate again, under its own name and parameters."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

from typer.testing import CliRunner

from fulcrum.cli import app
from fulcrum.pipeline.deliver import deliver
from fulcrum.settings import Settings
from tests.factories import house


def test_a_landed_delivery_is_judged_again_with_its_own_parameters(database: Settings, tmp_path: Path) -> None:
    assert database.database_url is not None
    environment = {
        "FULCRUM_HOME": str(database.home),
        "FULCRUM_DATABASE_URL": database.database_url.get_secret_value(),
    }
    file = house.write(database, tmp_path, "house_portfolios", "portfolios.csv", [house.portfolio()])
    first = deliver(database, "house_portfolios", file, business_date=dt.date(2026, 1, 1))
    file.unlink()

    def run(number: int) -> tuple[int, str]:
        done = CliRunner().invoke(app, ["redeliver", str(number), "--no-derive", "--json"], env=environment)
        return done.exit_code, done.stdout if done.exit_code == 0 else done.output + done.stderr

    assert first.outcome == "published"
    code, said = run(first.delivery_id or 0)
    (again,) = json.loads(said)["deliveries"]
    assert (code, again["outcome"], again["business_date"]) == (0, "no_op", "2026-01-01")
    assert again["file"] == "portfolios.csv"
    code, said = run(4711)
    assert code == 1
    assert "There is no delivery 4711" in said
    (database.landing / first.sha256[:2] / first.sha256).unlink()
    code, said = run(first.delivery_id or 0)
    assert code == 1
    assert "not in the landing zone" in said
