"""CSV to published against the sum of the bare SQL steps, against pandas, and a restatement of 1 %."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from rich.console import Console

from fulcrum.pipeline.deliver import deliver
from fulcrum.settings import Settings
from fulcrum.warehouse.engine import connect
from tests.bench import bare, pandas_peer
from tests.bench.data import PER_PORTFOLIO, publish_references, write_holdings
from tests.bench.figures import Figure, median, seconds

PANDAS_ROWS = 100_000
"""The peer is slow: it gets a tenth of the rows, and its time is scaled up."""


def run(settings: Settings, folder: Path, rows: int, rounds: int, console: Console) -> list[Figure]:
    """Each round takes a month of its own, ours and bare in turn."""
    publish_references(settings, folder, rows // PER_PORTFOLIO + 1)
    warm_up = write_holdings(folder / "warm.csv", 1_000, dt.date(2020, 1, 6))
    deliver(settings, "house_holdings", warm_up)
    ours, limits, restatements = [], [], []
    with connect(settings, role="fulcrum_owner") as connection:
        bare.prepare(connection)
        for number in range(rounds):
            day = dt.date(2021 + number, 3, 1)
            file = write_holdings(folder / "holdings.csv", rows, day)
            bare.month(connection, day)
            steps = [
                seconds(lambda: bare.copy(connection, file)),  # noqa: B023 called at once
                seconds(lambda: bare.check(connection)),
                seconds(lambda: bare.insert(connection)),
            ]
            limits.append(sum(steps))
            ours.append(_published(settings, file, "published", console))
            changed = write_holdings(folder / "changed.csv", rows, day, changed_every=100)
            restatements.append(_published(settings, changed, "restated", console))
            console.print(
                f"round {number + 1}: fulcrum {ours[-1]:.1f} s, bare {limits[-1]:.1f} s"
                f" (copy {steps[0]:.1f}, checks {steps[1]:.1f}, insert {steps[2]:.1f}),"
                f" restatement {restatements[-1]:.1f} s"
            )
    ratios = [our / limit for our, limit in zip(ours, limits, strict=True)]
    again = [restatement / our for restatement, our in zip(restatements, ours, strict=True)]
    small = write_holdings(folder / "small.csv", PANDAS_ROWS, dt.date(2019, 3, 1))
    peer = seconds(lambda: pandas_peer.load(settings, small)) * rows / PANDAS_ROWS
    return [
        Figure(f"{rows:,} holdings published / bare SQL steps", median(ratios), "x", 1.4, note=f"{median(ours):.1f} s"),
        Figure("restatement of 1 % / first publish", median(again), "x", 0.6, note=f"{median(restatements):.1f} s"),
        Figure("pandas + GE on the frame + to_sql / Fulcrum", peer / median(ours), "x", 10, at_least=True),
    ]


def _published(settings: Settings, file: Path, expected: str, console: Console) -> float:
    reports = []
    taken = seconds(lambda: reports.append(deliver(settings, "house_holdings", file)))
    if reports[0].outcome != expected:
        raise SystemExit(f"expected {expected}, got {reports[0].outcome}: {reports[0].messages}")
    return taken
