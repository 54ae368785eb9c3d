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
_NOTHING = sql.SQL("")

_CHOSEN = """
with day as (select distinct business_date from {scope}),
base as (select distinct business_date, base_currency_code as currency
           from {scope} where base_currency_code is not null),
quoted as materialized (
    select day.business_date, f.base_currency_code, f.quote_currency_code, f.rate, f.business_date as rate_date,
           f.published_in, {source_rank} as source_rank, f.source_code,
           {tier} as tier
      from day join core.fx_rate f
        on f.business_date <= day.business_date and f.business_date >= day.business_date - {looked_back}
     where f.business_date between {first} - {looked_back} and {last} and {visible} and f.rate > 0
       and (f.business_date = day.business_date or not {own_day_only})
    {supposed}
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
select a, b, business_date,
       trim_scale(case when den = 1 then num
                       else round((num * {widened}::numeric) / den, {decimals}) end) as rate,
       rate_date, path, publication_ids, tier
  from chosen
"""


def choose_rates(connection: psycopg.Connection[Any], policy: ValuationPolicy, seen: dict[str, Any]) -> None:
    """Fill `derive_rate` for every base currency of `derive_scope` and whatever can be turned into it.

    `seen` holds `known` (publication), `first` and `last` date of the scope.
    """
    chosen = chosen_rates(policy.fx, "derive_scope", first="%(first)s::date", last="%(last)s")
    connection.execute(sql.SQL("insert into derive_rate {}").format(chosen), seen)
    analyze(connection, "derive_rate")


def chosen_rates(
    policy: FxPolicy, scope: str, *, first: str, last: str, supposed: sql.Composable = _NOTHING
) -> sql.Composed:
    """The query for one rate per pair and date: `a`, `b`, `business_date`, `rate`, `rate_date`, `path`, ..., `tier`.

    `scope` gives the dates and base currencies, between `first` and `last` (SQL). `supposed` may add to the quoted
    rates what is not in the warehouse.
    """
    return sql.SQL(_CHOSEN).format(
        scope=sql.SQL(scope),
        first=sql.SQL(first),
        last=sql.SQL(last),
        supposed=supposed,
        source_rank=source_rank(policy, "f.source_code"),
        tier=age_tier("(day.business_date - f.business_date)", policy),
        looked_back=sql.Literal(policy.looked_back_days),
        visible=visible("f"),
        own_day_only=one_of("f.source_code", list(policy.own_day_only)),
        cross=sql.SQL("array[{}]").format(sql.SQL(", ").join(map(sql.Literal, policy.cross_through))),
        widened=sql.Literal("1." + "0" * (2 * RATE_DECIMALS)),
        decimals=sql.Literal(RATE_DECIMALS),
    )


def source_rank(policy: FxPolicy, source: str) -> sql.Composed:
    """The place of a source (SQL), 1 first."""
    if not policy.source_ranking:
        return sql.Composed([sql.SQL("0")])
    cases = (
        sql.SQL("when {} then {}").format(sql.Literal(name), sql.Literal(place))
        for place, name in enumerate(policy.source_ranking, 1)
    )
    return sql.SQL("(case {} {} else {} end)").format(
        sql.SQL(source), sql.SQL(" ").join(cases), sql.Literal(len(policy.source_ranking) + 1)
    )
