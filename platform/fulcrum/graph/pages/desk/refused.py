"""Refused rows of a delivery as files, with the same masks as on its page."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import tempfile
from collections.abc import Callable, Iterable, Iterator
from typing import IO, Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from fulcrum.entitlements.rights import Permission, Rights
from fulcrum.governance.desk import reading
from fulcrum.graph.errors import NotFoundError
from fulcrum.graph.pages.desk import access
from fulcrum.graph.pages.desk.delivery import veil_of
from fulcrum.graph.pages.desk.shown import number_of
from fulcrum.graph.pages.rendering import HEADERS
from fulcrum.graph.pages.signing import needs
from fulcrum.graph.pages.site import Site, site_of

COLUMNS = ("source_row", "rule_id", "column_name", "value", "row_key", "message")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_IN_MEMORY = 8 << 20
_BLOCK = 1 << 18

Rows = Iterable[list[dict[str, Any]]]
Write = Callable[[IO[bytes], Rows], None]


@needs(Permission.QUALITY)
async def as_csv(request: Request, rights: Rights) -> Response:
    """`GET /desk/deliveries/ID/refused.csv`: UTF-8 with a mark, so that spreadsheets read Chinese."""
    return await _file(request, rights, "csv", "text/csv; charset=utf-8", _write_csv)


@needs(Permission.QUALITY)
async def as_parquet(request: Request, rights: Rights) -> Response:
    """`GET /desk/deliveries/ID/refused.parquet`."""
    return await _file(request, rights, "parquet", "application/vnd.apache.parquet", _write_parquet)


async def _file(request: Request, rights: Rights, ending: str, media_type: str, write: Write) -> Response:
    number = number_of(request)
    file = await asyncio.to_thread(_made, site_of(request), rights, number, write)

    def blocks() -> Iterator[bytes]:
        with file:
            while block := file.read(_BLOCK):
                yield block

    name = f'attachment; filename="refused-{number}.{ending}"'
    return StreamingResponse(blocks(), media_type=media_type, headers=HEADERS | {"Content-Disposition": name})


def _made(site: Site, rights: Rights, number: int, write: Write) -> IO[bytes]:
    file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - the answer closes it
    with access.reading(site.settings, rights) as connection:
        known = reading.delivery(connection, number)
        if known is None:
            raise NotFoundError(f"There is no delivery {number}.")
        shade = veil_of(site, rights, connection, known["feed"])
        some = ([shade.row(row) for row in rows] for rows in reading.all_refused_rows(connection, number))
        write(file, some)
    file.seek(0)
    return file


def _write_csv(file: IO[bytes], some: Rows) -> None:
    text = io.TextIOWrapper(file, "utf-8-sig", newline="", write_through=True)
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for rows in some:
        writer.writerows([_cell(name, row[name]) for name in COLUMNS] for row in rows)
    text.detach()


def _cell(name: str, value: Any) -> Any:
    """Text that a spreadsheet would take for a formula begins with an apostrophe."""
    text = json.dumps(value, ensure_ascii=False) if name == "row_key" else value
    return f"'{text}" if isinstance(text, str) and text.startswith(_FORMULA) and not _is_number(text) else text


def _is_number(text: str) -> bool:
    return text[1:].replace(".", "", 1).isdecimal()


def _write_parquet(file: IO[bytes], some: Rows) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds = {name: pa.int64() if name == "source_row" else pa.string() for name in COLUMNS}
    schema = pa.schema(list(kinds.items()))
    with pq.ParquetWriter(file, schema) as writer:
        for rows in some:
            told = [{**row, "row_key": json.dumps(row["row_key"], ensure_ascii=False)} for row in rows]
            columns = [pa.array([row[name] for row in told], kind) for name, kind in kinds.items()]
            writer.write_table(pa.table(columns, schema=schema))
