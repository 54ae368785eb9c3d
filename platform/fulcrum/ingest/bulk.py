"""The fast way into staging: blocks of canonical CSV go to COPY untouched, PostgreSQL parses them.

Canonical is what PostgreSQL reads as the contract means it. Whatever is not, even in one byte, raises
NotCanonicalError, and `rows.py` reads the file instead: it is slower, and knows how to complain.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import psycopg
from psycopg import sql

from fulcrum.contracts.delivery import Landed
from fulcrum.contracts.layout import layout
from fulcrum.contracts.model import FeedContract, FeedField, LogicalType
from fulcrum.ingest.cells import CellError
from fulcrum.ingest.fields import is_simple, parser_of
from fulcrum.ingest.readers.delimited import MAX_LINE, open_text
from fulcrum.ingest.readers.tabular import trailer_facts
from fulcrum.ingest.tables import PARSE_RULE, Connection, Refusal, identifier
from fulcrum.kit.faults import checkpoint

BLOCK = 1 << 20
MAX_REFUSED = 100_000
_SAMPLE = 200


class NotCanonicalError(Exception):
    """PostgreSQL would read the file otherwise than the contract means it."""


@dataclass(frozen=True)
class Block:
    """Whole rows of CSV without header, and how many they are."""

    data: bytes
    rows: int
    has_row_per_line: bool = True


@dataclass
class Body:
    """A canonical file opened behind its header: field headers in file order, then blocks of rows."""

    headers: tuple[str, ...]
    first_row: int
    blocks: Iterator[Block]
    trailer: dict[str, str] = field(default_factory=dict)
    is_unended: bool = False
    """Known at the end of `blocks`: the last line has no end."""


def is_canonical(contract: FeedContract) -> bool:
    """Whether the contract's dialect is one that PostgreSQL reads."""
    dialect = contract.dialect
    return (
        contract.reader == "delimited"
        and dialect.encodings[0].lower().replace("_", "-") in ("utf-8", "utf-8-sig", "ascii")
        and (dialect.decimal_mark, dialect.thousands_mark, dialect.strip) == (".", None, ())
        and (dialect.null_tokens, dialect.date_formats, dialect.header_within) == (("",), ("%Y-%m-%d",), 1)
        and dialect.footer in ("none", "trailer")
        and not dialect.footer_required
        and not (contract.copies or contract.by_portfolio or contract.row_filter_nulls)
    )


def column_names(contract: FeedContract, headers: Sequence[str]) -> tuple[str, ...]:
    """The staging column of each header.

    Raises:
        NotCanonicalError: a column needs more than PostgreSQL's own reading.
    """
    names = []
    for header in headers:
        fields = [entry for entry in contract.fields if entry.header == header]
        if len(fields) != 1 or not is_simple(fields[0]):
            raise NotCanonicalError(f"column {header!r}")
        names.append(fields[0].name)
    return tuple(names)


@contextmanager
def open_body(landed: Landed, contract: FeedContract) -> Iterator[Body]:
    """The body of a delimited file.

    Raises:
        NotCanonicalError: the header does not fit, or there is nothing under it.
        DeliveryRefusedError: the file is no delimited text at all.
    """
    with open_text(landed, contract) as stream:
        line = stream.readline(MAX_LINE + 1)
        text = line.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")
        if len(line) > MAX_LINE or not line.endswith(b"\n") or text.count('"') % 2:
            raise NotCanonicalError("header")
        cells = next(csv.reader([text], delimiter=contract.dialect.delimiter, quotechar=contract.dialect.quote), [])
        found = layout(contract, cells)
        if not found.fits or len(found.headers) != len(cells):
            raise NotCanonicalError("header")
        body = Body(tuple(header for header in found.headers if header), 2, iter(()))
        body.blocks = _blocks(stream, body, landed, contract)
        yield body


def _blocks(stream: BinaryIO, body: Body, landed: Landed, contract: FeedContract) -> Iterator[Block]:
    """Blocks that end with a row; the last line is held back, for it may be the trailer."""
    mark = contract.dialect.trailer_mark.encode() if contract.dialect.footer == "trailer" else None
    rest = b""
    row = body.first_row
    while data := stream.read(BLOCK):
        rest += data
        end = rest.rfind(b"\n", 0, len(rest) - 1) + 1
        if not end:
            if len(rest) > MAX_LINE:
                raise NotCanonicalError("long line")
            continue
        if b'"' in rest and rest.count(b'"', 0, end) % 2:  # the cut would fall into a quoted cell
            raise NotCanonicalError("line end in a cell")
        block = Block(rest[:end], rest.count(b"\n", 0, end))
        row += block.rows
        yield block
        rest = rest[end:]
    if mark and rest.startswith(mark):
        cells = rest.decode("utf-8", "replace").strip().split(contract.dialect.delimiter)
        body.trailer.update(trailer_facts(landed, row, cells))
    elif rest:
        body.is_unended = not rest.endswith(b"\n")
        yield Block(rest if rest.endswith(b"\n") else rest + b"\n", 1)


@dataclass
class BulkCopy:
    """Copies blocks into one staging table by one COPY; `row` is the next row of the file.

    `source_row` is counted by the table's sequence. PostgreSQL 18 evaluates defaults for the rows
    that ON_ERROR leaves out as well, so it counts those too; `_check_count` holds it to that.
    """

    connection: Connection
    table: str
    contract: FeedContract
    headers: tuple[str, ...]
    row: int
    refusals: list[Refusal] = field(default_factory=list)
    needs_trim: bool = False
    may_hold_nan: bool = False
    """Some block has the letter that NaN, inf and Infinity have: PostgreSQL takes them for numbers."""
    _notices: list[str] = field(default_factory=list)
    _is_sampled: bool = False

    def __post_init__(self) -> None:
        self._columns = column_names(self.contract, self.headers)
        self._fields = [next(e for e in self.contract.fields if e.header == header) for header in self.headers]
        self._statement = sql.SQL(
            "copy {} ({}) from stdin (format csv, delimiter {}, quote {}, force_null *, on_error ignore,"
            " log_verbosity verbose)"
        ).format(
            identifier(self.table),
            sql.SQL(", ").join(map(sql.Identifier, self._columns)),
            sql.Literal(self.contract.dialect.delimiter),
            sql.Literal(self.contract.dialect.quote),
        )

    def run(self, blocks: Iterator[Block]) -> None:
        """Copy every block.

        Raises:
            NotCanonicalError: a block is not what PostgreSQL reads as the contract means it.
        """
        self.connection.execute("set local datestyle = 'ISO, YMD'")
        self.connection.add_notice_handler(self._noticed)
        try:
            with self.connection.cursor() as cursor:
                self._copy(cursor, blocks)
        except psycopg.DataError as error:
            raise NotCanonicalError(str(error)) from error
        finally:
            self.connection.remove_notice_handler(self._noticed)

    def _noticed(self, notice: psycopg.errors.Diagnostic) -> None:
        if notice.message_primary:
            self._notices.append(notice.message_primary)

    def _copy(self, cursor: psycopg.Cursor[Any], blocks: Iterator[Block]) -> None:
        rows = lines = 0
        with cursor.copy(self._statement) as copy:
            for number, block in enumerate(blocks):
                self._scan(block.data)
                copy.write(block.data)
                rows += block.rows
                lines += block.rows if block.has_row_per_line else block.data.count(b"\n")
                if number == 0:
                    checkpoint("staging_half")
                if len(self._notices) > MAX_REFUSED:
                    raise NotCanonicalError("too many bad rows")
        refused = [found for text in self._notices if (found := _SKIPPED.search(text))]
        if cursor.rowcount + len(refused) != rows or (refused and lines != rows):
            raise NotCanonicalError("line end in a cell")
        self._refuse(refused)
        self.row += rows
        self._check_count(cursor)

    def _check_count(self, cursor: psycopg.Cursor[Any]) -> None:
        if self.refusals:
            last = cursor.execute("select currval(%s)", (f"{self.table}_row",)).fetchone()
            if last != (self.row - 1,):
                raise NotCanonicalError("the server does not count the rows that it leaves out")

    def _refuse(self, refused: list[re.Match[str]]) -> None:
        """Note the rows that COPY left out."""
        for found in refused:
            name, value = found["column"], found["value"] or ""
            row = self.row + int(found["line"]) - 1
            self.refusals.append(Refusal(row, PARSE_RULE, name, value, self._reason(name, value)))

    def _reason(self, name: str, value: str) -> str:
        entry = self._fields[self._columns.index(name)]
        try:
            parser_of(entry, self.contract.dialect)(value.strip())
        except CellError as error:
            return f"The cell {error}."
        return f"The cell is not a {entry.logical_type}."

    def _scan(self, data: bytes) -> None:
        """Raise NotCanonicalError for anything that PostgreSQL would take and the contract would not."""
        if b"\x00" in data:
            raise NotCanonicalError("NUL")
        if not data.isascii():
            try:
                str(data, "utf-8")
            except UnicodeDecodeError as error:
                raise NotCanonicalError("encoding") from error
            self.needs_trim = self.needs_trim or b"\xc2\xa0" in data or b"\xe3\x80\x80" in data
        if not self._is_sampled:
            self._sample(data)
        self.may_hold_nan = self.may_hold_nan or b"N" in data or b"n" in data
        if not self.needs_trim and b" " in data:  # a pair costs 3 ms per MB to look for, one byte nothing
            self.needs_trim = any(pair in data for pair in _BLANK_PAIRS)
        if any(mark in data for mark in (b"=", b"@", b"+", b"\t")) and _FORMULA.search(b"\n" + data):
            raise NotCanonicalError("formula")
        if (b"|" in data or b"(" in data) and b"-" in data and _MINUS_FORMULA.search(b"\n" + data):
            raise NotCanonicalError("formula")

    def _sample(self, data: bytes) -> None:
        """Read the first rows strictly: PostgreSQL knows more spellings of dates than a contract allows."""
        self._is_sampled = True
        lines = str(data[: 1 << 16], "utf-8", "ignore").splitlines(keepends=True)[:_SAMPLE]
        dialect = self.contract.dialect
        try:
            rows = list(csv.reader(lines[:-1] or lines, delimiter=dialect.delimiter, quotechar=dialect.quote))
        except csv.Error as error:
            raise NotCanonicalError("cells") from error
        for index, entry in enumerate(self._fields):
            if entry.logical_type is not LogicalType.STRING:
                texts = [row[index].strip() for row in rows if len(row) == len(self._fields)]
                self._must_mostly_parse(entry, [text for text in texts if text])

    def _must_mostly_parse(self, entry: FeedField, texts: list[str]) -> None:
        parse, bad = parser_of(entry, self.contract.dialect), 0
        for text in texts:
            try:
                parse(text)
            except CellError:
                bad += 1
        if bad * 2 > len(texts):
            raise NotCanonicalError(f"most cells of {entry.name} are written in another way")


_SKIPPED = re.compile(r'line (?P<line>\d+) for column "(?P<column>[^"]+)": (?:"(?P<value>.*)"|null input)', re.DOTALL)
_BLANK_PAIRS = (b", ", b" ,", b'" ', b' "', b"\n ", b" \n", b" \r")
_FORMULA = re.compile(rb'[\n,;|"\t] *(?:[=@\t]|\+[^,;\n"]*(?:\||\w\())')
_MINUS_FORMULA = re.compile(rb'[\n,;"] *-[^,;\n"]*(?:\||\w\()')
