"""Two sources of the same portfolios, made in the database: a custodian's books and our own, with breaks put in.

What is expected of a comparison is returned beside it; nothing here compares.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import psycopg

DAY = dt.date(2026, 1, 15)
BEFORE, AFTER = dt.date(2026, 1, 14), dt.date(2026, 1, 16)
PREFIX = "CUSTODY:"

_PUBLICATION = """
insert into governance.publication (publication_id, known_at, kind, feed, target, verdict, rows_published,
    rows_superseded, digest)
values (1, clock_timestamp(), 'delivery', 'books', 'core.holding', 'passed', 1, 0, '0')
"""
# Every portfolio holds the same instruments: number 0 to per_book - 1; those above stand in for second names.
_REFERENCES = (
    """
    insert into core.portfolio (portfolio_code, created_in)
    select prefix || 'P' || lpad(n::text, 4, '0'), 1
      from generate_series(0, {books} - 1) n, unnest(array['', 'CUSTODY:']) prefix
    """,
    """
    insert into core.instrument (instrument_code, created_in)
    select 'ISIN:X' || lpad(n::text, 6, '0'), 1 from generate_series(0, {per_book} * 2 - 1) n
    """,
    """
    create temporary table line as
    select p.portfolio_id as ours, c.portfolio_id as theirs, i.instrument_id, n.position,
           n.book * {per_book} + n.position as nr, other.instrument_id as other_instrument_id,
           (n.position * 7 + n.book) % 900 + 100.0 as quantity, (n.position % 977 + 100) * 0.25 as price,
           1 + (n.position % 5) * 0.1 as fx_rate,
           (array['USD', 'EUR', 'GBP', 'CHF', 'JPY'])[n.position % 5 + 1] as currency_code
      from (select book, position
              from generate_series(0, {books} - 1) book, generate_series(0, {per_book} - 1) position) n
      join core.portfolio p on p.portfolio_code = 'P' || lpad(n.book::text, 4, '0')
      join core.portfolio c on c.portfolio_code = 'CUSTODY:P' || lpad(n.book::text, 4, '0')
      join core.instrument i on i.instrument_code = 'ISIN:X' || lpad(n.position::text, 6, '0')
      join core.instrument other on other.instrument_code = 'ISIN:X' || lpad((n.position + {per_book})::text, 6, '0')
    """,
)
_HOLDING = """
insert into core.holding (portfolio_id, business_date, instrument_id, position_code, published_in, quantity, price,
    market_value, currency_code, fx_rate)
select {portfolio}, date '{day}', instrument_id, '', 1, quantity, price, quantity * price, currency_code, fx_rate
  from line
"""
_LOT = """
insert into core.holding (portfolio_id, business_date, instrument_id, position_code, published_in, quantity, price,
    market_value, currency_code, fx_rate)
select h.portfolio_id, h.business_date, h.instrument_id, 'LOT2', 1, h.quantity * {share}, h.price,
       h.market_value * {share}, h.currency_code, h.fx_rate
  from core.holding h, {chosen}
"""
_TRADE = """
insert into core.transaction (portfolio_id, transaction_code, business_date, published_in, instrument_id,
    transaction_kind_code, settlement_date, quantity, currency_code)
select ours, 'T' || nr, date '{day}', 1, instrument_id, 'BUY', date '{day}' + 2, 33, 'USD' from line l where {among}
"""
_SEDOL = """
insert into core.instrument_identifier (instrument_id, scheme, value, valid_from, valid_to, published_in)
select distinct {instrument}, 'SEDOL', 'S' || l.position, date '{since}', {until}::date, 1 from line l where {among}
"""


def write_books(connection: psycopg.Connection[Any], books: int, per_book: int, *, days: tuple[dt.date, ...]) -> None:
    """So many portfolios of so many positions, on both sides alike, on these days; one publication; committed."""
    connection.execute(_PUBLICATION)
    for statement in _REFERENCES:
        connection.execute(statement.format(books=books, per_book=per_book).encode())
    for day in days:
        connection.execute("select governance.ensure_month('core.holding', %s)", [day])
        for portfolio in ("ours", "theirs"):
            connection.execute(_HOLDING.format(portfolio=portfolio, day=day).encode())
    connection.execute("select governance.ensure_month('core.transaction', %s)", [DAY])
    connection.commit()


class Injected:
    """Puts breaks into DAY; `expected` is key -> class. Every class has lines of its own, `spacing` apart."""

    def __init__(self, connection: psycopg.Connection[Any], per_class: int, per_book: int, spacing: int) -> None:
        self.connection = connection
        self.per_class, self.per_book, self.spacing = per_class, per_book, spacing
        self.expected: dict[str, str] = {}

    def everything(self) -> dict[str, str]:
        """Breaks of every class, and what must not be found; committed."""
        self.missing()
        self.amounts()
        self.timing()
        self.identifiers()
        self.noise()
        self.connection.commit()
        return self.expected

    def missing(self) -> None:
        """Half on either side."""
        for part, side in enumerate(("theirs", "ours")):
            among = self._chosen(self._lines(0, part, 2), side)
            self._run(f"delete from core.holding h using {among} and h.business_date = date '{DAY}'")
        self._expect(self._lines(0), "missing")

    def amounts(self) -> None:
        """One column off; of rounding, little on a small position."""
        self._set(1, "quantity = h.quantity + 10, market_value = (h.quantity + 10) * h.price", "quantity")
        self._set(2, "price = h.price * 1.02, market_value = h.quantity * h.price * 1.02", "price")
        self._set(3, "fx_rate = h.fx_rate * 1.01", "fx")
        self._set(6, "market_value = h.market_value * 1.05", "unknown")
        self._set(7, "quantity = 10, market_value = h.price * 10 + 0.6", "rounding")
        self._set(7, "quantity = 10, market_value = h.price * 10", "rounding", side="ours")

    def timing(self) -> None:
        """They see a purchase today that we book tomorrow; or a trade of ours that they have not settled."""
        first, second = self._lines(4, 0, 2), self._lines(4, 1, 2)
        more = "update core.holding h set quantity = h.quantity + 33, market_value = (h.quantity + 33) * h.price from"
        both = f"h.business_date between date '{DAY}' and date '{AFTER}'"
        self._run(
            f"{more} {self._chosen(first)} and {both}",
            f"{more} {self._chosen(first, 'ours')} and h.business_date = date '{AFTER}'",
            f"{more} {self._chosen(second, 'ours')} and h.business_date = date '{DAY}'",
            _TRADE.format(day=DAY, among=_among(second)),
        )
        self._expect(self._lines(4), "timing")

    def identifiers(self) -> None:
        """They hold it under another name; half share an identifier of another year, half quantity and value only."""
        lines = self._lines(5)
        self._run(
            f"update core.holding h set instrument_id = l.other_instrument_id from {self._chosen(lines)}"
            f" and h.business_date = date '{DAY}'"
        )
        among = _among(self._lines(5, 0, 2))
        for instrument, since, until in (
            ("instrument_id", "0001-01-01", "'2025-01-01'"),
            ("other_instrument_id", "2025-01-01", "null"),
        ):
            self._run(_SEDOL.format(instrument=instrument, since=since, until=until, among=among))
        self._expect(lines, "identifier", offset=self.per_book)

    def noise(self) -> None:
        """Differences within the tolerances, and lots: many of theirs to one of ours, and both cut differently."""
        self._set(8, "quantity = h.quantity + 0.0004")
        self._set(9, "market_value = h.market_value + 0.01")
        for place, side, share in ((10, "theirs", "0.4"), (11, "theirs", "0.4"), (11, "ours", "0.25")):
            chosen = f"{self._chosen(self._lines(place), side)} and h.business_date = date '{DAY}'"
            self._run(_LOT.format(share=share, chosen=chosen))
            rest = f"quantity = h.quantity * (1 - {share}), market_value = h.market_value * (1 - {share})"
            self._run(f"update core.holding h set {rest} from {chosen}")

    def _set(self, place: int, change: str, name: str | None = None, side: str = "theirs") -> None:
        chosen = self._chosen(self._lines(place), side)
        self._run(f"update core.holding h set {change} from {chosen} and h.business_date = date '{DAY}'")
        if name:
            self._expect(self._lines(place), name)

    def _lines(self, place: int, part: int = 0, parts: int = 1) -> range:
        return range(place * 2 + 1 + part * self.spacing, self.per_class * self.spacing, self.spacing * parts)

    def _chosen(self, lines: range, side: str = "theirs") -> str:
        return (
            f"line l where {_among(lines)} and h.portfolio_id = l.{side} and h.instrument_id = l.instrument_id"
            " and h.position_code = ''"
        )

    def _expect(self, lines: range, name: str, offset: int = 0) -> None:
        for nr in lines:
            book, position = divmod(nr, self.per_book)
            self.expected[f"P{book:04d}/ISIN:X{position + offset:06d}"] = name

    def _run(self, *statements: str) -> None:
        for statement in statements:
            self.connection.execute(statement.encode())


def _among(lines: range) -> str:
    return f"l.nr = any(array(select generate_series({lines.start}, {lines.stop - 1}, {lines.step})))"
