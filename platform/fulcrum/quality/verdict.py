"""What the gate answers: one result per rule, and the verdict that follows from them.

How a rule is measured is `runner.py`; what is stored is `results.py`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from fulcrum.quality.suite import Level, Rule, Severity

Status = Literal["passed", "failed", "broken", "not_run"]
Outcome = Literal["passed", "warned", "waived", "blocked", "broken"]


@dataclass(frozen=True)
class RuleResult:
    """One rule's measurement; `rows_failed` counts rows for row rules and is null for set rules.

    `measured` is the number that was compared with `threshold` (in `unit`); for a row rule it is
    the count of failed rows and the threshold is the tolerance that its predicate used, if any.
    """

    rule: Rule
    status: Status
    message: str
    measured: Decimal | None = None
    threshold: Decimal | None = None
    unit: str | None = None
    rows_failed: int | None = None
    details: dict[str, Any] = field(default_factory=dict)
    failed: tuple[tuple[str, str | None], ...] = ()
    """Every subject of an inspection that failed, with its value; `details` keep the first of them."""

    @property
    def rule_id(self) -> str:
        """The rule's id."""
        return self.rule.id

    @property
    def severity(self) -> str:
        """The rule's severity: critical, warning or info."""
        return self.rule.severity.value

    @property
    def stops(self) -> bool:
        """Whether this result alone keeps the whole delivery out."""
        critical_set = self.rule.severity is Severity.CRITICAL and self.rule.level is Level.SET
        return self.status == "broken" or (self.status == "failed" and critical_set)

    def is_waived_by(self, waived: Collection[str]) -> bool:
        """Whether this result rests on a waiver: a critical rule failed that may."""
        is_critical = self.rule.severity is Severity.CRITICAL
        return self.status == "failed" and is_critical and self.rule_id in waived


@dataclass(frozen=True)
class Verdict:
    """The gate's answer on one delivery; `broken` and `blocked` keep it out of the warehouse."""

    validation_id: int
    verdict: Outcome
    results: list[RuleResult]
    rows_quarantined: int

    @property
    def may_publish(self) -> bool:
        """Whether the delivery, without its quarantined rows, may be published."""
        return self.verdict in ("passed", "warned", "waived")


def outcome(results: Iterable[RuleResult], waived: Collection[str] = ()) -> Outcome:
    """The verdict that follows from `results` while the critical rules in `waived` may fail.

    A broken rule makes it `broken`, a failed critical set rule `blocked`. A failed critical row
    rule keeps its rows out and, like a failed warning, leaves `warned`. A failed critical rule that is
    waived lets everything through, and the verdict says so. Info never changes it.
    """
    found = list(results)
    if any(result.status == "broken" for result in found):
        return "broken"
    if any(result.stops and result.rule_id not in waived for result in found):
        return "blocked"
    if any(result.is_waived_by(waived) for result in found):
        return "waived"
    if any(result.status == "failed" and result.rule.severity is not Severity.INFO for result in found):
        return "warned"
    return "passed"
