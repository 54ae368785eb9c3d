"""Part `rules` of `make bench`: known errors of real price histories, found and missed, and false alarms."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from fulcrum.pipeline.known_errors import measure, table_of, total_of
from fulcrum.settings import PROJECT_ROOT, Settings
from tests.bench.figures import Figure

FOLDER = PROJECT_ROOT.parent / "shared" / "data" / "prices" / "yahoo_known_errors"


def run(settings: Settings, folder: Path, rows: int, rounds: int, console: Console) -> list[Figure]:
    """Judge every file of the folder once; nothing where the folder is not on this machine."""
    if not FOLDER.is_dir():
        console.print("The series with known errors are not on this machine.")
        return []
    kinds = measure(settings, FOLDER, folder)
    console.print(table_of(kinds))
    total = total_of(kinds)
    return [
        Figure("errors in price histories that no rule finds", 100 - total.recall, "%", 5.0),
        Figure("false alarms per 1,000 points of histories that are right", total.false_alarms, "", 1.0),
    ]
