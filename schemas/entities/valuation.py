"""Valuations: holdings valued with the chosen price and exchange rate."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING

from fulcrum.graph.declare import At, column, entity, relation
from fulcrum.graph.histories import Version, versions_of
from fulcrum.graph.relay import Connection, Node
from fulcrum.graph.sources import Fact
from fulcrum.warehouse.models import mart
from schemas.entities.explanation import Explanation, explained, input_row
from schemas.entities.trust import Trust, trust_of_derived, trust_of_version

if TYPE_CHECKING:
    from schemas.entities.holding import Holding
    from schemas.entities.instrument import Instrument
    from schemas.entities.portfolio import Portfolio

_CALCULATION = """
case when {market_value_local} is null then {valuation_status_code}
else {quantity} || ' x ' || {price} || ' x ' || {contract_size} || ' x ' || {quote_factor} || ' = '
  || {market_value_local} || coalesce(' ' || {price_currency_code}, '')
  || case when {market_value_base} is null then '; ' || {valuation_status_code}
     else '; x ' || {fx_rate} || ' (' || {fx_path} || ') = ' || {market_value_base} || ' ' || {base_currency_code} end
end
"""

_SAME_POSITION = (
    "x.portfolio_id = {portfolio_id} and x.business_date = {business_date} and x.instrument_id = {instrument_id}"
    " and x.position_code = {position_code} and x.published_in = {holding_publication_id}"
)
_HOLDING = input_row(
    "holding", "core.holding", label="'quantity'", value="x.quantity", currency="null::text", where=_SAME_POSITION
)
_PRICE = input_row(
    "price",
    "core.price",
    label="x.price_type_code || ' of ' || x.source_code",
    value="x.price",
    currency="{price_currency_code}",
    where="x.instrument_id = {instrument_id} and x.business_date = {price_date}"
    " and x.price_type_code = {price_type_code} and x.source_code = {price_source_code}"
    " and x.published_in = {price_publication_id}",
)
_REPORTED_PRICE = input_row(
    "price",
    "core.holding",
    label="'REPORTED of HOLDING'",
    value="x.price",
    currency="{price_currency_code}",
    where=f"{{price_type_code}} = 'REPORTED' and {_SAME_POSITION}",
)
# A leg is quoted one way or the other; of a publication with many dates the latest rate was used.
_FX_LEGS = input_row(
    "fx",
    "core.fx_rate",
    label="x.base_currency_code || '/' || x.quote_currency_code || ' of ' || x.source_code",
    value="x.rate",
    currency="x.quote_currency_code",
    where="x.published_in = any({fx_publication_ids}) and x.business_date between {fx_date} and {business_date}"
    " and ('>' || {fx_path} || '>' like '%>' || x.base_currency_code || '>' || x.quote_currency_code || '>%'"
    " or '>' || {fx_path} || '>' like '%>' || x.quote_currency_code || '>' || x.base_currency_code || '>%')"
    " and not exists (select from core.fx_rate later where later.published_in = x.published_in"
    " and later.base_currency_code = x.base_currency_code and later.quote_currency_code = x.quote_currency_code"
    " and later.source_code = x.source_code and later.business_date > x.business_date"
    " and later.business_date <= {business_date})",
)
_POSITION = {
    "portfolio_id": "portfolio_id",
    "business_date": "business_date",
    "instrument_id": "instrument_id",
    "position_code": "position_code",
}


@entity(Fact(mart.PositionValuation))
class Valuation(Node):
    """One holding valued with the chosen price and rate, exactly; no value without its inputs."""

    business_date: dt.date = column("business_date", "End of this day.", is_filterable=True, is_dimension=True)
    position_code: str = column("position_code", "Tells lines of one instrument apart; empty where there is one.")
    quantity: Decimal | None = column("quantity", "Negative: short.", is_aggregatable=True)
    price: Decimal | None = column("price", "The chosen price, as quoted.")
    price_date: dt.date | None = column("price_date", "Business date of the price.", is_aggregatable=True)
    price_type_code: str | None = column("price_type_code", "Type of the price.", is_filterable=True, is_dimension=True)
    price_source_code: str | None = column(
        "price_source_code", "Source of the price.", is_filterable=True, is_dimension=True
    )
    price_currency_code: str | None = column("price_currency_code", "ISO 4217.", is_filterable=True, is_dimension=True)
    quote_factor: Decimal | None = column("quote_factor", "0.01 for pence and for prices per 100 nominal, else 1.")
    contract_size: Decimal | None = column("contract_size", "Units of the underlying per contract.")
    market_value_local: Decimal | None = column(
        "market_value_local",
        "Quantity x price x contract size x quote factor, in `priceCurrencyCode`.",
        is_aggregatable=True,
        currency="price_currency_code",
    )
    fx_rate: Decimal | None = column("fx_rate", "Units of `baseCurrencyCode` per unit of `priceCurrencyCode`.")
    fx_date: dt.date | None = column("fx_date", "Business date of the oldest leg of the rate.")
    fx_path: str | None = column("fx_path", "Currencies that the rate leads through, as in `GBP>EUR>USD`.")
    base_currency_code: str | None = column(
        "base_currency_code", "ISO 4217, of the portfolio.", is_filterable=True, is_dimension=True
    )
    market_value_base: Decimal | None = column(
        "market_value_base",
        "In `baseCurrencyCode`; null as the status says.",
        is_filterable=True,
        is_sortable=True,
        is_aggregatable=True,
        currency="base_currency_code",
    )
    status_code: str = column(
        "valuation_status_code",
        "VALUED..., or why there is no value.",
        is_filterable=True,
        is_sortable=True,
        is_dimension=True,
    )
    portfolio: Portfolio | None = relation(
        "Whose position.", on={"portfolio_id": "portfolio_id"}, is_filterable=True, is_dimension=True
    )
    instrument: Instrument | None = relation(
        "Of what.", on={"instrument_id": "instrument_id"}, is_filterable=True, is_dimension=True
    )
    holding: Holding | None = relation("The holding as it is known now.", on=_POSITION, at=At.ANY, is_filterable=True)
    history: Connection[ValuationVersion] = relation(
        "What was known of it when, latest first.", on=_POSITION, at=At.ANY
    )
    trust: Trust = trust_of_derived(
        staleness="{business_date} - {price_date}",
        flags="case when {valuation_status_code} = 'VALUED' then array[]::text[]"
        " else array[{valuation_status_code}] end",
        rests_on="array_remove(array[{holding_publication_id}, {price_publication_id}], null)"
        " || coalesce({fx_publication_ids}, '{}')",
    )
    explain: Explanation = explained(
        _CALCULATION,
        _HOLDING,
        _PRICE,
        _REPORTED_PRICE,
        _FX_LEGS,
        shows=("core.holding.quantity", "core.holding.price", "core.price.price", "core.fx_rate.rate"),
    )


@versions_of(Valuation)
class ValuationVersion(Version):
    """What was known of a valuation from one publication until another."""

    trust: Trust = trust_of_version()
