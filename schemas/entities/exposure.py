"""Exposure: what the valued positions of a portfolio add up to along one dimension.

Positions without a value are counted, and make a sum incomplete; nothing is guessed for them.
"""

from __future__ import annotations

from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING

import strawberry

from fulcrum.graph.declare import column, entity, relation
from fulcrum.graph.sources import Derived
from schemas.entities.conditions import AS_OF, holds, on_day
from schemas.entities.explanation import Explanation, explained
from schemas.entities.trust import INPUTS_OF_VALUATION

if TYPE_CHECKING:
    from schemas.entities.instrument import Instrument
    from schemas.entities.issuer import Issuer


@strawberry.enum(description="What exposure is taken to.")
class ExposureDimension(Enum):
    """The dimensions."""

    ASSET_CLASS = strawberry.enum_value("ASSET_CLASS", description="Asset class of the instrument.")
    CURRENCY = strawberry.enum_value("CURRENCY", description="Currency that the price was quoted in.")
    COUNTRY = strawberry.enum_value("COUNTRY", description="Country of the instrument, ISO 3166-1 alpha-2.")
    SECTOR = strawberry.enum_value("SECTOR", description="Sector, as the source writes it.")
    ISSUER = strawberry.enum_value("ISSUER", description="Issuer of the instrument.")
    INSTRUMENT = strawberry.enum_value("INSTRUMENT", description="The instrument itself.")


VALUE = "mart.position_valuation.market_value_base"
_VALUED = f"""
  from mart.position_valuation v
  left join core.instrument_version i on i.instrument_id = v.instrument_id and {holds("i")}
  where v.portfolio_id = {{portfolio_id}} and {on_day("v")}
"""
_CODES = {
    "ASSET_CLASS": "i.asset_class_code",
    "CURRENCY": "v.price_currency_code",
    "COUNTRY": "i.country_code",
    "SECTOR": "i.sector_name",
    "ISSUER": "coalesce((select c.issuer_code from core.issuer c where c.issuer_id = i.issuer_id), i.issuer_name)",
    "INSTRUMENT": "(select c.instrument_code from core.instrument c where c.instrument_id = v.instrument_id)",
}
_ISSUER_NAME = f"select x.issuer_name from core.issuer_version x where x.issuer_id = g.issuer_id and {holds('x')}"


def _grouped(dimension: str, key: str, *, name: str = "g.key", issuer: str = "null", instrument: str = "null") -> str:
    """Sums by `key`; weights are of the sum in the same currency."""
    return f"""
select row_number() over (order by g.value_base desc nulls last, g.key nulls last, g.base_currency_code) as rank,
  g.key as code, {name} as name, g.value_base, g.base_currency_code,
  round(100 * g.value_base / nullif(sum(g.value_base) over (partition by g.base_currency_code), 0), 8) as weight_pct,
  g.positions, g.positions_valued, g.positions = g.positions_valued as is_complete,
  g.issuer_id, g.instrument_id, {{portfolio_id}} as portfolio_id, '{dimension}' as dimension
from (
  select {key} as key, v.base_currency_code, sum(v.market_value_base) as value_base, count(*) as positions,
    count(v.market_value_base) as positions_valued, {issuer}::bigint as issuer_id, {instrument}::bigint as instrument_id
  {_VALUED} group by 1, v.base_currency_code
) g
"""


EXPOSURES = {
    **{found: _grouped(found, _CODES[found]) for found in ("ASSET_CLASS", "CURRENCY", "COUNTRY", "SECTOR")},
    "ISSUER": _grouped(
        "ISSUER", _CODES["ISSUER"], name=f"coalesce(({_ISSUER_NAME}), g.key)", issuer="min(i.issuer_id)"
    ),
    "INSTRUMENT": _grouped(
        "INSTRUMENT",
        _CODES["INSTRUMENT"],
        name="(select x.instrument_name from core.instrument_version x where x.instrument_id = g.instrument_id"
        f" and {holds('x')})",
        instrument="min(v.instrument_id)",
    ),
}
"""The rows for each value of `ExposureDimension`."""

# Of one instrument by its key, which an index finds: by code, 100 explanations of 1,000 positions took 3.6 s.
_KEY = "case {dimension} " + " ".join(f"when '{found}' then {key}" for found, key in _CODES.items()) + " end"
_SAME = f"{{dimension}} <> 'INSTRUMENT' and {_KEY} is not distinct from {{code}}"
_MEMBERS = tuple(
    f"{_VALUED} and v.base_currency_code is not distinct from {{base_currency_code}} and {same}"
    for same in (_SAME, "{dimension} = 'INSTRUMENT' and v.instrument_id = {instrument_id}")
)


def _valuations(members: str) -> str:
    return f"""
select 'valuation' as role, 'mart.position_valuation' as source_table, {AS_OF} as business_date,
  v.valuation_status_code as label, sum(v.market_value_base) as value, v.base_currency_code as currency_code,
  v.published_in, null::bigint as delivery_id, null::bigint as source_row, count(*) as rows
{members} group by v.valuation_status_code, v.base_currency_code, v.published_in
"""


def _holdings(members: str) -> str:
    return f"""
select 'holding', 'core.holding', {AS_OF}, 'file', null::numeric, null::text, h.published_in, h.delivery_id,
  null::bigint, count(*)
from core.holding h
join (select v.instrument_id, v.position_code, v.holding_publication_id {members}) m
  on h.instrument_id = m.instrument_id and h.position_code = m.position_code
  and h.published_in = m.holding_publication_id
where h.portfolio_id = {{portfolio_id}} and h.business_date = {AS_OF}
group by h.published_in, h.delivery_id
"""


@entity(
    Derived(
        order=("rank",),
        columns={
            "rank": "bigint",
            "code": "text?",
            "name": "text?",
            "value_base": "numeric?",
            "base_currency_code": "text?",
            "weight_pct": "numeric?",
            "positions": "bigint",
            "positions_valued": "bigint",
            "is_complete": "boolean",
            "issuer_id": "bigint?",
            "instrument_id": "bigint?",
            "portfolio_id": "bigint",
            "dimension": "text",
        },
    )
)
class Exposure:
    """What the positions of a portfolio that share one code of a dimension add up to."""

    rank: int = column("rank", "Place by value, largest first.")
    code: str | None = column("code", "Code within the dimension; null: nothing tells one.", is_filterable=True)
    name: str | None = column("name", "Name of what the code stands for.")
    value_base: Decimal | None = column(
        "value_base",
        "Sum of the valued positions, in `baseCurrencyCode`; null when none is valued.",
        is_filterable=True,
    )
    base_currency_code: str | None = column("base_currency_code", "ISO 4217, of the portfolio.")
    weight_pct: Decimal | None = column(
        "weight_pct", "Percent of all valued positions in this currency, rounded to 8 decimals.", is_filterable=True
    )
    positions: int = column("positions", "Positions in all.")
    positions_valued: int = column("positions_valued", "Positions with a value.")
    is_complete: bool = column("is_complete", "False as soon as one position has no value.", is_filterable=True)
    issuer: Issuer | None = relation("The issuer, of exposure to issuers.", on={"issuer_id": "issuer_id"})
    instrument: Instrument | None = relation(
        "The instrument, of exposure to instruments.", on={"instrument_id": "instrument_id"}
    )
    explain: Explanation = explained(
        "'sum of ' || {positions_valued} || ' of ' || {positions} || ' positions = '"
        " || coalesce({value_base}::text, 'no value') || coalesce(' ' || {base_currency_code}, '')",
        *map(_valuations, _MEMBERS),
        *map(_holdings, _MEMBERS),
        shows=(VALUE,),
        # Of all positions: the weight is one of their sum.
        rests_on=f"array(select distinct unnest({INPUTS_OF_VALUATION}) from mart.position_valuation v"
        f" where v.portfolio_id = {{portfolio_id}} and {on_day('v')})",
    )
