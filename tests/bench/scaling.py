"""Whether time per row and peak memory stay flat from 100,000 to 3,000,000 rows."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
from pathlib import Path

from rich.console import Console

from fulcrum.settings import PROJECT_ROOT, Settings
from tests.bench.data import PER_PORTFOLIO, publish_references, write_holdings
from tests.bench.figures import Figure, median

FACTORS = (0.1, 1.0, 3.0)

CHILD = """
import json, sys, time
from pathlib import Path
from fulcrum.pipeline.deliver import deliver
from fulcrum.settings import read_settings
settings = read_settings()
deliver(settings, "house_holdings", Path(sys.argv[1]))
begin = time.perf_counter()
report = deliver(settings, "house_holdings", Path(sys.argv[2]))
taken = time.perf_counter() - begin
assert report.outcome == "published", report
# Not ru_maxrss: a child inherits its parent's.
peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print(json.dumps({"seconds": taken, "kilobytes": int(peak.split()[1])}))
"""


def run(settings: Settings, folder: Path, rows: int, rounds: int, console: Console) -> list[Figure]:
    """A process of its own for each size, so that its peak memory is its own."""
    publish_references(settings, folder, int(rows * max(FACTORS)) // PER_PORTFOLIO + 1)
    per_row: dict[float, list[float]] = {factor: [] for factor in FACTORS}
    memory: dict[float, float] = {}
    for number in range(rounds):
        for position, factor in enumerate(FACTORS):
            day = dt.date(2010 + number, 1 + position, 1)
            measured = _deliver_in_child(settings, folder, int(rows * factor), day)
            per_row[factor].append(measured["seconds"] / (rows * factor))
            memory[factor] = max(memory.get(factor, 0), measured["kilobytes"] / 1024)
            console.print(f"{int(rows * factor):,} rows: {measured['seconds']:.1f} s, {memory[factor]:.0f} MB")
    flat = median(per_row[3.0]) / median(per_row[1.0])
    return [
        Figure(f"time per row, {int(rows * 3):,} / {rows:,} rows", flat, "x", 1.2),
        Figure("peak memory, largest file", memory[3.0], "MB", 600),
        Figure("peak memory, largest / middle file", memory[3.0] / memory[1.0], "x", 1.1),
    ]


def _deliver_in_child(settings: Settings, folder: Path, rows: int, day: dt.date) -> dict[str, float]:
    warm_up = write_holdings(folder / "warm.csv", 1_000, day.replace(day=2))
    file = write_holdings(folder / "holdings.csv", rows, day)
    environment = os.environ | {"FULCRUM_HOME": str(settings.home), "PYTHONPATH": str(PROJECT_ROOT / "platform")}
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(warm_up), str(file)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    measured: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return measured
