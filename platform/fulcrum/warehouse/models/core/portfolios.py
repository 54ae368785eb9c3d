"""Portfolios, share classes and benchmarks, and the facts that are keyed by them."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, Index, text
from sqlalchemy import Identity as IdentityColumn
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
from fulcrum.warehouse.models.core.constraints import one_version_at_a_time, trigram_index

BY_MONTH: dict[str, str] = {
    "schema": "core",
    "postgresql_partition_by": "RANGE (business_date)",
}


class Portfolio(Identified, Base):
    """A fund, a client's mandate or a composite of them."""

    __tablename__ = "portfolio"
    __table_args__ = ({"schema": "core"},)

    portfolio_id: Mapped[Identity] = mapped_column(BigInteger, IdentityColumn(), primary_key=True)
    portfolio_code: Mapped[Code] = mapped_column(unique=True)


class PortfolioVersion(Valid, Published, Base):
    """What was known of a portfolio for a period."""

    __tablename__ = "portfolio_version"
    __table_args__ = (
        one_version_at_a_time("portfolio"),
        Index(None, "client_id"),
        Index(None, "parent_portfolio_id"),
        trigram_index("portfolio_version", "portfolio_name"),
        Index(None, "portfolio_name"),
        Index(None, "portfolio_kind_code"),
        Index(None, "base_currency_code"),
        Index(None, "risk_level_code"),
        Index(None, "lei"),
        Index(None, "isin"),
        Index(None, "inception_date"),
        {"schema": "core"},
    )

    portfolio_id: Mapped[Key] = mapped_column(ForeignKey("core.portfolio.portfolio_id"), primary_key=True)
    valid_from: Mapped[BusinessDate] = mapped_column(primary_key=True)
    published_in: Mapped[Key] = mapped_column(primary_key=True)
    portfolio_name: Mapped[Code | None]
    portfolio_kind_code: Mapped[Code | None] = mapped_column(comment="FUND, MANDATE, COMPOSITE")
    base_currency_code: Mapped[Code | None] = mapped_column(comment="ISO 4217")
    risk_level_code: Mapped[Code | None] = mapped_column(comment="R1 to R5")
    parent_portfolio_id: Mapped[Key | None] = mapped_column(ForeignKey("core.portfolio.portfolio_id"))
    client_id: Mapped[Key | None] = mapped_column(ForeignKey("core.client.client_id"))
    benchmark_id: Mapped[Key | None] = mapped_column(ForeignKey("core.benchmark.benchmark_id"))
    manager_name: Mapped[Code | None]
    lei: Mapped[Code | None]
    isin: Mapped[Code | None]
    inception_date: Mapped[BusinessDate | None]
    is_provisional: Mapped[bool] = mapped_column(
        server_default=text("false"), comment="registered from a position file only"
    )


class ShareClass(Identified, Base):
    """A class of units of a fund."""

    __tablename__ = "share_class"
    __table_args__ = ({"schema": "core"},)

    share_class_id: Mapped[Identity] = mapped_column(BigInteger, IdentityColumn(), primary_key=True)
    share_class_code: Mapped[Code] = mapped_column(unique=True)


class ShareClassVersion(Valid, Published, Base):
    """What was known of a share class for a period."""

    __tablename__ = "share_class_version"
    __table_args__ = (
        one_version_at_a_time("share_class"),
        Index(None, "portfolio_id"),
        trigram_index("share_class_version", "share_class_name"),
        Index(None, "share_class_name"),
        Index(None, "isin"),
        Index(None, "currency_code"),
        Index(None, "distribution_code"),
        {"schema": "core"},
    )

    share_class_id: Mapped[Key] = mapped_column(ForeignKey("core.share_class.share_class_id"), primary_key=True)
    valid_from: Mapped[BusinessDate] = mapped_column(primary_key=True)
    published_in: Mapped[Key] = mapped_column(primary_key=True)
    portfolio_id: Mapped[Key | None] = mapped_column(ForeignKey("core.portfolio.portfolio_id"))
    share_class_name: Mapped[Code | None]
    isin: Mapped[Code | None]
    currency_code: Mapped[Code | None]
    distribution_code: Mapped[Code | None] = mapped_column(comment="ACC or DIST")
    units_outstanding: Mapped[Amount | None]


class Benchmark(Identified, Base):
    """An index or blend that a portfolio is measured against."""

    __tablename__ = "benchmark"
    __table_args__ = ({"schema": "core"},)

    benchmark_id: Mapped[Identity] = mapped_column(BigInteger, IdentityColumn(), primary_key=True)
    benchmark_code: Mapped[Code] = mapped_column(unique=True)


class BenchmarkVersion(Valid, Published, Base):
    """What was known of a benchmark for a period."""

    __tablename__ = "benchmark_version"
    __table_args__ = (
        one_version_at_a_time("benchmark"),
        Index(None, "benchmark_name"),
        Index(None, "currency_code"),
        {"schema": "core"},
    )

    benchmark_id: Mapped[Key] = mapped_column(ForeignKey("core.benchmark.benchmark_id"), primary_key=True)
    valid_from: Mapped[BusinessDate] = mapped_column(primary_key=True)
    published_in: Mapped[Key] = mapped_column(primary_key=True)
    benchmark_name: Mapped[Code | None]
    currency_code: Mapped[Code | None]
    administrator_name: Mapped[Code | None]


class BenchmarkWeight(Published, Base):
    """Weight of an instrument in a benchmark on a date, as a fraction of 1."""

    __tablename__ = "benchmark_weight"
    __table_args__ = (BY_MONTH,)

    benchmark_id: Mapped[Key] = mapped_column(primary_key=True)
    instrument_id: Mapped[Key] = mapped_column(primary_key=True)
    business_date: Mapped[BusinessDate] = mapped_column(primary_key=True)
    published_in: Mapped[Key] = mapped_column(primary_key=True)
    weight: Mapped[Amount]


class Holding(Published, Base):
    """What a portfolio held of an instrument at the end of a business date, as the source reports it.

    `position_code` tells several lines of one instrument apart (13F managers, lots, long and short
    legs); it is empty where there is one. `price`, `market_value`, `cost` and `notional_value` are
    in `currency_code`; `fx_rate` is units of `quote_currency_code` per unit of `currency_code`.
    """

    __tablename__ = "holding"
    __table_args__ = (BY_MONTH,)

    portfolio_id: Mapped[Key] = mapped_column(primary_key=True)
    business_date: Mapped[BusinessDate] = mapped_column(primary_key=True)
    instrument_id: Mapped[Key] = mapped_column(primary_key=True)
    position_code: Mapped[Code] = mapped_column(primary_key=True, server_default=text("''"))
    published_in: Mapped[Key] = mapped_column(primary_key=True)
    quantity: Mapped[Amount | None] = mapped_column(comment="negative: short")
    price: Mapped[Amount | None]
    market_value: Mapped[Amount | None]
    notional_value: Mapped[Amount | None]
    cost: Mapped[Amount | None]
    currency_code: Mapped[Code | None] = mapped_column(comment="ISO 4217; null: the source does not say")
    quote_currency_code: Mapped[Code | None]
    fx_rate: Mapped[Amount | None]
    weight_pct: Mapped[Amount | None]


class Transaction(Published, Base):
    """A trade or cash movement of a portfolio; `business_date` is the trade date."""

    __tablename__ = "transaction"
    __table_args__ = (BY_MONTH,)

    portfolio_id: Mapped[Key] = mapped_column(primary_key=True)
    transaction_code: Mapped[Code] = mapped_column(primary_key=True)
    business_date: Mapped[BusinessDate] = mapped_column(primary_key=True)
    published_in: Mapped[Key] = mapped_column(primary_key=True)
    instrument_id: Mapped[Key | None]
    transaction_kind_code: Mapped[Code] = mapped_column(
        comment="BUY, SELL, DIVIDEND, INTEREST, FEE, TAX, DEPOSIT, WITHDRAWAL, TRANSFER"
    )
    settlement_date: Mapped[BusinessDate | None]
    quantity: Mapped[Amount | None]
    price: Mapped[Amount | None]
    gross_amount: Mapped[Amount | None]
    net_amount: Mapped[Amount | None]
    currency_code: Mapped[Code]


class UnitHolding(Published, Base):
    """Units of a share class in a client's account at the end of a business date."""

    __tablename__ = "unit_holding"
    __table_args__ = (
        Index(None, "share_class_id"),
        BY_MONTH,
    )

    account_id: Mapped[Key] = mapped_column(primary_key=True)
    share_class_id: Mapped[Key] = mapped_column(primary_key=True)
    business_date: Mapped[BusinessDate] = mapped_column(primary_key=True)
    published_in: Mapped[Key] = mapped_column(primary_key=True)
    units: Mapped[Amount]
    cost: Mapped[Amount | None]
    currency_code: Mapped[Code | None]
