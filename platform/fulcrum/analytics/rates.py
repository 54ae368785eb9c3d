"""Chooses one exchange rate per currency pair and date: direct, inverse, or crossed.

A rate is units of `currency_to` per unit of `currency_from`. Direct rates and their products are
exact; as soon as one leg is quoted the other way round, the numerators are divided by the
denominators once and the quotient is rounded half away from zero to 20 decimals.
"""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql

from fulcrum.analytics.fragments import age_tier, one_of, visible
from fulcrum.analytics.policy import FxPolicy, ValuationPolicy
from fulcrum.analytics.scratch import analyze

RATE_DECIMALS = 20

_CHOOSE = """
with day as (select distinct business_date from derive_scope),
base as (select distinct business_date, base_currency_code as currency
           from derive_scope where base_currency_code is not null),
quoted as materialized (
    select day.business_date, f.base_currency_code, f.quote_currency_code, f.rate, f.business_date as rate_date,
           f.published_in, {source_rank} as source_rank, f.source_code,
           {tier} as tier
      from day join core.fx_rate f
        on f.business_date <= day.business_date and f.business_date >= day.business_date - {looked_back}
     where f.business_date between %(first)s::date - {looked_back} and %(last)s and {visible} and f.rate > 0
       and (f.business_date = day.business_date or not {own_day_only})
), oriented as (
    select business_date, base_currency_code as a, quote_currency_code as b, rate as num, 1::numeric as den,
           rate_date, published_in, tier, source_rank, source_code, 0 as is_inverse
      from quoted
    union all
    select business_date, quote_currency_code, base_currency_code, 1, rate,
           rate_date, published_in, tier, source_rank, source_code, 1
      from quoted
), leg as materialized (
    select distinct on (business_date, a, b) business_date, a, b, num, den, rate_date, published_in, tier
      from oriented
     order by business_date, a, b, tier, source_rank, rate_date desc, is_inverse, source_code
), way as (
    select leg.business_date, leg.a, leg.b, leg.num, leg.den, leg.rate_date, leg.tier, 0 as detour,
           array[leg.published_in] as publication_ids, leg.a || '>' || leg.b as path
      from leg join base on base.business_date = leg.business_date and base.currency = leg.b
    union all
    select one.business_date, one.a, two.b, one.num * two.num, one.den * two.den,
           least(one.rate_date, two.rate_date), greatest(one.tier, two.tier), cross_over.place,
           array[one.published_in, two.published_in], one.a || '>' || one.b || '>' || two.b
      from leg one
      join unnest({cross}::text[]) with ordinality cross_over (currency, place) on cross_over.currency = one.b
      join leg two on two.business_date = one.business_date and two.a = one.b and two.b <> one.a
      join base on base.business_date = two.business_date and base.currency = two.b
), chosen as (
    select distinct on (business_date, a, b) * from way order by business_date, a, b, tier, detour
)
insert into derive_rate
select a, b, business_date,
       trim_scale(case when den = 1 then num
                       else round((num * {widened}::numeric) / den, {decimals}) end),
       rate_date, path, publication_ids, tier
  from chosen
"""


def choose_rates(connection: psycopg.Connection[Any], policy: ValuationPolicy, seen: dict[str, Any]) -> None:
    """Fill `derive_rate` for every base currency of `derive_scope` and whatever can be turned into it.

    `seen` holds `known` (publication), `first` and `last` date of the scope.
    """
    connection.execute(_choose(policy.fx), seen)
    analyze(connection, "derive_rate")


def _choose(policy: FxPolicy) -> sql.Composed:
    return sql.SQL(_CHOOSE).format(
        source_rank=_source_rank(policy),
        tier=age_tier("(day.business_date - f.business_date)", policy),
        looked_back=sql.Literal(policy.looked_back_days),
        visible=visible("f"),
        own_day_only=one_of("f.source_code", list(policy.own_day_only)),
        cross=sql.Literal(list(policy.cross_through)),
        widened=sql.Literal("1." + "0" * (2 * RATE_DECIMALS)),
        decimals=sql.Literal(RATE_DECIMALS),
    )


def _source_rank(policy: FxPolicy) -> sql.Composed:
    if not policy.source_ranking:
        return sql.Composed([sql.SQL("0")])
    cases = (
        sql.SQL("when {} then {}").format(sql.Literal(source), sql.Literal(place))
        for place, source in enumerate(policy.source_ranking, 1)
    )
    return sql.SQL("(case f.source_code {} else {} end)").format(
        sql.SQL(" ").join(cases), sql.Literal(len(policy.source_ranking) + 1)
    )
