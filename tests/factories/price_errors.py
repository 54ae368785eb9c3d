"""Made-up price histories that are right, and the errors that vendors put into such, one of each kind.

A history is a list of bars as dictionaries, oldest first; numbers are seeded, so that a run repeats itself.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

Bar = dict[str, Any]
History = list[Bar]
PRICES = ("open_price", "high_price", "low_price", "price", "adjusted_price")
EX_DATES = (30, 93, 156, 219)
AT = EX_DATES[1]
"""The ex-date that errors are put on."""
SPLIT = 150
LENGTH = 240


def clean(seed: int, *, level: float = 40.0, daily: float = 0.012, paid: float = 0.009) -> History:
    """Bars of 240 weekdays whose price moves by `daily`, falls by its dividends (`paid` of it) and splits nowhere."""
    rng, rows, price, first = random.Random(seed), [], level, dt.date(2023, 1, 2)
    for number in range(LENGTH):
        dividend = round(price * paid, 3) if number in EX_DATES else 0.0
        price = round((price - dividend) * (1 + max(-4 * daily, min(4 * daily, rng.gauss(0, daily)))), 4)
        opened = round(price * (1 + rng.gauss(0, daily / 3)), 4)
        day = first + dt.timedelta(days=7 * (number // 5) + number % 5)
        rows.append({
            "business_date": day, "open_price": opened, "high_price": round(max(price, opened) * (1 + daily / 4), 4),
            "low_price": round(min(price, opened) * (1 - daily / 4), 4), "price": price, "volume": 10_000 + number,
            "dividend": dividend, "split_ratio": 0, "capital_gain": 0,
        })  # fmt: skip
    return adjusted(rows)


def adjusted(rows: History, taken: Callable[[Bar, float], float] | None = None) -> History:
    """The same with the adjusted prices that follow from its dividends; `taken(bar, before)` off the price at each."""
    factor = 1.0
    for row, before in zip(reversed(rows), [*reversed(rows[:-1]), None], strict=True):
        row["adjusted_price"] = round(row["price"] * factor, 6)
        if before is not None and row["dividend"]:
            off = taken(row, before["price"]) if taken else row["dividend"] / before["price"]
            factor *= 1 - off
    return rows


def times(rows: History, places: Iterable[int], factor: float, columns: Iterable[str] = PRICES) -> History:
    """The same with the prices of some bars multiplied."""
    for place in places:
        rows[place] |= {name: rows[place][name] * factor for name in columns}
    return rows


def changed(rows: History, places: Mapping[int, Mapping[str, Any]]) -> History:
    """The same with some cells replaced."""
    for place, cells in places.items():
        rows[place] |= cells
    return rows


def _paid(rows: History, factor: float, *, follows: bool, places: Iterable[int] = (AT,)) -> History:
    changed(rows, {place: {"dividend": rows[place]["dividend"] * factor} for place in places})
    return adjusted(rows) if follows else rows


def _off(rows: History, off: Callable[[float], float]) -> History:
    """The adjusted price takes something else than the dividend of AT."""
    at = rows[AT]
    return adjusted(rows, lambda row, before: (off if row is at else float)(row["dividend"] / before))


def _moved(rows: History, by: int, *, stays: bool, follows: bool) -> History:
    """The dividend of AT also (`stays`) or instead some bars later."""
    changed(rows, {AT + by: {"dividend": rows[AT]["dividend"]}} | ({} if stays else {AT: {"dividend": 0.0}}))
    return adjusted(rows) if follows else rows


def _split(rows: History, ratio: float, places: Iterable[int], factor: float) -> History:
    """A split at SPLIT that all prices know, but for those of `places`."""
    return times(changed(rows, {SPLIT: {"split_ratio": ratio}}), places, factor)


def _distributing(rows: History, *, twice: bool) -> History:
    """A fund whose dividends at AT and the last ex-date hold capital gains, which the adjusted price takes `twice`."""
    for place in (AT, EX_DATES[3]):
        gain = round(rows[place - 1]["price"] * 0.07, 3)
        times(rows, range(place, LENGTH), 1 - gain / rows[place - 1]["price"], PRICES[:4])
        changed(rows, {place: {"capital_gain": gain, "dividend": rows[place]["dividend"] + gain}})
    return adjusted(rows, lambda row, before: (row["dividend"] + twice * row["capital_gain"]) / before)


def _dated(rows: History, first: dt.date, step: int) -> History:
    return changed(rows, {n: {"business_date": first + dt.timedelta(days=step * n)} for n in range(len(rows))})


def _switching(rows: History) -> History:
    return times(rows, random.Random(5).sample(range(LENGTH), LENGTH // 2), 100)


@dataclass(frozen=True)
class Wrong:
    """A kind of error: what it makes of a right history, and the places of which one must be flagged."""

    makes: Callable[[History], History]
    places: frozenset[int]


def _wrong(makes: Callable[[History], History], *places: int) -> Wrong:
    return Wrong(makes, frozenset(places))


KINDS: Mapping[str, Wrong] = {
    **{
        f"prices times {factor:g}, {name}": _wrong(partial(times, places=places, factor=factor), *shown)
        for factor in (100, 0.01, 10, 0.1, 1000, 0.001)
        for name, places, shown in (
            ("a day", range(60, 61), (60,)),
            ("a month", range(60, 81), (60, 80)),
            ("the beginning", range(40), (39, 40)),
            ("the end", range(200, LENGTH), (199, 200)),
            ("the last day", range(LENGTH - 1, LENGTH), (LENGTH - 1,)),
        )
    },
    "prices that switch between two units": _wrong(_switching, *range(LENGTH)),
    **{
        f"only the {name[:-6]} times {factor:g}": _wrong(partial(times, places=[60], factor=factor, columns=[name]), 60)
        for name in PRICES[:3]
        for factor in (100, 0.01)
    },
    "only the close times 100": _wrong(lambda rows: times(rows, [60], 100, PRICES[3:]), 60),
    "prices of zero": _wrong(lambda rows: times(rows, [60], 0), 60),
    "no price": _wrong(lambda rows: changed(rows, {60: dict.fromkeys(PRICES)}), 60),
    "stale prices": _wrong(
        lambda rows: changed(rows, {n: {name: rows[60][name] for name in PRICES} for n in range(61, 69)}),
        *range(61, 69),
    ),
    "a lost month": _wrong(lambda rows: rows[:100] + rows[121:], 100),
    "a dividend times 100, taken off": _wrong(lambda rows: _paid(rows, 100, follows=True), AT),
    "a dividend times 100": _wrong(lambda rows: _paid(rows, 100, follows=False), AT),
    "a dividend times 0.01, taken off": _wrong(lambda rows: _paid(rows, 0.01, follows=True), AT),
    "a dividend times 0.01": _wrong(lambda rows: _paid(rows, 0.01, follows=False), AT),
    "a dividend in another currency, taken off": _wrong(lambda rows: _paid(rows, 10.9, follows=True), AT),
    "a dividend in another currency": _wrong(lambda rows: _paid(rows, 1.27, follows=False), AT),
    "a dividend not taken off": _wrong(lambda rows: _off(rows, lambda _: 0), AT),
    "a dividend taken off twice": _wrong(lambda rows: _off(rows, lambda part: 2 * part), AT),
    "a dividend added": _wrong(lambda rows: _off(rows, lambda part: -part), AT),
    "a dividend lost that was taken off": _wrong(lambda rows: changed(rows, {AT: {"dividend": 0.0}}), AT),
    "no dividend taken off": _wrong(lambda rows: adjusted(rows, lambda *_: 0), *EX_DATES),
    "a phantom dividend, taken off": _wrong(lambda rows: _moved(rows, 4, stays=True, follows=True), AT, AT + 4),
    "a phantom dividend": _wrong(lambda rows: _moved(rows, 2, stays=True, follows=False), AT, AT + 2),
    "an ex-date days late": _wrong(lambda rows: _moved(rows, 3, stays=False, follows=False), AT, AT + 3),
    "capital gains taken off twice": _wrong(lambda rows: _distributing(rows, twice=True), AT),
    **{
        f"split of {ratio:g}, {name}": _wrong(partial(_split, ratio=ratio, places=places, factor=factor), *shown)
        for ratio in (2, 10, 1.5, 7 / 3, 0.1, 0.4406)
        for name, places, factor, shown in (
            ("missing before it", range(SPLIT), ratio, (SPLIT - 1, SPLIT)),
            ("applied twice", range(SPLIT), 1 / ratio, (SPLIT - 1, SPLIT)),
            ("applied to a part", range(120), ratio, (119, 120)),
            ("applied late", range(SPLIT, SPLIT + 6), 1 / ratio, (SPLIT - 1, SPLIT)),
        )
    },
    "a split of 4 that nobody tells": _wrong(lambda rows: times(rows, range(SPLIT), 4), SPLIT - 1, SPLIT),
}

RIGHT: Mapping[str, Callable[[History], History]] = {
    "as it is": lambda rows: rows,
    "a split that all prices know": lambda rows: changed(rows, {SPLIT: {"split_ratio": 1.25}}),
    "capital gains within the dividends": lambda rows: _distributing(rows, twice=False),
    "a special dividend": lambda rows: adjusted(
        changed(times(rows, range(180, LENGTH), 0.7, PRICES[:4]), {180: {"dividend": rows[179]["price"] * 0.3}})
    ),
    "weekly bars": lambda rows: _dated(rows, dt.date(2015, 1, 5), 7),
    "monthly bars": lambda rows: _dated(rows, dt.date(2000, 1, 3), 30),
}
