"""ECB euro reference rates: one line per day and one column per currency become one row per rate.

What the rates mean stands in the contract; the zip archive is undone by `fulcrum.ingest.unpacking`.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from fulcrum.contracts.delivery import Landed
from fulcrum.contracts.model import FeedContract
from fulcrum.errors import DeliveryRefusedError
from fulcrum.ingest.readers.byte_source import BLOCK, ByteSource, open_landed
from fulcrum.ingest.readers.interface import Reading, RefusedRow, Row

ROW_FACTOR = 100
"""`source_row` = 100 x line + column, so that each rate has its own: line 2, column 5 is row 205."""

DATE_FORMATS = ("%Y-%m-%d", "%d %B %Y")
BLANK_LINES = 100
"""A table ends with a blank line or two; more are no table."""

NOT_QUOTED = ("N/A", "")
RATE = re.compile(r"\d+(\.\d+)?", re.ASCII)
CURRENCY = re.compile(r"[A-Z]{3}")


class _Column(NamedTuple):
    number: int
    currency: str


def read(landed: Landed, contract: FeedContract, parameters: Mapping[str, str]) -> Reading:
    """Open the history (zip or CSV) or the file of one day.

    Rows have the cells `date` (ISO), `currency` and `rate`; a currency that is not quoted on a day
    (`N/A`) makes no row and is counted in a message.

    Raises:
        DeliveryRefusedError: the archive is unsafe or damaged, or this is no table of reference rates.
    """
    del contract, parameters
    source = open_landed(landed, "ECB reference rates (CSV, or a zip of one CSV)")
    try:
        columns = _columns(source)
    except BaseException:
        source.close()
        raise
    reading = Reading({}, iter(()), [])
    reading.rows = _rows(source, columns, reading.messages)
    return reading


def _columns(source: ByteSource) -> tuple[_Column, ...]:
    cells = _cells(source, 1)
    assert cells is not None
    codes = cells[1:]
    while codes and not codes[-1]:
        codes.pop()
    wrong = [code for code in codes if not CURRENCY.fullmatch(code)]
    if cells[0].lower() != "date" or not codes or wrong or len(codes) >= ROW_FACTOR:
        raise DeliveryRefusedError(
            "The first line is not `Date` followed by currency codes.",
            file=source.file,
            row=1,
            column=wrong[0] if wrong else cells[0],
            value=",".join(cells),
            remedy="Fetch eurofxref-hist.zip or eurofxref.zip of the ECB; another table needs a contract of its own.",
        )
    if repeated := [code for code in codes if codes.count(code) > 1]:
        raise DeliveryRefusedError(
            "Two columns are of one currency.",
            file=source.file,
            row=1,
            column=repeated[0],
            remedy="Fetch the file again; which of the two is right cannot be told.",
        )
    return tuple(_Column(number, code) for number, code in enumerate(codes, start=2))


def _rows(source: ByteSource, columns: tuple[_Column, ...], messages: list[str]) -> Iterator[Row | RefusedRow]:
    days = not_quoted = blank_lines = 0
    line = 1
    try:
        while (cells := _cells(source, line + 1)) is not None:
            line += 1
            if cells == [""]:
                blank_lines += 1
                _check_blanks(source.file, line, blank_lines)
                continue
            source.record_done()
            _check_width(source.file, line, cells, columns)
            day = _iso_date(cells[0])
            if day is None:
                yield RefusedRow(
                    line * ROW_FACTOR + 1, "Date", cells[0], f"Line {line}: no date; its rates are left out."
                )
                continue
            days += 1
            for number, currency in columns:
                rate = cells[number - 1]
                if RATE.fullmatch(rate):
                    yield Row(line * ROW_FACTOR + number, {"date": day, "currency": currency, "rate": rate})
                elif rate in NOT_QUOTED:
                    not_quoted += 1
                else:
                    yield RefusedRow(line * ROW_FACTOR + number, currency, rate, f"Line {line}: no exchange rate.")
        messages.append(
            f"Days: {days:,}; currencies: {len(columns)}; not quoted (N/A) and left out: {not_quoted:,}. "
            f"Row numbers are {ROW_FACTOR} x line + column."
        )
    finally:
        source.close()


def _cells(source: ByteSource, line: int) -> list[str] | None:
    """The cells of the next line without blanks; None at the end."""
    text = source.read_line()
    if not text:
        return None
    if len(text) >= BLOCK:
        raise DeliveryRefusedError(
            f"Line {line} is longer than {BLOCK:,} bytes: this is no table of reference rates.",
            file=source.file,
            row=line,
            remedy="Fetch the file again from the ECB.",
        )
    return [cell.strip() for cell in text.decode("utf-8", "replace").rstrip("\r\n").split(",")]


def _check_blanks(file: str, line: int, blank_lines: int) -> None:
    if blank_lines > BLANK_LINES:
        raise DeliveryRefusedError(
            f"More than {BLANK_LINES} lines are blank: this is no table of reference rates.",
            file=file,
            row=line,
            remedy="Fetch the file again from the ECB.",
        )


def _check_width(file: str, line: int, cells: list[str], columns: tuple[_Column, ...]) -> None:
    wanted = len(columns) + 1
    # The ECB ends every line with a comma; a file without it, re-saved by a spreadsheet, is as good.
    if len(cells) not in (wanted, wanted + 1) or any(cells[wanted:]):
        raise DeliveryRefusedError(
            f"Line {line} has {len(cells)} cells, the header {wanted}: the file is half-written or damaged.",
            file=file,
            row=line,
            value=",".join(cells[-3:]),
            remedy="Fetch it again; nothing of it was used.",
        )


def _iso_date(text: str) -> str | None:
    for pattern in DATE_FORMATS:
        try:
            return dt.datetime.strptime(text, pattern).replace(tzinfo=dt.UTC).date().isoformat()
        except ValueError:
            continue
    return None
