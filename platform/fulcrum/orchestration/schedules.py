"""What runs by the clock, and the jobs that people start for a range of dates.

Files do not wait for the clock: the drop folder and what publications leave to do have sensors.
No `from __future__ import annotations` here: Dagster reads the annotations of the function.
"""

import datetime as dt
from collections.abc import Sequence

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from fulcrum.orchestration import derivations, inbox, keys, ledger
from fulcrum.settings import Settings
from fulcrum.warehouse.engine import connect

_SATURDAY = 5


def republish_job() -> UnresolvedAssetJobDefinition:
    """Deliver again what has landed for a range of dates, as after a contract or a rule was corrected."""
    return dg.define_asset_job(
        "republish_range",
        selection=dg.AssetSelection.groups(keys.RAW),
        description="Delivers once more what has landed for the chosen business dates, of every feed: what is "
        "published already stays as it is, what was blocked is judged anew. A refused file has no date: drop it again.",
    )


def deliver_job() -> UnresolvedAssetJobDefinition:
    """Deliver files: those of the run's configuration, or all that wait."""
    return dg.define_asset_job(
        "deliver",
        selection=dg.AssetSelection.groups(keys.RAW),
        description="Lands, stages, gates and publishes files: those that wait in the drop folder, or those named.",
    )


def derive_job() -> UnresolvedAssetJobDefinition:
    """Compute valuations and NAV: of pending dates, or of whole dates again."""
    return dg.define_asset_job(
        "derive",
        selection=dg.AssetSelection.groups(keys.MART),
        description="Computes valuations and NAV of whole business dates again, or with configuration only "
        "what is pending of some dates. Publishes only what differs.",
    )


def sweep_schedule(job: UnresolvedAssetJobDefinition, feeds: Sequence[str]) -> dg.ScheduleDefinition:
    """Deliver what waits in the drop folders, should the sensor have been off."""

    @dg.schedule(
        name="daily_sweep",
        job=job,
        cron_schedule="0 5 * * *",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="05:00 UTC: delivers what waits in the drop folders, should the sensor be off.",
    )
    def sweep(
        context: dg.ScheduleEvaluationContext, settings: dg.ResourceParam[Settings]
    ) -> dg.RunRequest | dg.SkipReason:
        waiting = [keys.raw_key(feed) for feed in feeds if inbox.waiting(settings.inbox, feed)]
        if not waiting:
            return dg.SkipReason("No file waits in the drop folder.")
        return dg.RunRequest(run_key=context.scheduled_execution_time.isoformat(), asset_selection=waiting)

    return sweep


def valuation_schedule(job: UnresolvedAssetJobDefinition) -> dg.ScheduleDefinition:
    """Value the last working day as a whole, and what failed derivations left."""

    @dg.schedule(
        name="daily_valuation",
        job=job,
        cron_schedule="0 6 * * 1-5",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="06:00 UTC on working days: values the working day before as a whole, and all that is pending.",
    )
    def value(context: dg.ScheduleEvaluationContext, settings: dg.ResourceParam[Settings]) -> list[dg.RunRequest]:
        day = last_working_day(context.scheduled_execution_time.date()).isoformat()
        with connect(settings, application_name="dagster schedule") as connection:
            pending = ledger.pending(connection)
        left = [derivations.request(pending, f"pending before {day}")] if pending.dates else []
        return [*left, dg.RunRequest(run_key=day, partition_key=day)]

    return value


def last_working_day(today: dt.date) -> dt.date:
    """The last day before `today` from Monday to Friday; holidays are not known here."""
    day = today - dt.timedelta(days=1)
    while day.weekday() >= _SATURDAY:
        day -= dt.timedelta(days=1)
    return day
