"""Names that Dagster and the warehouse share: asset keys, check names, partitions, groups.

One name, one path: table `core.holding` is the asset key `["core", "holding"]`.
"""

from __future__ import annotations

import datetime as dt
import re

import dagster as dg

FIRST_BUSINESS_DATE = dt.date(2020, 1, 1)
"""Dagster's first partition. The warehouse takes older dates (the ECB's rates begin in 1999); they are
shown as events without a partition, since 10,000 partitions make a bar on which no day can be seen."""

DAILY = dg.DailyPartitionsDefinition(FIRST_BUSINESS_DATE.isoformat(), end_offset=1)
"""One partition per business date, today included; days without data stay empty."""

RAW, CORE, MART = "raw", "core", "mart"

OUTCOME_CHECK = "delivery_outcome"
"""The check that every feed has beside its rules: its newest delivery was neither blocked nor refused."""

FEED_TAG = "fulcrum/feed"
DATES_TAG = "fulcrum/business_dates"


def raw_key(feed: str) -> dg.AssetKey:
    """The asset of a feed's deliveries."""
    return dg.AssetKey([RAW, feed])


def table_key(table: str) -> dg.AssetKey:
    """The asset of a table of the warehouse, named `schema.table`."""
    return dg.AssetKey(table.split("."))


def raw_op_name(feed: str) -> str:
    """The name under which a run's configuration speaks of a feed."""
    return f"{RAW}__{feed}"


def check_name(rule_id: str) -> str:
    """A rule's name as an asset check: Dagster allows letters, digits and `_` only."""
    return re.sub(r"[^A-Za-z0-9_]", "_", rule_id)


def range_tags(first: str, last: str) -> dict[str, str]:
    """The tags that make a run cover all partitions from `first` to `last`."""
    return {"dagster/asset_partition_range_start": first, "dagster/asset_partition_range_end": last}


def partition_of(business_date: dt.date) -> str | None:
    """The partition of a business date; None for dates before the first or after today."""
    if FIRST_BUSINESS_DATE <= business_date <= dt.datetime.now(dt.UTC).date():
        return business_date.isoformat()
    return None
