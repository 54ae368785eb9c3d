"""Requests per second of the compiled path, of its SQL without a server, and of data loaders, interleaved."""

from __future__ import annotations

import asyncio
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from rich.console import Console
from rich.table import Table

from fulcrum.graph.limits import Limits
from fulcrum.graph.schema import load_graph
from fulcrum.graph.service import GraphService, open_wires
from fulcrum.settings import PROJECT_ROOT, Settings
from fulcrum.warehouse.engine import connect
from tests.bench.figures import Figure
from tests.bench.graph.data import write
from tests.bench.graph.load import over_http, rate, without_server
from tests.bench.graph.questions import QUESTIONS, Question
from tests.factories.access import make_key

CONTENDERS = ("compiled", "sql", "loaders")
CLIENTS = (1, 16)
SECONDS = 1.5
MIN_OVER_LOADERS = 3.0
HOLDINGS_OF_ROWS = 10
"""One holding for so many rows of the run's large files: 100,000 by default."""


def run(settings: Settings, _folder: Path, rows: int, rounds: int, console: Console) -> list[Figure]:
    """The part's figures."""
    write(settings, rows // HOLDINGS_OF_ROWS)
    with connect(settings) as connection:
        key = make_key(connection, "bench")
    with ExitStack() as stack:
        compiled = stack.enter_context(_served(settings, "fulcrum.graph.app:create_app"))
        loaders = stack.enter_context(_served(settings, "tests.bench.graph.loaders:create_app"))
        measured = asyncio.run(_measure(settings, compiled, loaders, key, rounds))
    _print(measured, console)
    return _figures(measured)


Measured = dict[tuple[str, int, str], float]


async def _measure(settings: Settings, compiled: int, loaders: int, key: str, rounds: int) -> Measured:
    limits = Limits()
    wires = open_wires(settings, limits)
    await wires.open()
    service = GraphService(load_graph(), wires, limits)
    rates: dict[tuple[str, int, str], list[float]] = {}
    try:
        for question in QUESTIONS:
            await _check_same(question, compiled, loaders, key)
        for _ in range(rounds):
            for question in QUESTIONS:
                for clients in CLIENTS:
                    for name in CONTENDERS:
                        if name == "sql":
                            asks = [without_server(service, question)] * clients
                        else:
                            port, path = (compiled, "/graphql") if name == "compiled" else (loaders, "/")
                            asks = [await over_http(port, path, key, question) for _ in range(clients)]
                        rates.setdefault((question.name, clients, name), []).append(await rate(asks, SECONDS))
    finally:
        wires.close()
    return {which: statistics.median(found) for which, found in rates.items()}


async def _check_same(question: Question, compiled: int, loaders: int, key: str) -> None:
    """Contenders that answer differently are no contenders."""
    one = await over_http(compiled, "/graphql", key, question)
    two = await over_http(loaders, "/", key, question)
    answers = [json.loads(await ask(random.Random(1)))["data"] for ask in (one, two)]
    if answers[0] != answers[1]:
        raise RuntimeError(f"{question.name}: the contenders answer differently: {answers}"[:4000])


def _print(measured: Measured, console: Console) -> None:
    table = Table("query", "clients", "compiled /s", "its SQL alone /s", "data loaders /s", "of SQL", "x loaders")
    for question in QUESTIONS:
        for clients in CLIENTS:
            ours, sql, loaders = (measured[question.name, clients, name] for name in CONTENDERS)
            shown = (f"{ours:,.0f}", f"{sql:,.0f}", f"{loaders:,.1f}", f"{ours / sql:.2f}", f"{ours / loaders:.1f}")
            table.add_row(question.name, str(clients), *shown)
    console.print(table)


def _figures(measured: Measured) -> list[Figure]:
    made = []
    for question in QUESTIONS:
        for clients in CLIENTS:
            ours, sql, loaders = (measured[question.name, clients, name] for name in CONTENDERS)
            label = f"graph {question.name.partition(':')[0]}, {clients} at once"
            note = f"{ours:,.0f}/s; its SQL without HTTP {sql:,.0f}/s; data loaders {loaders:,.1f}/s"
            made.append(Figure(label, ours / loaders, "x loaders", MIN_OVER_LOADERS, at_least=True, note=note))
    return made


@contextmanager
def _served(settings: Settings, factory: str) -> Iterator[int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", factory, "--factory", "--no-access-log", "--log-level", "warning"]
    environment = os.environ | {
        "FULCRUM_HOME": str(settings.home),
        "PYTHONPATH": os.pathsep.join([str(PROJECT_ROOT / "platform"), str(PROJECT_ROOT)]),
    }
    process = subprocess.Popen([*command, "--host", "127.0.0.1", "--port", str(port)], env=environment)
    try:
        _wait(port)
        yield port
    finally:
        process.terminate()
        process.wait(30)


def _wait(port: int) -> None:
    for _ in range(240):
        try:
            with socket.create_connection(("127.0.0.1", port), 1):
                return
        except OSError:
            time.sleep(0.25)
    raise RuntimeError("A server of the bench did not come up.")
