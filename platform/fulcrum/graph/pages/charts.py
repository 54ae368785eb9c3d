"""Small pictures of numbers over time and of lineage, as SVG in the page: no script, no other host.

Colours come from the pages' style by class, so that they follow the browser's scheme and print.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from markupsafe import Markup, escape

_PAD = 4.0
_LABELLED = 60
"""Pixels: a chart as high as this has room to say its highest and lowest value, and from when to when it goes."""
_LETTER = 6.5
_BOX = (190, 26, 8)
"""Width, height and gap of a box of the lineage."""


def trend(
    points: Sequence[Mapping[str, Any]],
    says: str,
    *,
    size: tuple[int, int] = (120, 30),
    is_judged: bool = True,
    starts_at_zero: bool = False,
) -> Markup:
    """Measured values in order, the tolerance as a line, and every result that did not pass as a mark.

    `points` have `measured`, `threshold` and `status`, and may have `business_date`; what was not measured is a gap.
    Large charts say their range; `starts_at_zero` is for counts, whose changes would look larger than they are.
    """
    width, height = size
    values = [point["measured"] for point in points]
    limits = [point["threshold"] if is_judged else None for point in points]
    known = [value for value in (*values, *limits) if value is not None]
    if not any(value is not None for value in values):
        return Markup("")
    low, high = min(*known, Decimal(0)) if starts_at_zero else min(known), max(known)
    span = high - low or Decimal(1)
    frame = _frame(height, low, high)
    step = (width - frame.left - _PAD) / max(len(points) - 1, 1)

    def place(index: int, value: Decimal) -> str:
        up = float((value - low) / span) * (height - _PAD - frame.below)
        return f"{frame.left + index * step:.1f},{height - frame.below - up:.1f}"

    drawn = [f'<polyline class="limit" points="{" ".join(part)}"/>' for part in _runs(limits, place)]
    drawn += [f'<polyline class="measured" points="{" ".join(part)}"/>' for part in _runs(values, place)]
    for index, point in enumerate(points):
        if point["measured"] is not None and (point["status"] != "passed" or index == len(points) - 1):
            x, y = place(index, point["measured"]).split(",")
            drawn.append(f'<circle class="{escape(point["status"])}" cx="{x}" cy="{y}" r="2.5"/>')
    drawn += frame.words(width, height, [str(point.get("business_date") or "") for point in points])
    return Markup(  # noqa: S704 - numbers of ours, and escaped text
        f'<svg class="trend" role="img" width="{width}" height="{height}" viewBox="0 0 {width} {height}">'
        f"<title>{escape(says)}</title>{''.join(drawn)}</svg>"
    )


@dataclass(frozen=True)
class _Frame:
    """The room around the lines of a chart, and what stands in it."""

    left: float
    below: float
    low: str
    high: str

    def words(self, width: int, height: int, dates: Sequence[str]) -> list[str]:
        """The range of values at the left, the first and last date below."""
        if not self.low:
            return []
        base = height - self.below
        said = [(0.0, 10.0, "start", self.high), (0.0, base, "start", self.low)]
        said += [(self.left, height - 2.0, "start", dates[0]), (width - _PAD, height - 2.0, "end", dates[-1])]
        return [f'<text x="{x:g}" y="{y:g}" text-anchor="{a}">{escape(text)}</text>' for x, y, a, text in said if text]


def _frame(height: int, low: Decimal, high: Decimal) -> _Frame:
    if height < _LABELLED:
        return _Frame(_PAD, _PAD, "", "")
    words = [f"{value.normalize():,f}" for value in (low, high)]
    return _Frame(_PAD + _LETTER * max(map(len, words)), 18.0, *words)


def _runs(values: Sequence[Decimal | None], place: Any) -> list[list[str]]:
    runs: list[list[str]] = [[]]
    for index, value in enumerate(values):
        if value is None:
            runs.append([])
        else:
            runs[-1].append(place(index, value))
    return [run for run in runs if len(run) > 1]


def lineage(columns: Sequence[Sequence[tuple[str, str]]], links: Sequence[tuple[str, str]], says: str) -> Markup:
    """Boxes (name, address) in columns from left to right, and lines between names."""
    wide, high, gap = _BOX
    across = wide + 50
    width = across * len(columns) - 50
    height = max(len(column) for column in columns) * (high + gap)
    places = {
        name: (number * across, (height - len(column) * (high + gap)) / 2 + row * (high + gap) + gap / 2)
        for number, column in enumerate(columns)
        for row, (name, _) in enumerate(column)
    }
    drawn = []
    for begin, end in links:
        (x, y), (to_x, to_y) = places[begin], places[end]
        x, y, to_y = x + wide, y + high / 2, to_y + high / 2
        drawn.append(f'<path d="M{x:g},{y:g} C{x + 25:g},{y:g} {to_x - 25:g},{to_y:g} {to_x:g},{to_y:g}"/>')
    for column in columns:
        for name, address in column:
            x, y = places[name]
            drawn.append(
                f'<a href="{escape(address)}"><rect x="{x:g}" y="{y:g}" width="{wide}" height="{high}" rx="5"/>'
                f'<text x="{x + 8:g}" y="{y + 17:g}">{escape(name)}</text></a>'
            )
    return Markup(  # noqa: S704 - numbers of ours, and escaped text
        f'<svg class="lineage" role="group" aria-label="{escape(says)}" width="{width:g}" height="{height:g}"'
        f' viewBox="0 0 {width:g} {height:g}">{"".join(drawn)}</svg>'
    )
