"""The gate on staged holdings against one hand-written statement with the same checks, and against frames.

All contenders run by turns, because neighbours disturb; importing libraries is not measured. Ratios count wall and
processor time, the server's included.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import psycopg
import yaml
from rich.console import Console

from fulcrum.contracts.catalog import contract_for
from fulcrum.contracts.delivery import Staged
from fulcrum.pipeline.record import drop_staging
from fulcrum.quality.gate import judge
from fulcrum.settings import Settings
from fulcrum.warehouse.engine import connect
from tests.bench.figures import Figure
from tests.bench.gate.peers import Peers
from tests.bench.gate.staged import BY_HAND, TWELVE, stage
from tests.bench.processor import Took

BUDGETS = {"all pass": 1.5, "1 % refused": 3.0}


def run(settings: Settings, folder: Path, rows: int, rounds: int, console: Console) -> list[Figure]:
    """Two deliveries, one with every hundredth row bad, judged again and again."""
    contract = contract_for(settings, "house_holdings")
    twelve = _only(settings, folder)
    figures: list[Figure] = []
    with connect(settings) as connection:
        good = stage(connection, contract, rows)
        bad = stage(connection, contract, rows, like=good[1])
        cases: tuple[tuple[str, str, Settings, tuple[int, Staged], int], ...] = (
            ("12 rules", "all pass", twelve, good, 0),
            ("12 rules", "1 % refused", twelve, bad, rows // 100),
            ("all rules", "all pass", settings, good, 0),
        )
        for rules, what, judging, (delivery_id, staged), refused in cases:

            def judged(
                judging: Settings = judging,
                delivery_id: int = delivery_id,
                staged: Staged = staged,
                refused: int = refused,
            ) -> None:
                verdict = judge(judging, contract, staged, delivery_id)
                if (verdict.verdict, verdict.rows_quarantined) != ("warned" if refused else "passed", refused):
                    raise AssertionError(f"{verdict.verdict}, {verdict.rows_quarantined} rows in quarantine")

            by_hand = BY_HAND[rules].format(table=staged.table, total=staged.metadata["control_total"])
            ours, bare = Took(), Took()
            judged()
            for number in range(rounds):
                told = bare.run(settings, lambda by_hand=by_hand: _ask(connection, by_hand))  # type: ignore[misc]
                console.print(f"{rules}, {what}, round {number + 1}: gate {ours.run(settings, judged)}, by hand {told}")
            budget = BUDGETS[what] if rules == "12 rules" else None
            figures += ours.against(bare, f"gate of {rows:,} rows, {rules}, {what} / one statement by hand", budget)
            if rules == "12 rules":
                figures += _peers(settings, connection, staged.table, ours, f"{rules}, {what}", console)
        for delivery_id, _ in (good, bad):
            drop_staging(connection, delivery_id)
    return figures


def _ask(connection: psycopg.Connection[Any], by_hand: str) -> None:
    connection.execute("set local work_mem = '128MB'")  # as the gate's own session has
    connection.execute(by_hand.encode()).fetchone()
    connection.rollback()


def _peers(
    settings: Settings, connection: psycopg.Connection[Any], table: str, ours: Took, what: str, console: Console
) -> list[Figure]:
    figures = []
    peers = Peers(connection, table)
    connection.rollback()
    for name, judge_frame in peers.contenders().items():
        took, refused = Took(), 0

        def once() -> None:
            nonlocal refused
            refused = judge_frame()  # noqa: B023 called in this turn

        told = took.run(settings, once)
        console.print(f"{what}, {name}: {told}, {refused:,} rows refused")
        ratio = took.wall[0] / sorted(ours.wall)[len(ours.wall) // 2]
        figures.append(Figure(f"{name}, {what} / gate, wall", ratio, "x", note=f"{told}, {refused:,} refused"))
    return figures


def _only(settings: Settings, folder: Path) -> Settings:
    """The same database, judged by the twelve rules of the budget only."""
    shutil.copytree(settings.project / "quality", folder / "project" / "quality")
    path = folder / "project" / "quality" / "suites" / "core" / "holding.yaml"
    suite: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    suite["rules"] = [rule for rule in suite["rules"] if rule["id"] in TWELVE]
    assert len(suite["rules"]) == len(TWELVE)
    path.write_text(yaml.safe_dump(suite, sort_keys=False), encoding="utf-8")
    return settings.model_copy(update={"project": folder / "project"})
