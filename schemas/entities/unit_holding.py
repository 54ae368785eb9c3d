"""Units of share classes in clients' accounts, and what they are worth."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING

from fulcrum.graph.declare import At, column, entity, plain, relation
from fulcrum.graph.histories import Version, versions_of
from fulcrum.graph.relay import Connection, Node
from fulcrum.graph.sources import Fact
from fulcrum.warehouse.models import portfolios
from schemas.entities.conditions import AS_OF, holds, known, on_day
from schemas.entities.explanation import Explanation, explained, input_row, own_row
from schemas.entities.trust import Trust, trust_of_fact, trust_of_version

if TYPE_CHECKING:
    from schemas.entities.account import Account
    from schemas.entities.share_class import ShareClass

UNIT_PRICE = f"""
select q.price, q.business_date as price_date, q.source_code,
  coalesce(q.currency_code, c.currency_code) as currency_code, q.instrument_id, q.published_in
from core.share_class_version c
join core.instrument_identifier x on x.scheme = 'ISIN' and x.value = c.isin
  and {holds("x")}
join core.price q on q.instrument_id = x.instrument_id and q.price_type_code = 'NAV' and q.business_date <= {AS_OF}
  and {known("q")}
where c.share_class_id = SHARE_CLASS and {holds("c")}
order by q.business_date desc, q.source_code limit 1
"""

_PRICED = UNIT_PRICE.replace("SHARE_CLASS", "h.share_class_id")

VALUED_UNITS = f"""
  select h.units * p.price as amount, coalesce(p.currency_code, h.currency_code) as currency_code
  from core.unit_holding h left join lateral ({_PRICED}) p on true
  where h.account_id = a.account_id and {on_day("h")}
"""
"""Amount and currency of each holding of units in the account of `a`, for sums over accounts."""

_VALUE = f"""
select {{units}} * p.price as amount, p.currency_code, p.price as unit_price, p.price_date,
  p.source_code, {{business_date}} - p.price_date as staleness_days, {{account_id}} as account_id,
  {{share_class_id}} as share_class_id, {{business_date}} as business_date, {{units}} as units,
  {{published_in}} as published_in, p.instrument_id, p.published_in as price_publication_id
from ({UNIT_PRICE.replace("SHARE_CLASS", "{share_class_id}")}) p
"""


_UNITS = input_row(
    "units",
    "core.unit_holding",
    label="'units'",
    value="x.units",
    currency="null::text",
    where="x.account_id = {account_id} and x.share_class_id = {share_class_id}"
    " and x.business_date = {business_date} and x.published_in = {published_in}",
)
_PRICE = input_row(
    "price",
    "core.price",
    label="x.price_type_code || ' of ' || x.source_code",
    value="x.price",
    currency="{currency_code}",
    where="x.instrument_id = {instrument_id} and x.business_date = {price_date} and x.price_type_code = 'NAV'"
    " and x.source_code = {source_code} and x.published_in = {price_publication_id}",
)


@plain
class UnitValue:
    """Units times the latest published price of one unit (type NAV, by the ISIN of the share class)."""

    amount: Decimal = column("amount", "Units x unit price.")
    currency_code: str | None = column("currency_code", "ISO 4217.")
    unit_price: Decimal = column("unit_price", "Price of one unit.")
    price_date: dt.date = column("price_date", "Its business date.")
    price_source_code: str = column("source_code", "Who said it.")
    staleness_days: int = column("staleness_days", "Days between the business date and that of the price.")
    explain: Explanation = explained(
        "{units} || ' x ' || {unit_price} || ' = ' || {amount} || coalesce(' ' || {currency_code}, '')",
        _UNITS,
        _PRICE,
        shows=("core.unit_holding.units", "core.price.price"),
        rests_on="array[{published_in}, {price_publication_id}]",
    )


_OURS = {"account_id": "account_id", "share_class_id": "share_class_id", "business_date": "business_date"}


@entity(Fact(portfolios.UnitHolding))
class UnitHolding(Node):
    """Units of a share class in a client's account at the end of a business date."""

    business_date: dt.date = column("business_date", "End of this day.", is_filterable=True, is_dimension=True)
    units: Decimal = column("units", "Number of units.", is_sortable=True, is_aggregatable=True)
    cost: Decimal | None = column(
        "cost", "What they cost, in `currencyCode`.", is_aggregatable=True, currency="currency_code"
    )
    currency_code: str | None = column("currency_code", "ISO 4217, of the cost.", is_dimension=True)
    account: Account | None = relation(
        "The account.", on={"account_id": "account_id"}, is_filterable=True, is_dimension=True
    )
    share_class: ShareClass | None = relation(
        "What is held.", on={"share_class_id": "share_class_id"}, is_filterable=True, is_dimension=True
    )
    value: UnitValue | None = relation(
        "What they are worth; null without a published unit price.", rows=_VALUE, shows=("core.unit_holding.units",)
    )
    history: Connection[UnitHoldingVersion] = relation("What was known of it when, latest first.", on=_OURS, at=At.ANY)
    trust: Trust = trust_of_fact()
    explain: Explanation = explained(
        "'as delivered: ' || {units} || ' units'",
        own_row("units", table="core.unit_holding", label="'units'", value="{units}", currency="null::text"),
    )


@versions_of(UnitHolding)
class UnitHoldingVersion(Version):
    """What was known of a holding of units from one publication until another."""

    trust: Trust = trust_of_version()
