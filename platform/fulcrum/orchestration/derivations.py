"""The sensor that asks for exactly the business dates whose `mart` rows publications left to derive.

`governance.derivation` is written in the transaction of the publication that caused it, so nothing
is forgotten and nothing else is rebuilt; Dagster's own automation would rebuild by asset, not by row.
No `from __future__ import annotations` here: Dagster reads the annotations of the function.
"""

import datetime as dt

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from fulcrum.orchestration import keys, ledger, runs
from fulcrum.orchestration.mart import MART_OP
from fulcrum.settings import Settings
from fulcrum.warehouse.engine import connect

KIND_TAG = "fulcrum/kind"
PENDING = "pending derivations"

_MOST_DATES_IN_A_TAG = 20


def derivation_sensor(job: UnresolvedAssetJobDefinition) -> dg.SensorDefinition:
    """One run for all that is pending, and none while another such run is at work."""

    @dg.sensor(
        name="pending_derivations",
        job=job,
        minimum_interval_seconds=10,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Rebuilds valuations and NAV of the business dates that a publication changed, and no others.",
    )
    def look(
        context: dg.SensorEvaluationContext, settings: dg.ResourceParam[Settings]
    ) -> dg.RunRequest | dg.SkipReason:
        with connect(settings, application_name="dagster derivations") as connection:
            pending = ledger.pending(connection)
        if not pending.dates:
            return dg.SkipReason("Nothing is pending in governance.derivation.")
        if runs.is_any_unfinished(context.instance, {KIND_TAG: PENDING}):
            return dg.SkipReason(f"{len(pending.dates)} dates are pending, and a run is at work on it.")
        return request(pending)

    return look


def request(pending: ledger.Pending, run_key: str | None = None) -> dg.RunRequest:
    """The run that derives these dates and no others.

    Its partition is the date, or the range from first to last: Dagster fails runs of `mart` without
    partitions as soon as `core` has events. What is derived is told by the configuration.

    The key names the last request among them and the hour: a new publication asks anew at once, a run
    that failed (after the retries of its step) is asked for again in the next hour.
    """
    dates = [date.isoformat() for date in pending.dates]
    inside = [one for one in map(keys.partition_of, pending.dates) if one] or [keys.FIRST_BUSINESS_DATE.isoformat()]
    first, last = inside[0], inside[-1]
    shown = ", ".join(dates[-_MOST_DATES_IN_A_TAG:]) + (" and earlier" if len(dates) > _MOST_DATES_IN_A_TAG else "")
    return dg.RunRequest(
        run_key=run_key or f"derivation {pending.newest}, {len(dates)} dates, {dt.datetime.now(dt.UTC):%Y-%m-%d %Hh}",
        partition_key=first if first == last else None,
        run_config={"ops": {MART_OP: {"config": {"dates": dates}}}},
        tags={KIND_TAG: PENDING, keys.DATES_TAG: shown} | (keys.range_tags(first, last) if first != last else {}),
    )
