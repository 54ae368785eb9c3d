"""The monthly report against a month whose story is known: its numbers, and that an edition stays as it was."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest

from fulcrum.governance.desk import exceptions, overrides, waivers
from fulcrum.governance.desk.moves import Move, Step
from fulcrum.governance.desk.policy import load_desk_policy
from fulcrum.governance.reports import Month, Report, edition, read_report
from fulcrum.governance.reports.coverage import read_declared
from fulcrum.governance.reports.month import months
from fulcrum.governance.reports.report import Group, canonical
from fulcrum.pipeline.derive import derive
from fulcrum.settings import Settings
from tests.factories import house
from tests.factories.reported_month import DAY, MONTH, NEXT, RULE, write_month

pytestmark = pytest.mark.slow


def read(settings: Settings, connection: psycopg.Connection[Any], known_at: dt.datetime | None = None) -> Report:
    policy = load_desk_policy(settings)
    stands = edition(connection, Month.parse(MONTH), policy.reports.closing_days, known_at)
    return read_report(connection, stands, read_declared(settings), policy)


def count(connection: psycopg.Connection[Any], statement: str) -> int:
    row = connection.execute(statement.encode()).fetchone()
    assert row is not None
    return int(row[0])


def test_a_month_is_told_as_it_was(database: Settings, connection: psycopg.Connection[Any], tmp_path: Path) -> None:
    written = write_month(database, connection, tmp_path)
    report = read(database, connection)
    assert [str(month) for month in months(connection)] == [MONTH]
    assert not report.edition.is_closed
    assert report.edition.publication_id == count(connection, "select max(publication_id) from governance.publication")
    _rates_have_their_denominators(connection, report)
    _arrivals_and_coverage(report)
    _decisions(report, written.waiver_id, written.rolled_back)
    _reprinted(database, connection, tmp_path, report)
    connection.execute("update quality.validation set tally = null, tally_key = null where validation_id % 3 = 0")
    connection.execute("update quality.validation set tally_key = null where validation_id % 3 = 1")
    assert read(database, connection, report.edition.known_at).totals == report.totals


def _rates_have_their_denominators(connection: psycopg.Connection[Any], report: Report) -> None:
    statuses = dict(connection.execute("select status, count(*) from quality.validation_result group by 1").fetchall())
    total = report.totals
    assert {"passed": total.passed, "failed": total.failed, "not_run": total.not_run} == statuses
    assert total.judged == total.passed + total.failed + total.broken
    assert total.pass_pct is not None
    assert total.pass_pct <= Decimal(100) * total.passed / total.judged < total.pass_pct + Decimal("0.01")
    for groups in (report.by_dimension, report.by_feed, report.by_owner):
        assert sum(one.judged for one in groups) == total.judged
        assert sum(one.open for one in groups) == total.open == len(report.findings)
    holdings = named(report.by_feed, "house_holdings")
    of_feed = count(
        connection,
        "select count(*) from quality.validation_result join quality.validation using (validation_id)"
        " join governance.delivery using (delivery_id) where feed = 'house_holdings' and status <> 'not_run'",
    )
    assert holdings.judged == of_feed


def _arrivals_and_coverage(report: Report) -> None:
    of_feed = {one.feed: one for one in report.arrivals}
    holdings = of_feed["house_holdings"]
    assert (holdings.due, holdings.missing, holdings.late, holdings.on_time) == (2, 0, 2, 0)
    assert holdings.on_time_pct == Decimal("0.00")
    assert (holdings.files, holdings.published, holdings.stopped) == (3, 2, 1)
    never = of_feed["ecb_fx_rates"]
    assert (never.due, never.missing, never.not_judged, never.on_time_pct) == (0, 0, 0, None)
    assert of_feed["house_prices"].due == 2
    assert (of_feed["house_clients"].rows_in, of_feed["house_clients"].rows_quarantined) == (3, 2)
    total = report.totals
    assert (total.critical, total.covered) == (len(report.critical), len(report.critical) - len(report.uncovered))
    assert ("mart.position_valuation", "market_value_base") in {(one.table, one.column) for one in report.uncovered}
    assert named(report.by_feed, "house_transactions").covered < named(report.by_feed, "house_transactions").critical


def _decisions(report: Report, waiver_id: int, rolled_back: int) -> None:
    (waiver,) = report.waivers
    assert (waiver.waiver_id, waiver.state, waiver.asked_by, waiver.approved_by) == (
        waiver_id, "approved", "ann", "bob",
    )  # fmt: skip
    assert waiver.resting is not None
    told = {one.currency_code: (one.nav, one.value, one.business_date, one.portfolios) for one in waiver.resting}
    assert told == {"EUR": (Decimal(80), Decimal(80), NEXT, 1), "USD": (Decimal(100), Decimal(100), NEXT, 1)}
    (rollback,) = report.rollbacks
    assert (rollback.taken_back, rollback.decided_by, rollback.rows_ended) == (rolled_back, "bob", 1)
    (override,) = report.overrides
    assert (override.value, override.state, override.last_date) == (Decimal("1.2612"), "approved", dt.date(2026, 1, 9))
    assert (override.asked_by, override.approved_by, override.reason_code) == ("ann", "bob", "stale")
    assert RULE in {one.rule_id for one in report.findings}


def _reprinted(settings: Settings, connection: psycopg.Connection[Any], folder: Path, before: Report) -> None:
    """What happens later is in a later edition, and the earlier one is the same bytes."""
    policy = load_desk_policy(settings)
    waivers.end(connection, "bob", before.waivers[0].waiver_id, "No longer needed.")
    overrides.end(connection, "bob", before.overrides[0].override_id, "The vendor is back.", dt.date(2026, 1, 8))
    for finding in before.findings:
        exceptions.move(connection, policy, finding.exception_id, "bob", Step(Move.RESOLVE, None, "accepted", "Seen."))
    connection.commit()
    rows = [house.holding(isin, 3, code="P2", day=NEXT) for isin in house.ISINS]
    house.deliver_holdings(settings, folder, "later.csv", rows)
    derive(settings)
    again = read(settings, connection, before.edition.known_at)
    assert canonical(again.as_json()) == canonical(before.as_json())
    now = read(settings, connection)
    assert now.edition.known_at > before.edition.known_at
    (waiver,) = now.waivers
    assert (waiver.state, waiver.approved_by, waiver.ended_by, waiver.end_comment) == (
        "ended", "bob", "bob", "No longer needed.",
    )  # fmt: skip
    assert (now.overrides[0].state, now.overrides[0].last_date) == ("ended", dt.date(2026, 1, 8))
    assert now.totals.open < before.totals.open
    assert now.moved.resolved == len(before.findings)
    later = before.edition.closes_at + dt.timedelta(days=1)
    stands = edition(connection, Month.parse(MONTH), 7, now=later)
    assert stands.is_closed
    assert (
        stands.known_at
        == before.edition.closes_at
        == edition(connection, Month.parse(MONTH), 7, now=later + dt.timedelta(days=99)).known_at
    )


def named(groups: tuple[Group, ...], name: str) -> Group:
    return next(one for one in groups if one.name == name)


def test_an_empty_month_is_told_too(database: Settings, connection: psycopg.Connection[Any]) -> None:
    report = read(database, connection)
    assert (report.totals.judged, report.totals.pass_pct, report.waivers) == (0, None, ())
    assert report.edition.known_at == dt.datetime(2026, 2, 8, tzinfo=dt.UTC)
    assert DAY.isoformat().startswith(MONTH)


def test_a_break_counts_for_the_team_of_its_reconciliation(
    database: Settings, connection: psycopg.Connection[Any]
) -> None:
    finding = exceptions.Finding(
        "reconciliation.custody_positions",
        "P1/I1",
        is_good=False,
        severity="critical",
        message="missing: custodian lacks it.",
        business_date=DAY,
    )
    exceptions.take_findings(connection, load_desk_policy(database), [finding], today=DAY)
    connection.commit()
    report = read(database, connection, dt.datetime.now(dt.UTC))
    assert [(one.dimension, one.owner) for one in report.findings] == [("consistency", "investment-operations")]
    assert named(report.by_dimension, "consistency").open == 1
    assert named(report.by_owner, "investment-operations").open == 1
    assert {one.name for one in (*report.by_dimension, *report.by_owner)}.isdisjoint({""})
