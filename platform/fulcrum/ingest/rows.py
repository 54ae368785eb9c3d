"""The general way into staging: rows of any reader, typed by the contract, copied in chunks.

What a canonical CSV needs is `bulk.py`, ten times faster.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass, field

import psycopg
from psycopg import sql

from fulcrum.contracts.delivery import Landed
from fulcrum.errors import DeliveryRefusedError
from fulcrum.ingest.bulk import MAX_REFUSED
from fulcrum.ingest.fields import BadCellError, RowTyper, Texts
from fulcrum.ingest.readers.interface import Reading, RefusedRow, Row
from fulcrum.ingest.tables import PARSE_RULE, Connection, Refusal, identifier
from fulcrum.kit.faults import checkpoint

_CHUNK = 1 << 18


@dataclass
class RowCopy:
    """Copies the rows of one reading into one staging table."""

    connection: Connection
    table: str
    landed: Landed
    typer: RowTyper
    refusals: list[Refusal] = field(default_factory=list)
    spacers: int = 0
    staged: int = 0

    def run(self, reading: Reading) -> None:
        """Type and copy every row; what does not parse is in `refusals`.

        Raises:
            DeliveryRefusedError: the reader gives up, or more rows are bad than any real file has.
        """
        statement = sql.SQL("copy {} ({}) from stdin (format csv)").format(
            identifier(self.table), sql.SQL(", ").join(map(sql.Identifier, ("source_row", *self.typer.columns)))
        )
        self.connection.execute("set local datestyle = 'ISO, YMD'")
        try:
            with self.connection.cursor() as cursor, cursor.copy(statement) as copy:
                self._copy(reading, copy.write)
        except psycopg.DataError as error:
            reason = (error.diag.message_primary or str(error)).strip()
            raise DeliveryRefusedError(
                f"PostgreSQL cannot store a cell: {reason} ({error.diag.context or 'no place told'}).",
                file=self.landed.file_name,
                remedy="Correct the file.",
            ) from error

    def _copy(self, reading: Reading, write: Callable[[str], None]) -> None:
        chunk = io.StringIO()
        writer = csv.writer(chunk, lineterminator="\n")
        chunks, last = 0, 0
        for row in reading.rows:
            last = row.source_row
            if isinstance(row, RefusedRow):
                self._add(Refusal(row.source_row, PARSE_RULE, row.column, row.value, row.message))
                continue
            texts = self._typed(row)
            if texts is None:
                continue
            self.staged += 1
            writer.writerow((row.source_row, *texts))
            if chunk.tell() >= _CHUNK:
                write(chunk.getvalue())
                chunk.seek(0)
                chunk.truncate()
                chunks += 1
                if chunks == 1:
                    checkpoint("staging_half")
        self._refuse_if_cut(reading, last)
        write(chunk.getvalue())
        if not chunks:
            checkpoint("staging_half")

    def _typed(self, row: Row) -> Texts | None:
        try:
            texts = self.typer.texts(row.cells)
        except BadCellError as bad:
            self._add(Refusal(row.source_row, PARSE_RULE, bad.column, bad.value, f"The cell {bad.message}."))
            return None
        self.spacers += texts is None
        return texts

    def _add(self, refusal: Refusal) -> None:
        self.refusals.append(refusal)
        if len(self.refusals) > MAX_REFUSED:
            raise refuse_all(self.landed, self.refusals, f"More than {MAX_REFUSED:,} rows cannot be read, first")

    def _refuse_if_cut(self, reading: Reading, last: int) -> None:
        if reading.is_unended and self.refusals and self.refusals[-1].source_row == last:
            bad = self.refusals[-1]
            raise DeliveryRefusedError(
                f"The file is cut off in its last row: {bad.message}",
                file=self.landed.file_name,
                row=bad.source_row,
                column=bad.column,
                value=bad.value,
                remedy="Fetch it again; nothing of it is used.",
            )


def refuse_all(landed: Landed, refusals: list[Refusal], says: str) -> DeliveryRefusedError:
    """The refusal of a whole file because of its rows, with the first as the example."""
    first = min(refusals, key=lambda refusal: refusal.source_row)
    return DeliveryRefusedError(
        f"{says}: {first.message}",
        file=landed.file_name,
        row=first.source_row,
        column=first.column,
        value=first.value,
        remedy="The file's dialect is not the contract's: export it again, or correct the contract.",
    )
