"""Compares our valuation of a portfolio with the value that the source reports, position by position.

It judges nothing: how large a difference may be is risk's business, and stands in `quality/`.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

import psycopg
from psycopg.rows import class_row

from fulcrum.errors import QueryError

POSITIONS = """
select i.instrument_code, iv.instrument_name, h.position_code, h.quantity, h.market_value as reported_value,
       h.currency_code as reported_currency_code, v.market_value_base as computed_value, v.base_currency_code,
       v.valuation_status_code, v.price_type_code, v.price_source_code, v.price_date, v.fx_path,
       case when h.currency_code = v.base_currency_code then v.market_value_base - h.market_value end as difference,
       case when h.currency_code = v.base_currency_code and h.market_value <> 0
            then round(100 * (v.market_value_base - h.market_value) / abs(h.market_value), 4) end as difference_pct
  from core.holding h
  join core.portfolio p using (portfolio_id)
  join core.instrument i using (instrument_id)
  left join mart.position_valuation v using (portfolio_id, business_date, instrument_id, position_code)
  left join core.instrument_version iv on iv.instrument_id = h.instrument_id and iv.superseded_in is null
       and iv.valid_from <= h.business_date and (iv.valid_to is null or h.business_date < iv.valid_to)
 where p.portfolio_code = %s and h.business_date = %s and h.superseded_in is null and v.superseded_in is null
 order by abs(h.market_value) desc nulls last, i.instrument_code, h.position_code
"""


@dataclass(frozen=True)
class PositionDifference:
    """One position; `difference` is computed minus reported, where both are in one currency."""

    instrument_code: str
    instrument_name: str | None
    position_code: str
    quantity: Decimal | None
    reported_value: Decimal | None
    reported_currency_code: str | None
    computed_value: Decimal | None
    base_currency_code: str | None
    valuation_status_code: str | None
    price_type_code: str | None
    price_source_code: str | None
    price_date: dt.date | None
    fx_path: str | None
    difference: Decimal | None
    difference_pct: Decimal | None


@dataclass(frozen=True)
class Comparison:
    """All positions of a portfolio on a date, the largest first, and what they come to.

    `coverage_pct` is the share of the reported value whose position is valued from a price that does
    not come from the holdings file itself.
    """

    portfolio_code: str
    business_date: dt.date
    positions: tuple[PositionDifference, ...]
    reported_value: Decimal
    compared_reported_value: Decimal
    compared_computed_value: Decimal
    coverage_pct: Decimal | None
    statuses: dict[str, int]
    sources: dict[str, int]

    def beyond(self, pct: Decimal) -> tuple[PositionDifference, ...]:
        """Positions that differ by more than `pct` percent."""
        return tuple(
            position
            for position in self.positions
            if position.difference_pct is not None and abs(position.difference_pct) > pct
        )

    def as_json(self) -> dict[str, Any]:
        """Plain values; decimals and dates are left to the caller's encoder as text."""
        return asdict(self)


def compare(connection: psycopg.Connection[Any], portfolio_code: str, business_date: dt.date) -> Comparison:
    """Compare what is current for one portfolio and date.

    Raises:
        QueryError: there is no current holding of that portfolio on that date.
    """
    with connection.cursor(row_factory=class_row(PositionDifference)) as cursor:
        positions = tuple(cursor.execute(POSITIONS, (portfolio_code, business_date)).fetchall())
    if not positions:
        raise QueryError(
            f"No holdings of {portfolio_code!r} on {business_date}.",
            remedy="`fulcrum publications` lists what there is.",
        )
    independent = [p for p in positions if p.difference is not None and p.price_type_code not in ("REPORTED", None)]
    reported = sum((p.reported_value or Decimal(0) for p in positions), Decimal(0))
    compared = sum((p.reported_value or Decimal(0) for p in independent), Decimal(0))
    return Comparison(
        portfolio_code=portfolio_code,
        business_date=business_date,
        positions=positions,
        reported_value=reported,
        compared_reported_value=compared,
        compared_computed_value=sum((p.computed_value or Decimal(0) for p in independent), Decimal(0)),
        coverage_pct=round(100 * compared / reported, 4) if reported else None,
        statuses=dict(Counter(p.valuation_status_code or "NOT_VALUED" for p in positions)),
        sources=dict(Counter(p.price_source_code or "none" for p in positions)),
    )
