"""The soak itself: one API process, clients, a publisher, and what its memory does meanwhile."""

from __future__ import annotations

import asyncio
import statistics
import time
from pathlib import Path

import uvloop
from rich.console import Console

from fulcrum.entitlements.principals import RowScope
from fulcrum.settings import Settings
from fulcrum.warehouse.engine import connect
from tests.bench.figures import Figure
from tests.bench.graph.bench import warehouse
from tests.bench.graph.data import Size, write
from tests.bench.graph.processes import free_port, fulcrum, python_environment, resident_bytes, served
from tests.bench.soak.asking import Client, Findings
from tests.bench.soak.publishing import Publisher, value_all
from tests.factories.access import make_key

HOLDINGS = 100_000
CLIENTS = 8
SAMPLES = 60
"""Measurements of memory; the first third is warm-up (plans, prepared statements)."""
MOST_GROWTH_MB = 8.0


def run(
    settings: Settings, folder: Path, rows: int, rounds: int, console: Console, *, minutes: float = 1.0
) -> list[Figure]:
    """The part's figures; `rows` over 100,000 and `rounds` make no difference."""
    del settings, rounds
    size = Size(min(rows, HOLDINGS))
    with warehouse(folder / "soak") as own:
        write(own, size)
        value_all(own)
        with connect(own) as connection:
            codes = tuple(f"C{number:05d}" for number in range(1, size.in_scope.clients + 1))
            house = make_key(connection, "soak")
            scope = RowScope("soak", client_codes=codes)
            narrow = make_key(connection, "soak-restricted", roles=("analyst",), scope=scope)
        port = free_port()
        with served(fulcrum(port), port, python_environment(own.home)) as pid:
            findings, memory, published = uvloop.run(_soaked(own, size, (house, narrow), port, pid, minutes * 60))
            is_same_process = resident_bytes(pid) > 0
    return _figures(findings, memory, published, minutes, console, is_same_process=is_same_process)


async def _soaked(
    settings: Settings, size: Size, keys: tuple[str, str], port: int, pid: int, seconds: float
) -> tuple[Findings, list[int], int]:
    findings, stop = Findings(), asyncio.Event()
    publisher = Publisher(settings, size)
    address = f"http://127.0.0.1:{port}"
    bounds = (size.everything, size.in_scope)
    clients = [Client(address, keys[n % 2], bounds[n % 2], findings, n) for n in range(CLIENTS)]
    tasks = [asyncio.create_task(publisher.run(stop)), *(asyncio.create_task(one.run(stop)) for one in clients)]
    memory: list[int] = []
    until = time.monotonic() + seconds
    while time.monotonic() < until and not any(task.done() for task in tasks):
        await asyncio.sleep(seconds / SAMPLES)
        memory.append(resident_bytes(pid))
    stop.set()
    await asyncio.gather(*tasks)
    return findings, memory, publisher.published


def _figures(
    findings: Findings, memory: list[int], published: int, minutes: float, console: Console, *, is_same_process: bool
) -> list[Figure]:
    for failure in findings.failures:
        console.print(failure, style="red", markup=False)
    third = max(1, len(memory) // 3)
    middle, last = statistics.median(memory[third : 2 * third] or memory), statistics.median(memory[-third:])
    note = f"{findings.answers:,} answers while {published:,} publications, {minutes:g} minutes"
    grown = (last - middle) / 1e6
    shown = f"{middle / 1e6:.0f} to {last / 1e6:.0f} MB, medians of the second and the last third"
    alive = 0 if is_same_process else 1
    return [
        Figure("soak: failed requests and inconsistent answers", findings.failed + alive, "", 0, note=note),
        Figure("soak: growth of the API's memory", grown, "MB", MOST_GROWTH_MB, note=shown),
    ]
