"""The bench's own data: 20,000 instruments, 1,000 portfolios, and holdings files of any length."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator
from pathlib import Path

from fulcrum.contracts.catalog import contract_for
from fulcrum.demo.files import write_file
from fulcrum.demo.universe import CURRENCIES, made_up_isin
from fulcrum.pipeline.deliver import deliver
from fulcrum.settings import Settings

INSTRUMENTS = 20_000
PER_PORTFOLIO = 1_000
HEADER = "portfolio_code,isin,quantity,price,market_value,currency_code,cost,business_date\n"
ISINS = [made_up_isin("US", 500_000_000 + number) for number in range(INSTRUMENTS)]


def publish_references(settings: Settings, folder: Path, portfolios: int) -> None:
    """Instruments and portfolios that the holdings name."""
    day = dt.date(2020, 1, 1)
    instruments = (
        {
            "instrument_code": f"B{number:06d}",
            "isin": isin,
            "instrument_name": f"Bench {number}",
            "asset_class_code": "EQUITY",
            "currency_code": CURRENCIES[number % 5],
            "quote_unit_code": "UNIT",
            "contract_size": 1,
        }
        for number, isin in enumerate(ISINS)
    )
    funds = (
        {
            "portfolio_code": f"B{number:05d}",
            "portfolio_name": f"Bench {number}",
            "portfolio_kind_code": "FUND",
            "base_currency_code": CURRENCIES[number % 5],
        }
        for number in range(portfolios)
    )
    for feed, rows in (("house_instruments", instruments), ("house_portfolios", funds)):
        file = write_file(contract_for(settings, feed), folder / f"{feed}.csv", rows)
        report = deliver(settings, feed, file, business_date=day)
        if not report.outcome.is_good:
            raise SystemExit(f"{feed}: {report.outcome}: {report.messages}")


def write_holdings(path: Path, rows: int, day: dt.date, changed_every: int = 0) -> Path:
    """A holdings file of so many rows; every `changed_every`th row has another quantity."""
    with path.open("w", encoding="utf-8") as stream:
        stream.write(HEADER)
        stream.writelines(_lines(rows, day, changed_every))
        stream.write(f"#END,rows={rows}\n")
    return path


def _lines(rows: int, day: dt.date, changed_every: int) -> Iterator[str]:
    rng = random.Random(f"bench/{rows}")
    for row in range(rows):
        portfolio, position = divmod(row, PER_PORTFOLIO)
        number = (portfolio * 7 + position * 19) % INSTRUMENTS
        quantity, cents = rng.randint(1, 90_000), rng.randint(100, 90_000)
        if changed_every and row % changed_every == 0:
            quantity += 1
        value = quantity * cents
        yield (
            f"B{portfolio:05d},{ISINS[number]},{quantity},{cents // 100}.{cents % 100:02d},"
            f"{value // 100}.{value % 100:02d},{CURRENCIES[number % 5]},{value // 100}.00,{day}\n"
        )
