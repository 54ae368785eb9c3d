"""Which files arrive, in which order, and what Fulcrum should say to each.

The expectation is part of the demo's known truth; the tests hold the platform against it.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from fulcrum.contracts.model import FeedContract
from fulcrum.demo import faults, files
from fulcrum.demo.files import Row, write_file
from fulcrum.demo.market import Market

HOLDINGS_TOTAL = "market_value"
TRUTH = "truth.json"
DECIMAL_PLACES = 6
PRICE_FAULTS = {
    faults.MISSING_FROM: ("missing price", "held_are_priced"),
    faults.SLIP_DAY: ("pounds for pence", "no_slip"),
    faults.STALE_TO: ("stale price", "not_stale"),
}


@dataclass(frozen=True)
class Planned:
    """One file to deliver; `fault` names what was planted, `quarantined` counts its rows.

    `told_by` is a word of the message by which Fulcrum tells of the fault. What `waits` is left to people, who may
    have let it in since.
    """

    feed: str
    path: Path
    business_date: dt.date
    expected: str = "published"
    quarantined: int = 0
    fault: str | None = None
    told_by: str | None = None
    waits: bool = False


class Plan:
    """Writes the files of one market into a folder, in the order in which they arrive."""

    def __init__(self, market: Market, contracts: Mapping[str, FeedContract], folder: Path) -> None:
        self.market = market
        self.contracts = contracts
        self.folder = folder
        self.victims = faults.choose_victims(market)

    def arrivals(self) -> Iterator[Planned]:
        """Every delivery in order; a file is written when its turn comes."""
        yield from self._references()
        for day in range(len(self.market.days)):
            yield from self._day(day)
        yield self._repeated()
        yield from self._custody()
        yield self._left_to_people()

    def write_truth(self) -> Path:
        """Net asset values as they truly are, and where a fault makes Fulcrum rightly differ."""
        navs = {
            portfolio.code: {
                day.isoformat(): str(round(self.market.nav(portfolio, number), DECIMAL_PLACES))
                for number, day in enumerate(self.market.days)
            }
            for portfolio in self.market.universe.portfolios
        }
        victims = {name: instrument.isin for name, instrument in vars(self.victims).items()}
        path = self.folder / TRUTH
        content = {
            "seed": self.market.universe.seed,
            "victims": victims,
            "repeated_price": self._repeated_price(),
            "nav": navs,
        }
        path.write_text(json.dumps(content, indent=1), encoding="utf-8")
        return path

    def _repeated_price(self) -> dict[str, list[str]]:
        """By day, the portfolios that hold what the vendor priced with an older day's price."""
        holders = [
            portfolio.code
            for portfolio in self.market.universe.portfolios
            if any(position.instrument == self.victims.stale for position in self.market.positions(portfolio, 0))
        ]
        days = self.market.days[faults.STALE_FROM + 1 : faults.STALE_TO + 1]
        return {day.isoformat(): holders for day in days}

    def _write(
        self,
        feed: str,
        day: int,
        rows: Iterable[Row],
        *,
        suffix: str = "",
        total: str | None = None,
        encoding: str = "utf-8",
    ) -> Path:
        name = f"{feed}_{self.market.days[day]:%Y-%m-%d}{suffix}.csv"
        path = self.folder / feed / name
        return write_file(self.contracts[feed], path, rows, total=total, encoding=encoding)

    def _references(self) -> Iterator[Planned]:
        for feed, rows in (
            ("house_issuers", files.issuers),
            ("house_instruments", files.instruments),
            ("house_identifiers", files.identifiers),
            ("house_benchmarks", files.benchmarks),
            ("house_clients", files.clients),
            ("house_accounts", files.accounts),
            ("house_portfolios", files.portfolios),
            ("house_share_classes", files.share_classes),
        ):
            yield Planned(feed, self._write(feed, 0, rows(self.market)), self.market.days[0])

    def _day(self, day: int) -> Iterator[Planned]:
        if day == faults.LATE_FX_ARRIVES:
            yield self._fx(faults.LATE_FX_DAY, fault="late file")
        if day != faults.LATE_FX_DAY:
            yield self._fx(day)
        yield from self._prices(day)
        yield from self._holdings(day)
        if day:
            rows = files.transactions(self.market, day)
            yield Planned("house_transactions", self._write("house_transactions", day, rows), self.market.days[day])
        rows = files.unit_holdings(self.market, day)
        yield Planned("house_unit_holdings", self._write("house_unit_holdings", day, rows), self.market.days[day])
        if day == faults.GBK_DAY:
            yield self._clients_in_gbk(day)
        if day == faults.RESTATED_ARRIVES:
            yield self._restatement()

    def _fx(self, day: int, fault: str | None = None) -> Planned:
        path = self._write("house_fx_rates", day, files.fx_rates(self.market, day))
        return Planned("house_fx_rates", path, self.market.days[day], fault=fault)

    def _prices(self, day: int) -> Iterator[Planned]:
        date = self.market.days[day]

        def rows() -> Iterator[Row]:
            return faults.wrong_prices(self.market, self.victims, day, files.prices(self.market, day))

        if day == faults.TRUNCATED_DAY:
            path = self._write("house_prices", day, rows(), suffix="_cut")
            faults.truncate(path)
            yield Planned("house_prices", path, date, "refused", fault="truncated file")
        fault, told_by = PRICE_FAULTS.get(day, (None, None))
        yield Planned(
            "house_prices",
            self._write("house_prices", day, rows()),
            date,
            quarantined=1 if day == faults.SLIP_DAY else 0,
            fault=fault,
            told_by=told_by,
        )

    def _holdings(self, day: int) -> Iterator[Planned]:
        date = self.market.days[day]
        rows: Iterable[Row] = files.holdings(self.market, day)
        fault, told_by, quarantined = None, None, 0
        if day == faults.BAD_ISIN_DAY:
            rows, fault, told_by = faults.bad_isins(rows), "bad ISINs", "isin_valid"
            quarantined = faults.BAD_ISINS
        elif day == faults.DUPLICATES_DAY:
            rows, fault, told_by = faults.duplicates(rows), "duplicate rows", "line_once"
            quarantined = faults.DUPLICATES
        elif day == faults.CONTROL_TOTAL_DAY:
            path = self._write(
                "house_holdings", day, files.holdings(self.market, day), suffix="_bad", total=HOLDINGS_TOTAL
            )
            faults.spoil_control_total(path)
            yield Planned("house_holdings", path, date, "blocked", fault="control total", told_by="control_total")
        path = self._write("house_holdings", day, rows, total=HOLDINGS_TOTAL)
        yield Planned("house_holdings", path, date, quarantined=quarantined, fault=fault, told_by=told_by)

    def _clients_in_gbk(self, day: int) -> Planned:
        rows = ({**row, "risk_class_code": "C2"} for row in files.clients(self.market))
        path = self._write("house_clients", day, rows, encoding="gb18030")
        return Planned(
            "house_clients", path, self.market.days[day], "restated", fault="GBK encoding", told_by="GB18030"
        )

    def _restatement(self) -> Planned:
        rows = faults.restated(self.market, files.holdings(self.market, faults.RESTATED_DAY))
        path = self._write("house_holdings", faults.RESTATED_DAY, rows, suffix="_restated", total=HOLDINGS_TOTAL)
        date = self.market.days[faults.RESTATED_DAY]
        return Planned("house_holdings", path, date, "restated", fault="restatement")

    def _custody(self) -> Iterator[Planned]:
        """The custodian's statement of the last day, in a book of its own."""
        day, market = len(self.market.days) - 1, self.market
        path = self._write("house_portfolios", day, files.custody_portfolio(market), suffix="_custody")
        yield Planned("house_portfolios", path, market.days[day])
        code = files.custody_code(market.universe.portfolios[0])
        rows = faults.custodian(market, code, files.holdings(market, day))
        path = self._write("house_holdings", day, rows, suffix="_custody", total=HOLDINGS_TOTAL)
        yield Planned("house_holdings", path, market.days[day], fault="custodian differs")

    def _left_to_people(self) -> Planned:
        """A correction of the day before the last, whose total does not add up: whether it is used, people decide."""
        day = len(self.market.days) - 2
        rows = faults.restated(self.market, files.holdings(self.market, day))
        path = self._write("house_holdings", day, rows, suffix="_corrected", total=HOLDINGS_TOTAL)
        faults.spoil_control_total(path)
        return Planned(
            "house_holdings",
            path,
            self.market.days[day],
            "blocked",
            fault="for you to decide",
            told_by="control_total",
            waits=True,
        )

    def _repeated(self) -> Planned:
        last = self.market.days[-1]
        path = self.folder / "house_holdings" / f"house_holdings_{last:%Y-%m-%d}.csv"
        return Planned("house_holdings", path, last, "no_op", fault="the same file again")
