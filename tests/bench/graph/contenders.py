"""Who is asked, where, and in which words: Fulcrum, the bare statement, PostGraphile, data loaders."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
from rich.console import Console

from fulcrum.entitlements.principals import RowScope
from fulcrum.entitlements.rights import EVERYTHING
from fulcrum.graph.limits import Limits
from fulcrum.graph.plans import Plans
from fulcrum.graph.schema import load_graph
from fulcrum.graph.service import encode
from fulcrum.settings import Settings
from fulcrum.warehouse.engine import connect
from tests.bench.graph import bare, peer
from tests.bench.graph.data import Bounds, Size
from tests.bench.graph.load import Target
from tests.bench.graph.processes import free_port, fulcrum, python_environment, served, uvicorn
from tests.bench.graph.questions import QUESTIONS, Question
from tests.factories.access import make_key

FULCRUM, BARE, PEER, LOADERS = "Fulcrum", "bare statement", "PostGraphile 5", "data loaders"
RESTRICTED, PEER_RESTRICTED, OPEN = "Fulcrum, row scope", "PostGraphile 5, row scope", "Fulcrum, no policies"
TWO = "Fulcrum, two workers"
CORES_FOR_TWO = 4
"""Two for the workers; PostgreSQL and the clients need the others."""
VARIANTS = 128
"""Requests written beforehand for each contender and question, and asked in turn."""

Content = Callable[[Question, Mapping[str, Any]], object]


@dataclass(frozen=True)
class Contender:
    """A running server and how a question is put to it; `pid` and its children do the work."""

    name: str
    target: Target
    pid: int
    content: Content

    def requests(self, question: Question, bounds: Bounds) -> list[bytes]:
        """The same questions in the same order for every contender."""
        chance = random.Random(question.name)
        asked = [question.variables(chance, bounds) for _ in range(VARIANTS)]
        return [self.target.request(self.content(question, variables)) for variables in asked]


def _ours(question: Question, variables: Mapping[str, Any]) -> object:
    return {"query": question.ours, "variables": variables}


def _peers(question: Question, variables: Mapping[str, Any]) -> object:
    return {"query": question.peers, "variables": variables}


@contextmanager
def everybody(settings: Settings, folder: Path, size: Size, console: Console) -> Iterator[dict[str, Contender]]:
    """All contenders that this machine can run, by name."""
    with connect(settings) as connection:
        key = make_key(connection, "bench")
        codes = tuple(f"C{number:05d}" for number in range(1, size.in_scope.clients + 1))
        scope = RowScope("bench", client_codes=codes)
        narrow = make_key(connection, "bench-restricted", roles=("analyst",), scope=scope)
        whole_id, scope_id = _scope_id(connection, "house"), _scope_id(connection, "bench")
    environment = python_environment(settings.home)
    house = environment | {"PGOPTIONS": f"-c fulcrum.scope={whole_id}"}
    statements = _Statements()
    file = folder / "statements.json"
    file.write_text(json.dumps(statements.sql), encoding="utf-8")
    with ExitStack() as stack:

        def start(env: Mapping[str, str], command: Callable[[int], list[str]] = fulcrum) -> tuple[int, int]:
            port = free_port()
            return port, stack.enter_context(served(command(port), port, env))

        port, pid = start(environment)
        found = [
            Contender(FULCRUM, Target(port, "/graphql", key), pid, _ours),
            Contender(RESTRICTED, Target(port, "/graphql", narrow), pid, _ours),
        ]
        if (os.cpu_count() or 1) >= CORES_FOR_TWO:
            port, pid = start(environment, partial(fulcrum, workers=2))
            found.append(Contender(TWO, Target(port, "/graphql", key), pid, _ours))
        else:
            console.print(f"Without two workers: {CORES_FOR_TWO} cores are needed for two to be free for them.")
        port, pid = start(environment, partial(fulcrum, factory="tests.bench.graph.open:create_app"))
        found.append(Contender(OPEN, Target(port, "/graphql", key), pid, _ours))
        port, pid = start(house | {bare.STATEMENTS: str(file)}, partial(uvicorn, "tests.bench.graph.bare:create_app"))
        found.append(Contender(BARE, Target(port, "/"), pid, statements.content))
        port, pid = start(environment, partial(fulcrum, factory="tests.bench.graph.ordinary:create_app"))
        found.append(Contender(LOADERS, Target(port, "/graphql", key), pid, _ours))
        if program := peer.install(console):
            peer.make_views(settings)
            port, pid = stack.enter_context(peer.running(settings, program))
            found.append(Contender(PEER, Target(port, "/graphql"), pid, _peers))
            port, pid = stack.enter_context(peer.running(settings, program, scope=scope_id))
            found.append(Contender(PEER_RESTRICTED, Target(port, "/graphql"), pid, _peers))
        yield {contender.name: contender for contender in found}


def _scope_id(connection: psycopg.Connection[Any], name: str) -> int:
    row = connection.execute("select scope_id from governance.row_scope where scope_name = %s", [name]).fetchone()
    assert row is not None
    return int(row[0])


class _Statements:
    """Fulcrum's statement for every question, and its parameters for the variables of a request."""

    def __init__(self) -> None:
        self.plans = Plans(load_graph(), Limits())
        bounds = Size(1_000_000).everything
        self.sql = {}
        for question in QUESTIONS:
            variables = question.variables(random.Random(0), bounds)
            self.sql[question.name] = self.plans.find(question.ours, None, variables, EVERYTHING).plan.sql

    def content(self, question: Question, variables: Mapping[str, Any]) -> object:
        """What the bare server is sent."""
        planned = self.plans.find(question.ours, None, variables, EVERYTHING)
        values = encode(planned.plan.parameters(planned.variables))
        return {"name": question.name, "values": [None if value is None else value.decode() for value in values]}
