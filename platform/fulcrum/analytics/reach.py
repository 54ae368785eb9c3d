"""What an override moves: the positions that it prices or converts, and by how much each portfolio's NAV changes.

One query and nothing written. Only the direct effect is in it: whatever else looks at prices or NAVs is not followed.
"""

from __future__ import annotations

from psycopg import sql

from fulcrum.analytics.fragments import major_currency, one_of, state_at
from fulcrum.analytics.policy import ValuationPolicy
from fulcrum.analytics.prices import factor
from fulcrum.analytics.rates import chosen_rates, source_rank
from fulcrum.warehouse.reads import visible

LOOKED_BACK_DAYS = 10
"""Before the first day of an override: where no day of it is valued yet, the newest valuation before it is taken."""
SHOWS = (
    *(f"mart.position_valuation.{name}" for name in ("quantity", "market_value_local", "market_value_base")),
    "mart.portfolio_nav.nav_base",
)
"""The columns (schema.table.column) that the query's numbers are made from."""

# `asked.known` is the state of the warehouse that the estimate looks at: the asked one, but not after the override
# got in, so that it stays what whoever approved it saw.
_REACH = """
with asked as materialized (
    select o.target, o.subject, o.value, o.quote_unit_code, {major} as currency, o.currency_code, o.begin_date,
           o.end_date, least(own.first - 1, {version}) as known, own.is_in
      from quality.override o
      cross join lateral (
        select min(p.publication_id) as first,
               bool_and(not exists (select from governance.derivation w
                                     where w.caused_by = p.publication_id and w.done_at is null)) as is_in
          from governance.delivery d join governance.publication p using (delivery_id)
         where d.feed = case o.target when 'core.price' then 'override_prices' else 'override_fx_rates' end
           and d.parameters ->> 'override_id' = o.override_id::text and p.publication_id <= {version}
      ) own
     where o.override_id = {override}
), at as materialized (
    select n.*
      from asked cross join core.portfolio p cross join lateral (
        select n.portfolio_id, n.business_date, n.base_currency_code, n.nav_base from mart.portfolio_nav n
         where n.portfolio_id = p.portfolio_id and {visible_nav}
           and n.business_date between asked.begin_date - {looked_back} and asked.end_date
         order by n.business_date desc limit 1
      ) n
), rated as materialized (
    {rates}
), priced as (
    select at.*, v.quantity, v.market_value_base as before,
           case when {is_cash} then v.market_value_local
                else trim_scale(v.quantity * (asked.value * {factor} * described.contract_size)) end as local,
           case when {is_cash} then v.price_currency_code else asked.currency end as currency
      from asked cross join at
      cross join lateral (
        select * from mart.position_valuation v
         where v.portfolio_id = at.portfolio_id and v.business_date = at.business_date and {visible_value}
           and v.instrument_id = (select e.instrument_id from core.instrument e
                                   where e.instrument_code = (select subject ->> 'instrument_code' from asked))
        offset 0
      ) v
      left join lateral (
        select i.*, {is_settled} as is_settled from ({instrument}) i
      ) described on true
     where (select target from asked) = 'core.price'
), valued as (
    select p.portfolio_id, p.business_date, p.base_currency_code, p.nav_base, p.quantity, p.before,
           case when p.currency = p.base_currency_code then p.local
                when r.tier < 3 then trim_scale(p.local * r.rate) end as under
      from priced p
      left join rated r on r.business_date = p.business_date and r.a = p.currency and r.b = p.base_currency_code
    union all
    select at.portfolio_id, at.business_date, at.base_currency_code, at.nav_base, null, v.market_value_base,
           case when r.tier < 3 then trim_scale(v.market_value_local * r.rate) end
      from at
      join rated r on r.business_date = at.business_date and r.b = at.base_currency_code and 0 = any(r.publication_ids)
      join mart.position_valuation v on v.portfolio_id = at.portfolio_id and v.business_date = at.business_date
       and v.price_currency_code = r.a and v.market_value_local is not null
     where (select target from asked) = 'core.fx_rate' and r.a <> r.b and {visible_value}
       and v.business_date between {first} and {last}
), summed as (
    select portfolio_id, business_date, base_currency_code, nav_base, count(*) as positions,
           trim_scale(sum(quantity)) as quantity, trim_scale(sum(before)) as value_base_before,
           trim_scale(sum(under)) as value_base_under,
           trim_scale(coalesce(sum(under), 0) - coalesce(sum(before), 0)) as change_base
      from valued group by portfolio_id, business_date, base_currency_code, nav_base
)
select row_number() over (order by abs(s.change_base) / nullif(abs(s.nav_base), 0) desc nulls first, s.portfolio_id)
         as rank,
       s.portfolio_id, s.business_date, s.base_currency_code, s.positions, s.quantity, s.value_base_before,
       s.value_base_under, s.change_base, round(s.change_base * 10000 / nullif(abs(s.nav_base), 0), 4) as change_bps,
       s.nav_base as nav_base_before, trim_scale(coalesce(s.nav_base, 0) + s.change_base) as nav_base_under,
       now.nav_base as nav_base_now
  from summed s
  left join lateral (
    select n.nav_base from mart.portfolio_nav n
     where (select is_in from asked) and n.portfolio_id = s.portfolio_id and n.business_date = s.business_date
       and {visible_now}
  ) now on true
"""

_SUPPOSED = """
    union all
    select day.business_date, o.subject ->> 'base_currency_code', o.subject ->> 'quote_currency_code', o.value,
           day.business_date, 0::bigint, {rank}, 'OVERRIDE', 0
      from day cross join asked o where o.target = 'core.fx_rate'
"""

_FIRST, _LAST = "(select min(business_date) from at)", "(select max(business_date) from at)"
_KNOWN = "(select known from asked)"


def reach(policy: ValuationPolicy, override: str, version: str) -> str:
    """The query for what an override moves: a row per portfolio, `rank` 1 for the largest part of a NAV.

    `override` and `version` are the SQL of its number and of the publication that is looked at. Of every portfolio
    the last valuation in the period is taken, or the newest of the ten days before it. `change_base` is exact, in
    `base_currency_code`; `nav_base_now` is null until the override is in the warehouse and valued.
    """
    attributes = (
        "version.asset_class_code, version.quote_unit_code, coalesce(version.contract_size, 1) as contract_size"
    )
    unit = "coalesce(asked.quote_unit_code, described.quote_unit_code)"
    query = sql.SQL(_REACH).format(
        override=sql.SQL(override),
        version=sql.SQL(version),
        major=major_currency("o.currency_code", policy.minor_currencies),
        looked_back=sql.Literal(LOOKED_BACK_DAYS),
        visible_nav=sql.SQL(visible("n", _KNOWN)),
        visible_value=sql.SQL(visible("v", _KNOWN)),
        visible_now=sql.SQL(visible("n", version)),
        rates=chosen_rates(
            policy.fx,
            "at",
            first=_FIRST,
            last=_LAST,
            supposed=sql.SQL(_SUPPOSED).format(rank=source_rank(policy.fx, "'OVERRIDE'")),
        ),
        instrument=state_at("instrument", "at.business_date", attributes, key="v.instrument_id"),
        is_cash=one_of("described.asset_class_code", list(policy.cash_asset_classes)),
        is_settled=one_of("i.asset_class_code", list(policy.settled_daily_asset_classes)),
        factor=factor("asked.currency_code", unit, policy),
        first=sql.SQL(_FIRST),
        last=sql.SQL(_LAST),
    )
    return query.as_string(None).replace("%(known)s", _KNOWN)
