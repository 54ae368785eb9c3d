"""Preamble, rows and footer of anything that comes as rows of cells: CSV and Excel alike.

Cutting bytes into cells belongs in `delimited.py` and `excel.py`, typing them in `fulcrum.ingest.rows`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import NoReturn

from fulcrum.contracts.delivery import Landed
from fulcrum.contracts.layout import Layout
from fulcrum.contracts.model import FeedContract
from fulcrum.errors import DeliveryRefusedError
from fulcrum.ingest.cells import is_formula
from fulcrum.ingest.facts import content_facts
from fulcrum.ingest.readers.header import CellRow, find_header
from fulcrum.ingest.readers.interface import Reading, RefusedRow, Row


def read_table(
    landed: Landed,
    contract: FeedContract,
    parameters: Mapping[str, str],
    cell_rows: Iterator[CellRow],
    is_cut: CutMark,
) -> Reading:
    """The reading of a table: everything above its rows is taken in at once, the rows stream.

    Raises:
        DeliveryRefusedError: no row is a header that the contract knows; while reading: the file is
            cut off, holds a formula, or goes on after its footer.
    """
    preamble, header_row, found = find_header(landed, contract, cell_rows)
    first = next(cell_rows, None)
    if first is None:
        raise DeliveryRefusedError(
            "The file has a header and no rows.",
            file=landed.file_name,
            row=header_row,
            remedy="Fetch it again: an empty delivery would close every position.",
        )
    reading = Reading(
        metadata=content_facts(contract, preamble),
        rows=iter(()),
        headers=frozenset(header for header in found.headers if header is not None),
    )
    table = _Table(landed, contract, found, reading, is_cut, is_complete=parameters.get("complete") == "yes")
    reading.rows = table.rows(chain([first], cell_rows))
    return reading


class CutMark:
    """Set by who reads the bytes when the last line had no end."""

    def __init__(self) -> None:
        self.is_unended = False


class _Table:
    """The rows under one header."""

    def __init__(
        self,
        landed: Landed,
        contract: FeedContract,
        found: Layout,
        reading: Reading,
        is_cut: CutMark,
        *,
        is_complete: bool,
    ) -> None:
        self._landed = landed
        self._contract = contract
        self._found = found
        self._reading = reading
        self._is_cut = is_cut
        self._is_complete = is_complete
        self._blank = 0

    def rows(self, cell_rows: Iterator[CellRow]) -> Iterator[Row | RefusedRow]:
        """Rows until the footer; the last one waits until it is known that the file was not cut in it."""
        width = len(self._found.headers)
        waiting: CellRow | None = None
        has_footer = False
        for number, cells in cell_rows:
            if self._is_footer(cells):
                has_footer = True
                if waiting:
                    yield self._row(*waiting)
                waiting = None
                self._after_footer(number, cells, cell_rows)
                break
            if len(cells) <= 1 and not "".join(cells).strip():
                self._blank += 1
                continue
            if waiting:
                yield self._row(*waiting)
            waiting = number, cells
        if waiting:
            self._refuse_if_cut(waiting, width)
            yield self._row(*waiting)
        self._finish(has_footer, waiting)

    def _is_footer(self, cells: list[str]) -> bool:
        match self._contract.dialect.footer:
            case "blank_row":
                return not any(cell and not cell.isspace() for cell in cells)
            case "short_row":
                return len(cells) < len(self._found.headers)
            case "trailer":
                return cells[0].startswith(self._contract.dialect.trailer_mark) if cells else False
            case _:
                return False

    def _after_footer(self, number: int, cells: list[str], rest: Iterator[CellRow]) -> None:
        if self._contract.dialect.footer == "trailer":
            self._reading.metadata.update(trailer_facts(self._landed, number, cells))
        width = len(self._found.headers)
        for later, row in rest:
            filled = sum(bool(cell.strip()) for cell in row)
            if len(row) >= width and filled * 2 > width:
                raise DeliveryRefusedError(
                    f"Row {later} looks like data, but the rows ended at row {number}.",
                    file=self._landed.file_name,
                    row=later,
                    column=row[0],
                    value=self._contract.dialect.delimiter.join(row),
                    remedy="Remove what interrupts the rows, or correct the contract's footer.",
                )

    def _row(self, number: int, cells: list[str]) -> Row | RefusedRow:
        for index, cell in enumerate(cells):
            if cell[:1] in _SUSPECT and is_formula(cell.lstrip(" ")):
                self._refuse_formula(number, index, cell)
        headers = self._found.headers
        if len(cells) != len(headers):
            if len(cells) > len(headers) and not any(cell.strip() for cell in cells[len(headers) :]):
                return Row(number, dict(zip(headers, cells, strict=False)))  # type: ignore[arg-type]
            return RefusedRow(
                number,
                None,
                self._contract.dialect.delimiter.join(cells),
                f"The row has {len(cells)} cells, the header {len(headers)}.",
            )
        return Row(number, dict(zip(headers, cells, strict=True)))  # type: ignore[arg-type]

    def _refuse_formula(self, number: int, index: int, cell: str) -> NoReturn:
        headers = self._found.headers
        raise DeliveryRefusedError(
            "The cell is a formula, which a spreadsheet would run.",
            file=self._landed.file_name,
            row=number,
            column=headers[index] if index < len(headers) else f"column {index + 1}",
            value=cell,
            remedy="Have the source deliver plain values; nothing of the file is used.",
        )

    def _refuse_if_cut(self, last: CellRow, width: int) -> None:
        """No footer came: a last line that is short or has no end was cut in the middle."""
        number, cells = last
        if len(cells) < width and (self._is_cut.is_unended or self._contract.dialect.footer != "short_row"):
            raise DeliveryRefusedError(
                f"The file is cut off: its last row has {len(cells)} cells, the header {width}.",
                file=self._landed.file_name,
                row=number,
                column=self._found.headers[len(cells) - 1] if cells else None,
                value=self._contract.dialect.delimiter.join(cells),
                remedy="Fetch it again; nothing of it is used.",
            )

    def _finish(self, has_footer: bool, last: CellRow | None) -> None:  # noqa: FBT001
        if not has_footer and self._contract.dialect.footer_required and not self._is_complete:
            raise DeliveryRefusedError(
                "The file is cut off: the footer that ends every file of this feed is missing.",
                file=self._landed.file_name,
                row=last[0] if last else None,
                value=self._contract.dialect.delimiter.join(last[1]) if last else None,
                remedy="Fetch it again; if you know that it is whole, pass --set complete=yes.",
            )
        self._reading.is_unended = self._is_cut.is_unended and not has_footer
        if self._reading.is_unended:
            self._reading.messages.append("The last line has no line end; it was taken as whole.")
        if self._blank:
            self._reading.messages.append(f"{self._blank} blank rows hold no data.")


_SUSPECT = frozenset("=@+-\t\r ")


def trailer_facts(landed: Landed, number: int, cells: Sequence[str]) -> dict[str, str]:
    """Control totals in the last line: `#END,rows=<n>,<column>=<total>`.

    Raises:
        DeliveryRefusedError: it is written in another way.
    """
    facts: dict[str, str] = {}
    for cell in cells[1:]:
        if not cell.strip():
            continue
        name, mark, value = (part.strip() for part in cell.partition("="))
        if not mark or not name or not value or (name == "rows" and not value.isdecimal()):
            raise DeliveryRefusedError(
                "The trailer is not understood.",
                file=landed.file_name,
                row=number,
                column=cells[0],
                value=cell,
                remedy="Write it as #END,rows=<number>,<column>=<total>.",
            )
        if name == "rows":
            facts["control_rows"] = value
        else:
            facts["control_column"], facts["control_total"] = name, value
    return facts
