"""Net asset values: sums per portfolio and date over the valuations that are current.

The columns are described at `fulcrum.warehouse.models.mart.PortfolioNav`.
"""

from __future__ import annotations

from psycopg import sql

from fulcrum.analytics.fragments import visible

COLUMNS = (
    "portfolio_id",
    "business_date",
    "base_currency_code",
    "nav_base",
    "positions",
    "positions_valued",
    "positions_flagged",
    "is_complete",
    "oldest_price_date",
    "reported_value",
    "reported_currency_code",
    "valuation_publication_id",
)
KEY = COLUMNS[:2]

_SELECT = """
select v.portfolio_id, v.business_date, v.base_currency_code, v.nav_base, v.positions, v.positions_valued,
       v.positions_flagged, v.positions_valued = v.positions as is_complete, v.oldest_price_date,
       r.reported_value, r.reported_currency_code, v.valuation_publication_id
  from (
    select portfolio_id, business_date,
           max(v.base_currency_code) filter (where superseded_in is null) as base_currency_code,
           trim_scale(sum(market_value_base) filter (where superseded_in is null)) as nav_base,
           count(*) filter (where superseded_in is null) as positions,
           count(market_value_base) filter (where superseded_in is null) as positions_valued,
           count(*) filter (where superseded_in is null and valuation_status_code like 'VALUED_%%')
               as positions_flagged,
           min(price_date) filter (where superseded_in is null and market_value_base is not null)
               as oldest_price_date,
           max(greatest(published_in, superseded_in)) as valuation_publication_id
      from derive_scope join mart.position_valuation v using (portfolio_id, business_date)
     where v.business_date = any(%(dates)s)
     group by portfolio_id, business_date
  ) v
  left join (
    select portfolio_id, business_date,
           case when {is_one} then sum(market_value) end as reported_value,
           case when {is_one} then min(currency_code) end as reported_currency_code
      from derive_scope join core.holding h using (portfolio_id, business_date)
     where h.business_date = any(%(dates)s) and h.market_value is not null and {visible}
     group by portfolio_id, business_date
  ) r using (portfolio_id, business_date)
 where v.positions > 0
"""


def sum_portfolios() -> sql.Composed:
    """The query for the NAV of every pair of `derive_scope`, its columns in the order of `COLUMNS`.

    `reported_value` is the sum of the market values that the holdings' own file states, where all
    that state one state it in one currency. Parameters: `known`, `dates`.
    """
    return sql.SQL(_SELECT).format(
        is_one=sql.SQL("min(currency_code) = max(currency_code) and count(currency_code) = count(*)"),
        visible=visible("h"),
    )
