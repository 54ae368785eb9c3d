"""Delivers the planned files through the door of real ones and keeps what Fulcrum said to each.

A demo that was interrupted goes on where it stopped: what has ended already is not delivered again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from fulcrum.demo.plan import Planned
from fulcrum.kit.hashing import sha256_of_file
from fulcrum.pipeline.deliver import deliver
from fulcrum.pipeline.derive import derive
from fulcrum.pipeline.report import DeliveryReport
from fulcrum.pipeline.status import finished_delivery
from fulcrum.settings import Settings
from fulcrum.warehouse.engine import connect


@dataclass(frozen=True)
class Arrival:
    """A planned file and what came of it."""

    planned: Planned
    report: DeliveryReport

    @property
    def as_expected(self) -> bool:
        """Whether Fulcrum said what the known truth demands."""
        if self.planned.waits and self.report.outcome == "restated":
            return True
        same_rows = self.planned.quarantined == self.report.rows_quarantined
        return self.report.outcome == self.planned.expected and (same_rows or self.planned.expected != "published")


def deliver_all(
    settings: Settings, plan: Iterable[Planned], say: Callable[[Planned, DeliveryReport | None], None]
) -> list[Arrival]:
    """Deliver in order, and value each business date when its day's files are in.

    `say` is called with the file before (None) and after each delivery.
    """
    arrivals: list[Arrival] = []
    day: dt.date | None = None
    for planned in plan:
        if day is not None and planned.business_date > day:
            derive(settings)
        day = max(day, planned.business_date) if day else planned.business_date
        say(planned, None)
        report = _already(settings, planned) or deliver(settings, planned.feed, planned.path)
        arrivals.append(Arrival(planned, report))
        say(planned, report)
        if planned.fault:
            derive(settings)
    derive(settings)
    return arrivals


def _already(settings: Settings, planned: Planned) -> DeliveryReport | None:
    if planned.expected == "no_op":
        return None
    with connect(settings) as connection:
        return finished_delivery(connection, planned.feed, sha256_of_file(Path(planned.path)))
