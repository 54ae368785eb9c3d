"""Asset checks: one per rule of a feed's suite, and what the gate stored about each.

The gate judges, in the warehouse; these checks repeat its words and never run a rule themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, TypeVar

import dagster as dg

from fulcrum.contracts.model import FeedContract
from fulcrum.orchestration import keys
from fulcrum.orchestration.ledger import Delivery
from fulcrum.quality.plan import applies
from fulcrum.quality.results import StoredResult
from fulcrum.quality.suite import Rule, Suite
from fulcrum.quality.suites import load_suite, suite_names
from fulcrum.settings import Settings

Shown = TypeVar("Shown")


def load_suites(settings: Settings) -> dict[str, Suite]:
    """Every suite by name, each file read once.

    Raises:
        GateError: a suite cannot be read.
    """
    return {name: load_suite(settings, name) for name in suite_names(settings)}


def rules_for(suites: Mapping[str, Suite], contract: FeedContract) -> list[Rule]:
    """The rules of the feed's suite that speak about this feed; none if there is no suite yet."""
    suite = suites.get(contract.suite or contract.target.replace(".", "/"))
    return [rule for rule in suite.rules if applies(rule, contract)] if suite else []


def check_specs(contract: FeedContract, rules: list[Rule], site: str) -> list[dg.AssetCheckSpec]:
    """One check per rule, and one on how the newest delivery ended; rules have pages at the address `site`.

    None is `blocking`: that would fail the run, and it is the gate that keeps data out.
    """
    key = keys.raw_key(contract.feed)
    outcome = dg.AssetCheckSpec(
        keys.OUTCOME_CHECK,
        asset=key,
        description="The newest delivery of this feed was read and passed the gate (ERROR otherwise).",
    )
    return [outcome, *(_spec(key, rule, site) for rule in rules)]


def _spec(key: dg.AssetKey, rule: Rule, site: str) -> dg.AssetCheckSpec:
    return dg.AssetCheckSpec(
        keys.check_name(rule.id),
        asset=key,
        description=f"{rule.says} {rule.reason}",
        metadata={
            "rule": f"{rule.id} v{rule.version}",
            "dimension": rule.dimension.value,
            "severity": rule.severity.value,
            "level": rule.level.value,
            "owner": rule.owner,
            "runbook": rule.runbook,
            "page": dg.MetadataValue.url(f"{site}/desk/rules/{rule.id}"),
            **({"tolerance": rule.tolerance} if rule.tolerance else {}),
        },
    )


def evaluations(delivery: Delivery, results: list[StoredResult], site: str) -> Iterator[dg.AssetCheckEvaluation]:
    """What the gate stored about one delivery, each result with its measured value and its place on the site."""
    key, page = keys.raw_key(delivery.feed), f"{site}/desk/deliveries/{delivery.delivery_id}"
    common: dict[str, Any] = {"delivery": str(delivery.delivery_id), "file": delivery.file_name}
    if delivery.business_date_to is not None:
        common["business_date"] = delivery.business_date_to.isoformat()
    bad = delivery.outcome in ("blocked", "refused", "failed")
    yield dg.AssetCheckEvaluation(
        asset_key=key,
        check_name=keys.OUTCOME_CHECK,
        passed=not bad,
        severity=dg.AssetCheckSeverity.ERROR,
        description=f"{delivery.outcome}: {delivery.messages[0]}" if bad and delivery.messages else delivery.outcome,
        metadata=common | {"outcome": delivery.outcome, "page": dg.MetadataValue.url(page)},
    )
    for result in results:
        yield dg.AssetCheckEvaluation(
            asset_key=key,
            check_name=keys.check_name(result.rule_id),
            passed=result.status == "passed",
            severity=_severity(result),
            description=result.message,
            metadata=common | _measured(result) | {"page": dg.MetadataValue.url(f"{page}#rule-{result.rule_id}")},
        )


def as_results(
    context: dg.AssetExecutionContext, found: Iterable[Shown]
) -> Iterator[Shown | dg.AssetCheckEvaluation | dg.AssetCheckResult]:
    """`found` with each check's last evaluation at the end, as the result that Dagster awaits of the step.

    A step has one result per check and may deliver many files: the earlier ones stay plain events.
    """
    last: dict[str, dg.AssetCheckEvaluation] = {}
    try:
        for event in found:
            if not isinstance(event, dg.AssetCheckEvaluation):
                yield event
                continue
            if event.check_name in last:
                yield last[event.check_name]
            last[event.check_name] = event
    except Exception:
        yield from last.values()
        raise
    for key in context.selected_asset_check_keys:
        if key.name in last:
            newest = last[key.name]
            yield dg.AssetCheckResult(
                passed=newest.passed,
                asset_key=key.asset_key,
                check_name=key.name,
                metadata=newest.metadata,
                severity=newest.severity,
                description=newest.description,
            )


def _severity(result: StoredResult) -> dg.AssetCheckSeverity:
    """ERROR for what keeps data out; a rule that could not run has not passed, and only warns."""
    if result.status == "broken" or (result.status == "failed" and result.severity == "critical"):
        return dg.AssetCheckSeverity.ERROR
    return dg.AssetCheckSeverity.WARN


def _measured(result: StoredResult) -> dict[str, Any]:
    found: dict[str, Any] = {
        "status": result.status,
        "severity": result.severity,
        "dimension": result.dimension,
        "owner": result.owner,
        "rule_version": str(result.rule_version),
    }
    if result.measured is not None:
        found["measured"] = _number(result.measured)
    if result.threshold is not None:
        found["threshold"] = _number(result.threshold)
    if result.unit:
        found["unit"] = result.unit
    if result.rows_failed is not None:
        found["rows_failed"] = result.rows_failed
    return found


def _number(value: Decimal) -> Any:
    """An integer where that is exact, so that Dagster draws it; exact text otherwise, never a float."""
    if value == value.to_integral_value() and abs(value) < 2**53:  # beyond, JSON readers round
        return int(value)
    return format(value, "f")
