"""The asset `raw/<feed>`, one per contract: materializing it delivers files through the pipeline.

No `from __future__ import annotations` here: Dagster reads the annotations of the function.
"""

import datetime as dt
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import dagster as dg
from pydantic import Field

from fulcrum.contracts.model import FeedContract
from fulcrum.errors import ContractError, FulcrumError, SettingsError
from fulcrum.orchestration import checks, describe, events, inbox, keys, ledger
from fulcrum.pipeline.report import DeliveryReport
from fulcrum.quality.results import latest_results
from fulcrum.quality.suite import Rule
from fulcrum.settings import Settings
from fulcrum.warehouse.engine import connect

RETRIES = dg.RetryPolicy(max_retries=3, delay=5, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS)
"""For a platform that failed (5, 15, 35 s); a file that is blocked or refused is an answer, not a failure."""


class Delivering(dg.Config):
    """What a run delivers; with no `files`, what waits and what has landed for the run's dates."""

    files: list[str] = Field(
        default_factory=list,
        description="Files to deliver, in this order. Empty: those waiting in the drop folder and, for the "
        "partitions of the run, everything that has landed for them, once more.",
    )
    business_date: str | None = Field(
        default=None, description="As `--date`: the business date (YYYY-MM-DD) of files that do not tell one."
    )
    parameters: dict[str, str] = Field(
        default_factory=dict, description="As `--set`: facts that the files do not tell, such as portfolio_code."
    )


@dataclass(frozen=True)
class Task:
    """One file to deliver, and the facts given with it."""

    path: Path
    file_name: str
    business_date: dt.date | None = None
    parameters: dict[str, str] = field(default_factory=dict)
    leaves_inbox: bool = False


def raw_asset(settings: Settings, contract: FeedContract, rules: list[Rule]) -> dg.AssetsDefinition:
    """The asset of one feed with one check per rule."""
    key = keys.raw_key(contract.feed)

    @dg.multi_asset(
        name=keys.raw_op_name(contract.feed),
        description=contract.title,
        specs=[
            dg.AssetSpec(
                key,
                description=describe.raw_description(contract),
                group_name=keys.RAW,
                owners=[describe.owner(contract.owner)],
                kinds=describe.raw_kinds(contract),
                tags={"source": contract.source, "target": contract.target},
                metadata=describe.raw_metadata(contract, settings),
                freshness_policy=describe.freshness(contract),
            )
        ],
        check_specs=checks.check_specs(contract, rules, settings.site),
        can_subset=True,  # checks alone can be asked for; and a run without a file materializes nothing
        partitions_def=keys.DAILY,
        backfill_policy=dg.BackfillPolicy.single_run(),
        retry_policy=RETRIES,
    )
    def deliver_files(
        context: dg.AssetExecutionContext, config: Delivering, settings: dg.ResourceParam[Settings]
    ) -> Iterator[events.Event | dg.AssetCheckResult]:
        if key in context.selected_asset_keys:
            found = _deliver_all(context, config, settings, contract.feed)
        else:
            found = _newest_checks(context, settings, contract.feed)
        yield from checks.as_results(context, found)

    return deliver_files


def _deliver_all(
    context: dg.AssetExecutionContext, config: Delivering, settings: Settings, feed: str
) -> Iterator[events.Event]:
    tasks = _asked(context, config, settings) if config.files else _waiting(settings, feed)
    delivered = 0
    for task in tasks:
        yield from _deliver(context, settings, feed, task)
        delivered += 1
    if not config.files:
        for found in _landed(context, settings, feed):
            with _under_its_name(settings, found) as task:
                yield from _deliver(context, settings, feed, task)
            delivered += 1
    if not delivered:
        text = f"Nothing to deliver: no file waits in inbox/{feed}/ and none has landed for these dates."
        context.log.info(text)
        yield dg.AssetObservation(keys.raw_key(feed), description=text)
        yield from _newest_checks(context, settings, feed)  # or Dagster calls all of them skipped


def _deliver(context: dg.AssetExecutionContext, settings: Settings, feed: str, task: Task) -> Iterator[events.Event]:
    report = _through_the_pipeline(context, settings, feed, task)
    context.log.info(
        "%s: %s, %s rows, %s published", report.outcome, report.file, report.rows_in, report.rows_published
    )
    for message in report.messages:
        (context.log.info if report.outcome.is_good else context.log.warning)(message)
    assert report.delivery_id is not None
    with connect(settings, application_name=f"dagster {feed}") as connection:
        yield from events.of_delivery(connection, ledger.delivery(connection, report.delivery_id), settings.site)
    if task.leaves_inbox:
        now_at = inbox.put_away(task.path, report)
        context.log.info("Moved to %s/%s", now_at.parent.name, now_at.name)


def _through_the_pipeline(
    context: dg.AssetExecutionContext, settings: Settings, feed: str, task: Task
) -> DeliveryReport:
    from fulcrum.pipeline.deliver import deliver  # readers and publishing: not needed to show the graph

    try:
        return deliver(
            settings,
            feed,
            task.path,
            business_date=task.business_date,
            parameters=task.parameters,
            progress=lambda step: context.log.info("%s: %s", task.file_name, step),
        )
    except FulcrumError as error:
        hopeless = isinstance(error, ContractError | SettingsError)
        raise dg.Failure(
            f"{task.file_name} was not delivered: {error} The file stays where it is.", allow_retries=not hopeless
        ) from error


def _asked(context: dg.AssetExecutionContext, config: Delivering, settings: Settings) -> Iterator[Task]:
    date = dt.date.fromisoformat(config.business_date) if config.business_date else None
    for name in config.files:
        path = Path(name)
        leaves = inbox.holds(settings.inbox, path)
        if not path.is_file() and leaves:
            context.log.warning("%s is no longer in the drop folder: another run has taken it.", path.name)
            continue
        yield Task(path, path.name, date, config.parameters, leaves)


def _waiting(settings: Settings, feed: str) -> Iterator[Task]:
    for found in inbox.waiting(settings.inbox, feed):
        if found.has_rested():
            yield Task(found.path, found.path.name, leaves_inbox=True)


def _landed(context: dg.AssetExecutionContext, settings: Settings, feed: str) -> list[ledger.Delivery]:
    if not (context.has_partition_key or context.has_partition_key_range):
        return []
    dates = [dt.date.fromisoformat(partition) for partition in context.partition_keys]
    with connect(settings, application_name=f"dagster {feed}") as connection:
        return ledger.landed_between(connection, feed, min(dates), max(dates))


@contextmanager
def _under_its_name(settings: Settings, found: ledger.Delivery) -> Iterator[Task]:
    """A landed file under the name with which it came, since names can tell date and portfolio."""
    landed = settings.landing / found.sha256[:2] / found.sha256
    with tempfile.TemporaryDirectory(prefix="again-", dir=settings.home) as folder:
        named = Path(folder) / found.file_name
        try:
            named.hardlink_to(landed)
        except OSError:  # a file system without hard links
            shutil.copyfile(landed, named)
        given = dict(found.parameters)
        told = given.pop("business_date", None)
        yield Task(named, found.file_name, dt.date.fromisoformat(told) if told else None, given)


def _newest_checks(
    context: dg.AssetExecutionContext, settings: Settings, feed: str
) -> Iterator[dg.AssetCheckEvaluation]:
    """Show again what the gate stored about the newest delivery."""
    with connect(settings, application_name=f"dagster {feed}") as connection:
        found = ledger.newest_delivery(connection, feed)
        if found is None:
            context.log.info("No delivery of %s has ended yet; there is nothing to show.", feed)
            return
        stored = latest_results(connection, found.delivery_id)
    yield from checks.evaluations(found, stored, settings.site)
