"""What the rest of Fulcrum asks of the server: be there, stop, say how you are.

How it is done belongs in the modules beside this one.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from fulcrum.errors import WarehouseError
from fulcrum.settings import Settings
from fulcrum.warehouse.server import bootstrap, external, folders, lifecycle, postmaster
from fulcrum.warehouse.server.address import ServerAddress, embedded_address, external_address
from fulcrum.warehouse.server.folders import Folders
from fulcrum.warehouse.server.lifecycle import Notify
from fulcrum.warehouse.server.locking import exclusive
from fulcrum.warehouse.server.postmaster import Postmaster

_log = logging.getLogger(__name__)
_BOOTSTRAP_MARK = "fulcrum.bootstrap"
_LOCK_SECONDS = 3700.0  # longer than the longest start that another process may be waiting for


@dataclass(frozen=True)
class ServerState:
    """How the server is, for people and for `--json`."""

    kind: Literal["embedded", "external"]
    status: Literal["running", "starting", "stopping", "stopped", "absent", "unreachable"]
    pid: int | None = None
    started_at: datetime | None = None
    socket_dir: Path | None = None
    data: Path | None = None
    logs: Path | None = None
    message: str | None = None

    @property
    def is_running(self) -> bool:
        """Whether it takes connections."""
        return self.status == "running"


def ensure_running(settings: Settings, *, notify: Notify = _log.info) -> ServerAddress:
    """The address of a server that runs, started if need be; under a millisecond if it runs.

    `notify` is told in a sentence about whatever takes more than three seconds.

    Raises:
        ServerStartError: the embedded server did not come up.
        WarehouseError: an external server is absent, of another version, or not prepared.
    """
    if settings.database_url is not None:
        address = _external(settings)
        external.check(address)
        return address
    places = Folders.of(settings)
    running = postmaster.read_postmaster(places.data)
    if running is None or not running.is_ready or not _is_bootstrapped(places):
        running = _start(settings, places, notify)
    return embedded_address(str(running.socket_dir))


def stop(settings: Settings) -> bool:
    """Stop the embedded server; False if none ran or the server is not ours to stop.

    Raises:
        WarehouseError: it did not end within two minutes.
    """
    places = Folders.of(settings)
    if settings.database_url is not None or not places.home.exists():
        return False
    with exclusive(places.lock, timeout=_LOCK_SECONDS, purpose="stop PostgreSQL"):
        return lifecycle.stop(settings)


def erase(settings: Settings) -> None:
    """Stop the embedded server and delete all its data."""
    places = Folders.of(settings)
    if settings.database_url is not None:
        raise WarehouseError(
            "Fulcrum does not delete a database that FULCRUM_DATABASE_URL names.",
            remedy="Drop it yourself, or unset the variable to reset the embedded server.",
        )
    if places.home.exists():
        with exclusive(places.lock, timeout=_LOCK_SECONDS, purpose="delete the database"):
            lifecycle.stop(settings)
            folders.remove(places)


def inspect(settings: Settings) -> ServerState:
    """How the server is; never starts, waits for or changes anything."""
    if settings.database_url is not None:
        try:
            external.check(_external(settings))
        except WarehouseError as error:
            return ServerState("external", "unreachable", message=str(error))
        return ServerState("external", "running")
    places = Folders.of(settings)
    running = postmaster.read_postmaster(places.data)
    if running is None:
        status: Literal["stopped", "absent"] = "stopped" if (places.data / "PG_VERSION").exists() else "absent"
        return ServerState("embedded", status, data=places.data, logs=places.logs)
    return ServerState(
        "embedded",
        _status(running),
        pid=running.pid,
        started_at=datetime.fromtimestamp(running.started_at, UTC),
        socket_dir=running.socket_dir,
        data=places.data,
        logs=places.logs,
    )


def _status(running: Postmaster) -> Literal["running", "starting", "stopping"]:
    if running.is_ready:
        return "running"
    return "stopping" if running.status == "stopping" else "starting"


def _external(settings: Settings) -> ServerAddress:
    assert settings.database_url is not None
    password = settings.role_password.get_secret_value() if settings.role_password else None
    return external_address(settings.database_url.get_secret_value(), password)


def _start(settings: Settings, places: Folders, notify: Notify) -> Postmaster:
    folders.create_home(places)
    with exclusive(places.lock, timeout=_LOCK_SECONDS, purpose="start PostgreSQL"):
        running = lifecycle.start(settings, notify)
        if not _is_bootstrapped(places):
            bootstrap.bootstrap_server(embedded_address(str(running.socket_dir)))
            (places.data / _BOOTSTRAP_MARK).write_text(bootstrap.VERSION)
    return running


def _is_bootstrapped(places: Folders) -> bool:
    try:
        return (places.data / _BOOTSTRAP_MARK).read_text() == bootstrap.VERSION
    except OSError:
        return False
