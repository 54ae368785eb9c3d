"""Delivers landed files again in a process of its own, and tells from the warehouse how far it is.

The delivering itself is the command `fulcrum redeliver`; nothing of it is kept in this process.
"""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from fulcrum.governance import audit
from fulcrum.governance.desk import inbox, reading
from fulcrum.governance.desk.reading import Row
from fulcrum.graph.desk.access import Connection
from fulcrum.settings import Settings

ACTION = "delivery.again"
_PATIENCE = dt.timedelta(minutes=30)
_COMMAND = "from fulcrum.cli import app; app()"
_DERIVE = (
    "from fulcrum.pipeline.derive import derive; from fulcrum.settings import read_settings; derive(read_settings())"
)


@dataclass(frozen=True)
class Again:
    """The last time that a delivery was delivered again: asked by whom and when, and what became of it."""

    asked_by: str | None
    asked_at: dt.datetime | None
    state: str
    """none, running, ended or lost."""
    later: Sequence[Row]
    """Later deliveries of the same bytes, newest first."""


def record(connection: Connection, actor: str, numbers: Sequence[int], *, waiver_id: int | None = None) -> None:
    """Write into the audit log who wants these deliveries again, and why; the caller commits, then starts."""
    for number in numbers:
        audit.record(connection, actor, ACTION, f"delivery:{number}", {"waiver_id": waiver_id})
    if numbers and waiver_id is not None:
        audit.record(connection, actor, ACTION, f"waiver:{waiver_id}", {"deliveries": list(numbers)})


def start(settings: Settings, numbers: Sequence[int]) -> None:
    """Start delivering again; it goes on when this process ends. What it prints goes to a log."""
    _run(settings, "redeliver", [_COMMAND, "redeliver", *map(str, numbers)])


def start_deriving(settings: Settings) -> None:
    """Start deriving what a publication left to derive, in the same manner."""
    _run(settings, "derive", [_DERIVE])


def _run(settings: Settings, name: str, arguments: Sequence[str]) -> None:
    settings.logs.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (settings.logs / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=os.environ | _environment(settings),
            start_new_session=True,
        )
    threading.Thread(target=process.wait, name=name, daemon=True).start()


def progress(connection: Connection, known: Row) -> Again:
    """How far the last repetition of a delivery is."""
    later = reading.again(connection, known)
    asked = next(
        (event for event in inbox.decided(connection, f"delivery:{known['delivery_id']}") if event["action"] == ACTION),
        None,
    )
    if asked is None:
        return Again(None, None, "none", later)
    ended = any(one["finished_at"] is not None and one["finished_at"] > asked["at"] for one in later)
    is_fresh = dt.datetime.now(dt.UTC) - asked["at"] < _PATIENCE
    return Again(asked["actor_name"], asked["at"], "ended" if ended else "running" if is_fresh else "lost", later)


def _environment(settings: Settings) -> dict[str, str]:
    given = {"FULCRUM_HOME": str(settings.home), "FULCRUM_PROJECT": str(settings.project)}
    if settings.database_url is not None:
        given["FULCRUM_DATABASE_URL"] = settings.database_url.get_secret_value()
    if settings.role_password is not None:
        given["FULCRUM_ROLE_PASSWORD"] = settings.role_password.get_secret_value()
    if settings.contracts_extra is not None:
        given["FULCRUM_CONTRACTS_EXTRA"] = str(settings.contracts_extra)
    return given


def started_by(connection: Connection, waiver_id: int) -> list[int]:
    """Deliveries that the approval of a waiver had delivered again."""
    said = [event["details"] for event in inbox.decided(connection, f"waiver:{waiver_id}") if event["action"] == ACTION]
    return sorted({int(number) for details in said for number in details.get("deliveries", ())})
