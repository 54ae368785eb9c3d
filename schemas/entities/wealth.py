"""What a client owns: units of funds at their published price, and mandates; by currency or asset class.

Amounts of different currencies are never added up.
"""

from __future__ import annotations

from decimal import Decimal

from fulcrum.graph.declare import column, plain
from schemas.entities.conditions import AS_OF, holds, on_day
from schemas.entities.explanation import Explanation, explained
from schemas.entities.trust import INPUTS_OF_VALUATION
from schemas.entities.unit_holding import UNIT_PRICE, VALUED_UNITS

SHOWN = ("core.unit_holding.units", "mart.portfolio_nav.nav_base")
SHOWN_BY_ASSET_CLASS = ("core.unit_holding.units", "mart.position_valuation.market_value_base")
"""The columns that sums are made of."""
_UNITS = f"""
  select u.currency_code, u.amount, u.amount is not null as is_whole, false as is_mandate, 'FUND' as asset_class_code
  from core.account_version a, lateral ({VALUED_UNITS}) u
  where a.client_id = {{client_id}} and {holds("a")}
"""

BY_CURRENCY = f"""
select w.currency_code, sum(w.amount) as amount,
  count(*) filter (where w.is_mandate) as mandates, count(*) filter (where not w.is_mandate) as unit_holdings,
  coalesce(bool_and(w.is_whole), false) as is_complete, {{client_id}} as client_id
from ({_UNITS}
  union all
  select coalesce(n.base_currency_code, m.base_currency_code), n.nav_base,
    n.nav_base is not null and coalesce(n.is_complete, false), true, null
  from core.portfolio_version m
  left join mart.portfolio_nav n on n.portfolio_id = m.portfolio_id and {on_day("n")}
  where m.client_id = {{client_id}} and m.portfolio_kind_code = 'MANDATE' and {holds("m")}
) w
group by w.currency_code order by w.currency_code
"""

BY_ASSET_CLASS = f"""
select w.asset_class_code, w.currency_code, sum(w.amount) as amount, count(*) as positions,
  coalesce(bool_and(w.is_whole), false) as is_complete, {{client_id}} as client_id
from ({_UNITS}
  union all
  select v.base_currency_code, v.market_value_base, v.market_value_base is not null, true, i.asset_class_code
  from core.portfolio_version m
  join mart.position_valuation v on v.portfolio_id = m.portfolio_id and {on_day("v")}
  left join core.instrument_version i on i.instrument_id = v.instrument_id and {holds("i")}
  where m.client_id = {{client_id}} and m.portfolio_kind_code = 'MANDATE' and {holds("m")}
) w
group by w.asset_class_code, w.currency_code order by w.asset_class_code, w.currency_code
"""

_PRICED = UNIT_PRICE.replace("SHARE_CLASS", "h.share_class_id")
_UNIT_INPUTS = f"""
select 'units' as role, 'core.unit_holding' as source_table, h.business_date,
  (select s.share_class_code from core.share_class s where s.share_class_id = h.share_class_id)
    || ': ' || h.units || coalesce(' x ' || p.price || ' of ' || p.price_date, '') as label,
  h.units * p.price as value, coalesce(p.currency_code, h.currency_code) as currency_code,
  h.published_in, h.delivery_id, h.source_row, 1::bigint as rows
from core.account_version a join core.unit_holding h on h.account_id = a.account_id and {on_day("h")}
left join lateral ({_PRICED}) p on true
where a.client_id = {{client_id}} and {holds("a")} and SLICE
"""
_NAV_INPUTS = f"""
select 'nav', 'mart.portfolio_nav', x.business_date,
  (select c.portfolio_code from core.portfolio c where c.portfolio_id = x.portfolio_id), x.nav_base,
  x.base_currency_code, x.published_in, x.delivery_id, x.source_row, 1::bigint
from core.portfolio_version m join mart.portfolio_nav x on x.portfolio_id = m.portfolio_id and {on_day("x")}
where m.client_id = {{client_id}} and m.portfolio_kind_code = 'MANDATE' and {holds("m")}
  and x.base_currency_code is not distinct from {{currency_code}}
"""
_VALUATION_INPUTS = f"""
select 'valuation', 'mart.position_valuation', {AS_OF},
  (select c.portfolio_code from core.portfolio c where c.portfolio_id = x.portfolio_id)
    || ' ' || x.valuation_status_code,
  sum(x.market_value_base), x.base_currency_code, x.published_in, null::bigint, null::bigint, count(*)
from core.portfolio_version m
join mart.position_valuation x on x.portfolio_id = m.portfolio_id and {on_day("x")}
left join core.instrument_version i on i.instrument_id = x.instrument_id and {holds("i")}
where m.client_id = {{client_id}} and m.portfolio_kind_code = 'MANDATE' and {holds("m")}
  and x.base_currency_code is not distinct from {{currency_code}}
  and i.asset_class_code is not distinct from {{asset_class_code}}
group by x.portfolio_id, x.valuation_status_code, x.base_currency_code, x.published_in
"""
# Of all that the client owns, whatever the currency or asset class.
_RESTS_ON = f"""array(
select h.published_in
from core.account_version a join core.unit_holding h on h.account_id = a.account_id and {on_day("h")}
where a.client_id = {{client_id}} and {holds("a")}
union
select p.published_in
from core.account_version a join core.unit_holding h on h.account_id = a.account_id and {on_day("h")},
  lateral ({_PRICED}) p
where a.client_id = {{client_id}} and {holds("a")}
union
select unnest({INPUTS_OF_VALUATION})
from core.portfolio_version m join mart.position_valuation v on v.portfolio_id = m.portfolio_id and {on_day("v")}
where m.client_id = {{client_id}} and m.portfolio_kind_code = 'MANDATE' and {holds("m")})"""
_SAME_CURRENCY = "coalesce(p.currency_code, h.currency_code) is not distinct from {currency_code}"
_SAID = "coalesce({amount}::text, 'no value') || coalesce(' ' || {currency_code}, '')"


@plain
class Wealth:
    """What a client owns in one currency: units of funds, and mandates at their NAV."""

    currency_code: str | None = column("currency_code", "ISO 4217; null: nothing tells a currency.")
    amount: Decimal | None = column("amount", "Sum of what has a value; null if nothing has.")
    unit_holdings: int = column("unit_holdings", "How many holdings of units are in it.")
    mandates: int = column("mandates", "How many mandates are in it.")
    is_complete: bool = column("is_complete", "False as soon as something in it has no or no whole value.")
    explain: Explanation = explained(
        f"{{unit_holdings}} || ' holdings of units and ' || {{mandates}} || ' mandates = ' || {_SAID}",
        _UNIT_INPUTS.replace("SLICE", _SAME_CURRENCY),
        _NAV_INPUTS,
        shows=SHOWN,
        rests_on=_RESTS_ON,
    )


@plain
class WealthByAssetClass:
    """What a client owns of one asset class in one currency: mandates looked through, units as FUND."""

    asset_class_code: str | None = column(
        "asset_class_code", "Asset class of the instruments, FUND for units; null: nothing tells one."
    )
    currency_code: str | None = column("currency_code", "ISO 4217; null: nothing tells a currency.")
    amount: Decimal | None = column("amount", "Sum of what has a value; null if nothing has.")
    positions: int = column("positions", "How many positions and holdings of units are in it.")
    is_complete: bool = column("is_complete", "False as soon as something in it has no value.")
    explain: Explanation = explained(
        f"{{positions}} || ' positions = ' || {_SAID}",
        _UNIT_INPUTS.replace("SLICE", f"{{asset_class_code}} = 'FUND' and {_SAME_CURRENCY}"),
        _VALUATION_INPUTS,
        shows=SHOWN_BY_ASSET_CLASS,
        rests_on=_RESTS_ON,
    )
