"""Fulcrum, its statement behind a bare server, PostGraphile 5 and data loaders on one warehouse, interleaved."""

from __future__ import annotations

from pathlib import Path

import uvloop
from rich.console import Console

from fulcrum.settings import Settings
from fulcrum.warehouse import server
from tests.bench.figures import Figure
from tests.bench.graph import report
from tests.bench.graph.contenders import Contender, everybody
from tests.bench.graph.data import Size, write
from tests.bench.graph.measure import Measured, cases, check_same, measure


def run(settings: Settings, folder: Path, rows: int, rounds: int, console: Console) -> list[Figure]:
    """The part's figures; `rows` are the holdings."""
    size = Size(rows)
    write(settings, size)
    return compare(settings, folder, size, rounds, console)


def compare(settings: Settings, folder: Path, size: Size, rounds: int, console: Console) -> list[Figure]:
    """The figures over a warehouse that is written already."""
    with everybody(settings, folder, size, console) as contenders:
        measured = uvloop.run(_measured(contenders, size, rounds, _postmaster(settings), console))
    report.show(measured, console)
    return report.figures(measured)


async def _measured(
    contenders: dict[str, Contender], size: Size, rounds: int, database: int, console: Console
) -> Measured:
    found = list(cases(contenders))
    await check_same(found, size, console)
    return await measure(found, size, rounds, database)


def _postmaster(settings: Settings) -> int:
    """The process of the embedded server; 0 where it is another machine's."""
    return server.inspect(settings).pid or 0
