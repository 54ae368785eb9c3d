"""Months are read strictly, and percentages never say more than is true."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from fulcrum.errors import QueryError
from fulcrum.governance.reports import Month
from fulcrum.governance.reports.counting import percent


def test_a_month_has_its_days() -> None:
    month = Month.parse("2024-02")
    assert (str(month), month.first, month.last) == ("2024-02", dt.date(2024, 2, 1), dt.date(2024, 2, 29))
    assert Month.parse("2025-12").last == dt.date(2025, 12, 31)
    assert Month.parse("9998-12").last == dt.date(9998, 12, 31)
    assert Month.parse("2025-12") < Month.parse("2026-01")


@pytest.mark.parametrize(
    "text", ["2026", "2026-13", "2026-00", "0000-01", "9999-12", "2026-1", "2026-01-01", "jan", "\uff12026-01", ""]
)
def test_what_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(QueryError, match="is no month"):
        Month.parse(text)


def test_only_all_is_a_hundred_percent() -> None:
    assert percent(9_999_999, 10_000_000) == Decimal("99.99")
    assert percent(3, 3) == Decimal("100.00")
    assert percent(0, 3) == Decimal("0.00")
    assert percent(1, 3) == Decimal("33.33")
    assert percent(0, 0) is None
