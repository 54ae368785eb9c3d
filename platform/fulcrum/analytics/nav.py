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

# The superseded rows and the reported values are summed apart: filters in one aggregate over all
# rows cost three times as much.
_SELECT = """
select s.portfolio_id, s.business_date, s.base_currency_code, trim_scale(v.total) as nav_base, v.positions,
       v.positions_valued, v.positions_flagged, v.positions_valued = v.positions as is_complete,
       v.oldest_price_date, r.reported_value, r.reported_currency_code,
       greatest(v.last_published, gone.last_superseded) as valuation_publication_id
  from derive_scope s
  join (
    select portfolio_id, business_date, sum(market_value_base) as total, count(*) as positions,
           count(market_value_base) as positions_valued,
           count(nullif(valuation_status_code, 'VALUED')) - count(*) + count(market_value_base) as positions_flagged,
           min(case when market_value_base is not null then price_date end) as oldest_price_date,
           max(published_in) as last_published
      from mart.position_valuation v
     where v.business_date = any(%(dates)s) and v.superseded_in is null {in_scope}
     group by portfolio_id, business_date
  ) v using (portfolio_id, business_date)
  left join (
    select portfolio_id, business_date, max(superseded_in) as last_superseded
      from mart.position_valuation v
     where v.business_date = any(%(dates)s) and v.superseded_in is not null {in_scope}
     group by portfolio_id, business_date
  ) gone using (portfolio_id, business_date)
  left join (
    select portfolio_id, business_date,
           case when count(*) = 1 and max(currency_code) is not null then max(total) end as reported_value,
           case when count(*) = 1 then max(currency_code) end as reported_currency_code
      from (
        select portfolio_id, business_date, currency_code, sum(market_value) as total from core.holding v
         where v.business_date = any(%(dates)s) and v.market_value is not null and {visible} {in_scope}
         group by portfolio_id, business_date, currency_code
      ) by_currency
     group by portfolio_id, business_date
  ) r using (portfolio_id, business_date)
"""

_IN_SCOPE = """
and exists (select from derive_scope s where s.portfolio_id = v.portfolio_id and s.business_date = v.business_date)
"""


def sum_portfolios() -> sql.Composed:
    """The query for the NAV of every pair of `derive_scope`, its columns in the order of `COLUMNS`.

    `reported_value` is the sum of the market values that the holdings' own file states, where all
    that state one state it in one currency. Parameters: `known`, `dates`.
    """
    return sql.SQL(_SELECT).format(in_scope=sql.SQL(_IN_SCOPE), visible=visible("v"))
