"""The assets `mart/<table>`: what Fulcrum computes, what each table reads and who answers for it.

How they are computed is `fulcrum.analytics`, what is allowed `quality/valuation_policy.yaml`.
"""

from __future__ import annotations

from fulcrum.orchestration.mart import DerivedTable

TABLES = [
    DerivedTable(
        name="mart.position_valuation",
        owner="team:valuation",
        reads=("core.holding", "core.price", "core.fx_rate", "core.instrument", "core.portfolio"),
    ),
    DerivedTable(
        name="mart.portfolio_nav",
        owner="team:valuation",
        reads=("mart.position_valuation",),
    ),
]
