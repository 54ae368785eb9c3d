"""Brings the services up, takes them down and says how they are; each step may be repeated.

How one process is started and found again belongs in `process`, what there is in `catalog`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from fulcrum.errors import ServiceError, WarehouseError
from fulcrum.services import ports
from fulcrum.services.catalog import Service, environment, services
from fulcrum.services.dagster_home import write_dagster_home
from fulcrum.settings import Settings
from fulcrum.warehouse import migrations, server
from fulcrum.warehouse.server.locking import exclusive

Notify = Callable[[str], None]

_START_SECONDS = 180.0  # Dagster takes 13 s on two idle cores
_STOP_SECONDS = 20.0
_LOCK_SECONDS = 600.0


@dataclass(frozen=True)
class ServiceState:
    """How one service is, for people and for `--json`."""

    name: str
    title: str
    status: Literal["running", "starting", "stopping", "stopped", "died", "absent", "unreachable"]
    pid: int | None = None
    since: datetime | None = None
    url: str | None = None
    log: str | None = None


def up(settings: Settings, notify: Notify) -> list[ServiceState]:
    """Start what does not run yet, wait until each answers, and say how all are.

    Raises:
        ServiceError: a port is taken, or a service ended or did not answer in time.
        WarehouseError: the server or the migrations failed.
    """
    notify("Starting PostgreSQL")
    server.ensure_running(settings, notify=notify)
    with exclusive(settings.home / "services.lock", timeout=_LOCK_SECONDS, purpose="start the services"):
        notify("Migrating the warehouse")
        migrations.upgrade(settings)
        write_dagster_home(settings)
        variables = environment(settings)
        started = [service for service in services(settings) if service.file.read() is None]
        for service in started:
            _check_port(service)
        for service in started:
            notify(f"Starting {service.title}")
            service.file.stop(_STOP_SECONDS)  # what a killed leader has left behind
            service.file.start(service.command, variables, settings.project)
        for service in services(settings):
            notify(f"Waiting for {service.title}")
            _wait_until_it_answers(service)
    return status(settings)


def down(settings: Settings, notify: Notify) -> list[str]:
    """Stop what `up` has started, and PostgreSQL last; the titles of what was stopped."""
    if not settings.home.exists():
        return []
    stopped = []
    with exclusive(settings.home / "services.lock", timeout=_LOCK_SECONDS, purpose="stop the services"):
        for service in reversed(services(settings)):
            notify(f"Stopping {service.title}")
            if service.file.stop(_STOP_SECONDS):
                stopped.append(service.title)
        notify("Stopping PostgreSQL")
        if server.stop(settings):
            stopped.append("PostgreSQL")
    return stopped


def status(settings: Settings) -> list[ServiceState]:
    """PostgreSQL and every service; never starts or changes anything."""
    return [_server_state(settings), *(_state(service) for service in services(settings))]


def _server_state(settings: Settings) -> ServiceState:
    found = server.inspect(settings)
    return ServiceState(
        "postgres",
        "PostgreSQL" if found.kind == "embedded" else "PostgreSQL (external)",
        found.status,
        pid=found.pid,
        since=found.started_at,
        log=str(found.logs) if found.logs else None,
    )


def _state(service: Service) -> ServiceState:
    process = service.file.read()
    if process is None:
        left = service.file.is_left_over
        return ServiceState(service.name, service.title, "died" if left else "stopped", log=str(service.file.log))
    begun = process.create_time()
    return ServiceState(
        service.name,
        service.title,
        "running" if service.port is None or not ports.is_free(service.port) else "starting",
        pid=process.pid,
        since=datetime.fromtimestamp(begun, UTC),
        url=service.url,
        log=str(service.file.log),
    )


def _check_port(service: Service) -> None:
    if service.port is not None and not ports.is_free(service.port):
        raise ServiceError(
            f"{service.title} needs port {service.port}, which {ports.holder(service.port)} has.",
            remedy=f"End that process, or set {service.port_setting} to another port.",
        )


def _wait_until_it_answers(service: Service) -> None:
    deadline = time.monotonic() + _START_SECONDS
    process = service.file.read()
    begun = process.create_time() if process else time.time()
    while time.monotonic() < deadline:
        if service.file.read() is None:
            raise ServiceError(
                f"{service.title} ended while it started. Its last words:\n{service.file.last_lines()}\n",
                remedy=f"The whole log is logs/{service.file.log.name} in the state folder.",
            )
        try:
            if service.answers(begun):
                return
        except WarehouseError:
            pass  # the server is restarting after a crash; the deadline still holds
        time.sleep(0.2)
    raise ServiceError(
        f"{service.title} runs but did not answer within {_START_SECONDS:.0f} s.",
        remedy=f"See logs/{service.file.log.name} in the state folder, then run `fulcrum down` and `fulcrum up`.",
    )
