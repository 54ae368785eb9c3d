"""What the gate found on a delivery, as the quality desk takes it.

How findings become exceptions is `fulcrum.governance.desk`'s.
"""

from __future__ import annotations

import datetime as dt

from fulcrum.governance.desk.exceptions import Finding
from fulcrum.quality.verdict import Verdict

READABLE = "delivery.readable"
"""The rule that every file breaks that cannot be read at all."""


def subject_of(feed: str) -> str:
    """The subject of findings on whole deliveries of a feed."""
    return f"feed:{feed}"


def of_verdict(
    feed: str, delivery_id: int, business_date: dt.date | None, verdict: Verdict, publication_id: int | None
) -> list[Finding]:
    """One finding per rule that was measured; what was not run says nothing, good or bad."""
    found = [
        Finding(
            rule_id=result.rule_id,
            subject=subject_of(feed),
            is_good=result.status == "passed",
            severity="critical" if result.status == "broken" else result.severity,
            message=result.message,
            feed=feed,
            measured=result.measured,
            threshold=result.threshold,
            unit=result.unit,
            rows_failed=result.rows_failed,
            business_date=business_date,
            delivery_id=delivery_id,
            validation_id=verdict.validation_id,
            publication_id=publication_id,
        )
        for result in verdict.results
        if result.status != "not_run"
    ]
    return [*found, _readable(feed, delivery_id, business_date, message=None)]


def of_refusal(feed: str, delivery_id: int, message: str) -> list[Finding]:
    """The finding on a file that could not be read."""
    return [_readable(feed, delivery_id, None, message)]


def _readable(feed: str, delivery_id: int, business_date: dt.date | None, message: str | None) -> Finding:
    return Finding(
        rule_id=READABLE,
        subject=subject_of(feed),
        is_good=message is None,
        severity="critical",
        message=message or "The file can be read.",
        feed=feed,
        business_date=business_date,
        delivery_id=delivery_id,
    )
