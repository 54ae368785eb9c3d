"""One detached process: started with a pid file and a log, found again, and ended by whoever comes later.

What is started, and in which order, does not belong here.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

# Set in the environment of a service and, by inheritance, of all that it starts in turn.
MARK = "SERVICE_OF_FULCRUM"

_LOG_LIMIT = 20 * 1024**2
_SAME_START_SECONDS = 2.0  # the system's clock may be set while a process runs


@dataclass(frozen=True)
class ProcessFile:
    """The pid file of one service and the log beside it."""

    name: str
    path: Path
    log: Path

    @property
    def mark(self) -> str:
        """What only processes of this service in this state folder carry."""
        return str(self.path.resolve())

    def read(self) -> psutil.Process | None:
        """The running process, or None: a pid that was given to another process is not ours."""
        try:
            stored = json.loads(self.path.read_text())
            process = psutil.Process(stored["pid"])
            is_same = abs(process.create_time() - float(stored["started"])) < _SAME_START_SECONDS
            is_alive = process.status() != psutil.STATUS_ZOMBIE
        except (OSError, ValueError, KeyError, TypeError, psutil.Error):
            return None
        return process if is_same and is_alive else None

    @property
    def is_left_over(self) -> bool:
        """Whether a pid file lies there without its process."""
        return self.path.exists() and self.read() is None

    def start(self, command: Sequence[str], environment: Mapping[str, str], folder: Path) -> psutil.Process:
        """Start `command` in a session of its own, so that the caller's end does not end it."""
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._rotate_log()
        # The shell ends at once: the service has no parent that would have to collect it.
        launched = subprocess.run(
            ["/bin/sh", "-c", '"$@" </dev/null >>"$SERVICE_LOG" 2>&1 & echo $!', "sh", *command],
            env={**environment, MARK: self.mark, "SERVICE_LOG": str(self.log)},
            cwd=folder,
            start_new_session=True,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        process = psutil.Process(int(launched.stdout))
        unfinished = self.path.with_suffix(".new")
        unfinished.write_text(json.dumps({"pid": process.pid, "started": process.create_time()}))
        unfinished.replace(self.path)
        return process

    def stop(self, seconds: float) -> bool:
        """End the service and all that it has started; False if nothing of it ran.

        Politely first (SIGTERM), after `seconds` by force.
        """
        found = self._processes()
        leader = self.read()
        for process in [leader] if leader else found:
            with suppress(psutil.Error):
                process.terminate()
        _, alive = psutil.wait_procs(found, timeout=seconds)
        for process in alive:
            with suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(alive, timeout=5)
        self.path.unlink(missing_ok=True)
        return bool(found)

    def last_lines(self, count: int = 8) -> str:
        """The end of the log."""
        if not self.log.exists():
            return ""
        with self.log.open("rb") as file:
            file.seek(max(0, self.log.stat().st_size - 16384))
            text = file.read().decode(errors="replace")
        return "\n".join([line for line in text.splitlines() if line.strip()][-count:])

    def _processes(self) -> list[psutil.Process]:
        leader = self.read()
        found = [leader] if leader else []
        for process in psutil.process_iter():
            if process.pid != os.getpid() and process not in found and _environment(process).get(MARK) == self.mark:
                found.append(process)
        return found

    def _rotate_log(self) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > _LOG_LIMIT:
            self.log.replace(self.log.with_suffix(".log.1"))
        with self.log.open("a") as file:
            file.write(f"--- started at {time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())}\n")


def _environment(process: psutil.Process) -> dict[str, str]:
    try:
        return process.environ()
    except (psutil.Error, OSError):
        return {}
