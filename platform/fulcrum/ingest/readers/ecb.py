"""ECB euro reference rates: one line per day and one column per currency become one row per rate.

Zip archives are undone here too, within bounds; what the rates mean stands in the contract.
"""

from __future__ import annotations

import datetime as dt
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from fulcrum.contracts.delivery import Landed
from fulcrum.contracts.model import FeedContract
from fulcrum.errors import DeliveryRefusedError
from fulcrum.ingest.readers.byte_source import (
    BLOCK,
    ByteSource,
    Readable,
    open_landed,
    refuse_what_is_not_text,
)
from fulcrum.ingest.readers.interface import Reading, RefusedRow, Row

UNPACKED_LIMIT = 256 * 1024 * 1024
"""The history of 1999 to 2026 has 1.9 MB; it grows by 80 kB a year."""

RATIO_LIMIT = 100
"""The ECB's archive unpacks to 3 times its size; a zip bomb to 1,000 times and more."""

ROW_FACTOR = 100
"""`source_row` = 100 x line + column, so that each rate has its own: line 2, column 5 is row 205."""

DATE_FORMATS = ("%Y-%m-%d", "%d %B %Y")
NOT_QUOTED = ("N/A", "")
RATE = re.compile(r"\d+(\.\d+)?")
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
    source = _open(landed)
    try:
        refuse_what_is_not_text(source, "ECB reference rates (CSV, or a zip of one CSV)")
        columns = _columns(source)
    except BaseException:
        source.close()
        raise
    reading = Reading({}, iter(()), [])
    reading.rows = _rows(source, columns, reading.messages)
    return reading


def _open(landed: Landed) -> ByteSource:
    with landed.path.open("rb") as file:
        is_zip = file.read(2) == b"PK"
    return ByteSource(_Unzip(landed), landed.file_name) if is_zip else open_landed(landed)


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
    not_quoted = 0
    days = 0
    line = 1
    try:
        while (cells := _cells(source, line + 1)) is not None:
            line += 1
            if cells == [""]:
                continue
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
            f"{days:,} days x {len(columns)} currencies; {not_quoted:,} not quoted (N/A) and left out. "
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
    source.record_done()
    return [cell.strip() for cell in text.decode("utf-8", "replace").rstrip("\r\n").split(",")]


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


class _Unzip:
    """The one CSV of a zip archive, within bounds that hold whatever its directory claims."""

    def __init__(self, landed: Landed) -> None:
        self._file = landed.file_name
        self._packed_size = max(landed.size_bytes, 1)
        self._unpacked = 0
        try:
            self._archive = zipfile.ZipFile(landed.path)
        except zipfile.BadZipFile as error:
            raise self._refused(f"The zip archive is damaged or half-written: {error}.", "Fetch it again.") from error
        try:
            self._member: Readable = self._open_member()
        except BaseException:
            self._archive.close()
            raise

    def _open_member(self) -> Readable:
        members = [member for member in self._archive.infolist() if not member.is_dir()]
        if len(members) != 1:
            names = ", ".join(member.filename for member in members[:5])
            raise self._refused(
                f"The zip archive holds {len(members)} files, not one: {names}.", "Unpack it and deliver the CSV."
            )
        if members[0].flag_bits & 1:
            raise self._refused("The zip archive is encrypted.", "Deliver the CSV in it.")
        self._check(members[0].file_size)
        try:
            return self._archive.open(members[0])
        except (NotImplementedError, zipfile.BadZipFile) as error:
            raise self._refused(f"The zip archive cannot be unpacked: {error}.", "Deliver the CSV in it.") from error

    def read(self, size: int = -1, /) -> bytes:
        try:
            block = self._member.read(BLOCK if size < 0 else size)
        except (zipfile.BadZipFile, EOFError, zlib.error) as error:
            raise self._refused(f"The zip archive is damaged: {error}.", "Fetch it again.") from error
        self._unpacked += len(block)
        self._check(self._unpacked)
        return block

    def close(self) -> None:
        self._member.close()
        self._archive.close()

    def _check(self, unpacked: int) -> None:
        if unpacked > UNPACKED_LIMIT or unpacked > RATIO_LIMIT * self._packed_size:
            raise self._refused(
                f"The zip archive of {self._packed_size:,} bytes unpacks to {unpacked:,} or more: a zip bomb.",
                f"At most {UNPACKED_LIMIT:,} bytes and {RATIO_LIMIT} times the archive are read.",
            )

    def _refused(self, message: str, remedy: str) -> DeliveryRefusedError:
        return DeliveryRefusedError(message, file=self._file, remedy=remedy)
