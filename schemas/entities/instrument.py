"""Instruments, the identifiers that name them, and how to find one."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING

import strawberry

from fulcrum.graph.declare import At, column, entity, relation
from fulcrum.graph.relay import Connection, Node
from fulcrum.graph.sources import Dated, Versioned
from fulcrum.warehouse.models import instruments
from schemas.entities.trust import Trust, trust_of_entity, trust_of_identifier

if TYPE_CHECKING:
    from schemas.entities.issuer import Issuer
    from schemas.entities.price import Price

_OURS = {"instrument_id": "instrument_id"}
_STATED = (
    " and x.published_in <= {version} and (x.superseded_in is null or x.superseded_in > {version})"
    " and x.valid_from <= {as_of} and (x.valid_to is null or {as_of} < x.valid_to)"
)
_NAMED = (
    "{instrument_id} = (select x.instrument_id from core.instrument_identifier x"
    " where x.scheme = SCHEME and x.value = VALUE" + _STATED + ")"
)
_ISIN = (
    "select min(x.value) from core.instrument_identifier x"
    " where x.instrument_id = {instrument_id} and x.scheme = 'ISIN'" + _STATED
)


def _named(scheme: str, value: str) -> str:
    return _NAMED.replace("SCHEME", scheme).replace("VALUE", value)


NAMED_BY_ISIN = _named("'ISIN'", "{value}")
"""The condition of the instrument whose ISIN is `{value}`."""


@entity(Versioned(instruments.Instrument, instruments.InstrumentVersion), isin=NAMED_BY_ISIN)
class Instrument(Node):
    """Something that can be held and priced."""

    code: str = column("instrument_code", is_filterable=True)
    name: str | None = column("instrument_name", "What it is called.", is_sortable=True)
    isin: str | None = column(description="ISO 6166, on the business date; of several the first.", sql=_ISIN)
    asset_class_code: str | None = column("asset_class_code", is_filterable=True)
    cfi_code: str | None = column("cfi_code")
    currency_code: str | None = column("currency_code", is_filterable=True)
    quote_unit_code: str | None = column("quote_unit_code")
    contract_size: Decimal | None = column("contract_size", "Units of the underlying per contract.")
    issuer_name: str | None = column("issuer_name")
    country_code: str | None = column("country_code", is_filterable=True)
    country_name: str | None = column("country_name")
    sector_name: str | None = column("sector_name", "Sector, as the source writes it.", is_filterable=True)
    exchange_code: str | None = column("exchange_code", is_filterable=True)
    exchange_name: str | None = column("exchange_name")
    maturity_date: dt.date | None = column("maturity_date", "Last day of a debt.", is_filterable=True)
    coupon_pct: Decimal | None = column("coupon_pct", "Yearly coupon in percent.")
    is_provisional: bool | None = column("is_provisional", is_filterable=True)
    issuer: Issuer | None = relation("Who issued it.", on={"issuer_id": "issuer_id"})
    identifiers: list[InstrumentIdentifier] = relation(
        "Its identifiers on the business date.", on=_OURS, order=("scheme", "value")
    )
    prices: Connection[Price] = relation(
        "Its prices up to the business date, latest first.",
        on=_OURS,
        at=At.UNTIL,
        order=("-business_date", "price_type_code", "source_code"),
    )
    latest_price: Price | None = relation(
        "The last price up to the business date; on one day, the first by type and source.",
        on=_OURS,
        at=At.LATEST,
        is_narrow=True,
    )
    trust: Trust = trust_of_entity()


@entity(Dated(instruments.InstrumentIdentifier, order=("scheme", "value", "valid_from", "instrument_id")))
class InstrumentIdentifier:
    """A name that some scheme gives to an instrument, for a period."""

    scheme: str = column("scheme", "ISIN, CUSIP, SEDOL, FIGI, TICKER, or a vendor's.", is_filterable=True)
    value: str = column("value", "The identifier.", is_filterable=True)
    valid_from: dt.date | None = column(
        description="First day; null: nobody told a beginning.", sql="nullif({valid_from}, date '0001-01-01')"
    )
    valid_to: dt.date | None = column("valid_to", "Day after the last; null: open.")
    instrument: Instrument | None = relation("What it names.", on=_OURS)
    trust: Trust = trust_of_identifier()


@strawberry.input(description="An identifier within its scheme.")
class IdentifierKey:
    """Scheme and value."""

    scheme: str = strawberry.field(description="ISIN, CUSIP, SEDOL, FIGI, TICKER, or a vendor's.")
    value: str = strawberry.field(description="The identifier, as in `AAPL@US` for a ticker.")


@strawberry.input(one_of=True, description="Exactly one way to name an instrument.")
class InstrumentBy:
    """How to find an instrument."""

    code: str | None = strawberry.field(default=strawberry.UNSET, description="Code, as in `ISIN:US0378331005`.")
    isin: str | None = strawberry.field(default=strawberry.UNSET, description="ISO 6166.")
    cusip: str | None = strawberry.field(default=strawberry.UNSET, description="CUSIP.")
    sedol: str | None = strawberry.field(default=strawberry.UNSET, description="SEDOL.")
    figi: str | None = strawberry.field(default=strawberry.UNSET, description="FIGI.")
    identifier: IdentifierKey | None = strawberry.field(default=strawberry.UNSET, description="Any scheme and value.")


INSTRUMENT_BY = {
    "code": "{instrument_code} = {value}",
    **{scheme: _named(f"'{scheme.upper()}'", "{value}") for scheme in ("isin", "cusip", "sedol", "figi")},
    "identifier": _named("{value_scheme}", "{value_value}"),
}
"""The condition of each way in `InstrumentBy`."""
