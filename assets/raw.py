"""The assets `raw/<feed>`: one for every contract, made by one factory.

A new feed needs no line here: its contract is enough. What an asset does is `fulcrum.orchestration.raw`.
"""

from __future__ import annotations

from collections.abc import Mapping

import dagster as dg

from fulcrum.contracts.model import FeedContract
from fulcrum.orchestration.checks import load_suites, rules_for
from fulcrum.orchestration.raw import raw_asset
from fulcrum.settings import Settings


def raw_assets(settings: Settings, contracts: Mapping[str, FeedContract]) -> list[dg.AssetsDefinition]:
    """One asset per contract, with one check per rule of its suite."""
    suites = load_suites(settings)
    return [raw_asset(settings, contract, rules_for(suites, contract)) for contract in contracts.values()]
