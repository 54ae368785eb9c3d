"""What is known of a server from outside: its `postmaster.pid`, and the processes in its folder.

A process counts as the server's only if it is a `postgres` whose working folder is the data
folder, so a number that the system has given to another program since is never mistaken for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import psutil

_READY = ("ready", "standby")
_LINES_AT_FIRST = 5  # pid, folder, start, port, socket folder; address, memory and status follow


@dataclass(frozen=True)
class Postmaster:
    """A running server, as `postmaster.pid` and the process table agree on it."""

    pid: int
    started_at: int
    socket_dir: Path
    status: str

    @property
    def is_ready(self) -> bool:
        """Whether it takes connections, as far as it has written down."""
        return self.status in _READY and not self.has_lost_socket

    @property
    def has_lost_socket(self) -> bool:
        """Whether a cleaner of temporary folders has deleted the way in: only a restart helps."""
        return self.status in _READY and not (self.socket_dir / ".s.PGSQL.5432").exists()


def read_postmaster(data: Path) -> Postmaster | None:
    """The server that runs in `data`, or None if none does (a stale file is none)."""
    lines = _pid_lines(data)
    if not lines or not is_server_process(int(lines[0]), data):
        return None
    lines += [""] * (8 - len(lines))
    status = lines[7].strip() or "starting"
    return Postmaster(int(lines[0]), int(lines[2] or 0), Path(lines[4]), status)


def is_server_process(pid: int, data: Path) -> bool:
    """Whether process `pid` is alive and one of the server in `data`."""
    try:
        process = psutil.Process(abs(pid))
        return (
            process.name().startswith("postgres")
            and process.status() != psutil.STATUS_ZOMBIE
            and Path(process.cwd()) == data.resolve()
        )
    except psutil.Error:
        return False


def server_processes(data: Path) -> list[psutil.Process]:
    """Every process of the server in `data`, those without a postmaster included."""
    return [process for process in psutil.process_iter() if is_server_process(process.pid, data)]


def activity(data: Path) -> float:
    """A number that grows while the server works: CPU seconds and blocks of all its processes."""
    total = 0.0
    for process in server_processes(data):
        try:
            times = process.cpu_times()
            total += times.user + times.system
            total += float(sum(process.io_counters()[:4]))
        except (psutil.Error, AttributeError, OSError):
            continue
    return total


def _pid_lines(data: Path) -> list[str]:
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
    except OSError:
        return []
    complete = len(lines) >= _LINES_AT_FIRST and lines[0].strip().lstrip("-").isdigit()
    return lines if complete else []
