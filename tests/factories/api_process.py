"""The API in a process of its own, as clients that are not Python meet it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from fulcrum.settings import PROJECT_ROOT, Settings

_START_SECONDS = 60


@contextmanager
def api_process(settings: Settings, *, port: int | None = None) -> Iterator[str]:
    """Serve the database of `settings` on a loopback port (a free one, if none is given); the address of `/graphql`."""
    chosen = port or free_port()
    assert settings.database_url is not None
    environment = os.environ | {
        "FULCRUM_HOME": str(settings.home),
        "FULCRUM_DATABASE_URL": settings.database_url.get_secret_value(),
        "PYTHONPATH": os.pathsep.join([str(PROJECT_ROOT / "platform"), str(PROJECT_ROOT)]),
    }
    command = [sys.executable, "-m", "uvicorn", "fulcrum.graph.app:create_app", "--factory", "--port", str(chosen)]
    process = subprocess.Popen([*command, "--log-level", "warning"], env=environment)
    try:
        _wait_for(process, chosen)
        yield f"http://127.0.0.1:{chosen}/graphql"
    finally:
        process.terminate()
        process.wait(30)


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(process: subprocess.Popen[bytes], port: int) -> None:
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError("The API did not start.")
