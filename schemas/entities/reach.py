"""What an override reaches: for whoever decides on it, before it moves a NAV and after."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from fulcrum.analytics.policy import ValuationPolicy
from fulcrum.analytics.reach import SHOWS, reach
from fulcrum.entitlements.rights import Permission
from fulcrum.graph.declare import column, entity, relation
from fulcrum.graph.scalars import BigInt
from fulcrum.graph.sources import Derived

if TYPE_CHECKING:
    from schemas.entities.portfolio import Portfolio

_AMOUNTS = ("value_base_before", "value_base_under", "nav_base_before", "nav_base_now", "quantity", "change_bps")
SEES_ALL = """
coalesce((select s.is_whole_house from governance.row_scope s
           where s.scope_id = nullif(current_setting('fulcrum.scope', true), '')::bigint), false)
"""
"""Whether the row scope of the caller is the whole house."""


@entity(
    Derived(
        order=("rank",),
        columns={
            "rank": "bigint",
            "portfolio_id": "bigint",
            "business_date": "date",
            "base_currency_code": "text?",
            "positions": "bigint",
            "change_base": "numeric",
            "nav_base_under": "numeric",
            **dict.fromkeys(_AMOUNTS, "numeric?"),
        },
    ),
    needs=Permission.QUALITY,
)
class OverrideReach:
    """A portfolio whose NAV an override moves, and by how much: estimated from a valuation, the direct effect only."""

    rank: int = column("rank", "Place by the share of the NAV that changes, largest first.")
    portfolio: Portfolio | None = relation("Whose.", on={"portfolio_id": "portfolio_id"})
    business_date: dt.date = column(
        "business_date",
        "The valuation that it is estimated from: the portfolio's last in the period, or else the newest before it.",
        is_filterable=True,
    )
    base_currency_code: str | None = column("base_currency_code", "ISO 4217, of all amounts.", is_filterable=True)
    positions: BigInt = column("positions", "Positions that are priced or converted otherwise.")
    quantity: Decimal | None = column("quantity", "Sum of their quantities; null for a rate.")
    value_base_before: Decimal | None = column(
        "value_base_before", "Their value as valued; null where nothing was valued."
    )
    value_base_under: Decimal | None = column(
        "value_base_under", "Their value under the override; null where it values nothing."
    )
    change_base: Decimal = column("change_base", "Change of the NAV: the one value less the other.")
    change_bps: Decimal | None = column("change_bps", "Change in hundredths of a percent of the NAV, to 4 decimals.")
    nav_base_before: Decimal | None = column("nav_base_before", "NAV as valued; null where nothing was valued.")
    nav_base_under: Decimal = column("nav_base_under", "NAV under the override: estimated.")
    nav_base_now: Decimal | None = column(
        "nav_base_now", "NAV of that date as it stands since; null: the override is not in the warehouse."
    )


def reached() -> Any:
    """The portfolios that an override reaches, of those that the caller sees."""
    return relation(
        "Portfolios that it reaches, of those that you see: how much each NAV changes, or has changed. Estimated from"
        " what was known just before it got in.",
        rows=_rows,
        shows=SHOWS,
    )


def _rows(policy: ValuationPolicy) -> str:
    return reach(policy, "{override_id}", "{version}")
