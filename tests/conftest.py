"""Fixtures that give every test a real, migrated PostgreSQL database of its own.

One embedded server runs per test run, shared by all xdist workers, started by the first test that
needs it and gone at the end. Migrations run once, into a template; a test's database is a copy.

    database    Settings of a fresh, migrated database and an empty state folder (dropped afterwards)
    settings    the same object, for tests that read better so
    connection  a psycopg connection to it as fulcrum_loader (not autocommit; closed afterwards)
    bare_database  Settings of a fresh database without any migration
    test_server    Settings of the run's embedded server itself

`settings.database_url` names the copy, so nothing that a test starts touches another server.
"""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
from pydantic import SecretStr

from fulcrum.settings import Settings, read_settings
from fulcrum.warehouse import engine, migrations, server
from fulcrum.warehouse.server.locking import exclusive

_HOME_VARIABLE = "FULCRUM_TEST_SERVER_HOME"  # told by the controller to its xdist workers
_PREFIX = "fulcrum-tests-"
_TEMPLATE = "fulcrum_template"
_LOOPBACK = ("127.", "::1", "localhost")


def pytest_configure(config: pytest.Config) -> None:
    """Choose the run's server folder, once, in the process that starts the workers."""
    if not hasattr(config, "workerinput"):
        _sweep()
        home = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))
        home.chmod(0o711)  # root's server account must pass through
        os.environ[_HOME_VARIABLE] = str(home)
        for name in [name for name in os.environ if name.startswith("FULCRUM_") and name != _HOME_VARIABLE]:
            del os.environ[name]  # a developer's own settings must not reach the tests
    sys.addaudithook(_refuse_other_hosts)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the run's server and delete it."""
    if not hasattr(config, "workerinput") and _HOME_VARIABLE in os.environ:
        _discard(Path(os.environ.pop(_HOME_VARIABLE)))


def _sweep() -> None:
    """Discard the servers of runs that were killed."""
    for home in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        pid = home.name.removeprefix(_PREFIX).split("-")[0]
        if pid.isdigit() and not psutil.pid_exists(int(pid)) and home.stat().st_uid == os.geteuid():
            _discard(home)


def _discard(home: Path) -> None:
    for lock in [*home.glob("postgres.lock"), *home.glob("*/**/postgres.lock")]:
        server.erase(Settings(home=lock.parent))
    shutil.rmtree(home, ignore_errors=True)


def _refuse_other_hosts(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        host = str(arguments[1][0])
        if not host.startswith(_LOOPBACK):
            raise RuntimeError(f"A test tried to reach {host}; tests talk to this machine only.")


@pytest.fixture(scope="session")
def test_server() -> Settings:
    """Settings of the run's embedded server, which is running."""
    settings = read_settings(home=Path(os.environ[_HOME_VARIABLE]))
    with exclusive(settings.home / "tests.lock", timeout=300, purpose="prepare the test server"):
        address = server.ensure_running(settings)
        mark = settings.home / "tests.ready"
        if not mark.exists():
            _make_fast(address)
            server.drop_database(address, _TEMPLATE)
            server.create_database(address, _TEMPLATE)
            template = _pointing_at(settings, _TEMPLATE, settings.home)
            migrations.upgrade(template)
            mark.touch()
    return settings


def _make_fast(address: server.ServerAddress) -> None:
    """Forgo durability: a test server's data need not outlive a power cut."""
    with psycopg.connect(address.admin_url("postgres"), autocommit=True) as connection:
        for name in ("fsync", "synchronous_commit", "full_page_writes", "autovacuum"):
            connection.execute(f"ALTER SYSTEM SET {name} = off".encode())
        connection.execute("SELECT pg_reload_conf()")


def _pointing_at(test_server: Settings, name: str, home: Path) -> Settings:
    url = server.ensure_running(test_server).admin_url(name)
    # `make demo` leaves services on the usual ports; tests must not care.
    return read_settings(home=home, database_url=SecretStr(url), api_port=_free_port(), dagster_port=_free_port())


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _copy(test_server: Settings, home: Path, template: str | None) -> Iterator[Settings]:
    address = server.ensure_running(test_server)
    name = f"test_{secrets.token_hex(6)}"
    server.create_database(address, name, template=template)
    try:
        yield _pointing_at(test_server, name, home)
    finally:
        server.drop_database(address, name)


@pytest.fixture
def database(test_server: Settings, tmp_path: Path) -> Iterator[Settings]:
    """Settings of a fresh, migrated database, with an empty state folder."""
    yield from _copy(test_server, tmp_path / "home", _TEMPLATE)


@pytest.fixture
def bare_database(test_server: Settings, tmp_path: Path) -> Iterator[Settings]:
    """Settings of a fresh database without any migration."""
    yield from _copy(test_server, tmp_path / "home", None)


@pytest.fixture
def settings(database: Settings) -> Settings:
    """The same as `database`."""
    return database


@pytest.fixture
def connection(database: Settings) -> Iterator[psycopg.Connection[Any]]:
    """A connection to `database` as fulcrum_loader."""
    with engine.connect(database, application_name="tests") as opened:
        yield opened
