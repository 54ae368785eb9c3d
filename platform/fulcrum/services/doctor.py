"""Finds what is wrong with an installation and says how to mend it; changes nothing.

Each check is a function that gives one finding. A check that cannot be made says so.
"""

from __future__ import annotations

import importlib.metadata
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import psycopg

from fulcrum.contracts.catalog import load_contracts
from fulcrum.errors import FulcrumError
from fulcrum.services import ports
from fulcrum.services.catalog import services
from fulcrum.settings import Settings
from fulcrum.warehouse import migrations, server
from fulcrum.warehouse.engine import connect

Verdict = Literal["ok", "warning", "broken"]

_PYTHON = ((3, 11), (3, 13))
_DISK_NEEDED = 2 * 1024**3  # below it a full demo does not fit
_DISK_WISHED = 10 * 1024**3


@dataclass(frozen=True)
class Finding:
    """What one check found; `remedy` is what to do unless it is ok."""

    check: str
    verdict: Verdict
    message: str
    remedy: str | None = None


Check = Callable[[Settings], Finding]


def examine(settings: Settings) -> Iterator[Finding]:
    """Every finding, in the order in which things depend on each other."""
    for name, check in CHECKS.items():
        try:
            yield check(settings)
        except FulcrumError as error:
            yield Finding(name, "broken", error.message, error.remedy)
        except (OSError, psycopg.Error) as error:
            yield Finding(name, "broken", f"could not be checked: {error}", "Mend that, then ask the doctor again.")


def check_python(settings: Settings) -> Finding:  # noqa: ARG001 every check has one signature
    """The interpreter's version."""
    version = ".".join(map(str, sys.version_info[:3]))
    if _PYTHON[0] <= sys.version_info[:2] <= _PYTHON[1]:
        return Finding("python", "ok", f"Python {version}")
    return Finding(
        "python", "broken", f"Python {version} is not supported", "Run `make setup` with Python 3.11 to 3.13."
    )


def check_packages(settings: Settings) -> Finding:
    """Whether the packages that the lock pins are installed, in these versions."""
    lock = settings.project / "requirements.lock"
    if not lock.exists():
        return Finding("packages", "warning", "requirements.lock is absent", "Set FULCRUM_PROJECT to the checkout.")
    wrong = [f"{name} {wanted}" for name, wanted in _pinned(lock.read_text()) if _installed(name) not in (None, wanted)]
    missing = [name for name in _required() if _installed(name) is None]
    if missing:
        return Finding("packages", "broken", f"not installed: {', '.join(missing)}", "Run `make setup`.")
    if wrong:
        return Finding(
            "packages", "warning", f"another version than pinned: {', '.join(wrong[:5])}", "Run `make setup`."
        )
    return Finding("packages", "ok", "as pinned")


def check_contracts(settings: Settings) -> Finding:
    """Whether every feed contract can be read."""
    found = load_contracts(settings)
    if not found:
        return Finding("contracts", "broken", "there are none", "Set FULCRUM_PROJECT to the checkout.")
    return Finding("contracts", "ok", f"{len(found)} feeds")


def check_disk(settings: Settings) -> Finding:
    """Free space where the state folder is."""
    folder = settings.home
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    text = f"{free / 1024**3:.1f} GB free"
    if free < _DISK_NEEDED:
        return Finding("disk", "broken", text, "Free some space, or set FULCRUM_HOME to a larger disk.")
    return Finding("disk", "ok" if free > _DISK_WISHED else "warning", text, "Large deliveries need more.")


def check_server(settings: Settings) -> Finding:
    """Whether PostgreSQL answers."""
    state = server.inspect(settings)
    if state.is_running:
        return Finding("postgres", "ok", f"{state.kind} server is running")
    if state.status == "unreachable":
        return Finding(
            "postgres", "broken", state.message or "unreachable", "Start it, or correct FULCRUM_DATABASE_URL."
        )
    return Finding("postgres", "warning", f"{state.kind} server is {state.status}", "Run `fulcrum up`.")


def check_migrations(settings: Settings) -> Finding:
    """Whether the warehouse has every step of the schema."""
    if not server.inspect(settings).is_running:
        return Finding("migrations", "warning", "not known while PostgreSQL does not run", "Run `fulcrum up`.")
    pending = migrations.pending(settings)
    if pending:
        return Finding("migrations", "broken", f"{len(pending)} not applied", "Run `fulcrum migrate`.")
    return Finding("migrations", "ok", f"at {migrations.current_revision(settings)}")


def check_api_role(settings: Settings) -> Finding:
    """Whether the role that serves the API is bound by row-level security."""
    if not server.inspect(settings).is_running:
        return Finding("api role", "warning", "not known while PostgreSQL does not run", "Run `fulcrum up`.")
    query = "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"
    with connect(settings, role=server.API_ROLE, application_name="fulcrum doctor") as connection:
        row = connection.execute(query).fetchone()
    if row is None or row[0]:
        remedy = f"Run `ALTER ROLE {server.API_ROLE} NOSUPERUSER NOBYPASSRLS` as an administrator."
        return Finding("api role", "broken", f"{server.API_ROLE} could bypass row-level security", remedy)
    return Finding("api role", "ok", f"{server.API_ROLE} is bound by row-level security")


def check_services(settings: Settings) -> Finding:
    """Pid files whose process is gone."""
    died = [service.title for service in services(settings) if service.file.is_left_over]
    if died:
        return Finding("services", "broken", f"ended unasked: {', '.join(died)}", "See their logs; run `fulcrum up`.")
    return Finding("services", "ok", "none has ended unasked")


def check_ports(settings: Settings) -> Finding:
    """Ports that somebody else has."""
    taken = [
        f"{service.port} ({service.title}) by {ports.holder(service.port)}"
        for service in services(settings)
        if service.port is not None and service.file.read() is None and not ports.is_free(service.port)
    ]
    if taken:
        remedy = "End those processes, or set FULCRUM_API_PORT or FULCRUM_DAGSTER_PORT."
        return Finding("ports", "broken", f"taken: {'; '.join(taken)}", remedy)
    return Finding("ports", "ok", f"{settings.api_port} and {settings.dagster_port}")


CHECKS: dict[str, Check] = {
    "python": check_python,
    "packages": check_packages,
    "contracts": check_contracts,
    "disk": check_disk,
    "postgres": check_server,
    "migrations": check_migrations,
    "api role": check_api_role,
    "services": check_services,
    "ports": check_ports,
}


def _pinned(lock: str) -> Iterator[tuple[str, str]]:
    """Name and version of each line of the lock that holds for any platform."""
    for name, version, rest in re.findall(r"^([A-Za-z0-9._-]+)==([^ \\;]+)([^\n]*)", lock, flags=re.MULTILINE):
        if ";" not in rest:
            yield name, version


def _required() -> list[str]:
    """The names of what Fulcrum itself asks for, whatever the platform."""
    try:
        lines = importlib.metadata.requires("fulcrum") or []
    except importlib.metadata.PackageNotFoundError:
        return ["fulcrum"]
    return [re.split(r"[\[><=~! ;]", line)[0] for line in lines if ";" not in line]


def _installed(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
