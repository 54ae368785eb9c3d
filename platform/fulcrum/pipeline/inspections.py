"""Judges business dates by what no file tells (arrivals, accounts, funds, reconciliations) and tells the quality desk.

What is judged stands in `quality/suites` and `quality/reconciliations`; when, in `orchestration.schedules`.
"""
# ruff: noqa: S608 findings are literals of ours

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg

from fulcrum.contracts.model import FeedContract
from fulcrum.governance.desk import many
from fulcrum.governance.desk.policy import DeskPolicy, load_desk_policy
from fulcrum.governance.reconciliation import contract, run
from fulcrum.quality.inspection import inspect
from fulcrum.quality.plan import literal
from fulcrum.quality.timeliness import judge_timeliness
from fulcrum.quality.verdict import RuleResult, Verdict
from fulcrum.settings import Settings
from fulcrum.warehouse.engine import connect

Judge = Callable[[Settings, Mapping[str, FeedContract], dt.date, dt.datetime | None], Verdict]


@dataclass(frozen=True)
class Part:
    """One suite without a file: how a date is judged by it, and what its subjects are called on the desk."""

    judge: Judge
    prefix: str
    names_day: bool = False
    """Its subjects end in the date, which the desk leaves out: one exception follows a subject over all dates."""


PARTS: Mapping[str, Part] = {
    "timeliness": Part(judge_timeliness, "feed:"),
    "accounts": Part(
        lambda settings, _, day, __: inspect(settings, "mart/portfolio_nav", "mart.portfolio_nav", day),
        "portfolio:",
        names_day=True,
    ),
    "funds": Part(lambda settings, _, day, __: inspect(settings, "core/fund", "same fund, two sources", day), "funds:"),
}
"""By the word under which commands and schedules ask for them."""


@dataclass(frozen=True)
class Judged:
    """What became of one part: verdicts by date, and what moved on the desk."""

    verdicts: dict[dt.date, str]
    opened: int = 0
    healed: int = 0


@dataclass
class _Found:
    """One rule over all dates: the newest failure of each subject."""

    severity: str
    says: str
    subjects: dict[str, dt.date] = field(default_factory=dict)


def judge_days(
    settings: Settings,
    contracts: Mapping[str, FeedContract],
    part: str,
    days: Sequence[dt.date],
    now: dt.datetime | None = None,
) -> Judged:
    """Judge all of `days` by one of `PARTS`; a subject that fails on any of them is an exception, else it heals.

    All days are told to the desk together: told one by one, a file that is missing on Monday would be found again and
    healed by Tuesday's at every look. A rule that could not run on any day says nothing, good or bad.

    Raises:
        GateError: the suite cannot be read or its query is refused.
        KeyError: there is no such part.
    """
    kind = PARTS[part]
    found: dict[str, _Found] = {}
    verdicts: dict[dt.date, str] = {}
    for day in sorted(days):
        verdict = kind.judge(settings, contracts, day, now)
        verdicts[day] = verdict.verdict
        for result in verdict.results:
            if result.status in ("passed", "failed"):
                _add(found, result, kind, day)
    policy, opened, healed = load_desk_policy(settings), 0, 0
    with connect(settings, application_name="fulcrum inspection") as connection:
        for rule_id, one in found.items():
            moved = many.take_all(connection, policy, rule_id, _rows(one), day=max(days), publication_id=None)
            opened, healed = opened + moved.opened, healed + moved.healed
    return Judged(verdicts, opened, healed)


def reconcile_days(settings: Settings, days: Sequence[dt.date]) -> list[run.Run]:
    """Run every reconciliation on each of `days`, oldest first: the next date tells what was only late.

    Raises:
        ContractError: one of them says what the database refuses; those before it are kept.
    """
    policy, today = load_desk_policy(settings), dt.datetime.now(dt.UTC).date()
    done: list[run.Run] = []
    with connect(settings, application_name="fulcrum reconcile") as connection:
        for name in contract.names(settings):
            ready = contract.load(settings, name, today)
            done += [_reconciled(connection, policy, ready, day) for day in sorted(days)]
    return done


def _reconciled(
    connection: psycopg.Connection[Any], policy: DeskPolicy, ready: contract.Ready, day: dt.date
) -> run.Run:
    found = run.reconcile(connection, policy, ready, day)
    connection.commit()
    return found


def _add(found: dict[str, _Found], result: RuleResult, kind: Part, day: dt.date) -> None:
    one = found.setdefault(result.rule_id, _Found(result.severity, result.rule.says))
    for subject, _ in result.failed:
        name = subject.removesuffix(f" {day}") if kind.names_day else subject
        one.subjects[f"{kind.prefix}{name}"] = day


def _rows(one: _Found) -> str:
    """The query of findings; values stay in the result, which fewer may read."""
    rows = ", ".join(
        f"({literal(subject)}, {literal(one.severity)}, {literal(f'Not so for {day}: {one.says}')}, null::numeric,"
        " null::text, 1)"
        for subject, day in one.subjects.items()
    )
    columns = "(subject, severity, message, measured, unit, rows_failed)"
    if not rows:
        return f"select * from (values ('', '', '', null::numeric, null::text, 1)) none {columns} where false"
    return f"select * from (values {rows}) each {columns}"
