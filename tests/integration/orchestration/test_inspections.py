"""The clockwork of inspections: which dates it takes, and what a run does on a real warehouse."""

from __future__ import annotations

import datetime as dt
from typing import Any

import dagster as dg
import psycopg
import pytest

from fulcrum.orchestration.inspections import OP, inspection_job, inspection_schedules
from fulcrum.settings import Settings
from tests.factories.two_books import DAY, write_books


def ran(settings: Settings, **config: Any) -> dg.ExecuteInProcessResult:
    return inspection_job().execute_in_process(
        resources={"settings": settings}, run_config={"ops": {OP: {"config": config}}}, raise_on_error=False
    )


def told(result: dg.ExecuteInProcessResult) -> dict[str, str]:
    (event,) = [one for one in result.all_events if one.event_type_value == "STEP_OUTPUT"]
    return {name: str(value.value) for name, value in event.step_output_data.metadata.items()}


@pytest.mark.parametrize(
    ("name", "at", "parts", "today"),
    [
        ("daily_inspection", dt.datetime(2026, 1, 12, 7, tzinfo=dt.UTC), 4, "2026-01-12"),
        ("evening_timeliness", dt.datetime(2026, 1, 12, 19, tzinfo=dt.UTC), 1, "2026-01-13"),
    ],
)
def test_the_schedules_ask_for_the_dates_before_their_moment(
    name: str, at: dt.datetime, parts: int, today: str
) -> None:
    schedules = {one.name: one for one in inspection_schedules(inspection_job())}
    request = schedules[name](dg.build_schedule_context(scheduled_execution_time=at))
    assert isinstance(request, dg.RunRequest)
    config = request.run_config["ops"][OP]["config"]
    assert (len(config["parts"]), config["today"], request.run_key) == (parts, today, at.isoformat())


def test_a_run_judges_every_part_and_says_what_it_found(
    settings: Settings, connection: psycopg.Connection[Any]
) -> None:
    write_books(connection, 1, 5, days=(DAY,))
    connection.execute(
        "update core.holding set quantity = quantity + 7 where (portfolio_id, instrument_id) ="
        " (select min(portfolio_id), min(instrument_id) from core.holding)"
    )
    connection.commit()
    result = ran(settings, today=(DAY + dt.timedelta(days=1)).isoformat())
    assert result.success
    found = told(result)
    assert found.keys() == {"timeliness", "accounts", "funds", "reconciliations"}
    lines = dict(line.split(": ", 1) for line in found["reconciliations"].splitlines())
    assert lines["custody_positions 2026-01-15"].endswith("breaks: 1 quantity.")
    assert lines["price_sources 2026-01-15"].startswith("Not run")
    *_, never, moved = found["timeliness"].splitlines()
    assert moved == "exceptions opened: 0, healed: 0", "what nobody ever sent is not missing"
    assert never.startswith("never delivered yet, so not missed: ecb_fx_rates, ")
    open_now = connection.execute("select count(*), count(distinct rule_id) from quality.exception").fetchone()
    assert open_now == (1, 1)


def test_a_part_that_does_not_exist_is_refused(settings: Settings) -> None:
    assert not ran(settings, parts=["weather"]).success
