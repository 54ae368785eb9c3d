"""Values positions: one set-based statement over holdings, chosen prices and chosen rates.

The columns and statuses are described at `fulcrum.warehouse.models.mart.PositionValuation`.
"""

from __future__ import annotations

from psycopg import sql

from fulcrum.analytics.fragments import is_minor, major_currency, visible
from fulcrum.analytics.policy import ValuationPolicy

COLUMNS = (
    "portfolio_id",
    "business_date",
    "instrument_id",
    "position_code",
    "quantity",
    "price",
    "price_date",
    "price_type_code",
    "price_source_code",
    "price_currency_code",
    "quote_factor",
    "contract_size",
    "market_value_local",
    "fx_rate",
    "fx_date",
    "fx_path",
    "base_currency_code",
    "market_value_base",
    "valuation_status_code",
    "holding_publication_id",
    "price_publication_id",
    "fx_publication_ids",
)
KEY = COLUMNS[:4]

# Three levels: what each position takes (input), its rate (rated), its value and status.
# `offset 0` keeps PostgreSQL from repeating every expression of a level in the levels above it.
_SELECT = """
select portfolio_id, business_date, instrument_id, position_code, quantity, price, price_date,
       price_type_code, price_source_code, currency_code as price_currency_code, quote_factor, contract_size,
       value_local as market_value_local, fx_rate, fx_date, fx_path, base_currency_code,
       case when valuation_status_code like 'VALUED%%' then trim_scale(value_local * fx_rate) end as market_value_base,
       valuation_status_code, holding_publication_id, price_publication_id, fx_publication_ids
  from (
    select i.*, r.rate as fx_rate, r.rate_date as fx_date, r.path as fx_path, r.publication_ids as fx_publication_ids,
           case when i.tier < 3 then trim_scale(i.quantity * i.unit_value) end as value_local,
           case when i.quantity is null then 'QUANTITY_MISSING'
                when i.price is null then 'PRICE_MISSING'
                when i.tier = 3 then 'PRICE_TOO_OLD'
                when i.unit_value is null or i.currency_code is null or i.base_currency_code is null
                     then 'CURRENCY_UNKNOWN'
                when r.rate is null then 'FX_MISSING'
                when r.tier = 3 then 'FX_TOO_OLD'
                when i.tier = 2 then 'VALUED_STALE_PRICE'
                when r.tier = 2 then 'VALUED_STALE_FX'
                when i.price_type_code = 'REPORTED' then 'VALUED_REPORTED_PRICE'
                else 'VALUED' end as valuation_status_code
      from (
        select h.portfolio_id, h.business_date, h.instrument_id, h.position_code, h.quantity,
               h.published_in as holding_publication_id, s.base_currency_code,
               {taken}
          from derive_scope s
          join core.holding h using (portfolio_id, business_date)
          left join derive_price p using (instrument_id, business_date)
         where h.business_date = any(%(dates)s) and s.is_known = %(is_known)s and {visible}
        offset 0
      ) i
      left join (
        select currency_from, currency_to, business_date, rate, rate_date, path, publication_ids, tier
          from derive_rate where currency_from <> currency_to
        union all
        select distinct base_currency_code, base_currency_code, business_date, 1::numeric,
               null::date, base_currency_code, null::bigint[], 0
          from derive_scope
      ) r on r.currency_from = i.currency_code and r.currency_to = i.base_currency_code
         and r.business_date = i.business_date
    offset 0
  ) rated
"""

# column: (from derive_price, from the holding's own report)
_TAKEN = {
    "price": ("p.price", "h.price"),
    "price_date": ("p.price_date", "h.business_date"),
    "price_type_code": ("p.price_type_code", "'REPORTED'"),
    "price_source_code": ("p.price_source_code", "'HOLDING'"),
    "price_publication_id": ("p.publication_id", "h.published_in"),
    "quote_factor": ("p.quote_factor", "{factor}"),
    "unit_value": ("p.unit_value", "h.price * {factor} * p.contract_size"),
    "tier": ("p.tier", "0"),
}


def value_positions(policy: ValuationPolicy) -> sql.Composed:
    """The query that values the holdings of `derive_scope`, its columns in the order of `COLUMNS`.

    Needs `derive_price` and `derive_rate`. Parameters: `known`, `dates` and `is_known`, which picks
    the pairs of the scope that have valuations already (true) or have none (false).
    """
    return sql.SQL(_SELECT).format(taken=_taken(policy), visible=visible("h"))


def _taken(policy: ValuationPolicy) -> sql.Composed:
    # A report that names no currency is taken to quote as the instrument is quoted.
    factor = sql.SQL(
        "(case when h.currency_code is null then p.instrument_factor"
        " when {minor} then p.nominal_factor * 0.01 else p.nominal_factor end)"
    ).format(minor=is_minor("h.currency_code", policy.minor_currencies))
    reported = sql.SQL("(p.price is null or p.tier = 3) and h.price is not null")
    if policy.price.reported_price == "never":
        reported = sql.SQL("false")
    columns = [
        sql.SQL("case when {} then {} else {} end as {}").format(
            reported, sql.SQL(own).format(factor=factor), sql.SQL(market), sql.Identifier(name)
        )
        for name, (market, own) in _TAKEN.items()
    ]
    currency = sql.SQL(
        "case when p.is_cash then coalesce(p.currency_code, {quote}, {own})"
        " when {reported} then coalesce({own}, p.instrument_currency_code) else p.currency_code end as currency_code"
    ).format(
        quote=major_currency("h.quote_currency_code", policy.minor_currencies),
        own=major_currency("h.currency_code", policy.minor_currencies),
        reported=reported,
    )
    return sql.SQL(", ").join([*columns, currency, sql.SQL("p.contract_size")])
