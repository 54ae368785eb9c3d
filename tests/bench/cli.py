"""How long `fulcrum --help` takes, in units of `import typer`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from rich.console import Console

from fulcrum.settings import Settings
from tests.bench.figures import Figure, median, seconds


def run(settings: Settings, folder: Path, rows: int, rounds: int, console: Console) -> list[Figure]:
    """Interleaved, after one warm-up each."""
    fulcrum = [str(Path(sys.executable).with_name("fulcrum")), "--help"]
    typer = [sys.executable, "-c", "import typer"]
    ours, theirs = [], []
    for _ in range(rounds * 3 + 1):
        ours.append(seconds(lambda: subprocess.run(fulcrum, check=True, capture_output=True)))
        theirs.append(seconds(lambda: subprocess.run(typer, check=True, capture_output=True)))
    ratio = median(ours[1:]) / median(theirs[1:])
    return [Figure("fulcrum --help / import typer", ratio, "x", 3.0, note=f"{median(ours[1:]):.2f} s")]
