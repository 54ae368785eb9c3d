"""What is true in the made-up house on each day: prices, rates, positions, net asset values.

No faults here: `faults.py` spoils the files, never the truth.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from functools import cache

from fulcrum.demo.universe import Instrument, Portfolio, Universe

FIRST_DAY = dt.date(2026, 1, 5)
DAYS = 20
SATURDAY = 5
START_RATES = {"USD": Decimal("1.1680"), "GBP": Decimal("0.8670"), "JPY": Decimal("183.20"), "CNY": Decimal("8.1600")}
CENT = Decimal("0.01")
UNIT_PRICE = Decimal("0.0001")
NEW_UNITS_PRICE = Decimal(100)


@cache
def business_days() -> tuple[dt.date, ...]:
    """Twenty weekdays from `FIRST_DAY` on."""
    days = (FIRST_DAY + dt.timedelta(days=offset) for offset in range(DAYS * 2))
    return tuple(day for day in days if day.weekday() < SATURDAY)[:DAYS]


@dataclass(frozen=True)
class Position:
    """What a portfolio holds of an instrument; `price` is per unit of quantity, in its currency."""

    instrument: Instrument
    quantity: Decimal
    price: Decimal
    cost: Decimal

    @property
    def market_value(self) -> Decimal:
        """In the instrument's currency, to the cent."""
        return (self.quantity * self.price).quantize(CENT, ROUND_HALF_EVEN)


@dataclass(frozen=True)
class Trade:
    """A purchase or sale of one day."""

    code: str
    portfolio: Portfolio
    instrument: Instrument
    day: dt.date
    quantity: Decimal


class Market:
    """The true course of one universe."""

    def __init__(self, universe: Universe) -> None:
        self.universe = universe
        self.days = business_days()
        self._quotes = {instrument.code: self._path(instrument) for instrument in universe.instruments}
        self._rates = {currency: self._rate_path(currency, start) for currency, start in START_RATES.items()}

    def quote(self, instrument: Instrument, day: int) -> Decimal:
        """The close as quoted: per unit, in pence or per 100 nominal."""
        return self._quotes[instrument.code][day]

    def rate(self, currency: str, day: int) -> Decimal:
        """Units of `currency` for one EUR."""
        return Decimal(1) if currency == "EUR" else self._rates[currency][day]

    def trades(self, portfolio: Portfolio, day: int) -> list[Trade]:
        """What the portfolio traded on that day; never on the first."""
        if day == 0:
            return []
        rng = random.Random(f"{self.universe.seed}/{portfolio.code}/{day}")
        held = self._held(portfolio)
        picked = rng.sample(range(len(held)), max(1, len(held) // 50))
        return [
            Trade(
                f"{portfolio.code}-{self.days[day]:%Y%m%d}-{number}",
                portfolio,
                held[index][0],
                self.days[day],
                Decimal(rng.choice((-10, -5, 5, 10, 20))),
            )
            for number, index in enumerate(picked, start=1)
        ]

    def positions(self, portfolio: Portfolio, day: int) -> Iterator[Position]:
        """Every position at the end of the day, after that day's trades."""
        moved: dict[str, Decimal] = {}
        for past in range(1, day + 1):
            for trade in self.trades(portfolio, past):
                code = trade.instrument.code
                moved[code] = moved.get(code, Decimal(0)) + trade.quantity
        for instrument, start in self._held(portfolio):
            quantity = start + moved.get(instrument.code, Decimal(0))
            factor = instrument.quote_factor
            cost = (quantity * self.quote(instrument, 0) * factor).quantize(CENT, ROUND_HALF_EVEN)
            yield Position(instrument, quantity, self.quote(instrument, day) * factor, cost)

    def nav(self, portfolio: Portfolio, day: int) -> Decimal:
        """Net asset value in the portfolio's currency, unrounded."""
        total = Decimal(0)
        for position in self.positions(portfolio, day):
            value = position.quantity * position.price
            euros = value / self.rate(position.instrument.currency, day)
            total += euros * self.rate(portfolio.currency, day)
        return total

    def units(self, portfolio: Portfolio) -> Decimal:
        """Units of the fund's one share class, the same on all days."""
        return (self.nav(portfolio, 0) / NEW_UNITS_PRICE).quantize(Decimal(1))

    def nav_per_unit(self, portfolio: Portfolio, day: int) -> Decimal:
        """Price of a unit of the fund, to four decimals."""
        return (self.nav(portfolio, day) / self.units(portfolio)).quantize(UNIT_PRICE, ROUND_HALF_EVEN)

    def _held(self, portfolio: Portfolio) -> list[tuple[Instrument, Decimal]]:
        rng = random.Random(f"{self.universe.seed}/{portfolio.code}")
        instruments = rng.sample(self.universe.instruments, self.universe.positions_each)
        return [(instrument, Decimal(rng.randint(10, 4_000) * 10)) for instrument in instruments]

    def _path(self, instrument: Instrument) -> list[Decimal]:
        rng = random.Random(f"{self.universe.seed}/{instrument.code}")
        spread = 20 if instrument.asset_class == "DEBT" else 150
        return _walk(rng, instrument.start_price, spread, CENT)

    def _rate_path(self, currency: str, start: Decimal) -> list[Decimal]:
        return _walk(random.Random(f"{self.universe.seed}/{currency}"), start, 40, UNIT_PRICE)


def _walk(rng: random.Random, start: Decimal, spread_bps: int, step: Decimal) -> list[Decimal]:
    """A path of `DAYS` prices; each day moves by up to `spread_bps`, and never stands still."""
    path = [start]
    while len(path) < DAYS:
        move = Decimal(rng.randint(-spread_bps, spread_bps)) / 10_000
        following = (path[-1] * (1 + move)).quantize(step, ROUND_HALF_EVEN)
        path.append(following if following != path[-1] else following + step)
    return path
