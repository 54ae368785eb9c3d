"""The page of what a failed rule found in a delivery: its lines with what was published from them, and as files.

Rows are read by `fulcrum.governance.desk.found` under the reader's own scope; the masks are the reader's, too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import IO, Any

from starlette.requests import Request
from starlette.responses import Response

from fulcrum.entitlements.rights import Permission, Rights
from fulcrum.governance.desk import found, reading
from fulcrum.governance.desk.found import Found, FoundRow
from fulcrum.governance.reconciliation.reading import sees_the_house
from fulcrum.graph.desk import access
from fulcrum.graph.errors import NotFoundError
from fulcrum.graph.pages.desk import downloads
from fulcrum.graph.pages.desk.delivery import unknown, veil_of
from fulcrum.graph.pages.desk.known import contracts_of, rules_of
from fulcrum.graph.pages.desk.masking import Veil
from fulcrum.graph.pages.desk.shown import number_of, plain, shown
from fulcrum.graph.pages.signing import needs
from fulcrum.graph.pages.site import Site, site_of
from fulcrum.quality import results

Write = Callable[[IO[bytes], list[str], list[list[Any]]], None]


@needs(Permission.QUALITY)
async def show(request: Request, rights: Rights) -> Response:
    """`GET /desk/deliveries/ID/rules/RULE`."""
    told = await asyncio.to_thread(_read, site_of(request), rights, number_of(request), _rule(request))
    return shown(request, "found.html", rights, **told)


@needs(Permission.QUALITY)
async def as_csv(request: Request, rights: Rights) -> Response:
    """`GET /desk/deliveries/ID/rules/RULE/rows.csv`."""
    return await _file(request, rights, "csv", downloads.CSV, downloads.write_csv)


@needs(Permission.QUALITY)
async def as_parquet(request: Request, rights: Rights) -> Response:
    """`GET /desk/deliveries/ID/rules/RULE/rows.parquet`."""
    return await _file(
        request,
        rights,
        "parquet",
        downloads.PARQUET,
        lambda file, columns, rows: downloads.write_parquet(file, columns, [rows]),
    )


def _rule(request: Request) -> str:
    return plain(request.path_params["rule"]) or ""


async def _file(request: Request, rights: Rights, ending: str, media_type: str, write: Write) -> Response:
    number, rule_id, site = number_of(request), _rule(request), site_of(request)

    def made(file: IO[bytes]) -> None:
        told = _read(site, rights, number, rule_id)
        names = [*told["keys"], *told["values"]]
        rows = [
            [row["source_row"], str(row["is_current"]).lower(), *(row["told"].get(name) for name in names)]
            for row in told["rows"]
        ]
        write(file, ["source_row", "is_current", *names], rows)

    return await downloads.download(made, f"found-{number}-{rule_id}.{ending}", media_type)


def _read(site: Site, rights: Rights, number: int, rule_id: str) -> dict[str, Any]:
    with access.reading(site.settings, rights) as connection:
        known = reading.delivery(connection, number)
        if known is None:
            raise unknown(number)
        judged = {one.rule_id: one for one in results.latest_results(connection, number)}
        if rule_id not in judged:
            raise NotFoundError(
                f"Rule {rule_id} did not judge delivery {number}.", remedy="The page of the delivery lists its rules."
            )
        contract = contracts_of(site.settings).get(known["feed"])
        there = found.found(
            connection,
            known,
            judged[rule_id],
            target_name=contract.target if contract is not None else None,
            rule=rules_of(site.settings).rules.get(rule_id),
            is_whole_house=sees_the_house(connection),
        )
        shade = veil_of(site, rights, connection, known["feed"])
    return {"delivery": known, "result": judged[rule_id], "found": there} | _masked(there, shade, rights)


def _masked(there: Found, shade: Veil, rights: Rights) -> dict[str, Any]:
    """What the reader may see of it, and whether anything is hidden by a mask."""
    masks = {one.name: shade.published(one.name, rights.mask(one.path)) for one in there.shown}
    types = {one.name: one.sql_type for one in there.shown}

    def told(row: FoundRow) -> dict[str, str | None]:
        return {name: shade.told(masks[name], types[name], value) for name, value in (row.told or {}).items()}

    return {
        "keys": [one.name for one in there.shown if one.is_key],
        "values": [one.name for one in there.shown if not one.is_key],
        "masked": {name for name, mask in masks.items() if mask is not None},
        "rows": [
            {
                "source_row": row.source_row,
                "is_seen": row.told is not None,
                "is_current": row.is_current,
                "told": told(row),
            }
            for row in there.rows
        ],
    }
