"""Deliveries that are published at once, by real sessions, and publishers that are killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import psycopg
import pytest

from fulcrum.contracts.delivery import Staged
from fulcrum.settings import Settings
from fulcrum.warehouse import engine
from fulcrum.warehouse.publications import latest_publication
from fulcrum.warehouse.publish import Published, publish
from tests.factories.publishing import D1, D2, D3, HOLDINGS, deliver, holding, holdings_at
from tests.factories.staging import stage_rows

Connection = psycopg.Connection[Any]
Staging = tuple[int, Staged]

APPLE, MICROSOFT, SAP = "US0378331005", "US5949181045", "DE0007164600"


def publish_at_once(database: Settings, stagings: list[Staging]) -> list[Published]:
    """Publish each in a session of its own; all begin together."""
    start = Barrier(len(stagings))

    def run(staging: Staging) -> Published:
        with engine.connect(database) as connection:
            start.wait(timeout=60)
            return publish(connection, HOLDINGS, staging[1], staging[0], "passed")

    with ThreadPoolExecutor(len(stagings)) as pool:
        return list(pool.map(run, stagings))


def test_deliveries_for_different_dates_at_once_are_all_published(database: Settings, connection: Connection) -> None:
    days = (D1, D2, D3)
    stagings = [
        stage_rows(connection, HOLDINGS, [holding("P1", isin, 1, day) for isin in (APPLE, SAP)]) for day in days
    ]
    results = publish_at_once(database, stagings)
    assert sorted(result.publication_id or 0 for result in results) == [1, 2, 3]
    assert {result.outcome for result in results} == {"published"}
    assert holdings_at(connection) == {("P1", day, isin): "1" for day in days for isin in (APPLE, SAP)}
    counts = connection.execute(
        "select (select count(*) from core.instrument), (select count(*) from core.portfolio)"
    ).fetchone()
    assert counts == (2, 1)


def test_deliveries_for_one_date_at_once_end_as_one_after_the_other(database: Settings, connection: Connection) -> None:
    contents = [[holding("P1", APPLE, number), holding("P1", (MICROSOFT, SAP)[number % 2], 1)] for number in (1, 2, 3)]
    results = publish_at_once(database, [stage_rows(connection, HOLDINGS, rows) for rows in contents])
    by_number = {result.publication_id: rows for result, rows in zip(results, contents, strict=True)}
    assert set(by_number) == {1, 2, 3}
    for number, rows in by_number.items():
        expected = {("P1", D1, row["isin"]): str(row["quantity"]) for row in rows}
        assert holdings_at(connection, number) == expected
    assert [result.outcome for result in results].count("published") == 1


_CHILD = """
import json, sys
import datetime as dt
from fulcrum.contracts.delivery import Staged
from fulcrum.settings import read_settings
from fulcrum.warehouse import engine
from fulcrum.warehouse.publish import publish
from tests.factories.publishing import HOLDINGS
told = json.loads(sys.argv[1])
day = dt.date.fromisoformat(told["day"])
staged = Staged(told["table"], tuple(told["columns"]), 2, 0, (day, day))
with engine.connect(read_settings()) as connection:
    print(publish(connection, HOLDINGS, staged, told["delivery_id"], "passed").outcome)
"""


def publish_in_a_process(database: Settings, staging: Staging, fault: str | None) -> subprocess.CompletedProcess[str]:
    assert database.database_url is not None
    delivery_id, staged = staging
    told = {"table": staged.table, "columns": staged.columns, "delivery_id": delivery_id, "day": D1.isoformat()}
    environment = os.environ | {
        "FULCRUM_HOME": str(database.home),
        "FULCRUM_DATABASE_URL": database.database_url.get_secret_value(),
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }
    environment |= {"FULCRUM_FAULT": fault} if fault else {}
    return subprocess.run(
        [sys.executable, "-c", _CHILD, json.dumps(told)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


@pytest.mark.parametrize("fault", ["publishing_resolved", "publishing_inserted", "publishing_before_commit"])
def test_a_publisher_that_is_killed_leaves_nothing_and_runs_again(
    database: Settings, connection: Connection, fault: str
) -> None:
    deliver(connection, HOLDINGS, [holding("P1", APPLE, 1)])
    staging = stage_rows(connection, HOLDINGS, [holding("P1", APPLE, 2), holding("P1", SAP, 3)])
    killed = publish_in_a_process(database, staging, fault)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert latest_publication(connection) == 1
    assert holdings_at(connection) == {("P1", D1, APPLE): "1"}
    assert connection.execute("select count(*) from core.instrument").fetchone() == (1,)
    connection.commit()
    again = publish_in_a_process(database, staging, None)
    assert again.stdout.strip() == "restated", again.stderr
    assert latest_publication(connection) == 2
    assert holdings_at(connection) == {("P1", D1, APPLE): "2", ("P1", D1, SAP): "3"}
    assert connection.execute("select outcome, rows_published from governance.delivery order by 1").fetchall() == [
        ("published", 1),
        ("restated", 2),
    ]
