"""The clockwork of what no file tells: arrivals, accounts, funds and reconciliations are judged every working day.

What judging does and tells the desk is `pipeline.inspections`. No `from __future__ import annotations` here: Dagster
reads the annotations of the function.
"""

import datetime as dt
from collections.abc import Mapping

import dagster as dg
from pydantic import Field

from fulcrum.contracts.catalog import load_contracts
from fulcrum.contracts.model import FeedContract
from fulcrum.errors import FulcrumError
from fulcrum.orchestration.schedules import last_working_day
from fulcrum.pipeline.inspections import PARTS, judge_days, reconcile_days
from fulcrum.quality.missed import never_delivered
from fulcrum.settings import Settings
from fulcrum.warehouse.engine import connect

OP = "inspect_days"
RECONCILIATIONS, TIMELINESS = "reconciliations", "timeliness"
_LOOKED_BACK = {TIMELINESS: 3, "accounts": 1, "funds": 1, RECONCILIATIONS: 2}
"""Working days: a file may be due two days after its date; a reconciliation's timing shows on the next date."""


class Inspecting(dg.Config):
    """What a run judges; the dates are those before `today`, unless they are named."""

    parts: list[str] = Field(
        default_factory=lambda: [*PARTS, RECONCILIATIONS], description=f"Of {', '.join([*PARTS, RECONCILIATIONS])}."
    )
    dates: list[str] = Field(default_factory=list, description="Business dates (YYYY-MM-DD) instead of the last ones.")
    today: str = Field(default="", description="The day before which the last working days are taken; empty: today.")


def inspection_job() -> dg.JobDefinition:
    """Judge business dates by everything that no file tells."""

    @dg.op(name=OP)
    def inspect_days(context: dg.OpExecutionContext, config: Inspecting, settings: dg.ResourceParam[Settings]) -> None:
        unknown = [part for part in config.parts if part not in _LOOKED_BACK]
        if unknown:
            raise dg.Failure(f"There is no part {', '.join(unknown)}; there are {', '.join(_LOOKED_BACK)}.")
        told: dict[str, dg.MetadataValue] = {}
        failed: list[str] = []
        for part in config.parts:
            try:
                told[part] = dg.MetadataValue.md("\n".join(_judged(settings, part, _dates(config, part))))
            except FulcrumError as error:  # a broken rule of accounts must not hide that a file is missing
                failed.append(f"{part}: {error}")
        context.add_output_metadata(told)
        if failed:
            raise dg.Failure("; ".join(failed), metadata=told)

    @dg.job(
        name="inspect",
        description="Judges the last working days by what no file tells: arrivals, identities of the accounts, one fund"
        " from two sources, reconciliations. What is wrong becomes an exception of the quality desk, and heals there.",
    )
    def inspect() -> None:
        inspect_days()

    return inspect


def inspection_schedules(job: dg.JobDefinition) -> list[dg.ScheduleDefinition]:
    """In the morning all parts, after the valuation; in the evening arrivals again, after the last due time."""
    return [
        _schedule(job, "daily_inspection", "0 7 * * 1-5", [*PARTS, RECONCILIATIONS], "after the daily valuation"),
        _schedule(job, "evening_timeliness", "0 19 * * 1-5", [TIMELINESS], "that day's own files too"),
    ]


def _schedule(job: dg.JobDefinition, name: str, cron: str, parts: list[str], words: str) -> dg.ScheduleDefinition:
    evening = name.startswith("evening")

    @dg.schedule(
        name=name,
        job=job,
        cron_schedule=cron,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=f"{cron.split()[1].zfill(2)}:00 UTC on working days, {words}: judges {', '.join(parts)}.",
    )
    def look(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        at = context.scheduled_execution_time
        today = at.date() + dt.timedelta(days=1 if evening else 0)
        config = {"parts": parts, "today": today.isoformat()}
        return dg.RunRequest(run_key=at.isoformat(), run_config={"ops": {OP: {"config": config}}})

    return look


def _dates(config: Inspecting, part: str) -> list[dt.date]:
    if config.dates:
        return [dt.date.fromisoformat(date) for date in config.dates]
    day = dt.date.fromisoformat(config.today) if config.today else dt.datetime.now(dt.UTC).date()
    dates = []
    for _ in range(_LOOKED_BACK[part]):
        day = last_working_day(day)
        dates.append(day)
    return dates


def _judged(settings: Settings, part: str, dates: list[dt.date]) -> list[str]:
    """What was found, a line for each date or reconciliation."""
    if part == RECONCILIATIONS:
        return [f"{one.name} {one.business_date}: {one.message}" for one in reconcile_days(settings, dates)]
    contracts = load_contracts(settings)
    done = judge_days(settings, contracts, part, dates)
    moved = f"exceptions opened: {done.opened}, healed: {done.healed}"
    awaited = _awaited(settings, contracts) if part == TIMELINESS else []
    return [*(f"{day}: {verdict}" for day, verdict in done.verdicts.items()), *awaited, moved]


def _awaited(settings: Settings, contracts: Mapping[str, FeedContract]) -> list[str]:
    """Feeds that nobody ever sent: they are not missed, and not forgotten."""
    with connect(settings, application_name="fulcrum inspection") as connection:
        feeds = never_delivered(connection, contracts, dt.datetime.now(dt.UTC))
    return [f"never delivered yet, so not missed: {', '.join(feeds)}"] if feeds else []
