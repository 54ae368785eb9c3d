"""The drop folder `inbox/<feed>/`: which files wait in it, which are whole, where they go afterwards.

No Dagster here. A file leaves the folder only by a rename, after its delivery ended.
"""

from __future__ import annotations

import hashlib
import os
import stat
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from fulcrum.pipeline.report import DeliveryReport, Outcome

DONE, REFUSED = ".done", ".refused"

SETTLE_SECONDS = 3.0
"""A file is whole when size and times stood still between two looks and for so long before the last."""

_HASHED_BYTES = 16 << 20  # a look has 60 s for all files; size and times tell the rest

_TEMPORARY_ENDINGS = (".tmp", ".temp", ".part", ".partial", ".crdownload", ".filepart", ".swp", ".lock", "~")
_TEMPORARY_STARTS = (".", "~", "#")


@dataclass(frozen=True)
class Waiting:
    """A file in the drop folder as one look saw it."""

    feed: str
    path: Path
    size: int
    modified_ns: int
    changed_ns: int

    @property
    def key(self) -> str:
        """Its place below the inbox."""
        return f"{self.feed}/{self.path.name}"

    @property
    def look(self) -> str:
        """Differs as soon as somebody writes to the file or puts another in its place."""
        return f"{self.size}:{self.modified_ns}:{self.changed_ns}"

    def has_rested(self, now: float | None = None) -> bool:
        """Whether nobody has touched the file for the settle time."""
        still_for = (now or time.time()) - max(self.modified_ns, self.changed_ns) / 1e9
        return still_for >= SETTLE_SECONDS

    def fingerprint(self) -> str:
        """SHA-256 of content, place and time of arrival: the same file dropped again is another drop."""
        with self.path.open("rb") as opened:
            content = hashlib.sha256(opened.read(_HASHED_BYTES)).hexdigest()
        return hashlib.sha256(f"{content}/{self.key}/{self.look}".encode()).hexdigest()


def open_folders(inbox: Path, feeds: Iterable[str]) -> None:
    """Create the folder of every feed, so that nobody has to guess its name."""
    for feed in feeds:
        (inbox / feed).mkdir(parents=True, exist_ok=True)


def waiting(inbox: Path, feed: str) -> list[Waiting]:
    """The feed's files in the order in which they came, without those whose names say 'unfinished'."""
    found = []
    for path in sorted((inbox / feed).glob("*")):
        if path.name.startswith(_TEMPORARY_STARTS) or path.name.lower().endswith(_TEMPORARY_ENDINGS):
            continue
        try:
            seen = path.lstat()
        except FileNotFoundError:
            continue  # another process took it in between
        if stat.S_ISREG(seen.st_mode):  # links could lead anywhere
            found.append(Waiting(feed, path, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns))
    return sorted(found, key=lambda one: (one.modified_ns, one.path.name))


def unknown_folders(inbox: Path, feeds: Iterable[str]) -> list[str]:
    """Folders of the inbox that no contract knows and that hold files: nobody will take those."""
    known = set(feeds)
    if not inbox.is_dir():
        return []
    return sorted(
        folder.name
        for folder in inbox.iterdir()
        if folder.is_dir() and folder.name not in known and any(path.is_file() for path in folder.iterdir())
    )


def is_settled(file: Waiting, earlier: Mapping[str, str], now: float) -> bool:
    """Whether the file stood still since the last look, where `earlier` holds the looks by key."""
    return earlier.get(file.key) == file.look and file.has_rested(now)


def holds(inbox: Path, path: Path) -> bool:
    """Whether `path` waits in the drop folder, so that it has to leave it afterwards."""
    resolved = path.resolve()
    return resolved.parent.parent == inbox.resolve() and not resolved.parent.name.startswith(".")


def put_away(path: Path, report: DeliveryReport) -> Path:
    """Move a delivered file to `.done` or `.refused` beside it, with a text that says why.

    Returns where it is now; a file that somebody else moved meanwhile is left where it is.
    """
    folder = path.parent / (DONE if Outcome(report.outcome).is_good else REFUSED)
    folder.mkdir(exist_ok=True)
    goal = _free_name(folder, path.name)
    note = goal.with_name(goal.name + ".txt")
    note.write_text(_note(report), encoding="utf-8")
    try:
        os.rename(path, goal)  # noqa: PTH104 - Path.rename says the same, this says that it is atomic
    except FileNotFoundError:
        note.unlink()
        return path
    return goal


def _free_name(folder: Path, name: str) -> Path:
    """`name` in `folder`, numbered if a file of that name went there before."""
    stem, dot, ending = name.partition(".")
    candidate, number = folder / name, 1
    while candidate.exists() or candidate.with_name(candidate.name + ".txt").exists():
        number += 1
        candidate = folder / f"{stem}-{number}{dot}{ending}"
    return candidate


def _note(report: DeliveryReport) -> str:
    facts = {
        "outcome": report.outcome,
        "feed": report.feed,
        "file": report.file,
        "sha256": report.sha256,
        "delivery": report.delivery_id,
        "business date": report.business_date,
        "verdict of the gate": report.verdict,
        "publication": report.publication_id,
        "rows in the file": report.rows_in,
        "rows in quarantine": report.rows_quarantined,
        "rows published": report.rows_published,
        "rows superseded": report.rows_superseded,
    }
    lines = [f"{name}: {value}" for name, value in facts.items() if value is not None]
    return "\n".join([*lines, "", *report.messages]).rstrip() + "\n"
