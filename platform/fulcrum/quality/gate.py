"""The gate: judges one staged delivery, puts refused rows into quarantine and keeps every result.

It decides what may be published; publishing is `warehouse.publish`. Importing this module does not
import Great Expectations, judging does.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import psycopg

from fulcrum.contracts.delivery import Staged
from fulcrum.contracts.model import FeedContract
from fulcrum.errors import GateError
from fulcrum.kit.faults import checkpoint
from fulcrum.quality import prepare, quarantine, resolution, results, samples
from fulcrum.quality.found import keep
from fulcrum.quality.judged import judged
from fulcrum.quality.plan import Batch, Planned, applies, plan
from fulcrum.quality.suite import Level, Severity, Suite
from fulcrum.quality.suites import load_suite, load_tolerances
from fulcrum.quality.verdict import RuleResult, Verdict, outcome
from fulcrum.settings import Settings
from fulcrum.warehouse.engine import connect

if TYPE_CHECKING:
    from fulcrum.quality.runner import Measured

__all__ = ["RuleResult", "Verdict", "judge"]


def judge(
    settings: Settings,
    contract: FeedContract,
    staged: Staged,
    delivery_id: int,
    *,
    waived: Collection[str] = (),
) -> Verdict:
    """Judge the committed staging table of a delivery by the suite of its contract.

    Rows that fail a critical row rule go to quarantine, unless the rule is among the `waived` ones;
    every result is stored. Running it again
    replaces the delivery's quarantine and adds a newer validation.

    Raises:
        GateError: there is no suite, it cannot be read, or Great Expectations failed as a whole.
    """
    from fulcrum.quality import runner

    started_at = dt.datetime.now(dt.UTC)
    name = contract.suite or contract.target.replace(".", "/")
    suite = load_suite(settings, name)
    tolerances = load_tolerances(settings, started_at.date())
    with connect(settings, application_name="fulcrum gate") as connection:
        batch = _batch(connection, contract, staged, delivery_id, suite)
        runnable, impossible = plan(suite, tolerances, contract, batch)
        broken = prepare.build(connection, suite, tolerances, contract, batch, runnable)
        measured = {one: runner.Measured(one, success=False, number=None, error=why) for one, why in broken.items()}
        measurable = keep(connection, batch, [one for one in runnable if one.rule.id not in broken])
        quarantine.clear(connection, batch.delivery_id)
        connection.commit()
        measured |= runner.run(settings, batch.table, measurable)
        refused = _refuse_rows(connection, batch, [one for one in measurable if one.rule.id not in waived], measured)
        checkpoint("gating")
        if refused:  # what is asked of the quarantine was asked too early
            measured |= runner.run(settings, batch.table, [one for one in measurable if one.rule.after_quarantine])
        found = judged(suite, runnable, impossible, measured, staged.rows_in - staged.rows_refused)
        found = _with_rows(connection, found, measurable, waived)
        verdict = outcome(found, waived)
        validation_id = results.store(
            connection,
            delivery_id=delivery_id,
            suite_name=name,
            started_at=started_at,
            verdict=verdict,
            rows_judged=staged.rows_in - staged.rows_refused,
            engine_version=runner.engine_version(),
            results=found,
        )
        connection.commit()
        return Verdict(validation_id, verdict, found, quarantine.count(connection, delivery_id))


def failed_rows(
    settings: Settings,
    connection: psycopg.Connection[Any],
    contract: FeedContract,
    staged: Staged,
    delivery_id: int,
    rules: Iterable[str],
) -> dict[str, list[tuple[int, str | None]]]:
    """By rule id, (source row, value) of the rows that fail a row rule, while the judged delivery is still staged.

    Raises:
        GateError: one of the rules is broken.
    """
    suite = load_suite(settings, contract.suite or contract.target.replace(".", "/"))
    wanted = set(rules)
    batch = _batch(connection, contract, staged, delivery_id, suite)
    runnable, _ = plan(suite, load_tolerances(settings, dt.datetime.now(dt.UTC).date()), contract, batch)
    connection.execute("set local enable_nestloop = off")
    try:
        return {
            one.rule.id: connection.execute(one.rows.encode()).fetchall()
            for one in runnable
            if one.rule.id in wanted and one.rows is not None
        }
    except psycopg.DatabaseError as error:
        reason = str(error).strip().splitlines()[0]
        raise GateError(f"A rule of {suite.suite} is broken: {reason}") from error


def _batch(
    connection: psycopg.Connection[Any], contract: FeedContract, staged: Staged, delivery_id: int, suite: Suite
) -> Batch:
    asks_for_parents = any(
        name == "resolved" or name.startswith(("unknown.", "provisional."))
        for rule in suite.rules
        if applies(rule, contract)
        for name in suite.placeholders_of(rule)
    )
    return Batch(
        table=staged.table,
        columns=tuple(staged.columns),
        delivery_id=delivery_id,
        rows_in=staged.rows_in,
        rows_refused=staged.rows_refused,
        metadata=staged.metadata,
        known=resolution.look_up(connection, contract, staged) if asks_for_parents else resolution.Known(),
        dates=staged.business_dates,
    )


def _refuse_rows(
    connection: psycopg.Connection[Any], batch: Batch, runnable: Sequence[Planned], measured: Mapping[str, Measured]
) -> bool:
    """Fill the quarantine and commit it: the rules that come after look through another connection.

    Returns whether a rule refused rows.
    """
    failed = [
        one
        for one in runnable
        if one.rule.id in measured
        and one.rule.level is Level.ROW
        and one.rule.severity is Severity.CRITICAL
        and measured[one.rule.id].error is None
        and not measured[one.rule.id].success
    ]
    quarantine.put(connection, batch, failed)
    connection.commit()
    return bool(failed)


def _with_rows(
    connection: psycopg.Connection[Any],
    found: Sequence[RuleResult],
    runnable: Sequence[Planned],
    waived: Collection[str],
) -> list[RuleResult]:
    """Name the rows of failed warnings, and of critical rules under a waiver: no quarantine shows those."""
    shown = {
        result.rule_id
        for result in found
        if result.status == "failed" and (result.rule.severity is Severity.WARNING or result.is_waived_by(waived))
    }
    rows = samples.first_rows(connection, [one for one in runnable if one.rows and one.rule.id in shown])
    return [
        replace(result, details=result.details | {"rows": rows[result.rule_id]}) if result.rule_id in rows else result
        for result in found
    ]
