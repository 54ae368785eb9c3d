"""What the measured rates mean: a table for people, and figures against the budgets of issue 3."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from tests.bench.figures import Figure
from tests.bench.graph.contenders import BARE, FULCRUM, LOADERS, OPEN, PEER, PEER_RESTRICTED, RESTRICTED, TWO
from tests.bench.graph.measure import CLIENTS, Measured
from tests.bench.graph.questions import POINT, QUESTIONS

MOST = max(CLIENTS)
OVER_PEER = {1: 1.8, MOST: 3.5}
OVER_RESTRICTED_PEER = 3.0
OF_BARE = 0.9
OF_OPEN = 0.8
OVER_ONE = 1.7
TAIL = 5.0


def show(measured: Measured, console: Console) -> None:
    """Print answers per second, the ratios, and the processor time of an answer."""
    costs = [f"{name}: ms of it + of PostgreSQL" for name in ("Fulcrum", "bare", "peer")]
    table = Table("query", "clients", FULCRUM, BARE, PEER, LOADERS, "of bare", "x peer", *costs, "load")
    for question in QUESTIONS:
        for clients in CLIENTS:
            ours, bare, peer, loaders = (
                _rate(measured, question.name, name, clients) for name in (FULCRUM, BARE, PEER, LOADERS)
            )
            assert ours is not None
            cores = [_milliseconds(measured, question.name, name, clients) for name in (FULCRUM, BARE, PEER)]
            load = f"{measured[question.name, FULCRUM, clients].cores[2]:.2f}"
            shown = [_number(value) for value in (ours, bare, peer, loaders)]
            table.add_row(question.name, str(clients), *shown, _ratio(ours, bare), _ratio(ours, peer), *cores, load)
    console.print(table)
    table = Table("with row scope and masks", "clients", RESTRICTED, OPEN, PEER_RESTRICTED, "of open", "x peer")
    for question in QUESTIONS:
        for clients in CLIENTS if question.is_restricted else ():
            rates = [_rate(measured, question.name, name, clients) for name in (RESTRICTED, OPEN, PEER_RESTRICTED)]
            ours, open_, peer = rates
            table.add_row(question.name, str(clients), *map(_number, rates), _ratio(ours, open_), _ratio(ours, peer))
    console.print(table)


def figures(measured: Measured) -> list[Figure]:
    """The figures that have budgets."""
    made = []
    for question in QUESTIONS:
        for clients in CLIENTS:
            made += _compared(
                measured,
                f"graph {question.name}, {clients} at once",
                (question.name, clients),
                FULCRUM,
                {PEER: ("x PostGraphile", OVER_PEER[clients]), BARE: ("of bare", OF_BARE)},
            )
            if question.is_restricted:
                budgets: dict[str, tuple[str, float | None]] = {OPEN: ("of no policies", OF_OPEN)}
                budgets[PEER_RESTRICTED] = ("x PostGraphile", OVER_RESTRICTED_PEER if clients == MOST else None)
                label = f"graph {question.name} with row scope, {clients} at once"
                made += _compared(measured, label, (question.name, clients), RESTRICTED, budgets)
    made += _compared(measured, "graph point, two workers", (POINT.name, MOST), TWO, {FULCRUM: ("x one", OVER_ONE)})
    tail = measured[POINT.name, FULCRUM, MOST].tail
    made.append(Figure(f"graph point, {MOST} at once, p99 / median", tail, "x", TAIL))
    return made


def _compared(
    measured: Measured,
    label: str,
    where: tuple[str, int],
    name: str,
    others: dict[str, tuple[str, float | None]],
) -> list[Figure]:
    question, clients = where
    ours = _rate(measured, question, name, clients)
    made = []
    for other, (unit, budget) in others.items():
        theirs = _rate(measured, question, other, clients)
        if ours is not None and theirs is not None:
            note = f"{_number(ours)}/s; {other} {_number(theirs)}/s"
            made.append(Figure(label, ours / theirs, unit, budget, at_least=True, note=note))
    return made


def _rate(measured: Measured, question: str, name: str, clients: int) -> float | None:
    cell = measured.get((question, name, clients))
    return None if cell is None else cell.rate


def _milliseconds(measured: Measured, question: str, name: str, clients: int) -> str:
    cell = measured.get((question, name, clients))
    if cell is None:
        return ""
    server, database, _ = cell.cores
    return f"{server / cell.rate * 1000:.2f} + {database / cell.rate * 1000:.2f}"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}" if value >= 100 else f"{value:,.1f}"


def _ratio(ours: float | None, theirs: float | None) -> str:
    return "" if ours is None or theirs is None else f"{ours / theirs:.2f}"
