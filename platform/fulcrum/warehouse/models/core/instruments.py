"""Instruments, their identifiers, and the time series that belong to them: prices and FX rates."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    ForeignKey,
    Index,
    text,
)
from sqlalchemy import (
    Identity as IdentityColumn,
)
from sqlalchemy.orm import Mapped, mapped_column

from fulcrum.warehouse.models.base import (
    Amount,
    Base,
    BusinessDate,
    Code,
    Identified,
    Identity,
    Key,
    Published,
    Valid,
)
from fulcrum.warehouse.models.core.constraints import (
    identifier_index,
    one_identifier_at_a_time,
    one_version_at_a_time,
    trigram_index,
)


class Instrument(Identified, Base):
    """Something that can be held and priced."""

    __tablename__ = "instrument"
    __table_args__ = ({"schema": "core"},)

    instrument_id: Mapped[Identity] = mapped_column(BigInteger, IdentityColumn(), primary_key=True)
    instrument_code: Mapped[Code] = mapped_column(
        unique=True, comment="scheme:value of the identifier that first named it"
    )


class InstrumentVersion(Valid, Published, Base):
    """What was known of an instrument for a period."""

    __tablename__ = "instrument_version"
    __table_args__ = (
        one_version_at_a_time("instrument"),
        Index(None, "issuer_id"),
        trigram_index("instrument_version", "instrument_name"),
        Index(None, "instrument_name"),
        Index(None, "asset_class_code"),
        Index(None, "currency_code"),
        Index(None, "country_code"),
        Index(None, "sector_name"),
        Index(None, "exchange_code"),
        Index(None, "maturity_date"),
        {"schema": "core"},
    )

    instrument_id: Mapped[Key] = mapped_column(ForeignKey("core.instrument.instrument_id"), primary_key=True)
    valid_from: Mapped[BusinessDate] = mapped_column(primary_key=True)
    published_in: Mapped[Key] = mapped_column(primary_key=True)
    instrument_name: Mapped[Code | None]
    asset_class_code: Mapped[Code | None] = mapped_column(
        comment="EQUITY, DEBT, FUND, FUTURE, OPTION, SWAP, FORWARD, CASH, FX, STRUCTURED, OTHER"
    )
    cfi_code: Mapped[Code | None] = mapped_column(comment="ISO 10962")
    currency_code: Mapped[Code | None] = mapped_column(comment="ISO 4217, of the quotation")
    quote_unit_code: Mapped[Code] = mapped_column(
        server_default=text("'UNIT'"),
        comment="UNIT: per unit; MINOR: hundredths of the currency (pence); PER_100: per 100 nominal",
    )
    contract_size: Mapped[Amount] = mapped_column(server_default=text("1"))
    issuer_id: Mapped[Key | None] = mapped_column(ForeignKey("core.issuer.issuer_id"))
    issuer_name: Mapped[Code | None] = mapped_column(comment="as the source writes it")
    country_code: Mapped[Code | None] = mapped_column(comment="ISO 3166-1 alpha-2")
    country_name: Mapped[Code | None] = mapped_column(comment="as the source writes it")
    sector_name: Mapped[Code | None]
    exchange_code: Mapped[Code | None] = mapped_column(comment="ISO 10383 MIC")
    exchange_name: Mapped[Code | None] = mapped_column(comment="as the source writes it")
    maturity_date: Mapped[BusinessDate | None]
    coupon_pct: Mapped[Amount | None]
    is_provisional: Mapped[bool] = mapped_column(
        Boolean,
        server_default=text("false"),
        comment="registered from a position or price file only",
    )


class InstrumentIdentifier(Valid, Published, Base):
    """ISIN, CUSIP, SEDOL, FIGI, TICKER@MIC, TICKER@US (any exchange of that country), vendor codes."""

    __tablename__ = "instrument_identifier"
    __table_args__ = (
        one_identifier_at_a_time("instrument"),
        identifier_index("instrument"),
        Index(None, "instrument_id"),
        {"schema": "core"},
    )

    instrument_id: Mapped[Key] = mapped_column(ForeignKey("core.instrument.instrument_id"), primary_key=True)
    scheme: Mapped[Code] = mapped_column(primary_key=True)
    value: Mapped[Code] = mapped_column(primary_key=True)
    valid_from: Mapped[BusinessDate] = mapped_column(primary_key=True)
    published_in: Mapped[Key] = mapped_column(primary_key=True)


class Price(Published, Base):
    """One price of an instrument on a date, of one type from one source, as quoted."""

    __tablename__ = "price"
    __table_args__ = (
        Index(None, "business_date"),
        {"schema": "core", "postgresql_partition_by": "RANGE (business_date)"},
    )

    instrument_id: Mapped[Key] = mapped_column(primary_key=True)
    business_date: Mapped[BusinessDate] = mapped_column(primary_key=True)
    price_type_code: Mapped[Code] = mapped_column(primary_key=True, comment="CLOSE, ADJUSTED_CLOSE, NAV, BID, ASK, MID")
    source_code: Mapped[Code] = mapped_column(primary_key=True)
    published_in: Mapped[Key] = mapped_column(primary_key=True)
    price: Mapped[Amount]
    currency_code: Mapped[Code | None] = mapped_column(comment="null: the source does not say")
    quote_unit_code: Mapped[Code | None] = mapped_column(comment="null: as the instrument is quoted")
    open_price: Mapped[Amount | None]
    high_price: Mapped[Amount | None]
    low_price: Mapped[Amount | None]
    volume: Mapped[Amount | None]
    adjusted_price: Mapped[Amount | None]
    dividend: Mapped[Amount | None]
    capital_gain: Mapped[Amount | None]
    split_ratio: Mapped[Amount | None]


class FxRate(Published, Base):
    """How many units of the quote currency one unit of the base currency is worth."""

    __tablename__ = "fx_rate"
    __table_args__ = (
        Index(None, "business_date"),
        {"schema": "core", "postgresql_partition_by": "RANGE (business_date)"},
    )

    base_currency_code: Mapped[Code] = mapped_column(primary_key=True)
    quote_currency_code: Mapped[Code] = mapped_column(primary_key=True)
    business_date: Mapped[BusinessDate] = mapped_column(primary_key=True)
    source_code: Mapped[Code] = mapped_column(primary_key=True)
    published_in: Mapped[Key] = mapped_column(primary_key=True)
    rate: Mapped[Amount]
