"""The assets `core/<table>`: what publications wrote. Dagster shows them and never runs them.

Only a gated publication writes to `core`, in the transaction of its delivery; so there is no step
here that could be started, and the way to publish again is to deliver again (`raw/<feed>`).
"""

from __future__ import annotations

from collections.abc import Iterable

import dagster as dg

from fulcrum.contracts.model import FeedContract
from fulcrum.orchestration import describe, keys
from fulcrum.settings import Settings


def core_spec(settings: Settings, table: str, owner: str, feeds: Iterable[FeedContract]) -> dg.AssetSpec:
    """The asset of one table of `core`, downstream of the feeds that publish to it."""
    return dg.AssetSpec(
        keys.table_key(table),
        deps=[keys.raw_key(contract.feed) for contract in feeds if contract.target == table],
        description=describe.table_description(table),
        group_name=keys.CORE,
        owners=[owner],
        kinds={"postgres", "table"},
        metadata=describe.table_metadata(table, settings),
        partitions_def=keys.DAILY,
    )
