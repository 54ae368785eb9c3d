"""The report of a month as one value: groups by dimension, feed and owner, and what stands behind them.

Everything is read by `counting.py`, `decisions.py` and `coverage.py`; here it is put together.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from fulcrum.governance.desk.policy import DeskPolicy
from fulcrum.governance.reports import counting, decisions
from fulcrum.governance.reports.counting import Arrivals, Connection, Results, Tally, percent
from fulcrum.governance.reports.coverage import CriticalColumn, Declared
from fulcrum.governance.reports.decisions import Adjustment, Moved, OpenFinding, Rollback, WaiverInForce
from fulcrum.governance.reports.month import Edition

OTHER = ""
"""The group of what has no dimension, feed or owner."""


@dataclass(frozen=True)
class Group:
    """One line by dimension, feed or owner; `pass_pct` is of `judged` results, `covered` of `critical` columns.

    `due` and `on_time` are None where arrivals mean nothing.
    """

    name: str
    critical: int
    covered: int
    judged: int
    passed: int
    failed: int
    broken: int
    not_run: int
    pass_pct: Decimal | None
    open: int
    overdue: int
    due: int | None
    on_time: int | None
    on_time_pct: Decimal | None


@dataclass(frozen=True)
class Report:
    """What is told of a month; money and percentages are exact decimals."""

    edition: Edition
    is_whole_house: bool
    totals: Group
    moved: Moved
    by_dimension: tuple[Group, ...]
    by_feed: tuple[Group, ...]
    by_owner: tuple[Group, ...]
    critical: tuple[CriticalColumn, ...]
    arrivals: tuple[Arrivals, ...]
    findings: tuple[OpenFinding, ...]
    waivers: tuple[WaiverInForce, ...]
    overrides: tuple[Adjustment, ...]
    rollbacks: tuple[Rollback, ...]

    @property
    def uncovered(self) -> list[CriticalColumn]:
        """Critical columns that no rule looks at."""
        return [one for one in self.critical if not one.is_covered]

    def as_json(self) -> dict[str, Any]:
        """Plain values; decimals as strings, moments in UTC as ISO 8601."""
        told = asdict(self)
        told["edition"] |= {"month": str(self.edition.month), "is_closed": self.edition.is_closed}
        for line, one in zip(told["arrivals"], self.arrivals, strict=True):
            line |= {"on_time": one.on_time, "on_time_pct": one.on_time_pct}
        plain: dict[str, Any] = json.loads(canonical(told))
        return plain


def canonical(value: Any) -> bytes:
    """JSON of one value in one way: keys in order, no blanks, UTF-8."""
    return json.dumps(value, default=_plain, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def read_report(
    connection: Connection, edition: Edition, declared: Declared, policy: DeskPolicy, *, is_whole_house: bool = True
) -> Report:
    """Read the report of an edition; without the whole house nothing is said of what rests on waivers.

    The numbers of one call belong together only if the connection's transaction is REPEATABLE READ or the edition
    is closed.
    """
    results = counting.results(connection, edition)
    arrivals = counting.arrivals(connection, edition, declared.feeds)
    findings = decisions.open_findings(connection, edition, policy, declared.reconciliations)
    critical = declared.critical()
    made = _Groups(results, findings, arrivals, critical)
    return Report(
        edition=edition,
        is_whole_house=is_whole_house,
        totals=made.total(),
        moved=decisions.moved(connection, edition),
        by_dimension=made.by_dimension(),
        by_feed=made.by_feed(declared),
        by_owner=made.by_owner(),
        critical=tuple(critical),
        arrivals=tuple(arrivals),
        findings=tuple(findings),
        waivers=tuple(decisions.waivers(connection, edition, is_whole_house=is_whole_house)),
        overrides=tuple(decisions.overrides(connection, edition)),
        rollbacks=tuple(decisions.rollbacks(connection, edition)),
    )


@dataclass(frozen=True)
class _Groups:
    results: list[Results]
    findings: list[OpenFinding]
    arrivals: list[Arrivals]
    critical: list[CriticalColumn]

    def total(self) -> Group:
        covered = sum(one.is_covered for one in self.critical)
        return _group("", self.results, self.findings, (len(self.critical), covered), self.arrivals)

    def by_dimension(self) -> tuple[Group, ...]:
        """Columns that a rule of the dimension looks at, of all critical ones."""

        def columns(name: str) -> tuple[int, int]:
            return len(self.critical), sum(name in one.rules.values() for one in self.critical)

        said = {word for one in self.critical for word in one.rules.values()}
        return self._by(lambda one: one.dimension, lambda one: one.dimension or OTHER, columns, said)

    def by_feed(self, declared: Declared) -> tuple[Group, ...]:
        """Columns among those that the feed fills."""
        arrived = {one.feed: [one] for one in self.arrivals}
        known = {(one.table, one.column): one.is_covered for one in self.critical}

        def columns(name: str) -> tuple[int, int]:
            filled = declared.of_feed(name) & known.keys() if name in declared.feeds else set()
            return len(filled), sum(known[one] for one in filled)

        return self._by(lambda one: one.feed, lambda one: one.feed or OTHER, columns, set(arrived), arrived)

    def by_owner(self) -> tuple[Group, ...]:
        """Columns of the tables that a team answers for; results by the owner of the rule."""
        arrived: dict[str, list[Arrivals]] = {}
        for one in self.arrivals:
            arrived.setdefault(one.owner, []).append(one)

        def columns(name: str) -> tuple[int, int]:
            own = [one for one in self.critical if one.owner == name]
            return len(own), sum(one.is_covered for one in own)

        said = {one.owner for one in self.critical} | {one.owner for one in self.arrivals}
        return self._by(lambda one: one.owner, lambda one: one.owner or OTHER, columns, said, arrived)

    def _by(
        self,
        of_result: Callable[[Results], str],
        of_finding: Callable[[OpenFinding], str],
        columns: Callable[[str], tuple[int, int]],
        further: Iterable[str],
        arrived: Mapping[str, list[Arrivals]] | None = None,
    ) -> tuple[Group, ...]:
        results: dict[str, list[Results]] = {}
        findings: dict[str, list[OpenFinding]] = {}
        for result in self.results:
            results.setdefault(of_result(result), []).append(result)
        for finding in self.findings:
            findings.setdefault(of_finding(finding), []).append(finding)
        names = sorted({*results, *findings, *further}, key=lambda name: (name == OTHER, name))
        return tuple(
            _group(
                name,
                results.get(name, ()),
                findings.get(name, ()),
                columns(name),
                arrived.get(name, ()) if arrived is not None else None,
            )
            for name in names
        )


def _group(
    name: str,
    results: Iterable[Results],
    findings: Iterable[OpenFinding],
    columns: tuple[int, int],
    arrivals: Iterable[Arrivals] | None,
) -> Group:
    tally, found = Tally(), list(findings)
    for one in results:
        tally.add(one.status, one.times)
    came = [one for one in arrivals if one.due] if arrivals is not None else []
    due, on_time = sum(one.due for one in came), sum(one.on_time for one in came)
    return Group(
        name=name,
        critical=columns[0],
        covered=columns[1],
        judged=tally.judged,
        passed=tally.passed,
        failed=tally.failed,
        broken=tally.broken,
        not_run=tally.not_run,
        pass_pct=tally.pass_pct,
        open=len(found),
        overdue=sum(one.is_overdue for one in found),
        due=due if came else None,
        on_time=on_time if came else None,
        on_time_pct=percent(on_time, due),
    )


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat()
    return value.isoformat() if isinstance(value, dt.date) else str(value)
