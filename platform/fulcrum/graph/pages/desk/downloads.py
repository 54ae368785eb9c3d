"""Answers that are files: written aside first, so that a failure is an answer and not half a file.

What stands in them is decided by the pages that offer them.
"""

from __future__ import annotations

import asyncio
import csv
import io
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import IO, Any

from starlette.responses import Response, StreamingResponse

from fulcrum.graph.pages.rendering import HEADERS

CSV = "text/csv; charset=utf-8"
PARQUET = "application/vnd.apache.parquet"
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_IN_MEMORY = 8 << 20
_BLOCK = 1 << 18


async def download(write: Callable[[IO[bytes]], None], name: str, media_type: str) -> Response:
    """The file that `write` writes in a thread, as an attachment called `name`."""

    def made() -> IO[bytes]:
        file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - the answer closes it
        try:
            write(file)
        except BaseException:
            file.close()
            raise
        file.seek(0)
        return file

    file = await asyncio.to_thread(made)

    def blocks() -> Iterator[bytes]:
        with file:
            while block := file.read(_BLOCK):
                yield block

    disposition = f'attachment; filename="{name}"'
    return StreamingResponse(blocks(), media_type=media_type, headers=HEADERS | {"Content-Disposition": disposition})


def write_csv(file: IO[bytes], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """UTF-8 with a mark, so that spreadsheets read Chinese; text that they would take for a formula is text."""
    text = io.TextIOWrapper(file, "utf-8-sig", newline="", write_through=True)
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([_cell(value) for value in row] for row in rows)
    text.detach()


def write_parquet(file: IO[bytes], columns: Sequence[str], some: Iterable[Sequence[Sequence[Any]]]) -> None:
    """Rows as Parquet, some at a time; `source_row` is a number and everything else text."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([(name, pa.int64() if name == "source_row" else pa.string()) for name in columns])
    with pq.ParquetWriter(file, schema) as writer:
        for rows in some:
            arrays = [pa.array([row[place] for row in rows], field.type) for place, field in enumerate(schema)]
            writer.write_table(pa.table(arrays, schema=schema))


def _cell(value: Any) -> Any:
    """Text that a spreadsheet would take for a formula begins with an apostrophe."""
    is_formula = isinstance(value, str) and value.startswith(_FORMULA) and not _is_number(value)
    return f"'{value}" if is_formula else value


def _is_number(text: str) -> bool:
    return text[1:].replace(".", "", 1).isdecimal()
