"""Small house files for tests: a portfolio, instruments and holdings that pass the gate.

Rows are given as dictionaries in the contract's words; what is left out is an empty cell.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from fulcrum.contracts.catalog import contract_for
from fulcrum.demo.files import write_file
from fulcrum.pipeline.deliver import deliver
from fulcrum.pipeline.report import DeliveryReport
from fulcrum.settings import Settings

DAY = dt.date(2026, 1, 5)
ISINS = ("US0378331005", "US5949181045", "US0231351067", "US02079K3059", "US67066G1040")
"""Apple, Microsoft, Amazon, Alphabet A, NVIDIA: real identifiers, for their check digits."""


def write(
    settings: Settings, folder: Path, feed: str, name: str, rows: Iterable[Mapping[str, Any]], total: str | None = None
) -> Path:
    """A file of `feed` as the contract has it."""
    return write_file(contract_for(settings, feed), folder / name, rows, total=total)


def instruments(isins: Iterable[str] = ISINS) -> list[dict[str, Any]]:
    """USD shares."""
    return [
        {
            "instrument_code": f"T{isin}",
            "isin": isin,
            "instrument_name": f"Share {isin}",
            "asset_class_code": "EQUITY",
            "currency_code": "USD",
            "quote_unit_code": "UNIT",
            "contract_size": 1,
        }
        for isin in isins
    ]


def portfolio(code: str = "P1", currency: str = "USD") -> dict[str, Any]:
    """One fund."""
    return {
        "portfolio_code": code,
        "portfolio_name": f"Fund {code}",
        "portfolio_kind_code": "FUND",
        "base_currency_code": currency,
    }


def holding(isin: str, quantity: int, *, code: str = "P1", price: str = "10.00", day: dt.date = DAY) -> dict[str, Any]:
    """A position whose market value is quantity times price."""
    return {
        "portfolio_code": code,
        "isin": isin,
        "quantity": Decimal(quantity),
        "price": Decimal(price),
        "market_value": quantity * Decimal(price),
        "currency_code": "USD",
        "business_date": day,
    }


def prepare(settings: Settings, folder: Path, codes: Iterable[str] = ("P1",)) -> None:
    """Publish the reference data that `holding` needs."""
    deliver(
        settings,
        "house_instruments",
        write(settings, folder, "house_instruments", "instruments_20260101.csv", instruments()),
        business_date=dt.date(2026, 1, 1),
    )
    deliver(
        settings,
        "house_portfolios",
        write(settings, folder, "house_portfolios", "portfolios_20260101.csv", [portfolio(code) for code in codes]),
        business_date=dt.date(2026, 1, 1),
    )


def holdings_file(settings: Settings, folder: Path, name: str, rows: Iterable[Mapping[str, Any]]) -> Path:
    """A holdings file with its control total."""
    return write(settings, folder, "house_holdings", name, rows, total="market_value")


def deliver_holdings(settings: Settings, folder: Path, name: str, rows: Iterable[Mapping[str, Any]]) -> DeliveryReport:
    """Write and deliver a holdings file."""
    return deliver(settings, "house_holdings", holdings_file(settings, folder, name, rows))


def broken_total(file: Path) -> Path:
    """The same file with a control total that its rows do not add up to."""
    text = file.read_text("utf-8")
    trailer = text[text.index("#END") :]
    file.write_text(text.replace(trailer, re.sub(r"=(\d+)(\.\d+)?(?=\s*$)", "=1.00", trailer)), encoding="utf-8")
    return file
