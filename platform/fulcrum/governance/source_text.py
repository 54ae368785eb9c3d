"""Reads one source row back out of a landed file, as the source wrote it.

Which row is meant is known to `explain.py`; parsing it into values is no subject here.
"""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from fulcrum.contracts.catalog import contract_for
from fulcrum.contracts.delivery import Landed
from fulcrum.errors import ContractError, DeliveryRefusedError
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
    path = settings.landing / sha256[:2] / sha256
    if not path.is_file():
        return f"line {row}", None
    try:
        return _line(path, file_name, sha256, row, contract.dialect.encodings)
    except (DeliveryRefusedError, OSError):
        return f"line {row}", None


def _line(path: Path, file_name: str, sha256: str, row: int, encodings: tuple[str, ...]) -> tuple[str, str | None]:
    opened = unpack(Landed(sha256, path.stat().st_size, path, file_name))
    with opened.stream as stream:
        if opened.kind is not Kind.TEXT:
            return f"row {row}", None
        found = next(islice(iter(stream.readline, b""), row - 1, row), None)
    if found is None:
        return f"line {row}", None
    return f"line {row}", _decoded(found, encodings).rstrip("\r\n")[:LONGEST]


def _decoded(line: bytes, encodings: tuple[str, ...]) -> str:
    for encoding in encodings:
        try:
            return line.decode(encoding)
        except UnicodeDecodeError:
            continue
    return line.decode("utf-8", errors="replace")
