"""Takes one file through land, stage, gate and publish, and records how it ended.

Running it again after a crash at any point gives what an undisturbed run gives: landing is
idempotent, staging and judging start afresh, and publishing is one transaction.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psycopg

from fulcrum.contracts.catalog import contract_for
from fulcrum.contracts.model import FeedContract
from fulcrum.errors import DeliveryRefusedError
from fulcrum.governance.desk import exceptions, waivers
from fulcrum.governance.desk.policy import load_desk_policy
from fulcrum.ingest.landing import Landed, land
from fulcrum.ingest.staging import Staged, stage
from fulcrum.kit.faults import checkpoint
from fulcrum.pipeline import findings, record
from fulcrum.pipeline.report import DeliveryReport, Outcome
from fulcrum.quality.gate import Verdict, judge
from fulcrum.settings import Settings
from fulcrum.warehouse.engine import connect
from fulcrum.warehouse.publish import Published, publish

Progress = Callable[[str], None]


def deliver(
    settings: Settings,
    feed: str,
    file: Path,
    *,
    business_date: dt.date | None = None,
    parameters: Mapping[str, str] | None = None,
    progress: Progress | None = None,
) -> DeliveryReport:
    """Land, stage, gate and publish `file` as a delivery of `feed`.

    `business_date` and `parameters` (`portfolio_code`, ...) fill in what the file does not tell.

    Raises:
        ContractError: there is no such feed.
        DeliveryRefusedError: the file cannot even be landed (it does not exist, disk full).
        FulcrumError: the platform failed; the delivery stays landed and can be run again.
    """
    say = progress or (lambda _: None)
    contract = contract_for(settings, feed)
    given = dict(parameters or {})
    if business_date is not None:
        given["business_date"] = business_date.isoformat()
    say("landing")
    landed = land(settings, file)
    checkpoint("landed")
    with (
        connect(settings, application_name=f"fulcrum ingest {feed}") as connection,
        record.one_at_a_time(connection, contract.feed, landed.sha256),
    ):
        same = record.same_and_current(connection, contract.feed, landed.sha256, given)
        if same is not None:
            return record.no_op(connection, contract, landed, given, same)
        delivery_id = record.begin(connection, contract, landed, given)
        checkpoint("delivery_recorded")
        return _take_through(settings, connection, contract, landed, delivery_id, given, say)


def _take_through(
    settings: Settings,
    connection: psycopg.Connection[Any],
    contract: FeedContract,
    landed: Landed,
    delivery_id: int,
    given: dict[str, str],
    say: Progress,
) -> DeliveryReport:
    say("staging")
    try:
        staged = stage(connection, contract, landed, delivery_id, given)
    except DeliveryRefusedError as refusal:
        connection.rollback()
        found = findings.of_refusal(contract.feed, delivery_id, str(refusal))
        exceptions.take_findings(connection, load_desk_policy(settings), found)
        return record.refused(connection, contract, landed, delivery_id, refusal)
    record.staged(connection, delivery_id, staged)
    checkpoint("staged")
    say(f"gating {staged.rows_in:,} rows")
    waived = waivers.in_force(connection, contract.feed, staged.business_dates)
    connection.commit()
    verdict = judge(settings, contract, staged, delivery_id, waived=waived)
    checkpoint("gated")
    policy = load_desk_policy(settings)

    def tell(publication_id: int | None) -> None:
        _mark(connection, publication_id, verdict, waived)
        found = findings.of_verdict(contract.feed, delivery_id, staged.business_dates[1], verdict, publication_id)
        exceptions.take_findings(connection, policy, found)

    if verdict.may_publish:
        say("publishing")
        published = publish(connection, contract, staged, delivery_id, verdict.verdict, also=tell)
        checkpoint("published")
        report = _report(connection, contract, landed, delivery_id, staged, verdict, published)
    else:
        tell(None)
        connection.commit()
        report = record.blocked(connection, contract, landed, delivery_id, staged, verdict)
    record.drop_staging(connection, delivery_id)
    return report


def _mark(
    connection: psycopg.Connection[Any], publication_id: int | None, verdict: Verdict, waived: Mapping[str, int]
) -> None:
    """Everything that a waiver let through carries its number."""
    if publication_id is not None:
        used = [(result.rule_id, waived[result.rule_id]) for result in verdict.results if result.is_waived_by(waived)]
        waivers.mark(connection, publication_id, used)


def _report(
    connection: psycopg.Connection[Any],
    contract: FeedContract,
    landed: Landed,
    delivery_id: int,
    staged: Staged,
    verdict: Verdict,
    published: Published,
) -> DeliveryReport:
    first, last = staged.business_dates
    messages = (*staged.messages, *record.findings(verdict), *published.messages)
    return record.finished(
        connection,
        DeliveryReport(
            feed=contract.feed,
            file=landed.file_name,
            sha256=landed.sha256,
            outcome=Outcome(published.outcome),
            business_date=last,
            business_date_from=first,
            rows_in=staged.rows_in,
            rows_quarantined=record.rows_quarantined(connection, delivery_id),
            rows_published=published.rows_published,
            rows_superseded=published.rows_superseded,
            publication_id=published.publication_id,
            messages=messages,
            delivery_id=delivery_id,
            verdict=verdict.verdict,
            target=contract.target,
        ),
    )
