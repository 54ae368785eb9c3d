"""Servers of the bench: started on free ports, waited for, ended; and how much processor time they took."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from fulcrum.settings import PROJECT_ROOT

_TICKS = os.sysconf("SC_CLK_TCK")
_SECONDS_TO_START = 60


def free_port() -> int:
    """A port of 127.0.0.1 that nobody uses at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def served(command: list[str], port: int, environment: Mapping[str, str], folder: Path = PROJECT_ROOT) -> Iterator[int]:
    """A server while it is needed; its process id.

    Raises:
        RuntimeError: it does not come up.
    """
    process = subprocess.Popen(command, env=os.environ | environment, cwd=folder)
    try:
        _wait(process, port)
        yield process.pid
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(20)


def fulcrum(port: int, workers: int = 1, factory: str = "fulcrum.graph.app:create_app") -> list[str]:
    """The command of Fulcrum's API, as its service is started."""
    return [*uvicorn(factory, port), "--workers", str(workers), "--http", "fulcrum.graph.http.protocol:Protocol"]


def uvicorn(factory: str, port: int) -> list[str]:
    """The command of another Python contender."""
    command = [sys.executable, "-m", "uvicorn", factory, "--factory", "--host", "127.0.0.1", "--port", str(port)]
    return [*command, "--no-access-log", "--log-level", "warning"]


def python_environment(home: Path) -> dict[str, str]:
    """What a Python contender needs to find the project and its warehouse."""
    return {
        "FULCRUM_HOME": str(home),
        "FULCRUM_API_RATE": "0",
        "PYTHONPATH": os.pathsep.join([str(PROJECT_ROOT / "platform"), str(PROJECT_ROOT)]),
    }


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    until = time.monotonic() + _SECONDS_TO_START
    while time.monotonic() < until and process.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), 1):
                return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError(f"A server of the bench did not come up: {' '.join(process.args)}")  # type: ignore[arg-type]


def cpu_seconds(pid: int) -> dict[int, float]:
    """Processor time so far of a process and of each child that lives; empty where the system does not tell."""
    told: dict[int, float] = {}
    for found in _family(pid):
        try:
            fields = Path(f"/proc/{found}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        except OSError:
            continue
        told[found] = (int(fields[11]) + int(fields[12])) / _TICKS
    return told


def used(before: Mapping[int, float], after: Mapping[int, float]) -> float:
    """Processor time between two moments; what a child used that has ended since is not known."""
    return sum(seconds - before.get(pid, 0.0) for pid, seconds in after.items())


def own_cpu_seconds() -> float:
    """Processor time of this process alone."""
    return time.process_time()


def resident_bytes(pid: int) -> int:
    """Memory of a process itself; 0 where the system does not tell."""
    try:
        pages = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]
    except OSError:
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def _family(pid: int) -> list[int]:
    found = [pid]
    for parent in found:
        try:
            children = Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="ascii")
        except OSError:
            continue
        found += map(int, children.split())
    return found
