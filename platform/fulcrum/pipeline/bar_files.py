"""Reads files of price bars as vendors and people write them, and writes them as the feed `yahoo_history` reads them.

What is wrong with the bars is `paired_series.py`'s and the rules'; a file is only refused where no bar can be read.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fulcrum.errors import DeliveryRefusedError

COLUMNS = ("Open", "High", "Low", "Close", "Adj Close", "Volume", "Dividends", "Stock Splits", "Capital Gains")
_EVENTS = COLUMNS[4:5] + COLUMNS[6:]
"""Columns that the feed need not have; the others are written empty where a file lacks them."""
_ALSO = {
    "adjusted": "Adj Close", "adjustedclose": "Adj Close", "dividend": "Dividends", "splits": "Stock Splits",
    "split": "Stock Splits", "stocksplit": "Stock Splits", "capitalgain": "Capital Gains",
}  # fmt: skip
_NAMES = {name.lower().replace(" ", ""): name for name in COLUMNS} | _ALSO
_DATES = ("date", "datetime", "timestamp", "time", "day", "index", "")
_DAY_FIRST = ("%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y", "%d-%b-%Y", "%d %b %Y", "%d %B %Y")
_FORMATS = ("%Y/%m/%d", "%Y.%m.%d", *_DAY_FIRST, "%m/%d/%Y", "%m-%d-%Y", "%b %d, %Y", "%B %d, %Y")

Row = Mapping[str, str]
"""By the names of COLUMNS: the number as it is written; empty cells are left out."""


@dataclass(frozen=True)
class BarFile:
    """The bars of one file, oldest first, by the time that the file gives them, and what there is to say of it."""

    rows: Mapping[dt.datetime, Row]
    columns: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def is_intraday(self) -> bool:
        """Whether a day mostly has several bars."""
        return len(self.rows) > 1.2 * len({stamp.date() for stamp in self.rows})


def read(file: Path) -> BarFile:
    """The bars of a file with a header, in any order, with any of the usual ways to write a date.

    A time keeps its day and hour as written, whatever its zone: the exchange's day is what prices are kept by. Of two
    bars of one time the last one counts. Cells that are no number count as empty.

    Raises:
        DeliveryRefusedError: the file has no header with a date and a close, or no bar.
    """
    header, lines = _lines(file)
    places = {_NAMES[name]: place for place, name in reversed(list(enumerate(header))) if name in _NAMES}
    if "Close" not in places:
        raise _refused(file, f"has no column Close: {', '.join(header)}", "Name the columns as Yahoo does.")
    when = next((place for name in _DATES for place, found in enumerate(header) if found == name), None)
    if when is None:
        raise _refused(file, "has no column Date or Datetime", "Name the columns as Yahoo does.")
    stamps = _stamps([line[when].strip() if when < len(line) else "" for line in lines])
    rows: dict[dt.datetime, Row] = {}
    dated = [(stamp, line) for stamp, line in zip(stamps, lines, strict=True) if stamp is not None]
    for stamp, line in sorted(dated, key=lambda pair: pair[0]):
        cells = {name: _number(line[place]) for name, place in places.items() if place < len(line)}
        rows[stamp] = {name: cell for name, cell in cells.items() if cell}
    if not rows:
        raise _refused(file, "has no row with a date", "Write dates as 2024-05-31.")
    notes = []
    if len(dated) < len(lines):
        notes.append(f"{file.name}: {len(lines) - len(dated)} rows without a date that can be read are left out.")
    if len(rows) < len(dated):
        notes.append(f"{file.name}: {len(dated) - len(rows)} bars stand twice; the last one counts.")
    return BarFile(rows, tuple(name for name in COLUMNS if name in places), tuple(notes))


def days_of(files: Sequence[BarFile]) -> dict[dt.datetime, dt.date]:
    """The day by which each bar of files that belong together is kept: its own.

    Midnight of an eastern exchange is the evening before in UTC: where that puts bars on Sundays, the next day is
    meant. Bars within a day get a day each, one after the other up to the last bar's own: prices are kept by day,
    and only the order of a bar's neighbours matters to the rules.
    """
    if not any(one.is_intraday for one in files):
        return {stamp: day for one in files for stamp, day in _own_days(one.rows).items()}
    stamps = sorted({stamp for one in files for stamp in one.rows})
    last = stamps[-1].date()
    return {stamp: last - dt.timedelta(days=len(stamps) - 1 - place) for place, stamp in enumerate(stamps)}


def _own_days(stamps: Iterable[dt.datetime]) -> dict[dt.datetime, dt.date]:
    own = {stamp: stamp.date() for stamp in stamps}
    nearest = {stamp: (stamp + dt.timedelta(hours=12)).date() for stamp in own}
    return min(own, nearest, key=lambda days: sum(day.isoweekday() > 5 for day in days.values()))  # noqa: PLR2004 Friday


def write(bars: BarFile, days: Mapping[dt.datetime, dt.date], copy: Path) -> None:
    """The bars as the feed `yahoo_history` takes them, one a day, oldest first."""
    names = [name for name in COLUMNS if name in bars.columns or name not in _EVENTS]
    lines = {days[stamp].isoformat(): [row.get(name, "") for name in names] for stamp, row in bars.rows.items()}
    with copy.open("w", encoding="utf-8", newline="") as text:
        csv.writer(text).writerows([["Date", *names], *([day, *cells] for day, cells in lines.items())])


def _lines(file: Path) -> tuple[list[str], list[list[str]]]:
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        text = file.read_bytes().decode("latin-1")
    except OSError as error:
        raise _refused(file, f"cannot be read: {error.strerror}", "Check the path and its permissions.") from error
    first = text.lstrip().partition("\n")[0]
    mark = max(",;\t", key=first.count)
    try:
        lines = [line for line in csv.reader(io.StringIO(text.strip()), delimiter=mark) if any(map(str.strip, line))]
    except csv.Error as error:
        raise _refused(file, f"is no table of text ({error})", "Save it as CSV.") from error
    if not lines:
        raise _refused(file, "is empty", "Leave it out, or fill it.")
    return [re.sub(r"[^a-z]", "", name.lower()) for name in lines[0]], lines[1:]


def _stamps(cells: Sequence[str]) -> list[dt.datetime | None]:
    """The times of all rows by one way to write them, the one that reads most and leaves the fewest days apart."""
    found = [_iso(cell) for cell in cells]
    if sum(stamp is not None for stamp in found) * 2 >= len(cells) and any(found):
        return found
    readings = [[_by(each, cell) for cell in cells] for each in _FORMATS]
    return max(readings, key=_rank, default=found)


def _rank(stamps: Iterable[dt.datetime | None]) -> tuple[int, int, int]:
    """More dates read, then fewer of them on weekends, then the shorter time."""
    read_ones = [stamp for stamp in stamps if stamp is not None]
    weekends = sum(stamp.isoweekday() > 5 for stamp in read_ones)  # noqa: PLR2004 Friday
    length = (max(read_ones) - min(read_ones)).days if read_ones else 0
    return len(read_ones), -weekends, -length


def _iso(cell: str) -> dt.datetime | None:
    """Also with the zone as a word, and as the seconds or milliseconds since 1970 that a chart's service gives."""
    if re.fullmatch(r"\d{10}(\d{3})?", cell):
        return dt.datetime.fromtimestamp(int(cell[:10]), dt.UTC).replace(tzinfo=None)
    start = re.match(r"(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d))?", cell)
    try:
        return dt.datetime.fromisoformat(" ".join(filter(None, start.groups())) if start else cell)
    except ValueError:
        return None


def _by(form: str, cell: str) -> dt.datetime | None:
    found = re.fullmatch(r"(.*?)(?:[ T]+(\d{1,2}):(\d\d)\S*)?", cell)
    try:
        stamp = dt.datetime.strptime(found[1] if found else cell, form)  # noqa: DTZ007 the exchange's own day
        return stamp.replace(hour=int(found[2]), minute=int(found[3])) if found and found[2] else stamp
    except ValueError:
        return None


def _number(cell: str) -> str:
    """The number of a cell without marks of thousands; empty where there is none."""
    plain = cell.strip()
    if re.fullmatch(r"[-+]?\d{1,3}(,\d{3})+(\.\d+)?", plain):
        plain = plain.replace(",", "")
    return plain if re.fullmatch(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", plain) else ""


def _refused(file: Path, what: str, remedy: str) -> DeliveryRefusedError:
    return DeliveryRefusedError(f"The file {what}.", file=file.name, remedy=remedy)
