"""Turns rows of `governance` into Dagster's events, for runs and for what happened outside of them.

The one place that decides what a delivery or publication looks like in Dagster; it only reads.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import Any

import dagster as dg

from fulcrum.orchestration import checks, keys
from fulcrum.orchestration.ledger import (
    Connection,
    Delivery,
    Publication,
    Touched,
    publication,
    touched_dates,
)
from fulcrum.quality.results import latest_results

Event = dg.AssetMaterialization | dg.AssetObservation | dg.AssetCheckEvaluation

MOST_PARTITIONS = 160
"""Partitions that one file reports, its newest dates: enough for ARK's history of 156 days. An event costs
8 ms of CPU here and 160 to 340 ms of wall on a busy machine, so the 7,126 dates of the ECB's history would
take minutes; older dates stand in the metadata only."""

DERIVED = ("mart.position_valuation", "mart.portfolio_nav")

_VERSION_TAG = "dagster/data_version"  # the one tag of an event that Dagster indexes


def of_delivery(connection: Connection, delivery: Delivery, site: str) -> Iterator[Event]:
    """Everything to show for a delivery: its file, its checks (with pages at `site`), and its publication.

    A repetition of known bytes and a refused file are observations: neither makes a feed fresh.
    """
    key, version = keys.raw_key(delivery.feed), delivery_version(delivery.delivery_id)
    repeats = delivery.same_as_delivery_id is not None
    published = publication(connection, delivery.publication_id) if delivery.publication_id and not repeats else None
    touched = touched_dates(connection, published, published.target, MOST_PARTITIONS) if published else []
    metadata = _delivery_metadata(delivery)
    if repeats or delivery.outcome in ("refused", "failed"):
        yield dg.AssetObservation(key, _summary(delivery), metadata, tags={_VERSION_TAG: version})
    else:
        last = [delivery.business_date_to] if delivery.business_date_to else []
        dates = [one.business_date for one in touched] or last
        for partition in _partitions(dates):
            yield dg.AssetMaterialization(key, _summary(delivery), metadata, partition, tags={_VERSION_TAG: version})
    if not repeats:
        yield from checks.evaluations(delivery, latest_results(connection, delivery.delivery_id), site)
    if published is not None:
        yield from _of_table(published, published.target, touched)


def of_publication(connection: Connection, found: Publication) -> Iterator[dg.AssetMaterialization]:
    """One materialization per business date that changed, of each table that the publication wrote."""
    for table in tables_of(found):
        yield from _of_table(found, table, touched_dates(connection, found, table, MOST_PARTITIONS))


def tables_of(found: Publication) -> tuple[str, ...]:
    """The tables that a publication wrote: a derivation writes valuations and NAV under one number."""
    return DERIVED if found.kind == "derivation" else (found.target,)


def _of_table(found: Publication, table: str, touched: list[Touched]) -> Iterator[dg.AssetMaterialization]:
    by_partition = {keys.partition_of(one.business_date): one for one in touched}
    metadata = _publication_metadata(found, len(touched))
    for partition in _partitions(one.business_date for one in touched):
        counts = by_partition.get(partition) or Touched(dt.date.min, 0, 0)
        yield dg.AssetMaterialization(
            keys.table_key(table),
            f"Publication {found.publication_id} of {found.feed}: {found.rows_published:,} rows published, "
            f"{found.rows_superseded:,} superseded.",
            metadata
            | {
                "dagster/partition_row_count": counts.rows_current,
                "rows_published_of_date": counts.rows_published,
            },
            partition,
            tags={_VERSION_TAG: publication_version(found.publication_id)},
        )


def delivery_version(delivery_id: int) -> str:
    """The data version of a raw asset: which delivery brought it."""
    return f"delivery {delivery_id}"


def publication_version(publication_id: int) -> str:
    """The data version of a table: the publication that it stands at."""
    return f"publication {publication_id}"


def shown(instance: dg.DagsterInstance, event: dg.AssetMaterialization | dg.AssetObservation) -> int:
    """How many events of the same asset with the same data version Dagster already has."""
    version = (event.tags or {})[_VERSION_TAG]
    return len(instance.get_event_tags_for_asset(event.asset_key, {_VERSION_TAG: version}))


def _partitions(dates: Iterable[dt.date]) -> list[str | None]:
    """The partitions of the dates; one None where all of them lie outside of the partitions."""
    found: list[str | None] = [keys.partition_of(date) for date in dates]
    return [partition for partition in found if partition is not None] or [None]


def _summary(delivery: Delivery) -> str:
    text = f"{delivery.outcome}: {delivery.file_name}"
    if delivery.rows_in is not None:
        text += f", {delivery.rows_in:,} rows, {delivery.rows_quarantined or 0:,} in quarantine"
    return text


def _delivery_metadata(delivery: Delivery) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "outcome": delivery.outcome,
        "file": delivery.file_name,
        "sha256": delivery.sha256,
        "size_bytes": delivery.size_bytes,
        "delivery_id": delivery.delivery_id,
        "landed_at": dg.MetadataValue.timestamp(delivery.landed_at),
        "business_date_from": _iso(delivery.business_date_from),
        "business_date_to": _iso(delivery.business_date_to),
        "rows_in": delivery.rows_in,
        "dagster/partition_row_count": delivery.rows_in,
        "rows_quarantined": delivery.rows_quarantined,
        "rows_published": delivery.rows_published,
        "rows_superseded": delivery.rows_superseded,
        "publication_id": delivery.publication_id,
        "same_as_delivery_id": delivery.same_as_delivery_id,
        "messages": dg.MetadataValue.md("\n".join(f"- {text}" for text in delivery.messages)),
    }
    return {name: value for name, value in facts.items() if value is not None}


def _publication_metadata(found: Publication, dates: int) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "publication_id": found.publication_id,
        "known_at": dg.MetadataValue.timestamp(found.known_at),
        "kind": found.kind,
        "feed": found.feed,
        "verdict": found.verdict,
        "delivery_id": found.delivery_id,
        "business_date_from": _iso(found.business_date_from),
        "business_date_to": _iso(found.business_date_to),
        "dates_shown": dates,
        "rows_published": found.rows_published,
        "rows_superseded": found.rows_superseded,
        "supersedes": ", ".join(map(str, found.supersedes)) or "nothing",
        "digest": found.digest,
    }
    return {name: value for name, value in facts.items() if value is not None}


def _iso(date: dt.date | None) -> str | None:
    return date.isoformat() if date else None
