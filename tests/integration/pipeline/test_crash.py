"""`kill -9` at every step of a delivery: run again, and the outcome is that of an undisturbed run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fulcrum.pipeline.deliver import deliver
from fulcrum.pipeline.derive import derive
from fulcrum.settings import PROJECT_ROOT, Settings
from fulcrum.warehouse import engine
from tests.factories import house

STEPS = (
    "landed",
    "delivery_recorded",
    "staged",
    "gating",
    "gated",
    "publishing_resolved",
    "publishing_inserted",
    "publishing_before_commit",
    "published",
)

RUN = """
import sys
from pathlib import Path
from fulcrum.pipeline.deliver import deliver
from fulcrum.settings import read_settings
print(deliver(read_settings(), "house_holdings", Path(sys.argv[1])).outcome)
"""


def run_until(settings: Settings, file: Path, fault: str) -> subprocess.CompletedProcess[str]:
    assert settings.database_url is not None
    environment = os.environ | {
        "FULCRUM_FAULT": fault,
        "FULCRUM_HOME": str(settings.home),
        "FULCRUM_DATABASE_URL": settings.database_url.get_secret_value(),
        "PYTHONPATH": str(PROJECT_ROOT / "platform"),
    }
    return subprocess.run(
        [sys.executable, "-c", RUN, str(file)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def visible(settings: Settings) -> list[tuple[Any, ...]]:
    """What is current, without numbers that differ from run to run."""
    with engine.connect(settings) as connection:
        return connection.execute(
            """
            select p.portfolio_code, h.business_date, i.instrument_code, h.quantity, h.market_value, h.source_row
              from core.holding h
              join core.portfolio p using (portfolio_id)
              join core.instrument i using (instrument_id)
             where h.superseded_in is null order by 1, 2, 3
            """
        ).fetchall()


@pytest.mark.slow
@pytest.mark.parametrize("step", STEPS)
def test_a_killed_delivery_run_again_ends_as_if_undisturbed(step: str, database: Settings, tmp_path: Path) -> None:
    house.prepare(database, tmp_path)
    rows = [house.holding(isin, 100 + number) for number, isin in enumerate(house.ISINS)]
    house.deliver_holdings(database, tmp_path, "holdings_20260105.csv", rows)
    changed = [house.holding(house.ISINS[0], 999), *rows[1:-1]]
    file = house.holdings_file(database, tmp_path, "holdings_20260105_b.csv", changed)
    before = visible(database)

    killed = run_until(database, file, step)

    assert killed.returncode == -signal.SIGKILL, killed.stderr
    if step != "published":
        assert visible(database) == before, "nothing half-done may be visible"
    again = deliver(database, "house_holdings", file)
    assert again.outcome == ("no_op" if step == "published" else "restated")
    assert [(row[2][1:], row[3]) for row in visible(database)] == sorted(
        (row["isin"], row["quantity"]) for row in changed
    )
    derive(database)
    with engine.connect(database) as connection:
        counts = connection.execute(
            """
            select count(*) filter (where outcome = 'landed'),
                   (select count(*) from governance.publication where feed = 'house_holdings'),
                   (select max(publication_id) - count(*) from governance.publication),
                   (select count(*) from pg_class where relnamespace = 'staging'::regnamespace and relkind = 'r')
              from governance.delivery
            """
        ).fetchone()
    assert counts == (0, 2, 0, 0), "no delivery open, two publications, no gap, no staging table left"
