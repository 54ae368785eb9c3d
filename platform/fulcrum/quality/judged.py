"""What each rule's number means: passed, failed, broken or not run, in words for people.

Measuring is `runner.py`; which verdict follows for the whole is `verdict.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from fulcrum.quality.plan import Planned, Unplanned
from fulcrum.quality.suite import Level, Suite
from fulcrum.quality.verdict import RuleResult, Status

if TYPE_CHECKING:
    from fulcrum.quality.runner import Measured


def judged(
    suite: Suite,
    runnable: Sequence[Planned],
    impossible: Sequence[Unplanned],
    measured: Mapping[str, Measured],
    rows: int,
) -> list[RuleResult]:
    """One result per rule that applies, in the order of the suite."""
    by_id = {one.rule.id: _judged(one, measured[one.rule.id], rows) for one in runnable}
    by_id |= {one.rule.id: RuleResult(one.rule, "not_run", one.reason) for one in impossible}
    return [by_id[rule.id] for rule in suite.rules if rule.id in by_id]


def _judged(planned: Planned, measured: Measured, rows: int) -> RuleResult:
    rule, tolerance = planned.rule, planned.tolerance
    threshold = tolerance.value if tolerance else None
    unit = tolerance.unit if tolerance else None
    details: dict[str, Any] = {
        "says": rule.says,
        "runbook": rule.runbook,
        "reason": rule.reason,
        "tolerance": rule.tolerance,
        "judged_by": {
            name: {"value": format(one.value, "f"), "unit": one.unit, "since": one.since.isoformat()}
            for name, one in planned.judged_by.items()
        },
    }
    if measured.error is not None:
        message = f"The rule could not be measured: {measured.error}"
        return RuleResult(rule, "broken", message, threshold=threshold, unit=unit, details=details)
    if measured.number is None:
        return RuleResult(rule, "not_run", rule.unmeasured, threshold=threshold, unit=unit, details=details)
    status: Status = "passed" if measured.success else "failed"
    if rule.level is Level.ROW:
        failed = int(measured.number)
        message = f"{rule.says} {_share(failed, rows)}"
        return RuleResult(rule, status, message, Decimal(failed), threshold, unit, failed, details)
    word = "at most" if planned.compare.value == "at_most" else "at least"
    message = f"{rule.says} Measured {_shown(measured.number)} {unit}, {word} {_shown(planned.limit)} {unit}."
    return RuleResult(rule, status, message, measured.number, threshold, unit, None, details)


def _share(failed: int, rows: int) -> str:
    if failed == 0:
        return f"All {rows:,} rows pass."
    return f"{failed:,} of {rows:,} rows {'fails' if failed == 1 else 'fail'}."


def _shown(number: Decimal) -> str:
    """At most six decimals, without trailing zeros or an exponent."""
    text = f"{number:,.6f}"
    return text.rstrip("0").rstrip(".")
