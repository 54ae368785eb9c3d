"""The sensor that shows in Dagster what `fulcrum ingest`, the demo or another host did.

It reports what governance says and no run has shown: each event carries its delivery's or
publication's number as data version, so looking twice shows nothing twice.
No `from __future__ import annotations` here: Dagster reads the annotations of the function.
"""

import datetime as dt
import json
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field

import dagster as dg

from fulcrum.orchestration import events, ledger, runs
from fulcrum.settings import Settings
from fulcrum.warehouse.engine import connect

OVERLAP = dt.timedelta(minutes=10)
"""A delivery commits after the moment that it notes as its end; so long back every look looks again."""

GRACE = dt.timedelta(minutes=1)
"""While a run is at work, what it has just published is left to it for so long."""

_ROWS = 500
_BUDGET_SECONDS = 30.0  # Dagster gives up on a look after 60


@dataclass(frozen=True)
class Progress:
    """Up to where everything is shown; `recent` are deliveries within the overlap that are."""

    publication: int = 0
    finished_at: str = "1970-01-01T00:00:00+00:00"
    recent: list[int] = field(default_factory=list)


def outside_sensor(feeds: Iterable[str]) -> dg.SensorDefinition:
    """Report deliveries with their checks, and publications, that no run of Dagster reported."""
    known = frozenset(feeds)

    @dg.sensor(
        name="outside_deliveries",
        minimum_interval_seconds=15,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Shows deliveries and publications that were made without Dagster, as by `fulcrum ingest`.",
    )
    def look(context: dg.SensorEvaluationContext, settings: dg.ResourceParam[Settings]) -> dg.SensorResult:
        before = Progress(**json.loads(context.cursor)) if context.cursor else Progress()
        after, shown = show(context.instance, settings, before, known)
        return dg.SensorResult(
            skip_reason=dg.SkipReason(f"{shown} deliveries and publications from outside shown."),
            cursor=json.dumps(asdict(after)),
        )

    return look


def show(
    instance: dg.DagsterInstance, settings: Settings, before: Progress, feeds: frozenset[str]
) -> tuple[Progress, int]:
    """Report what is not shown yet, for at most half a minute; how far it came, and how many rows."""
    deadline = time.monotonic() + _BUDGET_SECONDS
    with connect(settings, application_name="dagster outside") as connection:
        since = dt.datetime.fromisoformat(before.finished_at)
        deliveries = ledger.deliveries_finished(connection, since - OVERLAP, _ROWS)
        publications = ledger.publications_after(connection, before.publication, _ROWS)
        # Asked after the look: what a run that ended meanwhile made is shown already.
        latest = dt.datetime.now(dt.UTC) - (GRACE if runs.is_any_unfinished(instance) else dt.timedelta())
        done, shown, recent = since, 0, set(before.recent)
        for delivery in deliveries:
            if time.monotonic() > deadline or delivery.finished_at > latest:
                break
            if delivery.delivery_id not in recent and delivery.feed in feeds:
                shown += _report(instance, events.of_delivery(connection, delivery, settings.site))
            recent.add(delivery.delivery_id)
            done = max(done, delivery.finished_at)
        number = before.publication
        for publication in publications:
            if time.monotonic() > deadline or publication.known_at > latest:
                break
            shown += _report(instance, events.of_publication(connection, publication))
            number = publication.publication_id
    kept = sorted(
        one.delivery_id for one in deliveries if one.delivery_id in recent and one.finished_at >= done - OVERLAP
    )
    return Progress(number, done.isoformat(), kept), shown


def _report(instance: dg.DagsterInstance, found: Iterable[events.Event]) -> int:
    """Report the events that are not there yet, with all checks; 1 if there were any, else 0.

    A look that was cut off has shown the first of a file's many dates; the next one goes on after them.
    """
    there: dict[dg.AssetKey, int] = {}
    evaluations, missing = [], []
    for event in found:
        if isinstance(event, dg.AssetCheckEvaluation):
            evaluations.append(event)
            continue
        if event.asset_key not in there:
            there[event.asset_key] = events.shown(instance, event)
        there[event.asset_key] -= 1
        if there[event.asset_key] < 0:
            missing.append(event)
    for one in [*missing, *evaluations] if missing else []:
        instance.report_runless_asset_event(one)
    return 1 if missing else 0
