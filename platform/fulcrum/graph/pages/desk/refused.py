"""Refused rows of a delivery as files, with the same masks as on its page."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import IO, Any

from starlette.requests import Request
from starlette.responses import Response

from fulcrum.entitlements.rights import Permission, Rights
from fulcrum.governance.desk import reading
from fulcrum.graph.desk import access
from fulcrum.graph.errors import NotFoundError
from fulcrum.graph.pages.desk import downloads
from fulcrum.graph.pages.desk.delivery import veil_of
from fulcrum.graph.pages.desk.shown import number_of
from fulcrum.graph.pages.signing import needs
from fulcrum.graph.pages.site import site_of

COLUMNS = ("source_row", "rule_id", "column_name", "value", "row_key", "message")

Rows = Iterable[list[dict[str, Any]]]
Write = Callable[[IO[bytes], Rows], None]


@needs(Permission.QUALITY)
async def as_csv(request: Request, rights: Rights) -> Response:
    """`GET /desk/deliveries/ID/refused.csv`."""
    return await _file(request, rights, "csv", downloads.CSV, _write_csv)


@needs(Permission.QUALITY)
async def as_parquet(request: Request, rights: Rights) -> Response:
    """`GET /desk/deliveries/ID/refused.parquet`."""
    return await _file(request, rights, "parquet", downloads.PARQUET, _write_parquet)


async def _file(request: Request, rights: Rights, ending: str, media_type: str, write: Write) -> Response:
    number, site = number_of(request), site_of(request)

    def made(file: IO[bytes]) -> None:
        with access.reading(site.settings, rights) as connection:
            known = reading.delivery(connection, number)
            if known is None:
                raise NotFoundError(f"There is no delivery {number}.")
            shade = veil_of(site, rights, connection, known["feed"])
            some = ([_told(shade.row(row)) for row in rows] for rows in reading.all_refused_rows(connection, number))
            write(file, some)

    return await downloads.download(made, f"refused-{number}.{ending}", media_type)


def _told(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "row_key": json.dumps(row["row_key"], ensure_ascii=False)}


def _write_csv(file: IO[bytes], some: Rows) -> None:
    downloads.write_csv(file, COLUMNS, ([row[name] for name in COLUMNS] for rows in some for row in rows))


def _write_parquet(file: IO[bytes], some: Rows) -> None:
    downloads.write_parquet(file, COLUMNS, ([[row[name] for name in COLUMNS] for row in rows] for rows in some))
