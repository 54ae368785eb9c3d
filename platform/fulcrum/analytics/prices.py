"""Chooses one price per needed instrument and date, by the policy's ranking and ages.

The price that a holding reports itself is no subject here: it differs by position (`positions.py`).
"""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql

from fulcrum.analytics.fragments import age_tier, is_minor, major_currency, one_of, state_at, visible
from fulcrum.analytics.policy import ValuationPolicy
from fulcrum.analytics.scratch import analyze

_NEED = """
insert into derive_need
select distinct h.instrument_id, h.business_date
  from derive_scope s join core.holding h using (portfolio_id, business_date)
 where h.business_date = any(%(dates)s) and {visible_holding}
"""

_CHOOSE = """
with same_day as materialized (
    select distinct on (n.instrument_id, n.business_date)
           n.instrument_id, n.business_date, p.price, p.business_date as price_date, p.price_type_code,
           p.source_code, p.currency_code, p.quote_unit_code, p.published_in, 0 as tier
      from derive_need n join core.price p using (instrument_id, business_date)
     where p.business_date = any(%(dates)s) and {visible} and {rank} is not null
     order by n.instrument_id, n.business_date, {rank}, p.source_code
), older as (
    select distinct on (n.instrument_id, n.business_date)
           n.instrument_id, n.business_date, p.price, p.business_date, p.price_type_code,
           p.source_code, p.currency_code, p.quote_unit_code, p.published_in, {tier} as tier
      from derive_need n join core.price p
        on p.instrument_id = n.instrument_id and p.business_date < n.business_date
       and p.business_date >= n.business_date - {looked_back}
     where p.business_date between %(first)s::date - {looked_back} and %(last)s
       and {visible} and {later_rank} is not null
       and not exists (select from same_day s
                        where s.instrument_id = n.instrument_id and s.business_date = n.business_date)
     order by n.instrument_id, n.business_date, {tier}, {later_rank}, p.business_date desc, p.source_code
), chosen as (select * from same_day union all select * from older),
described as (
    select n.instrument_id, n.business_date, c.price, c.price_date, c.price_type_code,
           c.source_code, c.published_in, c.tier,
           coalesce(c.currency_code, i.currency_code) as currency_code,
           coalesce(c.quote_unit_code, i.quote_unit_code) as quote_unit_code,
           i.currency_code as instrument_currency_code, i.quote_unit_code as instrument_unit_code,
           i.contract_size, {is_cash} as is_cash, {is_settled} as is_settled
      from derive_need n
      left join chosen c using (instrument_id, business_date)
      left join lateral ({instrument}) i on true
), factored as (
    select d.*, {price_factor} as quote_factor, {instrument_factor} as instrument_factor,
           {nominal_factor} as nominal_factor from described d
)
insert into derive_price
select instrument_id, business_date,
       case when is_cash then 1 else price end,
       case when is_cash then business_date else price_date end,
       case when is_cash then 'CASH' else price_type_code end,
       case when is_cash then 'POLICY' else source_code end,
       case when is_cash then {instrument_major} else {major} end,
       case when is_cash then 1 else quote_factor end,
       contract_size,
       case when is_cash then 1 else price * quote_factor * contract_size end,
       case when is_cash then 0 else tier end,
       case when is_cash then null else published_in end,
       is_cash, {instrument_major}, instrument_factor, nominal_factor
  from factored
"""

_FACTOR = """
(case when is_settled then 0
      else (case when {minor} or {unit} = 'MINOR' then 0.01 else 1 end)
           * (case {unit} when 'PER_100' then 0.01 when 'UNIT' then 1 when 'MINOR' then 1 end) end)
"""


def choose_prices(connection: psycopg.Connection[Any], policy: ValuationPolicy, seen: dict[str, Any]) -> None:
    """Fill `derive_price` for every instrument and date that the holdings of `derive_scope` need.

    `seen` holds `known` (publication), `dates`, `first` and `last` of the scope.
    """
    connection.execute(sql.SQL(_NEED).format(visible_holding=visible("h")), seen)
    analyze(connection, "derive_need")
    connection.execute(_choose(policy), seen)
    analyze(connection, "derive_price")


def rank(policy: ValuationPolicy, alias: str = "p", *, is_later: bool = False) -> sql.Composed:
    """The place of a price in the ranking, 1 first; null where the policy does not allow it.

    `is_later`: for a valuation after the price's own date.
    """
    cases = [
        sql.SQL("when {alias}.price_type_code = {type}{source} then {place}").format(
            alias=sql.Identifier(alias),
            type=sql.Literal(line.price_type_code),
            source=sql.SQL(" and {}.source_code = {}").format(sql.Identifier(alias), sql.Literal(line.source_code))
            if line.source_code
            else sql.SQL(""),
            place=sql.Literal(None if is_later and line.own_day_only else place),
        )
        for place, line in enumerate(policy.price.ranking, 1)
    ]
    return sql.SQL("(case {} end)").format(sql.SQL(" ").join(cases))


def _choose(policy: ValuationPolicy) -> sql.Composed:
    minor = policy.minor_currencies
    attributes = (
        "version.asset_class_code, version.currency_code, version.quote_unit_code,"
        " coalesce(version.contract_size, 1) as contract_size"
    )
    return sql.SQL(_CHOOSE).format(
        visible=visible("p"),
        rank=rank(policy),
        later_rank=rank(policy, is_later=True),
        tier=age_tier("(n.business_date - p.business_date)", policy.price),
        looked_back=sql.Literal(policy.price.looked_back_days),
        is_cash=one_of("i.asset_class_code", list(policy.cash_asset_classes)),
        is_settled=one_of("i.asset_class_code", list(policy.settled_daily_asset_classes)),
        instrument=state_at("instrument", "n.business_date", attributes, key="n.instrument_id"),
        price_factor=factor("d.currency_code", "d.quote_unit_code", policy),
        instrument_factor=factor("d.instrument_currency_code", "d.instrument_unit_code", policy),
        nominal_factor=factor(
            "null::text", "case d.instrument_unit_code when 'MINOR' then 'UNIT' else d.instrument_unit_code end", policy
        ),
        major=major_currency("currency_code", minor),
        instrument_major=major_currency("instrument_currency_code", minor),
    )


def factor(currency: str, unit: str, policy: ValuationPolicy) -> sql.Composed:
    """What turns a quoted price into whole currency per unit; SQL, beside a column `is_settled`."""
    return sql.SQL(_FACTOR).format(minor=is_minor(currency, policy.minor_currencies), unit=sql.SQL(f"({unit})"))
