"""Transactions: trades and cash movements of portfolios."""

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

_OURS = {
    "portfolio_id": "portfolio_id",
    "transaction_code": "transaction_code",
    "business_date": "business_date",
}


@entity(Fact(portfolios.Transaction))
class Transaction(Node):
    """A trade or cash movement of a portfolio; amounts are in `currencyCode`."""

    code: str = column("transaction_code", "The house's code, unique in the portfolio.", is_filterable=True)
    business_date: dt.date = column("business_date", "Trade date.", is_filterable=True, is_dimension=True)
    settlement_date: dt.date | None = column(
        "settlement_date", "Day of settlement.", is_filterable=True, is_dimension=True
    )
    kind_code: str = column("transaction_kind_code", is_filterable=True, is_dimension=True)
    quantity: Decimal | None = column(
        "quantity", "Units that changed hands.", is_filterable=True, is_sortable=True, is_aggregatable=True
    )
    price: Decimal | None = column(
        "price", "Per unit, in `currencyCode`.", is_aggregatable=True, currency="currency_code"
    )
    gross_amount: Decimal | None = column(
        "gross_amount", "Before fees and taxes, in `currencyCode`.", is_aggregatable=True, currency="currency_code"
    )
    net_amount: Decimal | None = column(
        "net_amount",
        "After fees and taxes, in `currencyCode`.",
        is_filterable=True,
        is_sortable=True,
        is_aggregatable=True,
        currency="currency_code",
    )
    currency_code: str = column(
        "currency_code", "ISO 4217, of price and amounts.", is_filterable=True, is_dimension=True
    )
    portfolio: Portfolio | None = relation(
        "Whose transaction.", on={"portfolio_id": "portfolio_id"}, is_filterable=True, is_dimension=True
    )
    instrument: Instrument | None = relation(
        "What was traded; null for cash movements.",
        on={"instrument_id": "instrument_id"},
        is_filterable=True,
        is_dimension=True,
    )
    history: Connection[TransactionVersion] = relation("What was known of it when, latest first.", on=_OURS, at=At.ANY)
    trust: Trust = trust_of_fact()
    explain: Explanation = explained(
        "'as delivered: ' || {transaction_kind_code} || coalesce(' ' || {quantity}, '')"
        " || coalesce(' at ' || {price}, '')"
        " || coalesce(', net ' || {net_amount} || ' ' || {currency_code}, '')",
        own_row(
            "transaction",
            table="core.transaction",
            label="{transaction_code}",
            value="{net_amount}",
            currency="{currency_code}",
        ),
    )


@versions_of(Transaction)
class TransactionVersion(Version):
    """What was known of a transaction from one publication until another."""

    trust: Trust = trust_of_version()
