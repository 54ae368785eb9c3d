"""Processor time of the bench and its server together: wall time alone says little on a shared machine.

Servers of other contenders are measured by `graph/processes.py`.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import psutil

from fulcrum.settings import Settings
from fulcrum.warehouse import server
from tests.bench.figures import Figure, median, seconds

_UNTIL_COUNTED = 0.5


@dataclass
class Took:
    """Wall and processor seconds of one contender, a pair for each round."""

    wall: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)

    def run(self, settings: Settings, action: Callable[[], object]) -> str:
        """Run once more; what it took, in words."""
        time.sleep(_UNTIL_COUNTED)  # a backend that is just ending is counted by nobody, then by whoever runs next
        before = processor_seconds(settings)
        self.wall.append(seconds(action))
        time.sleep(_UNTIL_COUNTED)
        self.processor.append(processor_seconds(settings) - before)
        return f"{self.wall[-1]:.2f} s (processor {self.processor[-1]:.2f} s)"

    def words(self) -> str:
        """The medians."""
        return f"{median(self.wall):.1f} s, processor {median(self.processor):.1f} s"

    def against(self, other: Took, name: str, budget: float | None = None) -> list[Figure]:
        """Both ratios, of rounds that ran one after the other; `budget` is for each."""
        pairs = {"wall": zip(self.wall, other.wall, strict=True)}
        pairs["processor"] = zip(self.processor, other.processor, strict=True)
        return [
            Figure(f"{name}, {kind}", median([one / two for one, two in each]), "x", budget, note=self.words())
            for kind, each in pairs.items()
        ]


def processor_seconds(settings: Settings) -> float:
    """Of this process and of the server's, of backends that ended too."""
    total = sum(psutil.Process().cpu_times()[:2])
    postmaster = server.inspect(settings).pid
    if postmaster is None:
        return total  # an external server: only ours is visible
    parent = psutil.Process(postmaster)
    total += sum(parent.cpu_times()[:4])
    for child in parent.children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            total += sum(child.cpu_times()[:2])
    return float(total)
