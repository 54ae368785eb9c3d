"""Finds the (portfolio, date) pairs whose valuation a publication can change, and no others.

A price or rate of date P can serve any later date until the policy's look-back ends, but not a date
that has its own: that one wins whatever arrives for P. Dates without any valuation yet need no
search, since the publication of their holdings asks for them itself.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from fulcrum.analytics.fragments import one_of, state_at, visible
from fulcrum.analytics.policy import ValuationPolicy
from fulcrum.analytics.prices import rank
from fulcrum.analytics.scratch import analyze


@dataclass(frozen=True)
class Cause:
    """A publication that asked for derivation: the table that it changed, for which dates, its verdict.

    Without `target` (somebody asks for a whole date) every portfolio of the dates is affected;
    `portfolio_id` restricts it to one.
    """

    publication_id: int
    target: str | None
    dates: tuple[dt.date, ...]
    portfolio_id: int | None = None
    verdict: str | None = None


_WHOLE_DATES = """
select distinct h.portfolio_id, h.business_date from core.holding h
 where h.business_date = any(%(dates)s) and (%(portfolio)s::bigint is null or h.portfolio_id = %(portfolio)s)
union
select n.portfolio_id, n.business_date from mart.portfolio_nav n
 where n.business_date = any(%(dates)s) and n.superseded_in is null
   and (%(portfolio)s::bigint is null or n.portfolio_id = %(portfolio)s)
"""

_HOLDINGS = """
select distinct h.portfolio_id, h.business_date from core.holding h
 where h.business_date = any(%(dates)s) and (h.published_in = any(%(causes)s) or h.superseded_in = any(%(causes)s))
"""

_PRICES = """
with changed as (
    select p.instrument_id, p.business_date as price_date, bool_or({later_rank} is not null) as serves_later
      from core.price p
     where p.business_date = any(%(dates)s)
       and (p.published_in = any(%(causes)s) or p.superseded_in = any(%(causes)s)) and {rank} is not null
     group by 1, 2
), valued as (
    select distinct n.business_date from mart.portfolio_nav n
     where n.business_date between %(first)s and %(last)s::date + {looked_back}
), candidate as materialized (
    select distinct c.instrument_id, v.business_date
      from changed c join valued v
        on v.business_date >= c.price_date and v.business_date <= c.price_date + {looked_back}
     where v.business_date = c.price_date
        or c.serves_later
       and not exists (select from core.price p
                        where p.instrument_id = c.instrument_id and p.business_date = v.business_date
                          and p.business_date between %(first)s and %(last)s::date + {looked_back}
                          and {visible} and {rank} is not null)
)
select distinct h.portfolio_id, h.business_date
  from candidate join core.holding h using (instrument_id, business_date)
 where h.business_date between %(first)s and %(last)s::date + {looked_back} and {visible_holding}
"""

_RATES = """
with changed as (
    select f.base_currency_code as one, f.quote_currency_code as two, f.business_date as rate_date,
           bool_or(not {own_day_only}) as serves_later
      from core.fx_rate f
     where f.business_date = any(%(dates)s)
       and (f.published_in = any(%(causes)s) or f.superseded_in = any(%(causes)s))
     group by 1, 2, 3
), converted as (
    select distinct v.portfolio_id, v.business_date, v.price_currency_code as c, v.base_currency_code as b
      from mart.position_valuation v
     where v.business_date between %(first)s and %(last)s::date + {looked_back}
       and v.superseded_in is null and v.price_currency_code <> v.base_currency_code
), candidate as materialized (
    select distinct c.one, c.two, d.business_date
      from changed c join (select distinct business_date from converted) d
        on d.business_date >= c.rate_date and d.business_date <= c.rate_date + {looked_back}
     where d.business_date = c.rate_date
        or c.serves_later
       and not exists (select from core.fx_rate f
                        where f.business_date = d.business_date
                          and f.business_date between %(first)s and %(last)s::date + {looked_back}
                          and ((f.base_currency_code, f.quote_currency_code) = (c.one, c.two)
                            or (f.base_currency_code, f.quote_currency_code) = (c.two, c.one))
                          and {visible_rate})
), leg as (
    select business_date, one as x, two as y from candidate
    union select business_date, two, one from candidate
)
select distinct v.portfolio_id, v.business_date from converted v
 where exists (select from leg where leg.business_date = v.business_date and leg.x = v.c
                  and (leg.y = v.b or leg.y = any({cross}::text[])))
    or exists (select from leg where leg.business_date = v.business_date and leg.x = v.b
                  and leg.y = any({cross}::text[]))
"""

# What a publication's new versions change, and from when until when: the state that the version's
# first day had just before, against the version itself. A first statement also holds for all before.
_VERSIONS = """
with fresh as (
    select v.{key}, v.valid_from, v.valid_to, v.published_in, ({attributes}) as attributes
      from core.{entity}_version v join core.{entity} e using ({key})
     where v.published_in = any(%(causes)s) and e.created_in <> v.published_in
), period as (
    select distinct f.{key},
           case when exists (select from core.{entity}_version w
                              where w.{key} = f.{key} and w.valid_from < f.valid_from and {visible_w})
                then f.valid_from else '-infinity'::date end as first,
           coalesce(f.valid_to, 'infinity'::date) as beyond
      from fresh f
     where f.attributes is distinct from (
           select ({attributes}) from core.{entity}_version v
            where v.{key} = f.{key} and v.published_in < f.published_in
              and (v.superseded_in is null or v.superseded_in >= f.published_in)
              and (v.valid_to is null or f.valid_from < v.valid_to)
            order by v.valid_from limit 1)
)
select distinct h.portfolio_id, h.business_date
  from period join {facts} h on h.{key} = period.{key}
   and h.business_date >= period.first and h.business_date < period.beyond
 where h.superseded_in is null
"""

_INSTRUMENTS = sql.SQL(_VERSIONS).format(
    entity=sql.SQL("instrument"),
    key=sql.SQL("instrument_id"),
    attributes=sql.SQL("v.asset_class_code, v.currency_code, v.quote_unit_code, v.contract_size"),
    facts=sql.SQL("core.holding"),
    visible_w=visible("w"),
)
_PORTFOLIOS = sql.SQL(_VERSIONS).format(
    entity=sql.SQL("portfolio"),
    key=sql.SQL("portfolio_id"),
    attributes=sql.SQL("v.base_currency_code"),
    facts=sql.SQL("mart.portfolio_nav"),
    visible_w=visible("w"),
)

_ADD = "insert into derive_scope (portfolio_id, business_date) {query} on conflict do nothing"

_COMPLETE = """
update derive_scope s
   set base_currency_code = ({portfolio}),
       is_known = exists (select from mart.portfolio_nav n
                           where n.portfolio_id = s.portfolio_id and n.business_date = s.business_date
                             and n.superseded_in is null)
"""


def find_affected(
    connection: psycopg.Connection[Any],
    policy: ValuationPolicy,
    causes: list[Cause],
    known: int,
    *,
    only_portfolios: list[int] | None = None,
) -> dict[str, Any]:
    """Fill `derive_scope` with what `causes` can change; what later statements need to know of it.

    Returns `known`, and `dates` (sorted), `first` and `last` of the scope; `dates` is empty where
    nothing is affected. `only_portfolios` leaves all others out.
    """
    for cause in causes:
        if cause.target is None:
            _add(connection, sql.SQL(_WHOLE_DATES), dates=list(cause.dates), portfolio=cause.portfolio_id)
    for target, query in _queries(policy).items():
        by_target = [cause for cause in causes if cause.target == target]
        if by_target:
            dates = sorted({date for cause in by_target for date in cause.dates})
            _add(
                connection,
                query,
                causes=[cause.publication_id for cause in by_target],
                dates=dates,
                first=dates[0],
                last=dates[-1],
                known=known,
            )
    published = [cause.publication_id for cause in causes if cause.target is not None]
    for query in (_INSTRUMENTS, _PORTFOLIOS):
        _add(connection, query, causes=published, known=known)
    if only_portfolios is not None:
        connection.execute("delete from derive_scope where portfolio_id <> all(%s)", (only_portfolios,))
    return _complete(connection, known)


def _queries(policy: ValuationPolicy) -> dict[str, sql.Composed | sql.SQL]:
    return {
        "core.holding": sql.SQL(_HOLDINGS),
        "core.price": sql.SQL(_PRICES).format(
            rank=rank(policy),
            later_rank=rank(policy, is_later=True),
            looked_back=sql.Literal(policy.price.looked_back_days),
            visible=visible("p"),
            visible_holding=visible("h"),
        ),
        "core.fx_rate": sql.SQL(_RATES).format(
            looked_back=sql.Literal(policy.fx.looked_back_days),
            visible_rate=visible("f"),
            own_day_only=one_of("f.source_code", list(policy.fx.own_day_only)),
            cross=sql.Literal(list(policy.fx.cross_through)),
        ),
    }


def _add(connection: psycopg.Connection[Any], query: sql.Composable, **parameters: Any) -> None:
    connection.execute(sql.SQL(_ADD).format(query=query), parameters)


def _complete(connection: psycopg.Connection[Any], known: int) -> dict[str, Any]:
    base = state_at("portfolio", "s.business_date", "version.base_currency_code", key="s.portfolio_id")
    connection.execute(sql.SQL(_COMPLETE).format(portfolio=base), {"known": known})
    analyze(connection, "derive_scope")
    rows = connection.execute("select distinct business_date from derive_scope order by 1").fetchall()
    dates = [row[0] for row in rows]
    return {
        "known": known,
        "dates": dates,
        "first": dates[0] if dates else None,
        "last": dates[-1] if dates else None,
    }
