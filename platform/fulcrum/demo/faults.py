"""The faults that are planted in the files, each a small change of otherwise true rows.

The day numbers say on which of the twenty business days a fault happens; `plan.py` uses them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from fulcrum.demo.files import Row
from fulcrum.demo.market import Market
from fulcrum.demo.universe import Instrument

BAD_ISIN_DAY = 3
STALE_FROM, STALE_TO = 4, 12
DUPLICATES_DAY = 5
MISSING_FROM, MISSING_TO = 6, 14
SLIP_DAY = 8
CONTROL_TOTAL_DAY = 10
TRUNCATED_DAY = 11
GBK_DAY = 12
LATE_FX_DAY, LATE_FX_ARRIVES = 14, 16
RESTATED_DAY, RESTATED_ARRIVES = 15, 18

BAD_ISINS = 3
DUPLICATES = 2
RESTATED_POSITIONS = 5
CUSTODY_BREAKS = {"missing": 1, "price": 1, "quantity": 1}
"""By class, where the custodian's book of the first portfolio differs from ours on the last day."""


@dataclass(frozen=True)
class Victims:
    """The instruments that faults of prices happen to: all held by the first portfolio."""

    missing: Instrument
    stale: Instrument
    slipped: Instrument


def choose_victims(market: Market) -> Victims:
    """Two shares and, for the slip, one that is quoted in pence."""
    held = [position.instrument for position in market.positions(market.universe.portfolios[0], 0)]
    shares = [instrument for instrument in held if instrument.quote_unit == "UNIT"]
    pence = next(instrument for instrument in held if instrument.quote_unit == "MINOR")
    return Victims(shares[0], shares[1], pence)


def bad_isins(rows: Iterable[Row]) -> Iterator[Row]:
    """The first rows carry a wrong check digit."""
    for number, row in enumerate(rows):
        if number < BAD_ISINS:
            isin = row["isin"]
            yield {**row, "isin": isin[:-1] + str((int(isin[-1]) + 1) % 10)}
        else:
            yield row


def duplicates(rows: Iterable[Row]) -> Iterator[Row]:
    """The first rows come again at the end, as after a resumed download."""
    kept: list[Row] = []
    for row in rows:
        if len(kept) < DUPLICATES:
            kept.append(row)
        yield row
    yield from kept


def wrong_prices(market: Market, victims: Victims, day: int, rows: Iterable[Row]) -> Iterator[Row]:
    """Leaves out the missing price, repeats the stale one, and gives pounds for pence."""
    for row in rows:
        if row["isin"] == victims.missing.isin and MISSING_FROM <= day <= MISSING_TO:
            continue
        if row["isin"] == victims.stale.isin and STALE_FROM <= day <= STALE_TO:
            yield {**row, "price": market.quote(victims.stale, STALE_FROM)}
        elif row["isin"] == victims.slipped.isin and day == SLIP_DAY:
            yield {**row, "price": row["price"] / 100}
        else:
            yield row


def restated(market: Market, rows: Iterable[Row]) -> Iterator[Row]:
    """The largest positions of the first portfolio were wrong, and the last of them was not there."""
    portfolio = market.universe.portfolios[0]
    held = sorted(market.positions(portfolio, RESTATED_DAY), key=lambda position: -position.market_value)
    changed = [position.instrument.isin for position in held[:RESTATED_POSITIONS]]
    gone = held[RESTATED_POSITIONS].instrument.isin
    for row in rows:
        if row["portfolio_code"] != portfolio.code or row["isin"] not in (*changed, gone):
            yield row
        elif row["isin"] != gone:
            quantity = row["quantity"] + Decimal(100)
            value = (quantity * row["price"]).quantize(Decimal("0.01"))
            yield {**row, "quantity": quantity, "market_value": value}


def custodian(market: Market, code: str, rows: Iterable[Row]) -> Iterator[Row]:
    """The first portfolio as its custodian has it: one line lacks, one has more shares, one an older price."""
    portfolio = market.universe.portfolios[0]
    own = sorted((row for row in rows if row["portfolio_code"] == portfolio.code), key=lambda row: str(row["isin"]))
    for number, row in enumerate(own):
        quantity, price = row["quantity"], row["price"]
        if number == 0:
            continue
        if number == 1:
            quantity += 7
        if number == 2:  # noqa: PLR2004 the third line
            price = (price * Decimal("0.98")).quantize(Decimal("0.0001"))
        factor = row["market_value"] / (row["quantity"] * row["price"])
        value = row["market_value"] if number > 2 else (quantity * price * factor).quantize(Decimal("0.01"))  # noqa: PLR2004
        yield {**row, "portfolio_code": code, "quantity": quantity, "price": price, "market_value": value}


def spoil_control_total(path: Path) -> None:
    """Put a trailer under the file whose total does not add up."""
    lines = path.read_text(encoding="utf-8").splitlines()
    name, _, total = lines[-1].rpartition("=")
    lines[-1] = f"{name}={Decimal(total) + Decimal('1000000.00')}"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def truncate(path: Path) -> None:
    """Cut the file in the middle of a line, as a broken transfer does."""
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 3 // 5])
