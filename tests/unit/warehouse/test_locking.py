"""One holder at a time; a holder's death frees the lock."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fulcrum.errors import WarehouseError
from fulcrum.warehouse.server.locking import exclusive

HOLDER = """
import sys; from pathlib import Path
from fulcrum.warehouse.server.locking import exclusive
with exclusive(Path(sys.argv[1]), timeout=5, purpose="hold"):
    print("held", flush=True); sys.stdin.read()
"""


def test_a_second_holder_waits_and_is_told_what_for(tmp_path: Path) -> None:
    with exclusive(tmp_path / "x.lock", timeout=1, purpose="first"):
        second = exclusive(tmp_path / "x.lock", timeout=0.1, purpose="start PostgreSQL")
        with pytest.raises(WarehouseError, match="wants to start PostgreSQL"), second:
            pytest.fail("two holders at once")
    with exclusive(tmp_path / "x.lock", timeout=0.1, purpose="again"):
        assert (tmp_path / "x.lock").exists()


def test_kill_9_of_the_holder_frees_it(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", HOLDER, str(tmp_path / "x.lock")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        holder.kill()
        with exclusive(tmp_path / "x.lock", timeout=10, purpose="go on"):
            assert holder.wait() != 0
