"""The assets `core/<table>`: every table that can be published, and the team that answers for it.

Columns and descriptions come from the models, the feeds upstream from the contracts.
"""

from __future__ import annotations

from collections.abc import Mapping

import dagster as dg

from fulcrum.contracts.model import FeedContract
from fulcrum.orchestration.core import core_spec
from fulcrum.settings import Settings

OWNERS = {
    "core.account": "team:client-data",
    "core.benchmark": "team:investment-data",
    "core.benchmark_weight": "team:investment-data",
    "core.client": "team:client-data",
    "core.client_identifier": "team:client-data",
    "core.fx_rate": "team:market-data",
    "core.holding": "team:investment-operations",
    "core.instrument": "team:reference-data",
    "core.instrument_identifier": "team:reference-data",
    "core.issuer": "team:reference-data",
    "core.portfolio": "team:investment-data",
    "core.price": "team:market-data",
    "core.share_class": "team:investment-data",
    "core.transaction": "team:investment-operations",
    "core.unit_holding": "team:client-data",
}


def core_assets(settings: Settings, contracts: Mapping[str, FeedContract]) -> list[dg.AssetSpec]:
    """One asset per table of `core`."""
    return [core_spec(settings, table, owner, contracts.values()) for table, owner in OWNERS.items()]
