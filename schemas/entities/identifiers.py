"""Identifiers that schemes give to instruments and clients, and the inputs by which things are looked up.

Whose identifiers they are is said with each entity.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import strawberry

from fulcrum.graph.declare import column, entity, relation
from fulcrum.graph.sources import Dated
from fulcrum.warehouse.models import instruments, parties
from fulcrum.warehouse.publishing.identifiers import US_MARKETS
from schemas.entities.conditions import holds
from schemas.entities.trust import Trust, trust_of_identifier

if TYPE_CHECKING:
    from schemas.entities.client import Client
    from schemas.entities.instrument import Instrument

_BEGINNING = "nullif({valid_from}, date '0001-01-01')"


@entity(Dated(instruments.InstrumentIdentifier, order=("scheme", "value", "valid_from", "instrument_id")))
class InstrumentIdentifier:
    """A name that some scheme gives to an instrument, for a period."""

    scheme: str = column("scheme", "ISIN, CUSIP, SEDOL, FIGI, TICKER@ and a market, or a vendor's.", is_filterable=True)
    value: str = column("value", "The identifier.", is_filterable=True)
    valid_from: dt.date | None = column(description="First day; null: nobody told a beginning.", sql=_BEGINNING)
    valid_to: dt.date | None = column("valid_to", "Day after the last; null: open.")
    instrument: Instrument | None = relation("What it names.", on={"instrument_id": "instrument_id"})
    trust: Trust = trust_of_identifier()


@entity(Dated(parties.ClientIdentifier, order=("scheme", "value", "valid_from", "client_id")))
class ClientIdentifier:
    """A name that some scheme gives to a client, for a period."""

    scheme: str = column("scheme", "LEI, a national register, or a system of the house.", is_filterable=True)
    value: str = column("value", "The identifier.", is_filterable=True)
    valid_from: dt.date | None = column(description="First day; null: nobody told a beginning.", sql=_BEGINNING)
    valid_to: dt.date | None = column("valid_to", "Day after the last; null: open.")
    client: Client | None = relation("Whom it names.", on={"client_id": "client_id"})
    trust: Trust = trust_of_identifier()


@strawberry.input(description="An identifier within its scheme.")
class IdentifierKey:
    """Scheme and value."""

    scheme: str = strawberry.field(description="ISIN, CUSIP, SEDOL, FIGI, LEI, TICKER@ and a market, or a vendor's.")
    value: str = strawberry.field(description="The identifier.")


@strawberry.input(description="A ticker on its market.")
class TickerKey:
    """Ticker and market."""

    ticker: str = strawberry.field(description="The ticker, as in `AAPL`.")
    mic: str = strawberry.field(description="ISO 10383 code of the market; `US` for any exchange of the United States.")


@strawberry.input(one_of=True, description="Exactly one way to name an instrument.")
class InstrumentBy:
    """How to find an instrument."""

    code: str | None = strawberry.field(default=strawberry.UNSET, description="Code, as in `ISIN:US0378331005`.")
    isin: str | None = strawberry.field(default=strawberry.UNSET, description="ISO 6166.")
    cusip: str | None = strawberry.field(default=strawberry.UNSET, description="CUSIP.")
    sedol: str | None = strawberry.field(default=strawberry.UNSET, description="SEDOL.")
    figi: str | None = strawberry.field(default=strawberry.UNSET, description="FIGI.")
    ticker: TickerKey | None = strawberry.field(default=strawberry.UNSET, description="Ticker and market.")
    identifier: IdentifierKey | None = strawberry.field(default=strawberry.UNSET, description="Any scheme and value.")


@strawberry.input(one_of=True, description="Exactly one way to name a client.")
class ClientBy:
    """How to find a client."""

    code: str | None = strawberry.field(default=strawberry.UNSET, description="The house's code.")
    lei: str | None = strawberry.field(default=strawberry.UNSET, description="ISO 17442.")
    identifier: IdentifierKey | None = strawberry.field(default=strawberry.UNSET, description="Any scheme and value.")


@strawberry.input(one_of=True, description="Exactly one way to name a portfolio.")
class PortfolioBy:
    """How to find a portfolio."""

    code: str | None = strawberry.field(default=strawberry.UNSET, description="The house's code.")
    lei: str | None = strawberry.field(default=strawberry.UNSET, description="ISO 17442.")
    isin: str | None = strawberry.field(default=strawberry.UNSET, description="ISO 6166, its own or of a share class.")


@strawberry.input(one_of=True, description="Exactly one way to name a share class.")
class ShareClassBy:
    """How to find a share class."""

    code: str | None = strawberry.field(default=strawberry.UNSET, description="The house's code.")
    isin: str | None = strawberry.field(default=strawberry.UNSET, description="ISO 6166.")


@strawberry.input(one_of=True, description="Exactly one way to name an issuer.")
class IssuerBy:
    """How to find an issuer."""

    code: str | None = strawberry.field(default=strawberry.UNSET, description="The house's code.")
    lei: str | None = strawberry.field(default=strawberry.UNSET, description="ISO 17442.")


def named(entity: str, scheme: str, value: str) -> str:
    """The condition of the one whom `value` names within `scheme` (both SQL)."""
    return (
        f"{{{entity}_id}} = (select x.{entity}_id from core.{entity}_identifier x"
        f" where x.scheme = {scheme} and x.value = {value} and {holds('x')})"
    )


def stated(entity: str, column_name: str) -> str:
    """The condition of the one of whom the version of the day says that `column_name` is the value."""
    return (
        f"{{{entity}_id}} = (select min(x.{entity}_id) from core.{entity}_version x"
        f" where x.{column_name} = {{value}} and {holds('x')})"
    )


_US = ", ".join(f"'{market}'" for market in US_MARKETS)
_MARKET = f"'TICKER@' || case when {{value_mic}} in ({_US}) then 'US' else {{value_mic}} end"

INSTRUMENT_BY = {
    "code": "{instrument_code} = {value}",
    **{scheme: named("instrument", f"'{scheme.upper()}'", "{value}") for scheme in ("isin", "cusip", "sedol", "figi")},
    "ticker": named("instrument", _MARKET, "{value_ticker}"),
    "identifier": named("instrument", "{value_scheme}", "{value_value}"),
}
CLIENT_BY = {
    "code": "{client_code} = {value}",
    "lei": named("client", "'LEI'", "{value}"),
    "identifier": named("client", "{value_scheme}", "{value_value}"),
}
CLIENT_READS = dict.fromkeys(("lei", "identifier"), "core.client_identifier.value")
_FUND_OF_CLASS = f"select x.portfolio_id from core.share_class_version x where x.isin = {{value}} and {holds('x')}"
PORTFOLIO_BY = {
    "code": "{portfolio_code} = {value}",
    "lei": stated("portfolio", "lei"),
    "isin": "{portfolio_id} = (select min(y.portfolio_id) from (select x.portfolio_id from core.portfolio_version x"
    f" where x.isin = {{value}} and {holds('x')} union {_FUND_OF_CLASS}) y)",
}
SHARE_CLASS_BY = {"code": "{share_class_code} = {value}", "isin": stated("share_class", "isin")}
ISSUER_BY = {"code": "{issuer_code} = {value}", "lei": stated("issuer", "lei")}
INSTRUMENT_READS = dict.fromkeys(set(INSTRUMENT_BY) - {"code"}, "core.instrument_identifier.value")
PORTFOLIO_READS = {"lei": "core.portfolio_version.lei", "isin": "core.portfolio_version.isin"}
SHARE_CLASS_READS = {"isin": "core.share_class_version.isin"}
ISSUER_READS = {"lei": "core.issuer_version.lei"}
