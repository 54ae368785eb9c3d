"""One measured figure against its budget, and how a run of them is printed and kept."""

from __future__ import annotations

import datetime as dt
import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Figure:
    """`value` of `name` in `unit`; `budget` is the most (or, with `at_least`, the least) allowed."""

    name: str
    value: float
    unit: str
    budget: float | None = None
    at_least: bool = False
    note: str = ""

    @property
    def verdict(self) -> str:
        """`ok`, `over` or, without a budget, nothing."""
        if self.budget is None:
            return ""
        kept = self.value >= self.budget if self.at_least else self.value <= self.budget
        return "ok" if kept else "over"


def seconds(action: Callable[[], object]) -> float:
    """Wall time of one call."""
    begin = time.perf_counter()
    action()
    return time.perf_counter() - begin


def median(values: list[float]) -> float:
    """The middle one: these machines are noisy."""
    return statistics.median(values)


def show(figures: list[Figure], console: Console) -> None:
    """Print the figures as a table."""
    table = Table(title="Measured in this run")
    for heading in ("figure", "value", "budget", "", "note"):
        table.add_column(heading, justify="right" if heading in ("value", "budget") else "left")
    for figure in figures:
        sign = "≥" if figure.at_least else "≤"
        budget = "" if figure.budget is None else f"{sign} {figure.budget:g}"
        style = "red" if figure.verdict == "over" else "green"
        table.add_row(
            figure.name, f"{figure.value:.3g} {figure.unit}", budget, f"[{style}]{figure.verdict}[/]", figure.note
        )
    console.print(table)


def keep(figures: list[Figure], folder: Path) -> Path:
    """Write the figures as JSON, named by the moment."""
    folder.mkdir(parents=True, exist_ok=True)
    now = dt.datetime.now(dt.UTC)
    path = folder / f"{now:%Y%m%dT%H%M%SZ}.json"
    machine = {"cores": os.cpu_count(), "python": platform.python_version(), "system": platform.system()}
    content = {"at": now.isoformat(), "machine": machine, "figures": [asdict(figure) for figure in figures]}
    path.write_text(json.dumps(content, indent=1), encoding="utf-8")
    return path
