"""Cuts delimited text (CSV and its kin) into cells: encoding, line lengths, quotes.

What the cells mean is the contract's; files in the canonical dialect bypass this reader
(`fulcrum.ingest.bulk`), which only reads their header here.
"""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator, Mapping
from typing import BinaryIO

from fulcrum.contracts.delivery import Landed
from fulcrum.contracts.model import FeedContract
from fulcrum.errors import DeliveryRefusedError
from fulcrum.ingest.readers.header import CellRow
from fulcrum.ingest.readers.interface import Reading
from fulcrum.ingest.readers.tabular import CutMark, read_table
from fulcrum.ingest.unpacking import Kind, refuse_what_is_no_table, unpack

MAX_LINE = 1 << 20
"""The longest line of a real file has 40 kB (a fund's legal footer); a line is held in memory whole."""
_BLOCK = 1 << 18


def read(landed: Landed, contract: FeedContract, parameters: Mapping[str, str]) -> Reading:
    """Read a delimited file by the contract's dialect.

    Raises:
        DeliveryRefusedError: it is no delimited text, in none of the contract's encodings, its header
            is unknown; while reading: a line is too long, a quote never closes, the file is cut.
    """
    encoding = choose_encoding(landed, contract)
    stream = open_text(landed, contract)
    mark = CutMark()
    try:
        reading = read_table(landed, contract, parameters, _cells(landed, contract, stream, encoding, mark), mark)
    except BaseException:
        stream.close()
        raise
    reading.close = stream.close
    if encoding not in ("utf-8", contract.dialect.encodings[0]):
        reading.messages.append(f"Read as {encoding.upper()}; it is no {contract.dialect.encodings[0].upper()}.")
    return reading


def open_text(landed: Landed, contract: FeedContract) -> BinaryIO:
    """The unpacked bytes of a text file, from its first.

    Raises:
        DeliveryRefusedError: the file is of another kind.
    """
    opened = unpack(landed)
    wanted = f"the delimited text that feed {contract.feed} expects"
    if opened.kind is not Kind.TEXT:
        opened.stream.close()
        raise DeliveryRefusedError(
            f"The file is {opened.kind}, not {wanted}.",
            file=landed.file_name,
            remedy="Deliver it as CSV, or to the feed that reads such files (`fulcrum feeds`).",
        )
    head = opened.stream.peek(1 << 12) if hasattr(opened.stream, "peek") else b""
    try:
        refuse_what_is_no_table(head[: 1 << 12], landed, wanted)
    except DeliveryRefusedError:
        opened.stream.close()
        raise
    return opened.stream


def choose_encoding(landed: Landed, contract: FeedContract) -> str:
    """The first of the contract's encodings that fits every byte.

    Raises:
        DeliveryRefusedError: none does; says at which byte of which row and what it looks like.
    """
    failure: DeliveryRefusedError | None = None
    for encoding in contract.dialect.encodings:
        found = _first_failure(landed, contract, encoding)
        if found is None:
            return encoding
        failure = failure or found
    assert failure is not None
    raise failure


def _first_failure(landed: Landed, contract: FeedContract, encoding: str) -> DeliveryRefusedError | None:
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    offset, row = 0, 1
    with open_text(landed, contract) as stream:
        while True:
            block = stream.read(_BLOCK)
            try:
                decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                at = offset + error.start - (len(error.object) - len(block))
                row += block[: max(error.start, 0)].count(b"\n")
                bad = error.object[error.start : error.start + 4]
                return DeliveryRefusedError(
                    f"Byte {at + 1:,} is no {encoding.upper().removesuffix('-SIG')}"
                    f"{_likely(error.object[max(0, error.start - 64) : error.start + 256])}.",
                    file=landed.file_name,
                    row=row,
                    value=" ".join(f"0x{byte:02X}" for byte in bad),
                    remedy=f"Export it as {contract.dialect.encodings[0].upper().removesuffix('-SIG')}, "
                    "or list its encoding in the contract.",
                )
            if not block:
                return None
            offset += len(block)
            row += block.count(b"\n")


def _likely(sample: bytes) -> str:
    """What bytes that are no UTF-8 most likely are."""
    pairs = sum(0x81 <= byte <= 0xFE for byte in sample)  # noqa: PLR2004 - lead bytes of GB18030
    try:
        text = sample.decode("gb18030", "ignore")
    except UnicodeDecodeError:
        text = ""
    chinese = sum("\u4e00" <= character <= "\u9fff" for character in text)
    if chinese >= 2 and chinese * 2 >= pairs * 0.6:  # noqa: PLR2004
        return "; it looks like GB18030 (GBK)"
    return "; it looks like Windows-1252"


def lines(landed: Landed, stream: BinaryIO, mark: CutMark) -> Iterator[bytes]:
    """Physical lines with their ends, none longer than MAX_LINE."""
    number = 0
    while line := stream.readline(MAX_LINE + 1):
        number += 1
        if len(line) > MAX_LINE:
            raise too_long(landed, number, line)
        if b"\x00" in line:
            raise DeliveryRefusedError(
                "The file is binary: the row holds a NUL byte.",
                file=landed.file_name,
                row=number,
                value=line[:40].decode("latin-1"),
                remedy="Deliver the data file itself.",
            )
        mark.is_unended = not line.endswith((b"\n", b"\r"))
        yield line


def too_long(landed: Landed, number: int, line: bytes) -> DeliveryRefusedError:
    """The refusal of a line that no real file has."""
    cells = max(line.count(mark) for mark in (b",", b";", b"\t", b"|")) + 1
    return DeliveryRefusedError(
        f"The row is longer than {MAX_LINE:,} bytes (more than {cells:,} cells).",
        file=landed.file_name,
        row=number,
        column=f"column {cells}",
        value=line[:60].decode("utf-8", "replace"),
        remedy="No real file has such rows; check its line ends and where it comes from.",
    )


def _cells(landed: Landed, contract: FeedContract, stream: BinaryIO, encoding: str, mark: CutMark) -> Iterator[CellRow]:
    dialect = contract.dialect
    codec = "utf-8" if encoding == "utf-8-sig" else encoding  # the mark is taken off below, once
    texts = (line.decode(codec) for line in lines(landed, stream, mark))
    rows = csv.reader(_without_mark(texts), delimiter=dialect.delimiter, quotechar=dialect.quote)
    first = 1
    while True:
        try:
            cells = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            raise DeliveryRefusedError(
                f"The row cannot be cut into cells: {error}; a quote may never close.",
                file=landed.file_name,
                row=first,
                remedy="Fetch it again, or correct the quotes.",
            ) from error
        yield first, cells
        first = rows.line_num + 1


def _without_mark(texts: Iterator[str]) -> Iterator[str]:
    for number, text in enumerate(texts):
        yield text.removeprefix("\ufeff") if number == 0 else text
