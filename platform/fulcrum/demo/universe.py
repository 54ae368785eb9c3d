"""Who and what exists in the made-up house: issuers, instruments, portfolios, clients, accounts.

Names are made up; identifiers have right check digits but belong to nobody on purpose.
"""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from stdnum import isin
from stdnum.iso7064 import mod_97_10

CURRENCIES = ("USD", "EUR", "GBP", "JPY", "CNY")
MARKETS = {
    "USD": ("US", "XNYS"),
    "EUR": ("DE", "XETR"),
    "GBP": ("GB", "XLON"),
    "JPY": ("JP", "XTKS"),
    "CNY": ("CN", "XSHG"),
}
SECTORS = (
    "Communication Services",
    "Consumer Discretionary",
    "Consumer Staples",
    "Energy",
    "Financials",
    "Health Care",
    "Industrials",
    "Information Technology",
    "Materials",
    "Real Estate",
    "Utilities",
)
_FIRST = ("Harbour", "Northern", "Alder", "Silver", "Meridian", "Crown", "Delta", "Orchid", "Summit", "Lotus")
_SECOND = ("Bridge", "River", "Stone", "Field", "Gate", "Bay", "Ridge", "Forest", "Light", "Garden")
_THIRD = ("Power", "Foods", "Systems", "Bank", "Pharma", "Motors", "Steel", "Retail", "Media", "Homes")
_PEOPLE = (
    "陈晓明",
    "王静怡",
    "Adaeze Okafor",
    "Elin Lindqvist",
    "Camille Moreau",
    "Haruto Tanaka",
    "Jonas Schmidt",
    "Lucía Garcia",
    "Petra Novak",
    "Owen Hughes",
)
CITIES = {"US": "Boston", "DE": "Frankfurt", "GB": "London", "JP": "Tokyo", "CN": "上海"}


@dataclass(frozen=True)
class Instrument:
    """Something the house may hold; `start_price` is per quote unit (pence, per 100, or per unit)."""

    code: str
    isin: str
    name: str
    asset_class: str
    cfi: str
    currency: str
    quote_unit: str
    issuer: str
    country: str
    exchange: str
    sector: str
    ticker: str
    start_price: Decimal
    maturity: dt.date | None = None
    coupon: Decimal | None = None

    @property
    def quote_factor(self) -> Decimal:
        """What one quoted price unit is worth in the currency, per unit of quantity."""
        return Decimal("0.01") if self.quote_unit in ("MINOR", "PER_100") else Decimal(1)


@dataclass(frozen=True)
class Portfolio:
    """A fund or a client's mandate."""

    code: str
    name: str
    kind: str
    currency: str
    risk_level: str
    client: str | None
    parent: str | None
    benchmark: str


@dataclass(frozen=True)
class Client:
    """A person or institution; names in Latin or Chinese script."""

    code: str
    name: str
    kind: str
    risk_class: str
    country: str
    birth_date: dt.date | None


def made_up_isin(country: str, number: int) -> str:
    """An ISIN with a right check digit (ISO 6166)."""
    body = f"{country}{number:09d}"
    return body + str(isin.calc_check_digit(body))


def made_up_lei(number: int) -> str:
    """An LEI with right check digits (ISO 17442), of the made-up issuer prefix 9999."""
    body = f"9999{number:014d}"
    return body + mod_97_10.calc_check_digits(body)


@dataclass(frozen=True)
class Universe:
    """All that exists, for one seed and one size."""

    seed: int
    instruments: tuple[Instrument, ...]
    portfolios: tuple[Portfolio, ...]
    clients: tuple[Client, ...]
    positions_each: int

    @property
    def funds(self) -> tuple[Portfolio, ...]:
        """Portfolios that have share classes."""
        return tuple(portfolio for portfolio in self.portfolios if portfolio.kind == "FUND")


def build_universe(seed: int, portfolios: int, positions_each: int) -> Universe:
    """A house of so many portfolios, with enough instruments for `positions_each` in each."""
    rng = random.Random(f"{seed}/universe")
    count = max(positions_each * 3, min(20_000, portfolios * positions_each // 4), 60)
    instruments = tuple(_instrument(rng, number) for number in range(1, count + 1))
    clients = tuple(_client(rng, number) for number in range(1, max(10, portfolios // 2) + 1))
    return Universe(seed, instruments, _portfolios(rng, portfolios, clients), clients, positions_each)


def _instrument(rng: random.Random, number: int) -> Instrument:
    currency = CURRENCIES[number % len(CURRENCIES)]
    country, exchange = MARKETS[currency]
    name = f"{rng.choice(_FIRST)} {rng.choice(_SECOND)} {rng.choice(_THIRD)}"
    is_bond = number % 6 == 0
    cents = Decimal(rng.randint(800, 40_000)) / 100
    common: dict[str, Any] = {
        "code": f"FI{number:06d}",
        "isin": made_up_isin(country, 700_000_000 + number),
        "currency": currency,
        "issuer": f"ISS{number:05d}",
        "country": country,
        "exchange": exchange,
        "sector": rng.choice(SECTORS),
        "ticker": f"F{number:05d}",
    }
    if is_bond:
        coupon = Decimal(rng.randint(2, 24)) / 4
        maturity = dt.date(rng.randint(2028, 2045), rng.randint(1, 12), 15)
        return Instrument(
            name=f"{name} {coupon:.2f}% {maturity.year}",
            asset_class="DEBT",
            cfi="DBFTFB",
            quote_unit="PER_100",
            start_price=Decimal(rng.randint(8_500, 11_000)) / 100,
            maturity=maturity,
            coupon=coupon,
            **common,
        )
    in_pence = currency == "GBP"
    return Instrument(
        name=name,
        asset_class="EQUITY",
        cfi="ESVUFR",
        quote_unit="MINOR" if in_pence else "UNIT",
        start_price=cents * 10 if in_pence else cents,
        **common,
    )


def _client(rng: random.Random, number: int) -> Client:
    country = rng.choice(list(CITIES))
    if number % 4 == 0:
        name = f"{rng.choice(_FIRST)} {rng.choice(_SECOND)} Pension Fund"
        return Client(f"CL{number:05d}", name, "INSTITUTION", f"C{rng.randint(3, 5)}", country, None)
    name = f"{_PEOPLE[number % len(_PEOPLE)]} {number:03d}"
    birth = dt.date(rng.randint(1945, 2000), rng.randint(1, 12), rng.randint(1, 28))
    return Client(f"CL{number:05d}", name, "INDIVIDUAL", f"C{rng.randint(1, 5)}", country, birth)


def _portfolios(rng: random.Random, count: int, clients: tuple[Client, ...]) -> tuple[Portfolio, ...]:
    made = []
    for number in range(1, count + 1):
        currency = CURRENCIES[(number - 1) % len(CURRENCIES)]
        is_fund = number % 2 == 1
        made.append(
            Portfolio(
                code=f"{'FD' if is_fund else 'MD'}{number:05d}",
                name=f"{rng.choice(_FIRST)} {rng.choice(_SECOND)} {'Fund' if is_fund else 'Mandate'} {currency}",
                kind="FUND" if is_fund else "MANDATE",
                currency=currency,
                risk_level=f"R{rng.randint(1, 5)}",
                client=None if is_fund else clients[(number // 2 - 1) % len(clients)].code,
                parent=None,
                benchmark="BM_WORLD",
            )
        )
    return tuple(made)
