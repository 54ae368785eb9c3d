"""What the gate answers: one result per rule, and the verdict that follows from them.

How a rule is measured is `runner.py`; what is stored is `results.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from fulcrum.quality.suite import Level, Rule, Severity

Status = Literal["passed", "failed", "broken", "not_run"]
Outcome = Literal["passed", "warned", "blocked", "broken"]


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
        return self.verdict in ("passed", "warned")


def outcome(results: Iterable[RuleResult]) -> Outcome:
    """The verdict that follows from `results`.

    A broken rule makes it `broken`, a failed critical set rule `blocked`. A failed critical row
    rule keeps its rows out and, like a failed warning, leaves `warned`. Info never changes it.
    """
    found = list(results)
    if any(result.status == "broken" for result in found):
        return "broken"
    if any(result.stops for result in found):
        return "blocked"
    if any(result.status == "failed" and result.rule.severity is not Severity.INFO for result in found):
        return "warned"
    return "passed"
