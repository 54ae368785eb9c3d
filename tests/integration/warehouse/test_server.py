"""The embedded server survives what kills its parents and neighbours, and lets nobody else in."""

from __future__ import annotations

import os
import pwd
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psutil
import psycopg
import pytest
from pydantic import SecretStr

from fulcrum.errors import ServerStartError, SettingsError, WarehouseError
from fulcrum.settings import Settings, read_settings
from fulcrum.warehouse import engine, server
from fulcrum.warehouse.server.postmaster import server_processes

STARTER = """
import sys; from pathlib import Path
from fulcrum.settings import Settings; from fulcrum.warehouse import server
server.ensure_running(Settings(home=Path(sys.argv[1])))
print(server.inspect(Settings(home=Path(sys.argv[1]))).pid, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def own() -> Iterator[Settings]:
    """Settings of a state folder of its own, whose path has a space, a quote and a dollar sign."""
    with tempfile.TemporaryDirectory(dir=os.environ["FULCRUM_TEST_SERVER_HOME"]) as folder:
        Path(folder).chmod(0o711)
        settings = read_settings(home=Path(folder) / "a manager's $tate" / "of things")
        yield settings
        server.erase(settings)


def start_in_a_process(settings: Settings) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", STARTER, str(settings.home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        start_new_session=True,
    )


def finish(starter: subprocess.Popen[str]) -> int:
    output, _ = starter.communicate("", timeout=120)
    assert starter.returncode == 0
    return int(output)


def running_pid(settings: Settings) -> int:
    pid = server.inspect(settings).pid
    assert pid is not None
    return pid


def write_number(settings: Settings, number: int) -> None:
    with engine.connect(settings, role="fulcrum_owner") as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS number (value integer)")
        connection.execute("INSERT INTO number VALUES (%s)", [number])


def read_numbers(settings: Settings) -> list[int]:
    with engine.connect(settings, role="fulcrum_owner") as connection:
        return [row[0] for row in connection.execute("SELECT value FROM number ORDER BY value")]


def test_a_running_server_is_found_again_within_milliseconds(own: Settings) -> None:
    address = server.ensure_running(own)
    pid = running_pid(own)
    begun = time.perf_counter()
    assert server.ensure_running(own) == address
    assert time.perf_counter() - begun < 0.05
    assert running_pid(own) == pid


def test_server_offers_version_18_checksums_utf8_and_no_network(own: Settings) -> None:
    with psycopg.connect(server.ensure_running(own).admin_url()) as connection:
        found = connection.execute(
            "SELECT current_setting('server_version_num')::int / 10000, current_setting('data_checksums'), "
            "current_setting('listen_addresses'), current_setting('server_encoding'), current_setting('TimeZone')"
        ).fetchone()
        extensions = {row[0] for row in connection.execute("SELECT extname FROM pg_extension")}
    assert found == (18, "on", "", "UTF8", "UTC")
    assert {"pg_trgm", "btree_gist"} <= extensions


def test_stop_ends_every_process_and_a_second_stop_says_that_none_ran(own: Settings) -> None:
    server.ensure_running(own)
    data = own.home / "postgres"
    assert server.stop(own) is True
    assert server_processes(data) == []
    assert server.inspect(own).status == "stopped"
    assert server.stop(own) is False


def test_three_processes_that_start_it_at_once_get_one_server(own: Settings) -> None:
    starters = [start_in_a_process(own) for _ in range(3)]
    assert {finish(starter) for starter in starters} == {running_pid(own)}


def test_server_outlives_the_process_that_started_it(own: Settings) -> None:
    starter = start_in_a_process(own)
    assert starter.stdout is not None
    pid = int(starter.stdout.readline())
    os.killpg(starter.pid, signal.SIGKILL)
    starter.communicate()
    assert running_pid(own) == pid
    write_number(own, 1)
    assert read_numbers(own) == [1]


def test_committed_rows_survive_kill_9_of_the_whole_server(own: Settings) -> None:
    write_number(own, 7)
    pid = running_pid(own)
    os.killpg(os.getpgid(pid), signal.SIGKILL)
    for process in server_processes(own.home / "postgres"):
        process.kill()
    psutil.wait_procs([psutil.Process(pid)] if psutil.pid_exists(pid) else [], timeout=10)
    assert server.inspect(own).status == "stopped"
    assert read_numbers(own) == [7]
    assert running_pid(own) != pid


def test_orphans_of_a_killed_postmaster_are_ended_before_the_next_start(own: Settings) -> None:
    write_number(own, 7)
    with closing(psycopg.connect(server.ensure_running(own).admin_url(), autocommit=True)) as busy:
        busy.pgconn.send_query(b"SELECT count(*) FROM generate_series(1, 10000000000)")
        orphan = busy.info.backend_pid
        time.sleep(0.3)
        os.kill(running_pid(own), signal.SIGKILL)
        time.sleep(0.3)
        assert psutil.pid_exists(orphan)
        assert read_numbers(own) == [7]
        assert orphan not in [process.pid for process in server_processes(own.home / "postgres")]


def test_a_connection_waits_while_the_server_recovers_from_a_killed_backend(own: Settings) -> None:
    write_number(own, 2)
    with closing(psycopg.connect(server.ensure_running(own).admin_url())) as victim:
        os.kill(victim.info.backend_pid, signal.SIGKILL)
        time.sleep(0.3)  # until the server has seen it, connections still succeed, and are ended then
        assert read_numbers(own) == [2]


def test_a_stale_pid_file_that_names_a_living_stranger_is_put_aside(own: Settings) -> None:
    server.ensure_running(own)
    server.stop(own)
    data = own.home / "postgres"
    with subprocess.Popen(["sleep", "300"], user=data.stat().st_uid) as stranger:
        (data / "postmaster.pid").write_text(f"{stranger.pid}\n{data}\n1700000000\n5432\n\n\n\nready\n")
        try:
            assert server.inspect(own).status == "stopped"
            server.ensure_running(own)
            assert running_pid(own) != stranger.pid
            assert stranger.poll() is None
        finally:
            stranger.kill()


def test_a_folder_that_was_only_half_made_is_made_again(own: Settings) -> None:
    unfinished = own.home / "postgres.unfinished"
    unfinished.mkdir(parents=True)
    (unfinished / "PG_VERSION").write_text("18\n")
    write_number(own, 3)
    assert not unfinished.exists()
    assert read_numbers(own) == [3]


def test_a_lost_socket_is_made_again(own: Settings) -> None:
    address = server.ensure_running(own)
    (Path(address.parameters["host"]) / ".s.PGSQL.5432").unlink()
    write_number(own, 5)
    assert read_numbers(own) == [5]


def test_a_server_that_cannot_start_says_why(own: Settings) -> None:
    server.ensure_running(own)
    server.stop(own)
    with (own.home / "postgres" / "postgresql.auto.conf").open("a") as file:
        file.write("shared_buffers = 'many'\n")
    with pytest.raises(ServerStartError, match="shared_buffers"):
        server.ensure_running(own)


def test_a_folder_with_other_files_is_left_alone(own: Settings) -> None:
    (own.home / "postgres").mkdir(parents=True)
    (own.home / "postgres" / "thesis.txt").write_text("mine")
    with pytest.raises(ServerStartError, match="not a database"):
        server.ensure_running(own)
    assert (own.home / "postgres" / "thesis.txt").read_text() == "mine"
    (own.home / "postgres" / "thesis.txt").unlink()


def test_socket_folder_is_closed_to_other_users(own: Settings) -> None:
    folder = Path(server.ensure_running(own).parameters["host"])
    assert folder.stat().st_mode & 0o077 == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can ask as another user")
def test_another_user_cannot_connect(own: Settings) -> None:
    folder = server.ensure_running(own).parameters["host"]
    probe = subprocess.run(
        ["/bin/sh", "-c", f"ls {folder}"], user=pwd.getpwnam("nobody").pw_uid, capture_output=True, check=False
    )
    assert b"denied" in probe.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="the server runs as another user for root only")
def test_root_keeps_its_state_folder_where_the_server_may_not_enter(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    settings = read_settings(home=closed / "home")
    try:
        write_number(settings, 11)
        assert (settings.home / "postgres").is_symlink()
        assert read_numbers(settings) == [11]
    finally:
        target = (settings.home / "postgres").resolve()
        server.erase(settings)
    assert not target.exists()


def test_long_state_folders_still_get_a_short_socket(tmp_path: Path) -> None:
    settings = read_settings(home=tmp_path / ("long" * 25) / ("longer" * 20))
    try:
        assert len(server.ensure_running(settings).parameters["host"]) < 90
    finally:
        server.erase(settings)


def test_an_external_server_that_is_absent_is_named_without_its_password(tmp_path: Path) -> None:
    url = SecretStr("postgresql://someone:s3cret@127.0.0.1:1/fulcrum")
    with pytest.raises(WarehouseError, match="does not answer") as caught:
        server.ensure_running(read_settings(home=tmp_path, database_url=url))
    assert "s3cret" not in str(caught.value)
    assert not (tmp_path / "postgres").exists()


def test_an_url_without_user_is_refused(tmp_path: Path) -> None:
    settings = read_settings(home=tmp_path, database_url=SecretStr("postgresql://127.0.0.1/fulcrum"))
    with pytest.raises(SettingsError, match="names no user"):
        server.ensure_running(settings)


def test_an_external_server_is_neither_stopped_nor_deleted(database: Settings) -> None:
    assert server.stop(database) is False
    with pytest.raises(WarehouseError, match="does not delete"):
        server.erase(database)
    assert server.inspect(database).status == "running"


def test_api_role_cannot_bypass_row_level_security(database: Settings) -> None:
    with engine.connect(database, role="fulcrum_api") as connection:
        query = "SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user"
        assert connection.execute(query).fetchone() == (False, False)
