"""`kill -9` at every step of a delivery: run again, and the outcome is that of an undisturbed run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fulcrum.entitlements.policy import load_policy
from fulcrum.entitlements.principals import WHOLE_HOUSE, Principal, register
from fulcrum.governance.desk import waivers
from fulcrum.governance.desk.policy import load_desk_policy
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
    "publishing_committed",
    "published",
)
IS_PUBLISHED = ("publishing_committed", "published")

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
    if step not in IS_PUBLISHED:
        assert visible(database) == before, "nothing half-done may be visible"
    again = deliver(database, "house_holdings", file)
    assert again.outcome == ("no_op" if step in IS_PUBLISHED else "restated")
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


def test_what_a_waiver_let_through_is_marked_from_the_commit_on(database: Settings, tmp_path: Path) -> None:
    """And its finding is on the desk: a crash right after the commit must not lose either."""
    house.prepare(database, tmp_path)
    rows = [house.holding(isin, 1) for isin in house.ISINS]
    file = house.broken_total(house.holdings_file(database, tmp_path, "holdings_20260105.csv", rows))
    asked = waivers.Request("holding.control_total", "house_holdings", house.DAY, house.DAY, "known")
    with engine.connect(database) as connection:
        for name in ("ann", "bob"):
            person = Principal(name, "person", ("risk_officer",), WHOLE_HOUSE)
            register(connection, load_policy(database), person)
        made = waivers.ask(connection, load_desk_policy(database), "ann", asked)
        waivers.decide(connection, "bob", made.waiver_id, "approved")

    killed = run_until(database, file, "publishing_committed")

    assert killed.returncode == -signal.SIGKILL, killed.stderr
    with engine.connect(database) as connection:
        marked = connection.execute(
            "select p.verdict, w.rule_id from governance.publication p join governance.publication_waiver w"
            " using (publication_id) where p.feed = 'house_holdings'"
        ).fetchall()
        found = connection.execute("select rule_id from quality.exception").fetchall()
    assert marked == [("waived", "holding.control_total")]
    assert ("holding.control_total",) in found
