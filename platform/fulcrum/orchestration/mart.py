"""The assets of `mart`: materializing them derives what publications left to do, or whole dates.

No `from __future__ import annotations` here: Dagster reads the annotations of the function.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

import dagster as dg
from pydantic import Field

from fulcrum.errors import FulcrumError, QueryError, SettingsError
from fulcrum.orchestration import describe, events, keys, ledger
from fulcrum.orchestration.raw import RETRIES
from fulcrum.pipeline.derive import derive
from fulcrum.settings import Settings
from fulcrum.warehouse.engine import connect

MART_OP = "mart"


class Deriving(dg.Config):
    """What a run derives; without `dates`, the run's partitions as a whole."""

    dates: list[str] = Field(
        default_factory=list, description="Business dates (YYYY-MM-DD) of which to derive only what is pending."
    )


@dataclass(frozen=True)
class DerivedTable:
    """One table that a derivation writes, and the tables it reads."""

    name: str
    owner: str
    reads: tuple[str, ...]


def mart_asset(settings: Settings, tables: list[DerivedTable]) -> dg.AssetsDefinition:
    """All derived tables as one step: one derivation publishes them under one number."""

    @dg.multi_asset(
        name=MART_OP,
        specs=[_spec(settings, table) for table in tables],
        partitions_def=keys.DAILY,
        backfill_policy=dg.BackfillPolicy.single_run(),
        retry_policy=RETRIES,
    )
    def derive_dates(
        context: dg.AssetExecutionContext, config: Deriving, settings: dg.ResourceParam[Settings]
    ) -> Iterator[events.Event]:
        whole = not config.dates and (context.has_partition_key or context.has_partition_key_range)
        asked = config.dates or (list(context.partition_keys) if whole else [])
        dates = [dt.date.fromisoformat(date) for date in asked]
        try:
            report = derive(settings, dates=dates or None, everything=whole, progress=context.log.info)
        except FulcrumError as error:
            hopeless = isinstance(error, QueryError | SettingsError)
            raise dg.Failure(f"Nothing was derived: {error}", allow_retries=not hopeless) from error
        context.log.info("%s portfolios x dates in %s s: %s rows", report.pairs, report.seconds, report.rows_published)
        with connect(settings, application_name="dagster mart") as connection:
            for number in report.publication_ids:
                yield from events.of_publication(connection, ledger.publication(connection, number))
        if not report.publication_ids:
            text = f"Nothing differs: {report.pairs} portfolios x dates derived, and every value is as before."
            for table in tables:
                yield dg.AssetObservation(keys.table_key(table.name), description=text)

    return derive_dates


def _spec(settings: Settings, table: DerivedTable) -> dg.AssetSpec:
    return dg.AssetSpec(
        keys.table_key(table.name),
        deps=[keys.table_key(name) for name in table.reads],
        description=describe.table_description(table.name),
        group_name=keys.MART,
        owners=[table.owner],
        kinds={"postgres", "table"},
        metadata=describe.table_metadata(table.name, settings),
        skippable=True,  # a derivation in which nothing differs publishes nothing
    )
