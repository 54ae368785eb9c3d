"""Which verdict follows from which results."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from fulcrum.quality.suite import Rule
from fulcrum.quality.verdict import RuleResult, Status, outcome


def result(severity: str, level: str, status: Status) -> RuleResult:
    condition: dict[str, Any] = (
        {"good": "true"} if level == "row" else {"total": "0", "tolerance": "limit", "compare": "at_most"}
    )
    rule = Rule.model_validate(
        {
            "id": "a.b",
            "version": 1,
            "says": "Something is good.",
            "dimension": "accuracy",
            "severity": severity,
            "level": level,
            "owner": "risk",
            "runbook": "x.md",
            "reason": "It has to be.",
            **condition,
        }
    )
    return RuleResult(rule, status, "")


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        ([], "passed"),
        ([("critical", "set", "passed")], "passed"),
        ([("critical", "set", "not_run")], "passed"),
        ([("info", "set", "failed")], "passed"),
        ([("warning", "set", "failed")], "warned"),
        ([("critical", "row", "failed")], "warned"),
        ([("critical", "set", "failed"), ("warning", "row", "failed")], "blocked"),
        ([("info", "row", "broken"), ("critical", "set", "failed")], "broken"),
    ],
)
def test_the_worst_result_decides(results: list[tuple[str, str, Status]], expected: str) -> None:
    assert outcome(result(*one) for one in results) == expected


def test_importing_the_gate_does_not_import_great_expectations() -> None:
    code = "import sys, fulcrum.quality.gate, fulcrum.quality.results; sys.exit('great_expectations' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
