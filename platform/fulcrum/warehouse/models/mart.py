"""Schema `mart`: what Fulcrum computes from `core`, published like everything else.

Every number keeps the publications of its inputs, so it can be explained without a search.
"""

from __future__ import annotations

from sqlalchemy import BigInteger
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from fulcrum.warehouse.models.base import (
    Amount,
    Base,
    BusinessDate,
    Code,
    Key,
    Published,
)

BY_MONTH = {"schema": "mart", "postgresql_partition_by": "RANGE (business_date)"}


class PositionValuation(Published, Base):
    """One holding valued with the chosen price and rate, exactly; no value without its inputs.

    market_value_local = quantity x price x contract_size x quote_factor  (in price_currency_code)
    market_value_base  = market_value_local x fx_rate                     (in base_currency_code)

    `valuation_status_code`: VALUED; or VALUED_STALE_PRICE, VALUED_STALE_FX, VALUED_REPORTED_PRICE where
    policy allows use of an old input, or of the price that the holding's own file states, but flags it;
    or PRICE_MISSING, PRICE_TOO_OLD, FX_MISSING, FX_TOO_OLD, CURRENCY_UNKNOWN, QUANTITY_MISSING, where
    market_value_base is null (market_value_local stays where only its conversion is missing).
    """

    __tablename__ = "position_valuation"
    __table_args__ = (BY_MONTH,)

    portfolio_id: Mapped[Key] = mapped_column(primary_key=True)
    business_date: Mapped[BusinessDate] = mapped_column(primary_key=True)
    instrument_id: Mapped[Key] = mapped_column(primary_key=True)
    position_code: Mapped[Code] = mapped_column(primary_key=True)
    published_in: Mapped[Key] = mapped_column(primary_key=True)
    quantity: Mapped[Amount | None]
    price: Mapped[Amount | None]
    price_date: Mapped[BusinessDate | None]
    price_type_code: Mapped[Code | None]
    price_source_code: Mapped[Code | None]
    price_currency_code: Mapped[Code | None]
    quote_factor: Mapped[Amount | None]
    contract_size: Mapped[Amount | None]
    market_value_local: Mapped[Amount | None]
    fx_rate: Mapped[Amount | None]
    fx_date: Mapped[BusinessDate | None]
    fx_path: Mapped[Code | None]
    base_currency_code: Mapped[Code | None]
    market_value_base: Mapped[Amount | None]
    valuation_status_code: Mapped[Code]
    holding_publication_id: Mapped[Key]
    price_publication_id: Mapped[Key | None]
    fx_publication_ids: Mapped[list[int] | None] = mapped_column(ARRAY(BigInteger))


class PortfolioNav(Published, Base):
    """Net asset value of a portfolio's positions, and how much of it rests on what.

    `nav_base` is the sum of the valued positions and is null when none is valued;
    `is_complete` is false as soon as one position has no value.
    """

    __tablename__ = "portfolio_nav"
    __table_args__ = (BY_MONTH,)

    portfolio_id: Mapped[Key] = mapped_column(primary_key=True)
    business_date: Mapped[BusinessDate] = mapped_column(primary_key=True)
    published_in: Mapped[Key] = mapped_column(primary_key=True)
    base_currency_code: Mapped[Code | None]
    nav_base: Mapped[Amount | None]
    positions: Mapped[Key]
    positions_valued: Mapped[Key]
    positions_flagged: Mapped[Key]
    is_complete: Mapped[bool]
    oldest_price_date: Mapped[BusinessDate | None]
    reported_value: Mapped[Amount | None]
    reported_currency_code: Mapped[Code | None]
    valuation_publication_id: Mapped[Key]
