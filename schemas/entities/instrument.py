"""Instruments: what can be held and priced. The identifiers that name them stand in `identifiers.py`."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING

from fulcrum.graph.declare import At, column, entity, relation
from fulcrum.graph.histories import Version, versions_of
from fulcrum.graph.relay import Connection, Node
from fulcrum.graph.sources import Versioned
from fulcrum.warehouse.models import instruments
from schemas.entities.conditions import holds, on_day
from schemas.entities.identifiers import named
from schemas.entities.trust import Trust, trust_of_entity, trust_of_version

if TYPE_CHECKING:
    from schemas.entities.holding import Holding
    from schemas.entities.identifiers import InstrumentIdentifier
    from schemas.entities.issuer import Issuer
    from schemas.entities.portfolio import Portfolio
    from schemas.entities.price import Price

_OURS = {"instrument_id": "instrument_id"}
_HELD = f"select h.portfolio_id from core.holding h where h.instrument_id = {{instrument_id}} and {on_day('h')}"
_ISIN = (
    "select min(x.value) from core.instrument_identifier x"
    f" where x.instrument_id = {{instrument_id}} and x.scheme = 'ISIN' and {holds('x')}"
)
NAMED_BY_ISIN = named("instrument", "'ISIN'", "{value}")
"""The condition of the instrument whose ISIN is `{value}`."""


@entity(Versioned(instruments.Instrument, instruments.InstrumentVersion), isin=NAMED_BY_ISIN)
class Instrument(Node):
    """Something that can be held and priced."""

    code: str = column("instrument_code", is_filterable=True, is_dimension=True)
    name: str | None = column(
        "instrument_name",
        "What it is called.",
        is_sortable=True,
        is_filterable=True,
        is_searchable=True,
        is_dimension=True,
    )
    isin: str | None = column(description="ISO 6166, on the business date; of several the first.", sql=_ISIN)
    asset_class_code: str | None = column("asset_class_code", is_filterable=True, is_dimension=True)
    cfi_code: str | None = column("cfi_code")
    currency_code: str | None = column("currency_code", is_filterable=True, is_dimension=True)
    quote_unit_code: str | None = column("quote_unit_code")
    contract_size: Decimal | None = column("contract_size", "Units of the underlying per contract.")
    issuer_name: str | None = column("issuer_name")
    country_code: str | None = column("country_code", is_filterable=True, is_dimension=True)
    country_name: str | None = column("country_name")
    sector_name: str | None = column(
        "sector_name", "Sector, as the source writes it.", is_filterable=True, is_dimension=True
    )
    exchange_code: str | None = column("exchange_code", is_filterable=True, is_dimension=True)
    exchange_name: str | None = column("exchange_name")
    maturity_date: dt.date | None = column(
        "maturity_date", "Last day of a debt.", is_filterable=True, is_aggregatable=True
    )
    coupon_pct: Decimal | None = column("coupon_pct", "Yearly coupon in percent.")
    is_provisional: bool | None = column("is_provisional", is_filterable=True)
    issuer: Issuer | None = relation(
        "Who issued it.", on={"issuer_id": "issuer_id"}, is_filterable=True, is_dimension=True
    )
    identifiers: list[InstrumentIdentifier] = relation(
        "Its identifiers on the business date.", on=_OURS, order=("scheme", "value"), is_filterable=True
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
    holdings: Connection[Holding] = relation(
        "Positions in it on the business date, of all portfolios.", on=_OURS, order=("portfolio_id", "position_code")
    )
    holders: Connection[Portfolio] = relation(
        "Portfolios that hold it on the business date.", among={"portfolio_id": _HELD}
    )
    history: Connection[InstrumentVersion] = relation(
        "All that was ever stated about it, as known, latest first.", on=_OURS, at=At.ANY
    )
    trust: Trust = trust_of_entity()


@versions_of(Instrument)
class InstrumentVersion(Version):
    """What was stated of an instrument for a period."""

    instrument: Instrument | None = relation("What it is about.", on=_OURS)
    trust: Trust = trust_of_version()
