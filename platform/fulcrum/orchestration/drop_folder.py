"""The sensor on the drop folder: asks for a run per feed that has whole files waiting.

Files and folders are `inbox.py`; delivering them and moving them away is the run's work (`raw.py`).
No `from __future__ import annotations` here: Dagster reads the annotations of the function.
"""

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from fulcrum.orchestration import inbox, keys, runs
from fulcrum.settings import Settings

FILES_AT_ONCE = 50
FIRST_RETRY_SECONDS, LAST_RETRY_SECONDS = 60, 3600


@dataclass(frozen=True)
class Memory:
    """What the sensor knows of one waiting file: its last look, and the runs asked for in vain."""

    look: str
    tries: int = 0
    not_before: float = 0.0


def drop_folder_sensor(job: UnresolvedAssetJobDefinition, feeds: Sequence[str]) -> dg.SensorDefinition:
    """One run per feed at a time, so that a correction never overtakes what it corrects.

    A file that is still there when its run has ended (the platform failed) is asked for again, at
    first after a minute, later every hour: it is never given up.
    """

    @dg.sensor(
        name="drop_folder",
        job=job,
        minimum_interval_seconds=10,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Delivers files dropped into inbox/<feed>/; they end in .done/ or .refused/ beside a text.",
    )
    def look(context: dg.SensorEvaluationContext, settings: dg.ResourceParam[Settings]) -> dg.SensorResult:
        inbox.open_folders(settings.inbox, feeds)
        for name in inbox.unknown_folders(settings.inbox, feeds):
            context.log.warning("inbox/%s/ holds files, but no feed has that name; they stay there.", name)
        for run_id in runs.fail_silent_runs(context.instance):
            context.log.warning("Run %s was silent for too long and is marked as failed.", run_id)
        earlier = _remembered(context.cursor)
        memory: dict[str, Memory] = {}
        requests = []
        for feed in feeds:
            waiting = inbox.waiting(settings.inbox, feed)
            memory |= {file.key: _look_again(file, earlier.get(file.key)) for file in waiting}
            due = _due(waiting, earlier)[:FILES_AT_ONCE]
            if due and not runs.is_any_unfinished(context.instance, {keys.FEED_TAG: feed}):
                requests.append(_request(feed, due, memory))
        skipped = f"{len(memory)} files wait: unsettled, or their feed has a run." if memory else "Nothing waits."
        return dg.SensorResult(
            run_requests=requests,
            skip_reason=None if requests else dg.SkipReason(skipped),
            cursor=json.dumps({key: asdict(one) for key, one in memory.items()}),
        )

    return look


def _remembered(cursor: str | None) -> dict[str, Memory]:
    return {key: Memory(**one) for key, one in json.loads(cursor).items()} if cursor else {}


def _look_again(file: inbox.Waiting, earlier: Memory | None) -> Memory:
    """A file that changed since is another file: its tries begin anew."""
    return earlier if earlier is not None and earlier.look == file.look else Memory(file.look)


def _due(waiting: list[inbox.Waiting], earlier: dict[str, Memory]) -> list[inbox.Waiting]:
    now, looks = time.time(), {key: one.look for key, one in earlier.items()}
    return [file for file in waiting if inbox.is_settled(file, looks, now) and earlier[file.key].not_before <= now]


def _request(feed: str, due: list[inbox.Waiting], memory: dict[str, Memory]) -> dg.RunRequest:
    """One run for these files; `memory` learns that it was asked for."""
    marks = []
    for file in due:
        tries = memory[file.key].tries + 1
        wait = min(FIRST_RETRY_SECONDS * 2 ** (tries - 1), LAST_RETRY_SECONDS)
        memory[file.key] = Memory(file.look, tries, time.time() + wait)
        marks.append(f"{file.fingerprint()}#{tries}")
    return dg.RunRequest(
        run_key=f"{feed}/{hashlib.sha256(' '.join(marks).encode()).hexdigest()}",
        asset_selection=[keys.raw_key(feed)],
        run_config={"ops": {keys.raw_op_name(feed): {"config": {"files": [str(file.path) for file in due]}}}},
        tags={keys.FEED_TAG: feed},
    )
