"""Prices of instruments, as quoted, and exchange rates."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING

from fulcrum.graph.declare import At, column, entity, relation
from fulcrum.graph.histories import Version, versions_of
from fulcrum.graph.relay import Connection, Node
from fulcrum.graph.sources import Fact
from fulcrum.warehouse.models import instruments
from schemas.entities.explanation import Explanation, explained, own_row
from schemas.entities.trust import Trust, trust_of_fact, trust_of_version

if TYPE_CHECKING:
    from schemas.entities.instrument import Instrument


_PRICE = {
    "instrument_id": "instrument_id",
    "business_date": "business_date",
    "price_type_code": "price_type_code",
    "source_code": "source_code",
}
_RATE = {
    "base_currency_code": "base_currency_code",
    "quote_currency_code": "quote_currency_code",
    "business_date": "business_date",
    "source_code": "source_code",
}


@entity(Fact(instruments.Price))
class Price(Node):
    """One price of an instrument on a date, of one type from one source, as quoted."""

    business_date: dt.date = column("business_date", "Its day.", is_filterable=True, is_dimension=True)
    type_code: str = column("price_type_code", is_filterable=True, is_dimension=True)
    source_code: str = column("source_code", "Who said it.", is_filterable=True, is_dimension=True)
    price: Decimal = column(
        "price",
        "As quoted, in `currencyCode` and `quoteUnitCode`.",
        is_filterable=True,
        is_aggregatable=True,
        currency="currency_code",
    )
    currency_code: str | None = column("currency_code", is_filterable=True, is_dimension=True)
    quote_unit_code: str | None = column("quote_unit_code")
    open_price: Decimal | None = column("open_price", "First of the day.")
    high_price: Decimal | None = column("high_price", "Highest of the day.")
    low_price: Decimal | None = column("low_price", "Lowest of the day.")
    volume: Decimal | None = column("volume", "Traded quantity.", is_aggregatable=True)
    instrument: Instrument | None = relation(
        "What it prices.", on={"instrument_id": "instrument_id"}, is_filterable=True, is_dimension=True
    )
    history: Connection[PriceVersion] = relation("What was known of it when, latest first.", on=_PRICE, at=At.ANY)
    trust: Trust = trust_of_fact()
    explain: Explanation = explained(
        "'as delivered: ' || {price} || coalesce(' ' || {currency_code}, '')",
        own_row(
            "price",
            table="core.price",
            label="{price_type_code} || ' of ' || {source_code}",
            value="{price}",
            currency="{currency_code}",
        ),
    )


@versions_of(Price)
class PriceVersion(Version):
    """What was known of a price from one publication until another."""

    trust: Trust = trust_of_version()


@entity(Fact(instruments.FxRate))
class FxRate(Node):
    """How many units of the quote currency one unit of the base currency is worth."""

    base_currency_code: str = column("base_currency_code", "ISO 4217.", is_filterable=True, is_dimension=True)
    quote_currency_code: str = column("quote_currency_code", "ISO 4217.", is_filterable=True, is_dimension=True)
    business_date: dt.date = column("business_date", "Its day.", is_filterable=True, is_dimension=True)
    source_code: str = column("source_code", "Who said it.", is_filterable=True, is_dimension=True)
    rate: Decimal = column("rate", "Units of the quote currency per unit of the base currency.", is_aggregatable=True)
    history: Connection[FxRateVersion] = relation("What was known of it when, latest first.", on=_RATE, at=At.ANY)
    trust: Trust = trust_of_fact()
    explain: Explanation = explained(
        "'as delivered: ' || {rate}",
        own_row(
            "fx",
            table="core.fx_rate",
            label="{base_currency_code} || '/' || {quote_currency_code} || ' of ' || {source_code}",
            value="{rate}",
            currency="{quote_currency_code}",
        ),
    )


@versions_of(FxRate)
class FxRateVersion(Version):
    """What was known of an exchange rate from one publication until another."""

    trust: Trust = trust_of_version()
