"""Writes the made-up house's files as its systems would send them, one function per feed.

Columns stand in the order of the feed's contract; what a contract does not list is not written.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from itertools import chain
from pathlib import Path
from typing import Any

from fulcrum.contracts.model import FeedContract
from fulcrum.demo.market import Market
from fulcrum.demo.universe import CITIES, Instrument, Portfolio, made_up_isin, made_up_lei

Row = Mapping[str, Any]


def write_file(
    contract: FeedContract, path: Path, rows: Iterable[Row], *, total: str | None = None, encoding: str = "utf-8"
) -> Path:
    """Write `rows` and, where the feed has one, the `#END` trailer with rows and the sum of `total`.

    The first row says which optional columns the file has.
    """
    ahead = iter(rows)
    first = next(ahead, {})
    fields = [field for field in contract.fields if field.name in first or not field.may_be_absent]
    path.parent.mkdir(parents=True, exist_ok=True)
    count, control = 0, Decimal(0)
    with path.open("w", encoding=encoding, newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow([field.header for field in fields])
        for row in chain([first] if first else [], ahead):
            writer.writerow(["" if row.get(field.name) is None else row[field.name] for field in fields])
            count += 1
            control += row[total] if total else 0
        if contract.dialect.footer == "trailer":
            extra = f",{total}={control}" if total else ""
            stream.write(f"#END,rows={count}{extra}\n")
    return path


def issuers(market: Market) -> Iterator[Row]:
    """One issuer for each instrument."""
    for number, instrument in enumerate(market.universe.instruments, start=1):
        lei = made_up_lei(number)
        yield {
            "issuer_code": instrument.issuer,
            "issuer_name": instrument.name.split(" 2")[0].rstrip("0123456789.% ") + " plc",
            "lei": lei,
            "country_code": instrument.country,
            "entity_status_code": "ACTIVE",
            "registration_status_code": "ISSUED",
        }


def instruments(market: Market) -> Iterator[Row]:
    """Shares, bonds and the units of the house's own funds."""
    for instrument in market.universe.instruments:
        yield {
            "instrument_code": instrument.code,
            "isin": instrument.isin,
            "ticker": instrument.ticker,
            "instrument_name": instrument.name,
            "asset_class_code": instrument.asset_class,
            "cfi_code": instrument.cfi,
            "currency_code": instrument.currency,
            "quote_unit_code": instrument.quote_unit,
            "contract_size": 1,
            "issuer_code": instrument.issuer,
            "country_code": instrument.country,
            "sector_name": instrument.sector,
            "exchange_code": instrument.exchange,
            "maturity_date": instrument.maturity,
            "coupon_pct": instrument.coupon,
        }
    for fund in market.universe.funds:
        yield {
            "instrument_code": share_class_code(fund),
            "isin": share_class_isin(fund),
            "instrument_name": f"{fund.name} A",
            "asset_class_code": "FUND",
            "cfi_code": "CIOGES",
            "currency_code": fund.currency,
            "quote_unit_code": "UNIT",
            "contract_size": 1,
            "country_code": "LU",
        }


def identifiers(market: Market) -> Iterator[Row]:
    """The vendor's code of each instrument, good since the first day."""
    for instrument in market.universe.instruments:
        yield {
            "instrument_code": instrument.code,
            "scheme": "VENDOR",
            "value": f"V{instrument.code[2:]}",
            "valid_from": market.days[0],
        }


def benchmarks(_market: Market) -> Iterator[Row]:
    """The one that all portfolios name."""
    yield {"benchmark_code": "BM_WORLD", "benchmark_name": "House World Blend", "currency_code": "USD"}


def clients(market: Market) -> Iterator[Row]:
    """Personal data of nobody: every person is made up."""
    for client in market.universe.clients:
        yield {
            "client_code": client.code,
            "client_name": client.name,
            "client_kind_code": client.kind,
            "risk_class_code": client.risk_class,
            "kyc_status_code": "APPROVED",
            "domicile_country_code": client.country,
            "birth_date": client.birth_date,
            "city_name": CITIES[client.country],
            "email": f"{client.code.lower()}@example.com",
        }


def accounts(market: Market) -> Iterator[Row]:
    """One account for each client."""
    for number, client in enumerate(market.universe.clients, start=1):
        yield {
            "account_code": f"AC{number:05d}",
            "client_code": client.code,
            "account_name": f"Custody {number:05d}",
            "account_kind_code": "CUSTODY",
            "currency_code": ("EUR", "USD", "GBP", "JPY", "CNY")[number % 5],
            "account_status_code": "OPEN",
            "opened_date": "2019-03-01",
        }


def portfolios(market: Market) -> Iterator[Row]:
    """Funds, and mandates with the client that gave them."""
    for portfolio in market.universe.portfolios:
        yield {
            "portfolio_code": portfolio.code,
            "portfolio_name": portfolio.name,
            "portfolio_kind_code": portfolio.kind,
            "base_currency_code": portfolio.currency,
            "risk_level_code": portfolio.risk_level,
            "client_code": portfolio.client,
            "benchmark_code": portfolio.benchmark,
            "inception_date": "2019-01-02",
        }


def custody_code(portfolio: Portfolio) -> str:
    """A custodian's statement has a book of its own: a second file on one portfolio would restate the first."""
    return f"CUSTODY:{portfolio.code}"


def custody_portfolio(market: Market) -> Iterator[Row]:
    """The book in which the custodian's statement of the first portfolio is kept."""
    portfolio = market.universe.portfolios[0]
    yield {
        "portfolio_code": custody_code(portfolio),
        "portfolio_name": f"{portfolio.name}, as its custodian has it",
        "portfolio_kind_code": "COMPOSITE",
        "base_currency_code": portfolio.currency,
    }


def share_class_code(fund: Portfolio) -> str:
    """The fund has one class, A."""
    return f"{fund.code}-A"


def share_class_isin(fund: Portfolio) -> str:
    """A made-up Luxembourg ISIN."""
    return made_up_isin("LU", 800_000_000 + int(fund.code[2:]))


def share_classes(market: Market) -> Iterator[Row]:
    """One class for each fund."""
    for fund in market.universe.funds:
        yield {
            "share_class_code": share_class_code(fund),
            "portfolio_code": fund.code,
            "share_class_name": f"{fund.name} A",
            "isin": share_class_isin(fund),
            "currency_code": fund.currency,
            "distribution_code": "ACC",
            "units_outstanding": market.units(fund),
        }


def unit_holdings(market: Market, day: int) -> Iterator[Row]:
    """Each client's account holds units of up to three funds."""
    funds = market.universe.funds
    for number, _ in enumerate(market.universe.clients, start=1):
        for offset in range(min(3, len(funds))):
            fund = funds[(number * 3 + offset) % len(funds)]
            yield {
                "account_code": f"AC{number:05d}",
                "share_class_code": share_class_code(fund),
                "business_date": market.days[day],
                "units": 100 * number + 10 * offset,
                "cost": None,
                "currency_code": fund.currency,
            }


def holdings(market: Market, day: int) -> Iterator[Row]:
    """Every position of every portfolio at the end of the day."""
    for portfolio in market.universe.portfolios:
        for position in market.positions(portfolio, day):
            yield {
                "portfolio_code": portfolio.code,
                "isin": position.instrument.isin,
                "quantity": position.quantity,
                "price": position.price,
                "market_value": position.market_value,
                "currency_code": position.instrument.currency,
                "cost": position.cost,
                "business_date": market.days[day],
            }


def transactions(market: Market, day: int) -> Iterator[Row]:
    """The day's trades."""
    for portfolio in market.universe.portfolios:
        for trade in market.trades(portfolio, day):
            price = market.quote(trade.instrument, day) * trade.instrument.quote_factor
            gross = abs(trade.quantity) * price
            yield {
                "portfolio_code": portfolio.code,
                "transaction_code": trade.code,
                "business_date": trade.day,
                "isin": trade.instrument.isin,
                "transaction_kind_code": "BUY" if trade.quantity > 0 else "SELL",
                "settlement_date": market.days[min(day + 2, len(market.days) - 1)],
                "quantity": abs(trade.quantity),
                "price": price,
                "gross_amount": gross,
                "net_amount": gross,
                "currency_code": trade.instrument.currency,
            }


def prices(market: Market, day: int) -> Iterator[Row]:
    """Closes of all instruments, and the price of a unit of each fund."""
    for instrument in market.universe.instruments:
        yield price_row(market, instrument, day)
    for fund in market.universe.funds:
        yield {
            "isin": share_class_isin(fund),
            "business_date": market.days[day],
            "price_type_code": "NAV",
            "price": market.nav_per_unit(fund, day),
            "currency_code": fund.currency,
            "quote_unit_code": "UNIT",
        }


def price_row(market: Market, instrument: Instrument, day: int) -> dict[str, Any]:
    """The close of one instrument as the vendor quotes it."""
    return {
        "isin": instrument.isin,
        "business_date": market.days[day],
        "price_type_code": "CLOSE",
        "price": market.quote(instrument, day),
        "currency_code": instrument.currency,
        "quote_unit_code": instrument.quote_unit,
    }


def fx_rates(market: Market, day: int) -> Iterator[Row]:
    """Units of each currency for one EUR."""
    for currency in ("USD", "GBP", "JPY", "CNY"):
        yield {
            "base_currency_code": "EUR",
            "quote_currency_code": currency,
            "business_date": market.days[day],
            "rate": market.rate(currency, day),
        }
