"""What became known between an earlier knowledge time and that of the operation.

Both sides are read at the operation's business date, so a difference is a restatement, a revaluation,
or news; never the passing of a day.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING

import strawberry

from fulcrum.graph.declare import Argument, column, entity, plain, relation
from fulcrum.graph.relay import Connection
from fulcrum.graph.scalars import BigInt
from fulcrum.graph.sources import Derived
from schemas.entities.conditions import on_day

if TYPE_CHECKING:
    from schemas.entities.instrument import Instrument
    from schemas.entities.portfolio import Portfolio
    from schemas.entities.publication import Publication


@strawberry.input(one_of=True, description="Exactly one way to name an earlier state of knowledge.")
class Since:
    """Since when."""

    known_at: dt.datetime | None = strawberry.field(default=strawberry.UNSET, description="What was known then.")
    publication: int | None = strawberry.field(
        default=strawberry.UNSET, description="What was known with this publication: the `dataVersion` of an answer."
    )


SINCE = {"since": Argument(Since, "The earlier state to compare with; a later one than the operation's is the same.")}
"""The argument of fields whose templates are `BETWEEN`."""

_BEFORE = """least({version}, coalesce({argument_since_publication},
  (select p.publication_id from governance.publication p where p.known_at <= {argument_since_known_at}
   order by p.known_at desc limit 1), 0))"""
_BETWEEN = f"""
select b.n as since_publication, {{version}} as until_publication,
  (select p.known_at from governance.publication p where p.publication_id = b.n) as since_known_at,
  (select p.known_at from governance.publication p where p.publication_id = {{version}}) as until_known_at OWN
from (select {_BEFORE} as n) b
"""
BETWEEN = _BETWEEN.replace("OWN", "")
"""One row: both ends of the period."""
BETWEEN_OF_PORTFOLIO = _BETWEEN.replace("OWN", ", {portfolio_id} as portfolio_id")
"""The same, of one portfolio."""

_NEW = "x.publication_id > {since_publication} and x.publication_id <= {until_publication}"
_TARGETS = f"""
select x.target, count(*) as publications, sum(x.rows_published) as rows_published,
  sum(x.rows_superseded) as rows_superseded, min(x.business_date_from) as business_date_from,
  max(x.business_date_to) as business_date_to, max(x.known_at) as last_known_at
from governance.publication x where {_NEW} group by x.target order by x.target
"""


_AT = {"b": "{since_publication}", "a": "{until_publication}"}


def _both(before: str, after: str, *names: str) -> str:
    return ", ".join(f"{before}.{name} as {name}_before, {after}.{name} as {name}_after" for name in names)


def _side(alias: str, table: str) -> str:
    """The rows of one portfolio and day; the last letter of `alias` says as known before or after."""
    where = f"x.portfolio_id = {{portfolio_id}} and {on_day('x', _AT[alias[-1]])}"
    return f"(select x.* from {table} x where {where}) {alias}"


_HELD = ("quantity", "price", "market_value", "currency_code")
_VALUED = ("market_value_base", "base_currency_code", "valuation_status_code")
_POSITIONS = f"""
select c.*, row_number() over (order by
  abs(coalesce(c.market_value_base_after, 0) - coalesce(c.market_value_base_before, 0)) desc,
  c.instrument_id, c.position_code) as rank
from (
  select instrument_id, position_code, {_both("hb", "ha", *_HELD)}, {_both("vb", "va", *_VALUED)},
    case when hb.published_in is not distinct from ha.published_in then 'REVALUED'
      when hb.published_in is null then 'ADDED' when ha.published_in is null then 'REMOVED' else 'RESTATED'
    end as kind_code
  from {_side("hb", "core.holding")}
  full join {_side("ha", "core.holding")} using (instrument_id, position_code)
  full join {_side("vb", "mart.position_valuation")} using (instrument_id, position_code)
  full join {_side("va", "mart.position_valuation")} using (instrument_id, position_code)
  where hb.published_in is distinct from ha.published_in or vb.published_in is distinct from va.published_in
) c
"""


_SHOWN = (
    *(f"core.holding.{name}" for name in _HELD),
    *(f"mart.position_valuation.{name}" for name in _VALUED),
)
_NAV = ("mart.portfolio_nav.nav_base",)


def _navs(of: str) -> str:
    """Net asset values that differ, largest difference first; `of` narrows alias x."""
    before, after = (f"(select x.* from mart.portfolio_nav x where {of}{on_day('x', at)})" for at in _AT.values())
    names = ("nav_base", "base_currency_code", "positions", "positions_valued", "is_complete")
    return f"""
select c.*, row_number() over (order by abs(c.delta_base) desc nulls last, c.portfolio_id) as rank
from (
  select portfolio_id, {_both("b", "a", *names)},
    case when a.base_currency_code = b.base_currency_code then a.nav_base - b.nav_base end as delta_base
  from {before} b full join {after} a using (portfolio_id) where a.published_in is distinct from b.published_in
) c
"""


def _types(names: dict[str, str]) -> dict[str, str]:
    return {f"{name}_{side}": f"{kind}?" for name, kind in names.items() for side in ("before", "after")}


@entity(
    Derived(
        order=("rank",),
        columns={
            "rank": "bigint",
            "instrument_id": "bigint",
            "position_code": "text",
            "kind_code": "text",
            **_types(dict.fromkeys(("quantity", "price", "market_value", "market_value_base"), "numeric")),
            **_types(dict.fromkeys(("currency_code", "base_currency_code", "valuation_status_code"), "text")),
        },
    )
)
class PositionChange:
    """A position of a portfolio that is known otherwise than before."""

    rank: int = column("rank", "Place by the difference of the valuation, largest first.")
    kind_code: str = column(
        "kind_code",
        "ADDED or REMOVED as a holding, RESTATED: held otherwise, REVALUED: only valued otherwise.",
        is_filterable=True,
    )
    position_code: str = column("position_code", "Tells lines of one instrument apart; empty where there is one.")
    quantity_before: Decimal | None = column("quantity_before", "Quantity as known before.")
    quantity_after: Decimal | None = column("quantity_after", "Quantity as known now.")
    price_before: Decimal | None = column("price_before", "Reported price before, in `currencyCodeBefore`.")
    price_after: Decimal | None = column("price_after", "Reported price now, in `currencyCodeAfter`.")
    market_value_before: Decimal | None = column(
        "market_value_before", "Reported market value before, in `currencyCodeBefore`."
    )
    market_value_after: Decimal | None = column(
        "market_value_after", "Reported market value now, in `currencyCodeAfter`."
    )
    currency_code_before: str | None = column("currency_code_before", "ISO 4217, of what was reported before.")
    currency_code_after: str | None = column("currency_code_after", "ISO 4217, of what is reported now.")
    value_base_before: Decimal | None = column(
        "market_value_base_before", "Valuation before, in `baseCurrencyCodeBefore`."
    )
    value_base_after: Decimal | None = column("market_value_base_after", "Valuation now, in `baseCurrencyCodeAfter`.")
    base_currency_code_before: str | None = column("base_currency_code_before", "ISO 4217, of the valuation before.")
    base_currency_code_after: str | None = column("base_currency_code_after", "ISO 4217, of the valuation now.")
    status_code_before: str | None = column("valuation_status_code_before", "Status of the valuation before.")
    status_code_after: str | None = column("valuation_status_code_after", "Status of the valuation now.")
    instrument: Instrument | None = relation("Of what.", on={"instrument_id": "instrument_id"})


@entity(
    Derived(
        order=("rank",),
        columns={
            "rank": "bigint",
            "portfolio_id": "bigint",
            "delta_base": "numeric?",
            **_types(dict.fromkeys(("positions", "positions_valued"), "bigint")),
            **_types({"nav_base": "numeric", "base_currency_code": "text", "is_complete": "boolean"}),
        },
    )
)
class NavChange:
    """A net asset value of the business date that is known otherwise than before."""

    rank: int = column("rank", "Place by the difference, largest first.")
    nav_base_before: Decimal | None = column("nav_base_before", "As known before, in `baseCurrencyCodeBefore`.")
    nav_base_after: Decimal | None = column("nav_base_after", "As known now, in `baseCurrencyCodeAfter`.")
    delta_base: Decimal | None = column(
        "delta_base", "Now less before, in `baseCurrencyCodeAfter`; null where one is missing or the currency changed."
    )
    base_currency_code_before: str | None = column("base_currency_code_before", "ISO 4217, before.")
    base_currency_code_after: str | None = column("base_currency_code_after", "ISO 4217, now.")
    positions_before: int | None = column("positions_before", "Positions before.")
    positions_after: int | None = column("positions_after", "Positions now.")
    positions_valued_before: int | None = column("positions_valued_before", "Positions with a value before.")
    positions_valued_after: int | None = column("positions_valued_after", "Positions with a value now.")
    is_complete_before: bool | None = column("is_complete_before", "Whether every position had a value.")
    is_complete_after: bool | None = column("is_complete_after", "Whether every position has a value now.")
    portfolio: Portfolio | None = relation("Whose.", on={"portfolio_id": "portfolio_id"})


@plain
class PortfolioChanges:
    """What became known of a portfolio's business date between two states of knowledge."""

    since_publication: int = column("since_publication", "Last publication of the earlier state; 0: none.")
    since_known_at: dt.datetime | None = column("since_known_at", "When that was known.")
    until_publication: int = column("until_publication", "Publication of the operation.")
    until_known_at: dt.datetime | None = column("until_known_at", "When that was known.")
    positions: Connection[PositionChange] = relation(
        "Positions that are known otherwise, largest difference of value first.", rows=_POSITIONS, shows=_SHOWN
    )
    nav: NavChange | None = relation(
        "Its net asset value; null if that did not change.",
        rows=_navs("x.portfolio_id = {portfolio_id} and "),
        shows=_NAV,
    )


@plain
class TargetChange:
    """What publications changed in one table of the warehouse."""

    target: str = column("target", "The table.")
    publications: int = column("publications", "How many publications.")
    rows_published: BigInt = column("rows_published", "Rows that became known.")
    rows_superseded: BigInt = column("rows_superseded", "Rows that were replaced or ended.")
    business_date_from: dt.date | None = column("business_date_from", "First business date touched.")
    business_date_to: dt.date | None = column("business_date_to", "Last business date touched.")
    last_known_at: dt.datetime = column("last_known_at", "When the last of it was known.")


@plain
class Changes:
    """What became known between two states of knowledge."""

    since_publication: int = column("since_publication", "Last publication of the earlier state; 0: none.")
    since_known_at: dt.datetime | None = column("since_known_at", "When that was known.")
    until_publication: int = column("until_publication", "Publication of the operation.")
    until_known_at: dt.datetime | None = column("until_known_at", "When that was known.")
    targets: list[TargetChange] = relation("By table.", rows=_TARGETS)
    publications: Connection[Publication] = relation(
        "The publications between, latest first.",
        among={"publication_id": f"select x.publication_id from governance.publication x where {_NEW}"},
    )
    navs: Connection[NavChange] = relation(
        "Net asset values of the business date that are known otherwise, largest difference first.",
        rows=_navs(""),
        shows=_NAV,
    )
