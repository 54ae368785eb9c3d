"""Reads the sheet of an xlsx workbook as rows of cells.

What the cells mean is the contract's; numbers come as the shortest text of what the workbook stores.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

from fulcrum.contracts.delivery import Landed
from fulcrum.contracts.model import FeedContract
from fulcrum.errors import DeliveryRefusedError
from fulcrum.ingest.readers.header import CellRow
from fulcrum.ingest.readers.interface import Reading
from fulcrum.ingest.readers.tabular import CutMark, read_table
from fulcrum.ingest.unpacking import Kind, unpack


def read(landed: Landed, contract: FeedContract, parameters: Mapping[str, str]) -> Reading:
    """Read the contract's sheet (the first, if it names none).

    Raises:
        DeliveryRefusedError: it is no workbook, has no such sheet, or no header that is known.
    """
    import python_calamine

    opened = unpack(landed)
    opened.stream.close()
    if opened.kind is not Kind.EXCEL:
        raise DeliveryRefusedError(
            f"The file is {opened.kind}, not the Excel workbook (.xlsx) that feed {contract.feed} expects.",
            file=landed.file_name,
            remedy="Deliver the workbook itself, or to the feed that reads such files (`fulcrum feeds`).",
        )
    try:
        with landed.path.open("rb") as stream:
            workbook = python_calamine.CalamineWorkbook.from_filelike(stream)
            names = workbook.sheet_names
            wanted = contract.dialect.sheet or names[0]
            if wanted not in names:
                raise DeliveryRefusedError(
                    f"The workbook has no sheet {wanted!r}.",
                    file=landed.file_name,
                    value=", ".join(names),
                    remedy=f"Deliver the workbook with that sheet, or correct the contract {contract.feed}.",
                )
            sheet = workbook.get_sheet_by_name(wanted)
    except (python_calamine.CalamineError, OSError, IndexError) as error:
        raise DeliveryRefusedError(
            f"The workbook is damaged or half-written: {error}.",
            file=landed.file_name,
            remedy="Fetch it again from its source; nothing of it was used.",
        ) from error
    return read_table(landed, contract, parameters, _cells(sheet.iter_rows()), CutMark())


def _cells(rows: Iterator[list[Any]]) -> Iterator[CellRow]:
    for number, row in enumerate(rows, 1):
        yield number, [_text(value) for value in row]


def _text(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case float():
            return format(value, "f").rstrip("0").rstrip(".") if value.is_integer() else repr(value)
        case dt.datetime() if value.time() == dt.time():
            return value.date().isoformat()
        case dt.date() | dt.datetime():
            return value.isoformat()
        case _:
            return str(value)
