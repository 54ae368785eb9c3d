"""Holdings: what portfolios held, as their sources report it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING

from fulcrum.graph.declare import At, column, entity, relation
from fulcrum.graph.histories import Version, versions_of
from fulcrum.graph.relay import Connection, Node
from fulcrum.graph.sources import Fact
from fulcrum.warehouse.models import portfolios
from schemas.entities.explanation import Explanation, explained, own_row
from schemas.entities.trust import Trust, trust_of_fact, trust_of_version

if TYPE_CHECKING:
    from schemas.entities.instrument import Instrument
    from schemas.entities.portfolio import Portfolio
    from schemas.entities.valuation import Valuation


_POSITION = {
    "portfolio_id": "portfolio_id",
    "business_date": "business_date",
    "instrument_id": "instrument_id",
    "position_code": "position_code",
}


@entity(Fact(portfolios.Holding))
class Holding(Node):
    """What a portfolio held of an instrument at the end of a business date, as the source reports it."""

    business_date: dt.date = column("business_date", "End of this day.", is_filterable=True, is_dimension=True)
    position_code: str = column("position_code", "Tells lines of one instrument apart; empty where there is one.")
    quantity: Decimal | None = column("quantity", is_filterable=True, is_sortable=True, is_aggregatable=True)
    price: Decimal | None = column(
        "price", "As reported, in `currencyCode`.", is_aggregatable=True, currency="currency_code"
    )
    market_value: Decimal | None = column(
        "market_value",
        "As reported, in `currencyCode`.",
        is_filterable=True,
        is_sortable=True,
        is_aggregatable=True,
        currency="currency_code",
    )
    notional_value: Decimal | None = column(
        "notional_value", "As reported, in `currencyCode`.", is_aggregatable=True, currency="currency_code"
    )
    cost: Decimal | None = column(
        "cost", "As reported, in `currencyCode`.", is_aggregatable=True, currency="currency_code"
    )
    currency_code: str | None = column("currency_code", is_filterable=True, is_dimension=True)
    quote_currency_code: str | None = column("quote_currency_code", "ISO 4217, of the quotation.")
    fx_rate: Decimal | None = column("fx_rate", "Units of `quoteCurrencyCode` per unit of `currencyCode`.")
    weight_pct: Decimal | None = column(
        "weight_pct", "Weight in the portfolio in percent, as reported.", is_aggregatable=True
    )
    portfolio: Portfolio | None = relation(
        "Who holds it.", on={"portfolio_id": "portfolio_id"}, is_filterable=True, is_dimension=True
    )
    instrument: Instrument | None = relation(
        "What is held.", on={"instrument_id": "instrument_id"}, is_filterable=True, is_dimension=True
    )
    valuation: Valuation | None = relation("What Fulcrum makes of it.", on=_POSITION, at=At.ANY, is_filterable=True)
    history: Connection[HoldingVersion] = relation("What was known of it when, latest first.", on=_POSITION, at=At.ANY)
    trust: Trust = trust_of_fact()
    explain: Explanation = explained(
        "'as delivered: ' || coalesce({quantity}::text, 'no quantity')",
        own_row("holding", table="core.holding", label="'quantity'", value="{quantity}", currency="null::text"),
    )


@versions_of(Holding)
class HoldingVersion(Version):
    """What was known of a holding from one publication until another."""

    trust: Trust = trust_of_version()
