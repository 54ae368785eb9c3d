"""Price histories with known errors, as pairs of files: `X.csv` is wrong, `X-fixed.csv` is the truth.

Says which files belong together and lists each error once; reading them is `bar_files.py`, judging `known_errors.py`.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fulcrum.pipeline.bar_files import COLUMNS, BarFile

SAME = 1e-3
"""Relative; single precision and the vendor's rounding stay below."""
SHOWS = 2 * SAME
MISSING = 6
"""Bars in a row that only the truth has and that count as an error; fewer are holidays and halts of one of the two."""
PRICES = COLUMNS[:4]

Bar = Mapping[str, float]
Bars = Mapping[str, tuple[int, Bar]]
"""By day: line of the copy that is judged, and its numbers."""

_INTERVAL = re.compile(r"^(?P<name>.*?)[-_]\d+(?:m|min|h|d|wk|mo)(?:[-_](?P<kind>.+))?$")
_WRONG = re.compile(r"bad|wrong|error|miss|double|mix|\d+x", re.IGNORECASE)
_FIXED = re.compile(r"[-_]fixed$")
_SUFFIX = re.compile(r"[-.](?P<suffix>[A-Z]{1,3})$")


@dataclass(frozen=True)
class Error:
    """One error: what is wrong, and the lines of which one must be flagged for it to count as found."""

    what: str
    lines: frozenset[int]


def kind_of(file: Path) -> str:
    """`bad-div` of `1398-HK-1d-bad-div-fixed.csv`; `series` where the name says none."""
    found = _INTERVAL.match(_FIXED.sub("", file.stem))
    return (found["kind"] if found else None) or "series"


def market_of(file: Path) -> str:
    """`HK` of `1398-HK-1d-bad-div.csv`; empty where the name has no suffix of a market."""
    found = _INTERVAL.match(_FIXED.sub("", file.stem))
    suffix = _SUFFIX.search(found["name"] if found else file.stem)
    return suffix["suffix"] if suffix else ""


def truth_of(file: Path) -> Path | None:
    """The corrected file; None where there is none, and for a corrected file itself."""
    names = (file.with_name(f"{file.stem}{mark}fixed{file.suffix}") for mark in "-_")
    return next((truth for truth in names if truth.exists()), None)


def is_right(file: Path) -> bool:
    """Whether a file without a corrected one beside it is said to be right: `-fixed`, `no-...`, no word of an error."""
    return bool(_FIXED.search(file.stem)) or kind_of(file).startswith("no-") or not _WRONG.search(file.stem)


def bars_of(file: BarFile, days: Mapping[dt.datetime, dt.date]) -> Bars:
    """The numbers of a file by day, with the line that each has in the copy (`bar_files.write`)."""
    by_day = {days[stamp].isoformat(): row for stamp, row in file.rows.items()}
    return {
        day: (line, {name: float(cell) for name, cell in row.items()})
        for line, (day, row) in enumerate(by_day.items(), start=2)
    }


def errors_of(wrong: Bars, true: Bars) -> Iterator[Error]:
    """The errors of `wrong`: runs of wrong prices, of missing bars, wrong dividends, wrong adjustments.

    A run is found on any of its lines or on the next, where it breaks. A wrong adjustment begins where its ratio
    to the truth changes: on the ex-date. A wrong dividend that made one is counted there.
    """
    days = sorted(wrong.keys() & true.keys())
    run: list[str] = []
    for before, day in zip([None, *days], days, strict=False):
        line, bar = wrong[day]
        if _price_differs(bar, true[day][1]):
            run.append(day)
            continue
        if run:
            yield _run(wrong, run)
            run = []
        stepped = before is not None and _is_step(wrong, true, before, day)
        if stepped:
            yield Error(f"adjustment on {day}", frozenset({line - 1, line}))
        elif _differs(bar, true[day][1], "Dividends"):
            yield Error(f"dividend on {day}", frozenset({line - 1, line, line + 1}))
    if run:
        yield _run(wrong, run)
    yield from _missing(wrong, true)


def prices_differ(wrong: Bars, true: Bars) -> bool:
    """Whether the correction was one of prices; if not, of dividends and adjusted prices only."""
    return any(_price_differs(wrong[day][1], true[day][1]) for day in wrong.keys() & true.keys())


def _run(wrong: Bars, days: Sequence[str]) -> Error:
    lines = {wrong[day][0] for day in days}
    return Error(f"prices of {days[0]} to {days[-1]}", frozenset(lines | {line + 1 for line in lines}))


def _missing(wrong: Bars, true: Bars) -> Iterator[Error]:
    """Bars within the wrong series that only the truth has; found where the series goes on."""
    gap: list[str] = []
    for day in sorted(true.keys() | wrong.keys()):
        if day not in wrong:
            gap.append(day)
            continue
        line = wrong[day][0]
        if len(gap) >= MISSING and line > 2:  # noqa: PLR2004 before the first line nothing is missing
            yield Error(f"{len(gap)} bars before {day}", frozenset({line}))
        gap = []


def _is_step(wrong: Bars, true: Bars, before: str, day: str) -> bool:
    """Whether the adjusted price's ratio to the truth changes between two days whose prices are right."""
    if _price_differs(wrong[before][1], true[before][1]):
        return False
    pairs = [(wrong[each][1].get("Adj Close"), true[each][1].get("Adj Close")) for each in (before, day)]
    ratios = [ours / theirs for ours, theirs in pairs if ours is not None and theirs]
    return len(ratios) == len(pairs) and abs(ratios[0] - ratios[1]) > SHOWS * abs(ratios[1])


def _price_differs(bar: Bar, truth: Bar) -> bool:
    """Of the day's other prices only those that both have."""
    return _differs(bar, truth, "Close") or any(
        _differs(bar, truth, name) for name in PRICES[:3] if name in bar and name in truth
    )


def _differs(bar: Bar, truth: Bar, name: str) -> bool:
    ours, theirs = bar.get(name, 0.0), truth.get(name, 0.0)
    return abs(ours - theirs) > SAME * max(abs(ours), abs(theirs))
