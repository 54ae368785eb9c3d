"""The server's settings file quotes paths, keeps data out of logs and stays durable."""

from __future__ import annotations

from pathlib import Path

from fulcrum.warehouse.server.configuration import settings_text


def text(**changes: object) -> str:
    places = {"socket_dir": Path("/s"), "log_dir": Path("/l"), "has_lz4": False}
    return settings_text(**{**places, **changes})  # type: ignore[arg-type]


def test_quotes_and_backslashes_in_paths_are_kept() -> None:
    assert r"log_directory = '/a manager''s\\logs'" in text(log_dir=Path(r"/a manager's\logs"))


def test_nothing_that_costs_durability_is_set() -> None:
    assert "synchronous_commit = 'on'" in text()
    assert "fsync" not in text()
    assert "full_page_writes" not in text()


def test_only_a_build_with_lz4_compresses_its_log_by_it() -> None:
    assert "wal_compression = 'off'" in text()
    assert "wal_compression = 'lz4'" in text(has_lz4=True)


def test_the_server_listens_on_no_network_and_logs_no_values() -> None:
    assert "listen_addresses = ''" in text()
    assert "log_error_verbosity = 'terse'" in text()
