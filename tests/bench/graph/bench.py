"""Fulcrum, its statement behind a bare server, PostGraphile 5 and data loaders on one warehouse, interleaved."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvloop
from rich.console import Console

from fulcrum.settings import Settings, read_settings
from fulcrum.warehouse import migrations, server
from tests.bench.figures import Figure
from tests.bench.graph import report
from tests.bench.graph.contenders import Contender, everybody
from tests.bench.graph.data import Size, write
from tests.bench.graph.measure import Measured, cases, check_same, measure


def run(settings: Settings, folder: Path, rows: int, rounds: int, console: Console) -> list[Figure]:
    """The part's figures, on a warehouse of its own; `rows` are the holdings."""
    del settings
    size = Size(rows)
    with warehouse(folder / "graph") as own:
        write(own, size)
        return compare(own, folder, size, rounds, console)


@contextmanager
def warehouse(home: Path) -> Iterator[Settings]:
    """An empty migrated warehouse on a server of its own: the data here counts publications and keys from 1."""
    settings = read_settings(home=home)
    try:
        server.ensure_running(settings)
        migrations.upgrade(settings)
        yield settings
    finally:
        server.erase(settings)


def compare(settings: Settings, folder: Path, size: Size, rounds: int, console: Console) -> list[Figure]:
    """The figures over a warehouse that is written already."""
    with everybody(settings, folder, size, console) as contenders:
        measured = uvloop.run(_measured(contenders, size, rounds, _postmaster(settings)))
    report.show(measured, console)
    return report.figures(measured)


async def _measured(contenders: dict[str, Contender], size: Size, rounds: int, database: int) -> Measured:
    found = list(cases(contenders))
    await check_same(found, size)
    return await measure(found, size, rounds, database)


def _postmaster(settings: Settings) -> int:
    """The process of the embedded server; 0 where it is another machine's."""
    return server.inspect(settings).pid or 0
