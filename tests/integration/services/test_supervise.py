"""`up` refuses taken ports by name, says why a service ended, and `down` stops only what is ours."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fulcrum.errors import ServiceError
from fulcrum.services import dagster_home, ports, supervise
from fulcrum.services.catalog import Service, environment, services
from fulcrum.services.process import ProcessFile
from fulcrum.settings import Settings
from fulcrum.warehouse import server

ANSWERING = """
import http.server, sys
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), http.server.BaseHTTPRequestHandler).serve_forever()
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((ports.LOOPBACK, 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def probe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """A small web server in the place of Fulcrum's services."""
    port = free_port()
    service = Service(
        name="probe",
        title="Probe",
        command=(sys.executable, "-c", ANSWERING, str(port)),
        file=ProcessFile("probe", tmp_path / "run" / "probe.json", tmp_path / "logs" / "probe.log"),
        answers=lambda _: not ports.is_free(port),
        port=port,
        port_setting="FULCRUM_PROBE_PORT",
    )
    monkeypatch.setattr(supervise, "services", lambda _: (service,))
    yield service
    service.file.stop(5)


def quiet(_: str) -> None:
    """Take what would be shown."""


@pytest.mark.usefixtures("probe")
def test_up_starts_once_and_down_stops_it(database: Settings) -> None:
    database.home.mkdir()
    first = supervise.up(database, quiet)
    assert [(state.name, state.status) for state in first] == [("postgres", "running"), ("probe", "running")]
    again = supervise.up(database, quiet)
    assert again[1].pid == first[1].pid
    assert supervise.down(database, quiet) == ["Probe"]
    assert [state.status for state in supervise.status(database)] == ["running", "stopped"]
    assert supervise.down(database, quiet) == []


def test_a_killed_service_is_told_and_started_again(database: Settings, probe: Service) -> None:
    database.home.mkdir()
    supervise.up(database, quiet)
    process = probe.file.read()
    assert process is not None
    process.kill()
    process.wait(5)
    assert supervise.status(database)[1].status == "died"
    assert supervise.up(database, quiet)[1].status == "running"


def test_a_taken_port_is_refused_with_its_holder_and_setting(database: Settings, probe: Service) -> None:
    database.home.mkdir()
    with socket.socket() as other:
        other.bind((ports.LOOPBACK, probe.port or 0))
        other.listen()
        with pytest.raises(ServiceError, match=f"process {os.getpid()}") as caught:
            supervise.up(database, quiet)
    assert "FULCRUM_PROBE_PORT" in str(caught.value)


def test_a_service_that_ends_at_once_is_told_with_its_last_words(
    database: Settings, probe: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    database.home.mkdir()
    broken = replace(probe, command=(sys.executable, "-c", "raise SystemExit('no such contract')"))
    monkeypatch.setattr(supervise, "services", lambda _: (broken,))
    with pytest.raises(ServiceError, match="no such contract"):
        supervise.up(database, quiet)


def test_services_get_all_settings_and_their_names_are_distinct(database: Settings) -> None:
    told = environment(database)
    assert told["FULCRUM_HOME"] == str(database.home)
    assert told["FULCRUM_API_PORT"] == str(database.api_port)
    assert database.database_url is not None
    assert told["FULCRUM_DATABASE_URL"] == database.database_url.get_secret_value()
    names = [service.name for service in services(database)]
    assert len(set(names)) == len(names)


def test_dagsters_folder_holds_no_secret_and_its_database_is_made(
    database: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    monkeypatch.setattr(server, "ensure_database", lambda _, name: made.append(name))
    home = dagster_home.write_dagster_home(database)
    assert made == ["fulcrum_dagster"]
    assert environment(database)["DAGSTER_HOME"] == str(home)
    assert "postgresql" not in (home / "dagster.yaml").read_text()
