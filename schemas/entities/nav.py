"""Net asset values of portfolios."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING

from fulcrum.graph.declare import At, column, entity, relation
from fulcrum.graph.histories import Version, versions_of
from fulcrum.graph.relay import Connection, Node
from fulcrum.graph.scalars import BigInt
from fulcrum.graph.sources import Fact
from fulcrum.warehouse.models import mart
from schemas.entities.conditions import known
from schemas.entities.explanation import Explanation, explained
from schemas.entities.trust import INPUTS_OF_VALUATION, Trust, trust_of_derived, trust_of_version

if TYPE_CHECKING:
    from schemas.entities.portfolio import Portfolio

_CALCULATION = """
'sum of ' || {positions_valued} || ' of ' || {positions} || ' positions = '
  || coalesce({nav_base}::text, 'no value') || coalesce(' ' || {base_currency_code}, '')
"""
_VALUED = (
    "mart.position_valuation v where v.portfolio_id = {portfolio_id} and v.business_date = {business_date}"
    f" and {known('v', '{valuation_publication_id}')}"
)
_VALUATIONS = (
    "select 'valuation' as role, 'mart.position_valuation' as source_table, {business_date} as business_date,"
    " v.valuation_status_code as label, sum(v.market_value_base) as value, {base_currency_code} as currency_code,"
    " v.published_in, null::bigint as delivery_id, null::bigint as source_row, count(*) as rows"
    f" from {_VALUED} group by v.valuation_status_code, v.published_in"
)


def _files(role: str, table: str, same: str) -> str:
    return (
        f"select '{role}', '{table}', x.business_date, 'file', null::numeric, null::text, x.published_in,"
        " x.delivery_id, null::bigint, count(*)"
        f" from {table} x where exists (select from {_VALUED} and {same})"
        " group by x.business_date, x.published_in, x.delivery_id"
    )


_HOLDINGS = _files(
    "holding",
    "core.holding",
    "x.portfolio_id = v.portfolio_id and x.business_date = v.business_date and x.instrument_id = v.instrument_id"
    " and x.position_code = v.position_code and x.published_in = v.holding_publication_id",
).replace("where exists", "where x.portfolio_id = {portfolio_id} and x.business_date = {business_date} and exists")
_PRICES = _files(
    "price",
    "core.price",
    "x.instrument_id = v.instrument_id and x.business_date = v.price_date and x.price_type_code = v.price_type_code"
    " and x.source_code = v.price_source_code and x.published_in = v.price_publication_id",
).replace("where exists", "where x.business_date between {oldest_price_date} and {business_date} and exists")


_OURS = {"portfolio_id": "portfolio_id", "business_date": "business_date"}


@entity(Fact(mart.PortfolioNav))
class Nav(Node):
    """Net asset value of a portfolio's positions, and how much of it rests on what."""

    business_date: dt.date = column("business_date", "End of this day.", is_filterable=True, is_dimension=True)
    base_currency_code: str | None = column("base_currency_code", "ISO 4217.", is_filterable=True, is_dimension=True)
    nav_base: Decimal | None = column(
        "nav_base",
        "Sum of the valued positions; null when none is valued.",
        is_filterable=True,
        is_sortable=True,
        is_aggregatable=True,
        currency="base_currency_code",
    )
    positions: BigInt = column("positions", "Positions in all.", is_aggregatable=True)
    positions_valued: BigInt = column("positions_valued", "Positions with a value.", is_aggregatable=True)
    positions_flagged: BigInt = column(
        "positions_flagged", "Positions valued with an input that policy flags.", is_aggregatable=True
    )
    is_complete: bool = column(
        "is_complete", "False as soon as one position has no value.", is_filterable=True, is_dimension=True
    )
    oldest_price_date: dt.date | None = column("oldest_price_date", "Oldest price in it.", is_aggregatable=True)
    reported_value: Decimal | None = column(
        "reported_value",
        "Sum of the values that the source reports.",
        is_aggregatable=True,
        currency="reported_currency_code",
    )
    reported_currency_code: str | None = column("reported_currency_code", "ISO 4217, of the reported value.")
    portfolio: Portfolio | None = relation(
        "Of which portfolio.", on={"portfolio_id": "portfolio_id"}, is_filterable=True, is_dimension=True
    )
    history: Connection[NavVersion] = relation("What was known of it when, latest first.", on=_OURS, at=At.ANY)
    trust: Trust = trust_of_derived(
        staleness="{business_date} - {oldest_price_date}",
        flags="case when {is_complete} then array[]::text[] else array['INCOMPLETE'] end"
        " || case when {positions_flagged} > 0 then array['FLAGGED_INPUTS'] else array[]::text[] end",
        rests_on=f"array(select distinct unnest({INPUTS_OF_VALUATION}) from {_VALUED})",
    )
    explain: Explanation = explained(
        _CALCULATION, _VALUATIONS, _HOLDINGS, _PRICES, shows=("mart.position_valuation.market_value_base",)
    )


@versions_of(Nav)
class NavVersion(Version):
    """What was known of a net asset value from one publication until another."""

    trust: Trust = trust_of_version()
