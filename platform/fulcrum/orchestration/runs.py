"""Questions to Dagster about its own runs, in the words of the sensors; and an end for dead ones."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import dagster as dg

AT_WORK = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]
UNFINISHED = [dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.NOT_STARTED, *AT_WORK]

SILENCE = dt.timedelta(minutes=15)
"""A run that reported nothing for so long is dead. Every step of a delivery is reported; the longest
measured, the gate on 3,000,000 rows, takes less than a minute."""


def is_any_unfinished(instance: dg.DagsterInstance, tags: Mapping[str, str] | None = None) -> bool:
    """Whether a run with these tags (any run, without) is waiting or at work."""
    return bool(instance.get_runs(dg.RunsFilter(tags=dict(tags or {}), statuses=UNFINISHED), limit=1))


def fail_silent_runs(instance: dg.DagsterInstance, now: dt.datetime | None = None) -> list[str]:
    """Mark runs as failed whose process is gone, as after a `kill -9`; the ids of these runs.

    Dagster itself never does for runs on one machine: they would hold their place in the queue, and
    their feed, for ever. Should one be alive after all, no harm is done: its publication is a transaction.
    """
    failed = []
    for record in instance.get_run_records(dg.RunsFilter(statuses=AT_WORK), limit=50):
        run_id = record.dagster_run.run_id
        newest = instance.get_records_for_run(run_id, limit=1, ascending=False).records
        spoke_at = newest[0].timestamp if newest else record.create_timestamp.timestamp()
        if (now or dt.datetime.now(dt.UTC)).timestamp() - spoke_at > SILENCE.total_seconds():
            instance.report_run_failed(record.dagster_run, "Nothing was heard of this run for 15 minutes; it is gone.")
            failed.append(run_id)
    return failed
