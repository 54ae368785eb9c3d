"""Questions to Dagster about its own runs, in the words of the sensors."""

from __future__ import annotations

from collections.abc import Mapping

import dagster as dg

UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
"""Statuses of runs that may still do something."""


def is_any_unfinished(instance: dg.DagsterInstance, tags: Mapping[str, str] | None = None) -> bool:
    """Whether a run with these tags (any run, without) is waiting or at work."""
    return bool(instance.get_runs(dg.RunsFilter(tags=dict(tags or {}), statuses=UNFINISHED), limit=1))
