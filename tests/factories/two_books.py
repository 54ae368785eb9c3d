"""Two sources of the same portfolios, made in the database: a custodian's books and our own, with breaks put in.

What is expected of a comparison is returned beside it; nothing here compares.
"""
# ruff: noqa: S608 numbers and names of ours

from __future__ import annotations

import datetime as dt
from typing import Any

import psycopg

DAY = dt.date(2026, 1, 15)
BEFORE, AFTER = dt.date(2026, 1, 14), dt.date(2026, 1, 16)
PREFIX = "CUSTODY:"

_REFERENCES = """
insert into core.portfolio (portfolio_code, created_in)
select prefix || 'P' || lpad(n::text, 4, '0'), 1 from generate_series(0, {books} - 1) n, unnest(array['', 'CUSTODY:']) prefix;
insert into core.instrument (instrument_code, created_in)
select 'ISIN:X' || lpad(n::text, 6, '0'), 1 from generate_series(0, {per_book} * 2 - 1) n;
"""
# Every portfolio holds the same instruments: number 0 to per_book - 1; those above stand in for second names.
_LINES = """
create temporary table line as
select p.portfolio_id as ours, c.portfolio_id as theirs, i.instrument_id, n.book, n.position, n.book * {per_book} + n.position as nr,
       (n.position * 7 + n.book) % 900 + 100.0 as quantity, (n.position % 977 + 100) * 0.25 as price,
       1 + (n.position % 5) * 0.1 as fx_rate, (array['USD', 'EUR', 'GBP', 'CHF', 'JPY'])[n.position % 5 + 1] as currency_code
  from (select b as book, s as position from generate_series(0, {books} - 1) b, generate_series(0, {per_book} - 1) s) n
  join core.portfolio p on p.portfolio_code = 'P' || lpad(n.book::text, 4, '0')
  join core.portfolio c on c.portfolio_code = 'CUSTODY:P' || lpad(n.book::text, 4, '0')
  join core.instrument i on i.instrument_code = 'ISIN:X' || lpad(n.position::text, 6, '0');
"""
_HOLDING = """
insert into core.holding (portfolio_id, business_date, instrument_id, position_code, published_in, quantity, price,
    market_value, currency_code, fx_rate)
select {portfolio}, date '{day}', instrument_id, '', 1, quantity, price, quantity * price, currency_code, fx_rate from line
"""


def write_books(connection: psycopg.Connection[Any], books: int, per_book: int, *, days: tuple[dt.date, ...]) -> None:
    """So many portfolios of so many positions, on both sides alike, on these days; one publication; committed."""
    connection.execute(
        "insert into governance.publication (publication_id, known_at, kind, feed, target, verdict, rows_published,"
        " rows_superseded, digest) values (1, clock_timestamp(), 'delivery', 'books', 'core.holding', 'passed', 1, 0, '0')"
    )
    for statement in (_REFERENCES, _LINES):
        for part in statement.format(books=books, per_book=per_book).strip().split(";"):
            if part.strip():
                connection.execute(part.encode())
    for day in days:
        connection.execute("select governance.ensure_month('core.holding', %s)", [day])
        for portfolio in ("ours", "theirs"):
            connection.execute(_HOLDING.format(portfolio=portfolio, day=day).encode())
    connection.execute("select governance.ensure_month('core.transaction', %s)", [DAY])
    connection.commit()


def _of(numbers: range, side: str = "theirs") -> str:
    return (
        f"from line l where l.nr = any(array(select generate_series({numbers.start}, {numbers.stop - 1}, {numbers.step})))"
        f" and h.portfolio_id = l.{side} and h.instrument_id = l.instrument_id and h.position_code = ''"
    )


def inject(connection: psycopg.Connection[Any], per_class: int, per_book: int, spacing: int) -> dict[str, str]:
    """Put `per_class` breaks of each class into DAY; key -> class. Also what must not be found: lots, and noise."""
    expected: dict[str, str] = {}
    on_day = f"h.business_date = date '{DAY}'"
    on_after = f"h.business_date = date '{AFTER}'"

    def numbers(place: int, part: int = 0, parts: int = 1) -> range:
        """The lines of the class in this place: every `spacing`th, no two classes on one line."""
        step = spacing * parts
        return range(place * 2 + 1 + part * spacing, per_class * spacing, step)

    def expect(lines: range, name: str, offset: int = 0) -> None:
        for nr in lines:
            book, position = divmod(nr, per_book)
            expected[f"P{book:04d}/ISIN:X{position + offset:06d}"] = name

    def run(*statements: str) -> None:
        for statement in statements:
            connection.execute(statement.encode())

    update = "update core.holding h set"
    for part, side in enumerate(("theirs", "ours")):
        gone = _of(numbers(0, part, 2), side).replace("from line l where", "using line l where")
        run(f"delete from core.holding h {gone} and {on_day}")
    expect(numbers(0), "missing")
    run(
        f"{update} quantity = h.quantity + 10, market_value = (h.quantity + 10) * h.price {_of(numbers(1))} and {on_day}",
        f"{update} price = h.price * 1.02, market_value = h.quantity * h.price * 1.02 {_of(numbers(2))} and {on_day}",
        f"{update} fx_rate = h.fx_rate * 1.01 {_of(numbers(3))} and {on_day}",
        f"{update} market_value = h.market_value * 1.05 {_of(numbers(6))} and {on_day}",
        f"{update} quantity = 10, market_value = h.price * 10 {_of(numbers(7), 'ours')} and {on_day}",
        f"{update} quantity = 10, market_value = h.price * 10 + 0.6 {_of(numbers(7))} and {on_day}",
        # Too small for the tolerances: nothing may be said of it.
        f"{update} quantity = h.quantity + 0.0004 {_of(numbers(8))} and {on_day}",
        f"{update} market_value = h.market_value + 0.01 {_of(numbers(9))} and {on_day}",
    )
    expect(numbers(1), "quantity")
    expect(numbers(2), "price")
    expect(numbers(3), "fx")
    expect(numbers(6), "unknown")
    expect(numbers(7), "rounding")
    # Timing: they see a purchase today that we book tomorrow; or a trade of ours that they have not settled.
    first, second = numbers(4, 0, 2), numbers(4, 1, 2)
    more = "quantity = h.quantity + 33, market_value = (h.quantity + 33) * h.price"
    run(
        f"{update} {more} {_of(first)} and ({on_day} or {on_after})",
        f"{update} {more} {_of(first, 'ours')} and {on_after}",
        f"{update} {more} {_of(second, 'ours')} and {on_day}",
        "insert into core.transaction (portfolio_id, transaction_code, business_date, published_in, instrument_id,"
        " transaction_kind_code, settlement_date, quantity, currency_code)"
        f" select ours, 'T' || nr, date '{DAY}', 1, instrument_id, 'BUY', date '{DAY}' + 2, 33, 'USD' from line"
        f" where nr = any(array(select generate_series({second.start}, {second.stop - 1}, {second.step})))",
    )
    expect(numbers(4), "timing")
    # Identifier: they hold it under another name, which shares an identifier, or the quantity and value only.
    for part in (0, 1):
        chosen = numbers(5, part, 2)
        run(
            f"{update} instrument_id = s.instrument_id from core.instrument s, line l"
            f" where s.instrument_code = 'ISIN:X' || lpad((l.position + {per_book})::text, 6, '0')"
            f" and l.nr = any(array(select generate_series({chosen.start}, {chosen.stop - 1}, {chosen.step})))"
            f" and h.portfolio_id = l.theirs and h.instrument_id = l.instrument_id and {on_day}"
        )
    chosen = numbers(5, 0, 2)
    for offset, since in (("0", "0001-01-01"), (f"{per_book}", "2025-01-01")):
        until = "date '2025-01-01'" if offset == "0" else "null"
        run(
            "insert into core.instrument_identifier (instrument_id, scheme, value, valid_from, valid_to, published_in)"
            f" select distinct s.instrument_id, 'SEDOL', 'S' || l.position, date '{since}', {until}::date, 1"
            f" from line l join core.instrument s on s.instrument_code = 'ISIN:X' || lpad((l.position + {offset})::text, 6, '0')"
            f" where l.nr = any(array(select generate_series({chosen.start}, {chosen.stop - 1}, {chosen.step})))"
        )
    expect(numbers(5), "identifier", offset=per_book)
    # Lots that add up to our one line, and lots on both sides cut differently.
    lots = (numbers(10), numbers(11))
    for which, side in ((lots[0], "theirs"), (lots[1], "theirs"), (lots[1], "ours")):
        share = "0.25" if side == "ours" else "0.4"
        run(
            "insert into core.holding (portfolio_id, business_date, instrument_id, position_code, published_in, quantity,"
            " price, market_value, currency_code, fx_rate)"
            f" select h.portfolio_id, h.business_date, h.instrument_id, 'LOT2', 1, h.quantity * {share}, h.price,"
            f" h.market_value * {share}, h.currency_code, h.fx_rate from core.holding h, line l where"
            f" {_of(which, side).removeprefix('from line l where ')} and {on_day}",
            f"{update} quantity = h.quantity * (1 - {share}), market_value = h.market_value * (1 - {share})"
            f" {_of(which, side)} and {on_day}",
        )
    connection.commit()
    return expected
