"""The services that `fulcrum up` starts: their commands, addresses and signs of life.

PostgreSQL is not among them; it has a life of its own in `warehouse.server`.
"""

from __future__ import annotations

import http.client
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psycopg

from fulcrum.services.ports import LOOPBACK
from fulcrum.services.process import ProcessFile
from fulcrum.settings import Settings
from fulcrum.warehouse import server
from fulcrum.warehouse.engine import connect

_HEALTH_SECONDS = 5.0
_DEFINITIONS = "assets.definitions"


@dataclass(frozen=True)
class Service:
    """One process to start, and how to see that it works."""

    name: str
    title: str
    command: tuple[str, ...]
    file: ProcessFile
    answers: Callable[[float], bool]
    port: int | None = None
    port_setting: str | None = None
    path: str = "/"

    @property
    def url(self) -> str | None:
        """Where people find it; None for a service without pages."""
        return f"http://{LOOPBACK}:{self.port}{self.path}" if self.port else None


def services(settings: Settings) -> tuple[Service, ...]:
    """All services, in the order in which they are started."""
    python = sys.executable
    definitions = ("-m", _DEFINITIONS, "-d", str(settings.project))
    return (
        Service(
            name="api",
            title="GraphQL API",
            command=(
                *(python, "-m", "uvicorn", "fulcrum.graph.app:create_app", "--factory", "--no-access-log"),
                *("--host", LOOPBACK, "--port", str(settings.api_port), "--log-level", "warning"),
                *("--workers", str(settings.api_workers), "--no-server-header"),
                *("--http", "fulcrum.graph.http.protocol:Protocol"),
                *("--timeout-graceful-shutdown", "5"),  # subscriptions never end by themselves
            ),
            file=_file(settings, "api"),
            answers=lambda _: _answers_http(settings.api_port, "/healthz"),
            port=settings.api_port,
            port_setting="FULCRUM_API_PORT",
            path="/graphiql",
        ),
        Service(
            name="dagster-webserver",
            title="Dagster",
            command=(
                *(python, "-m", "dagster_webserver", *definitions),
                *("-h", LOOPBACK, "-p", str(settings.dagster_port), "--code-server-log-level", "warning"),
            ),
            file=_file(settings, "dagster-webserver"),
            answers=lambda _: _answers_http(settings.dagster_port, "/server_info"),
            port=settings.dagster_port,
            port_setting="FULCRUM_DAGSTER_PORT",
        ),
        Service(
            name="dagster-daemon",
            title="Dagster daemon",
            command=(python, "-m", "dagster._daemon", "run", *definitions),
            file=_file(settings, "dagster-daemon"),
            answers=lambda since: _has_heartbeat(settings, since),
        ),
    )


def environment(settings: Settings) -> dict[str, str]:
    """What every service is started with: the caller's environment and all of `settings`."""
    told = {**os.environ, "PYTHONUNBUFFERED": "1", "DAGSTER_HOME": str(dagster_home(settings))}
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if value is not None:
            text = value.get_secret_value() if hasattr(value, "get_secret_value") else str(value)
            told[f"FULCRUM_{name.upper()}"] = text
    told["DAGSTER_DISABLE_TELEMETRY"] = "1"
    roots = [str(settings.project), str(settings.project / "platform"), told.get("PYTHONPATH", "")]
    told["PYTHONPATH"] = os.pathsep.join(root for root in roots if root)
    return told


def dagster_home(settings: Settings) -> Path:
    """Dagster's own folder in the state folder."""
    return settings.home / "dagster"


def _file(settings: Settings, name: str) -> ProcessFile:
    return ProcessFile(name, settings.home / "run" / f"{name}.json", settings.logs / f"{name}.log")


def _answers_http(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=_HEALTH_SECONDS)
    try:
        connection.request("GET", path)
        return connection.getresponse().status < http.HTTPStatus.INTERNAL_SERVER_ERROR
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _has_heartbeat(settings: Settings, since: float) -> bool:
    """Whether a Dagster daemon has reported to its database after `since` (seconds of Unix time)."""
    query = "SELECT max(timestamp) > to_timestamp(%s)::timestamp FROM daemon_heartbeats"
    try:
        with connect(settings, role=server.OWNER_ROLE, database=server.DAGSTER_DATABASE) as connection:
            row = connection.execute(query, [since]).fetchone()
    except psycopg.errors.UndefinedTable:
        return False
    return bool(row and row[0])
