"""A service outlives its starter, is found by whoever comes later, and no stranger is ever ended."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from fulcrum.services.process import ProcessFile


@pytest.fixture
def file(tmp_path: Path) -> Iterator[ProcessFile]:
    found = ProcessFile("probe", tmp_path / "run with space" / "probe.json", tmp_path / "logs" / "probe.log")
    yield found
    found.stop(5)


def start_sleeper(file: ProcessFile, tmp_path: Path) -> psutil.Process:
    return file.start(["sleep", "300"], os.environ, tmp_path)


def test_a_started_service_is_found_and_has_no_tie_to_its_starter(file: ProcessFile, tmp_path: Path) -> None:
    process = start_sleeper(file, tmp_path)
    assert file.read() == process
    assert process.ppid() != os.getpid()
    assert os.getsid(process.pid) != os.getsid(0)


def test_stop_ends_the_service_and_its_children(file: ProcessFile, tmp_path: Path) -> None:
    script = "import subprocess, time; subprocess.Popen(['sleep', '301']); time.sleep(300)"
    leader = file.start([sys.executable, "-c", script], os.environ, tmp_path)
    deadline = time.monotonic() + 20
    while not leader.children() and time.monotonic() < deadline:
        time.sleep(0.05)
    children = leader.children()
    assert len(children) == 1
    assert file.stop(1) is True
    assert not leader.is_running()
    assert not children[0].is_running()
    assert not file.path.exists()


def test_children_of_a_killed_leader_are_ended_too(file: ProcessFile, tmp_path: Path) -> None:
    script = "import subprocess, time; subprocess.Popen(['sleep', '302']); print(1, flush=True); time.sleep(300)"
    leader = file.start([sys.executable, "-c", script], os.environ, tmp_path)
    deadline = time.monotonic() + 20
    while not leader.children() and time.monotonic() < deadline:
        time.sleep(0.05)
    child = leader.children()[0]
    leader.kill()
    psutil.wait_procs([leader], timeout=5)
    assert file.read() is None
    assert file.is_left_over
    assert file.stop(1) is True
    assert not child.is_running()


def test_a_pid_that_was_given_to_another_process_is_not_ended(file: ProcessFile) -> None:
    with subprocess.Popen(["sleep", "300"]) as stranger:
        try:
            file.path.parent.mkdir(parents=True)
            file.path.write_text(json.dumps({"pid": stranger.pid, "started": 1_000_000_000.0}))
            assert file.read() is None
            assert file.stop(1) is False
            assert stranger.poll() is None
        finally:
            stranger.kill()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": "x"}', '{"pid": 1}'])
def test_a_torn_pid_file_means_that_nothing_runs(file: ProcessFile, content: str) -> None:
    file.path.parent.mkdir(parents=True)
    file.path.write_text(content)
    assert file.read() is None


def test_output_goes_to_the_log_and_its_end_can_be_told(file: ProcessFile, tmp_path: Path) -> None:
    command = [sys.executable, "-u", "-c", "print('first'); raise SystemExit('no database')"]
    file.start(command, os.environ, tmp_path)
    deadline = time.monotonic() + 20
    while "no database" not in file.last_lines() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert file.last_lines(2).splitlines() == ["first", "no database"]
