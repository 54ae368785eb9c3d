"""Reads one source row back out of a landed file, as the source wrote it.

Which row is meant is known to `explain.py`; parsing it into values is no subject here.
"""

from __future__ import annotations

from itertools import islice

from fulcrum.contracts.catalog import contract_for
from fulcrum.contracts.delivery import Landed
from fulcrum.errors import ContractError, DeliveryRefusedError
from fulcrum.ingest.readers.ecb import ROW_FACTOR
from fulcrum.ingest.unpacking import Kind, unpack
from fulcrum.settings import Settings

LONGEST = 2_000
"""Characters of a row that are shown; a line of a broken file can have ten million columns."""


def source_text(settings: Settings, feed: str, sha256: str, file_name: str, row: int) -> tuple[str, str | None]:
    """The place in words, and the text of physical line `row` where the file has lines.

    Text is None for files without lines (workbooks, Parquet, XML, JSON) and for files that the
    landing zone does not have or cannot unpack.
    """
    try:
        contract = contract_for(settings, feed)
    except ContractError:
        return f"row {row}", None
    if contract.reader not in ("delimited", "ecb"):
        return (f"row {row}" if contract.reader == "excel" else f"element {row}"), None
    line, column = divmod(row, ROW_FACTOR) if contract.reader == "ecb" else (row, None)
    place = f"line {line}" if column is None else f"line {line}, column {column}"
    path = settings.landing / sha256[:2] / sha256
    if not path.is_file():
        return place, None
    try:
        is_text, text = _line(Landed(sha256, path.stat().st_size, path, file_name), line, contract.dialect.encodings)
    except (DeliveryRefusedError, OSError):
        return place, None
    return (place if is_text else f"row {row}"), text


def _line(landed: Landed, line: int, encodings: tuple[str, ...]) -> tuple[bool, str | None]:
    """Whether the file is text, and its line number `line`, if it has so many."""
    opened = unpack(landed)
    with opened.stream as stream:
        if opened.kind is not Kind.TEXT:
            return False, None
        found = next(islice(iter(stream.readline, b""), line - 1, line), None)
    return True, None if found is None else _decoded(found, encodings).rstrip("\r\n")[:LONGEST]


def _decoded(line: bytes, encodings: tuple[str, ...]) -> str:
    for encoding in encodings:
        try:
            return line.decode(encoding)
        except UnicodeDecodeError:
            continue
    return line.decode("utf-8", errors="replace")
