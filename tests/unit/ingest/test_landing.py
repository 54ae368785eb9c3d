"""The landing zone keeps every file under its hash, whole or not at all."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import pytest

from fulcrum.errors import DeliveryRefusedError
from fulcrum.ingest.landing import land
from fulcrum.settings import Settings, read_settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return read_settings(home=tmp_path / "home")


def test_a_file_lands_under_its_hash_untouched_and_read_only(settings: Settings, tmp_path: Path) -> None:
    content = os.urandom(3_000_000)
    source = tmp_path / "a file.csv"
    source.write_bytes(content)
    landed = land(settings, source)
    assert landed.sha256 == hashlib.sha256(content).hexdigest()
    assert landed.path == settings.landing / landed.sha256[:2] / landed.sha256
    assert landed.path.read_bytes() == content
    assert landed.path.stat().st_mode & 0o222 == 0
    assert (landed.size_bytes, landed.file_name) == (3_000_000, "a file.csv")


def test_the_same_bytes_again_change_nothing(settings: Settings, tmp_path: Path) -> None:
    for name in ("one.csv", "two.csv"):
        (tmp_path / name).write_bytes(b"same")
    first = land(settings, tmp_path / "one.csv")
    before = first.path.stat()
    second = land(settings, tmp_path / "two.csv")
    assert second.path == first.path
    assert second.path.stat().st_ino == before.st_ino
    assert list((settings.landing / "incoming").iterdir()) == []


def test_what_a_killed_landing_left_is_swept(settings: Settings, tmp_path: Path) -> None:
    incoming = settings.landing / "incoming"
    incoming.mkdir(parents=True)
    (incoming / "4194999-abc").write_bytes(b"half")  # above the largest process id of Linux
    (tmp_path / "one.csv").write_bytes(b"whole")
    land(settings, tmp_path / "one.csv")
    assert list(incoming.iterdir()) == []


def test_a_missing_file_and_a_folder_are_refused_by_name(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(DeliveryRefusedError, match=r"nothing\.csv: The file cannot be read: No such file"):
        land(settings, tmp_path / "nothing.csv")
    with pytest.raises(DeliveryRefusedError, match="Is a directory"):
        land(settings, tmp_path)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a full disk to write to")
def test_a_full_disk_is_said_and_leaves_nothing(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "one.csv").write_bytes(b"x" * 100_000)
    opened = Path.open

    def full(path: Path, *arguments: Any) -> Any:
        if arguments[:1] == ("xb",):
            return opened(Path("/dev/full"), "wb")
        return opened(path, *arguments)

    monkeypatch.setattr(Path, "open", full)  # the outside world: a disk with no space left
    with pytest.raises(DeliveryRefusedError, match="No space left on device"):
        land(settings, tmp_path / "one.csv")
    monkeypatch.undo()
    assert [path for path in settings.landing.rglob("*") if path.is_file()] == []
