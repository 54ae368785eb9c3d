"""Price histories with known errors, as pairs of files: `X.csv` is wrong, `X-fixed.csv` is the truth.

Reads them and lists each error once; judging them is `known_errors.py`.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

SAME = 1e-3
"""Relative; single precision and the vendor's rounding stay below."""
SHOWS = 2 * SAME

Bar = Mapping[str, float]
Bars = Mapping[str, tuple[int, Bar]]
"""By day: line of the file and its numbers."""


@dataclass(frozen=True)
class Error:
    """One error: what is wrong, and the lines of which one must be flagged for it to count as found."""

    what: str
    lines: frozenset[int]


def kind_of(file: Path) -> str:
    """`bad-div` of `1398-HK-1d-bad-div-fixed.csv`."""
    return re.sub(r"^.*?-\d+[a-z]+-", "", re.sub(r"-fixed$", "", file.stem))


def truth_of(file: Path) -> Path | None:
    """The corrected file; None where there is none, and for a corrected file itself."""
    truth = file.with_name(f"{file.stem}-fixed.csv")
    return truth if truth.exists() else None


def daily_copy(file: Path, folder: Path) -> Path:
    """A copy with the last bar of each day, oldest first, because prices are kept by day."""
    with file.open(encoding="utf-8-sig", newline="") as text:
        header, *lines = [line for line in csv.reader(text) if line]
    last = {line[0][:10]: line for line in sorted(lines)}
    copy = folder / file.name
    with copy.open("w", encoding="utf-8", newline="") as text:
        csv.writer(text).writerows([header, *last.values()])
    return copy


def read_bars(file: Path) -> Bars:
    """The rows of a daily copy."""
    with file.open(encoding="utf-8", newline="") as text:
        header, *lines = csv.reader(text)
    cells = ((line[0][:10], dict(zip(header[1:], line[1:], strict=True))) for line in lines)
    return {
        day: (number, {name: float(cell) for name, cell in row.items() if _is_number(cell)})
        for number, (day, row) in enumerate(cells, start=2)
    }


def errors_of(wrong: Bars, true: Bars) -> Iterator[Error]:
    """The errors of `wrong`: runs of wrong prices, wrong dividends, wrong adjustments.

    A run is found on any of its lines or on the next, where it breaks. A wrong adjustment begins where its ratio
    to the truth changes: on the ex-date. A wrong dividend that made one is counted there.
    """
    days = sorted(wrong.keys() & true.keys())
    run: set[int] = set()
    for before, day in zip([None, *days], days, strict=False):
        line, bar = wrong[day]
        if _differs(bar, true[day][1], "Close"):
            run |= {line, line + 1}
            continue
        if run:
            yield Error(f"prices until line {line - 1}", frozenset(run))
            run = set()
        stepped = before is not None and _is_step(wrong, true, before, day)
        if stepped:
            yield Error(f"adjustment on line {line}", frozenset({line - 1, line}))
        elif _differs(bar, true[day][1], "Dividends"):
            yield Error(f"dividend on line {line}", frozenset({line - 1, line, line + 1}))
    if run:
        yield Error("prices until the end", frozenset(run))


def prices_differ(wrong: Bars, true: Bars) -> bool:
    """Whether the correction was one of prices; if not, of dividends and adjusted prices only."""
    return any(_differs(wrong[day][1], true[day][1], "Close") for day in wrong.keys() & true.keys())


def _is_step(wrong: Bars, true: Bars, before: str, day: str) -> bool:
    """Whether the adjusted price's ratio to the truth changes between two days whose prices are right."""
    if _differs(wrong[before][1], true[before][1], "Close"):
        return False
    pairs = [(wrong[each][1].get("Adj Close"), true[each][1].get("Adj Close")) for each in (before, day)]
    ratios = [ours / theirs for ours, theirs in pairs if ours is not None and theirs]
    return len(ratios) == len(pairs) and abs(ratios[0] - ratios[1]) > SHOWS * abs(ratios[1])


def _differs(bar: Bar, truth: Bar, name: str) -> bool:
    ours, theirs = bar.get(name, 0.0), truth.get(name, 0.0)
    return abs(ours - theirs) > SAME * max(abs(ours), abs(theirs))


def _is_number(cell: str) -> bool:
    try:
        return float(cell) == float(cell)  # not a NaN
    except ValueError:
        return False
