"""Interleaved rounds: in each, every contender answers every question for a moment, one after the other.

What the medians mean for the budgets is decided in `report.py`.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from tests.bench.graph.answers import normalised
from tests.bench.graph.contenders import (
    BARE,
    FULCRUM,
    LOADERS,
    OPEN,
    PEER,
    PEER_RESTRICTED,
    RESTRICTED,
    TWO,
    Contender,
)
from tests.bench.graph.data import Bounds, Size
from tests.bench.graph.load import Run, ask_once, keep_busy
from tests.bench.graph.processes import cpu_seconds, own_cpu_seconds, used
from tests.bench.graph.questions import POINT, QUESTIONS, Question

CLIENTS = (1, 16)
SECONDS = 1.5
WARM_SECONDS = 1.0
SLOW = 4
"""Data loaders answer some questions once a second; a warm-up and the check use so many requests at most."""


@dataclass(frozen=True)
class Case:
    """One question put to one contender."""

    contender: Contender
    question: Question
    is_in_scope: bool

    def requests(self, size: Size) -> list[bytes]:
        """The requests that are asked in turn."""
        return self.contender.requests(self.question, self.bounds(size))

    def bounds(self, size: Size) -> Bounds:
        """What they may be about."""
        return size.in_scope if self.is_in_scope else size.everything


@dataclass
class Cell:
    """What was measured of one case with so many clients, a value per round."""

    rates: list[float] = field(default_factory=list)
    medians: list[float] = field(default_factory=list)
    p99s: list[float] = field(default_factory=list)
    cpu: list[tuple[float, float, float]] = field(default_factory=list)
    """Cores used by the contender, by PostgreSQL and by the clients."""

    @property
    def rate(self) -> float:
        """Answers per second, the median of the rounds."""
        return statistics.median(self.rates)

    @property
    def tail(self) -> float:
        """How many times the median latency the 99th percentile is, the median of the rounds."""
        return statistics.median(p99 / median for p99, median in zip(self.p99s, self.medians, strict=True))

    @property
    def cores(self) -> tuple[float, float, float]:
        """Medians of what the contender, PostgreSQL and the clients used."""
        contender, database, clients = zip(*self.cpu, strict=True)
        return statistics.median(contender), statistics.median(database), statistics.median(clients)


Measured = dict[tuple[str, str, int], Cell]
"""By question, contender and number of clients."""


def cases(contenders: Mapping[str, Contender]) -> Iterator[Case]:
    """Who is asked what."""
    for question in QUESTIONS:
        for name in (FULCRUM, BARE, PEER, LOADERS):
            if name in contenders:
                yield Case(contenders[name], question, is_in_scope=False)
        if question is POINT and TWO in contenders:
            yield Case(contenders[TWO], question, is_in_scope=False)
        if question.is_restricted:
            for name in (RESTRICTED, OPEN, PEER_RESTRICTED):
                if name in contenders:
                    yield Case(contenders[name], question, is_in_scope=True)


async def check_same(found: list[Case], size: Size) -> None:
    """See that contenders answer a question alike; who answers differently is no contender.

    Raises:
        RuntimeError: one answers differently.
    """
    for question in QUESTIONS:
        for group in ((FULCRUM, BARE, PEER, LOADERS, TWO), (RESTRICTED, PEER_RESTRICTED)):
            asked = [case for case in found if case.question is question and case.contender.name in group]
            answers = {case.contender.name: await _answers(case, size) for case in asked}
            for (one, answer), (two, other) in pairwise(answers.items()):
                if answer != other:
                    raise RuntimeError(
                        f"{question.name}: {one} and {two} answer differently:\n"
                        f"{str(answer)[:1500]}\n{str(other)[:1500]}"
                    )


async def _answers(case: Case, size: Size) -> list[object]:
    return [normalised(await ask_once(case.contender.target, request)) for request in case.requests(size)[:SLOW]]


async def measure(found: list[Case], size: Size, rounds: int, database: int) -> Measured:
    """The rounds; `database` is the process id of PostgreSQL's postmaster."""
    requests = {(case.question.name, case.contender.name): case.requests(size) for case in found}
    for case in found:
        asked = requests[case.question.name, case.contender.name]
        await keep_busy(case.contender.target, asked, SLOW, WARM_SECONDS)
    measured: Measured = {}
    for _ in range(rounds):
        for clients in CLIENTS:
            for case in found:
                asked = requests[case.question.name, case.contender.name]
                cell = measured.setdefault((case.question.name, case.contender.name, clients), Cell())
                await _one(case, asked, clients, database, cell)
    return measured


async def _one(case: Case, asked: list[bytes], clients: int, database: int, cell: Cell) -> None:
    before = cpu_seconds(case.contender.pid), cpu_seconds(database), {0: own_cpu_seconds()}
    run: Run = await keep_busy(case.contender.target, asked, clients, SECONDS)
    after = cpu_seconds(case.contender.pid), cpu_seconds(database), {0: own_cpu_seconds()}
    latencies = sorted(run.latencies)
    cell.rates.append(run.rate)
    cell.medians.append(latencies[len(latencies) // 2])
    cell.p99s.append(latencies[min(len(latencies) - 1, len(latencies) * 99 // 100)])
    server, postgres, own = (used(*pair) / run.seconds for pair in zip(before, after, strict=True))
    cell.cpu.append((server, postgres, own))
