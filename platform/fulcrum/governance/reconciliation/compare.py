"""Finds where two sides differ, set-wise: one full outer join, and netting only where a key has several lines.

Why they differ is `classes.py`. The result is the temporary table `recon_pair`, one row per key that differs.
"""
# ruff: noqa: S608 see sides.py

from __future__ import annotations

import datetime as dt
from typing import Any

import psycopg

from fulcrum.governance.reconciliation.contract import Compared, Ready
from fulcrum.governance.reconciliation.sides import COLUMNS, KEYS, Sided

Connection = psycopg.Connection[Any]

_PAIR = """
create temporary table recon_pair (
    pair_no bigint generated always as identity, book bigint, instrument bigint, currency text, line text,
    other_instrument bigint, match_rule text, a_lines bigint not null, b_lines bigint not null,
    a_quantity numeric, b_quantity numeric, a_price numeric, b_price numeric, a_fx_rate numeric, b_fx_rate numeric,
    a_value numeric, b_value numeric, a_currency_code text, b_currency_code text, has_lines boolean not null
) on commit drop
"""


def make_books(connection: Connection, a: Sided, b: Sided, day: dt.date) -> None:
    """Fill `recon_book_a`, `recon_book_b` and their numbering `recon_book`."""
    for one in (a, b):
        query = one.books(day) if one.table.has_portfolio else "select null::bigint as portfolio_id, '' as book_code"
        _run(connection, f"create temporary table recon_named_{one.letter} on commit drop as {query}")
    chosen = {
        "all": "select book_code from recon_named_a union select book_code from recon_named_b",
        "a": "select book_code from recon_named_a",
        "b": "select book_code from recon_named_b",
        "common": "select book_code from recon_named_a intersect select book_code from recon_named_b",
    }[a.contract.scope]
    # Numbered by side B's portfolios, in whose order the key of its table stands already.
    _run(
        connection,
        "create temporary table recon_book on commit drop as"
        " select coalesce(min(b.portfolio_id), -row_number() over (order by book_code)) as book_no, book_code"
        f" from (select book_code from ({chosen}) every group by 1) c left join recon_named_b b using (book_code)"
        " group by book_code",
    )
    for one in (a, b):
        _run(
            connection,
            f"create temporary table recon_book_{one.letter} on commit drop as"
            f" select n.portfolio_id, k.book_no from recon_named_{one.letter} n join recon_book k using (book_code)",
        )
        _run(connection, f"create index on recon_book_{one.letter} (book_no)")  # asked once per break and date
        _run(connection, f"analyze recon_book_{one.letter}")


def count(connection: Connection, one: Sided, day: dt.date, *, among: str = "") -> int:
    """Lines of a side; `among` narrows them as in `Sided.lines`."""
    row = connection.execute(f"select count(*) from ({one.lines(day, among=among)}) l".encode()).fetchone()
    assert row is not None
    return int(row[0])


def has_lines(connection: Connection, one: Sided, day: dt.date) -> bool:
    """Whether a side has any."""
    row = connection.execute(f"select exists ({one.lines(day)})".encode()).fetchone()
    assert row is not None
    return bool(row[0])


def differences(connection: Connection, ready: Ready, a: Sided, b: Sided, day: dt.date) -> int | None:
    """Fill `recon_pair` with every key on which the sides do not agree within the tolerances.

    Returns how many lines A has more than B, which spares counting both (a tenth of a run); None: only counting tells.
    """
    _run(connection, _PAIR)
    is_plain = a.is_one_line_a_key and b.is_one_line_a_key and not _repeats(connection, a, b)
    if is_plain:
        lines = "" if "line" in a.keys else "coalesce(a.line, '') <> '' or coalesce(b.line, '') <> ''"
        _join(connection, ready, a, (a.lines(day), b.lines(day, is_own_number=b.table.has_portfolio)), has_lines=lines)
        surplus = _net(connection, ready, a, b, day)
    else:
        _join(connection, ready, a, (a.netted(day), b.netted(day)), lines="lines")
        surplus = None
    _run(connection, "analyze recon_pair")
    return surplus


def agree(ready: Ready, each: Compared, *, by: str = "", a: str = "a.", b: str = "b.") -> str:
    """SQL: both sides say the same in one column, within the tolerances or within the tolerance called `by`."""
    left, right = f"{a}{each.column}", f"{b}{each.column}"
    if each.column == "currency_code":
        return f"({left} is not distinct from {right})"
    if by:
        limit = f"{ready.number(by)}"
    else:
        limit = f"{ready.number(each.absolute)}"
        if each.relative:
            larger = f"greatest(abs({left}), abs({right}))"
            limit = f"greatest({limit}, {larger} * {ready.number(each.relative) / 100})"
    return f"coalesce({left} = {right} or abs({left} - {right}) <= {limit}, {left} is null and {right} is null)"


def _join(
    connection: Connection,
    ready: Ready,
    one: Sided,
    sides: tuple[str, str],
    *,
    lines: str = "1",
    has_lines: str = "",
    condition: str = "",
) -> None:
    """Both sides side by side; only what differs, or has lines to net, is kept."""
    on = " and ".join(f"a.{key} = b.{key}" for key in one.keys)
    first = one.keys[0]
    counted = ", ".join(
        f"case when {side}.{first} is null then 0 else {'1' if lines == '1' else f'{side}.lines'} end" for side in "ab"
    )
    keys = ", ".join(f"coalesce(a.{key}, b.{key})" if key in one.keys else "null" for key in KEYS)
    values = ", ".join(f"a.{column}, b.{column}" for column in COLUMNS)
    same = " and ".join(agree(ready, each) for each in ready.contract.compares)
    wanted = [f"a.{first} is null", f"b.{first} is null", *([has_lines] if has_lines else []), f"not ({same})"]
    _run(
        connection,
        f"insert into recon_pair ({', '.join(KEYS)}, a_lines, b_lines,"
        f" {', '.join(f'a_{column}, b_{column}' for column in COLUMNS)}, has_lines)"
        f" select {keys}, {counted}, {values}, {has_lines or 'false'}"
        f" from ({sides[0]}) a full join ({sides[1]}) b on {on}{condition} where {' or '.join(wanted)}",
    )


def _net(connection: Connection, ready: Ready, a: Sided, b: Sided, day: dt.date) -> int:
    """Keys with several lines are compared by their sums instead.

    Returns how many lines A has more than B: keys that are not looked at any more have one line on either side.
    """
    row = connection.execute("select exists (select from recon_pair where has_lines)").fetchone()
    if not (row and row[0]):
        return _surplus(connection)
    keys = ", ".join(a.keys)
    _run(
        connection,
        f"create temporary table recon_lines on commit drop as select distinct {keys} from recon_pair where has_lines",
    )
    _run(connection, "analyze recon_lines")
    same = " and ".join(f"p.{key} = l.{key}" for key in a.keys)
    _run(connection, f"delete from recon_pair p using recon_lines l where {same}")
    among = " join recon_lines n on " + " and ".join(f"n.{key} = {{{key}}}" for key in a.keys)
    surplus = _surplus(connection) + count(connection, a, day, among=among) - count(connection, b, day, among=among)
    _join(connection, ready, a, (a.netted(day, among=among), b.netted(day, among=among)), lines="lines")
    return surplus


def _surplus(connection: Connection) -> int:
    row = connection.execute("select coalesce(sum(a_lines - b_lines), 0) from recon_pair").fetchone()
    assert row is not None
    return int(row[0])


def _repeats(connection: Connection, a: Sided, b: Sided) -> bool:
    """Whether several portfolios of a side are one book, so that keys repeat without a line to tell."""
    for one in (a, b):
        row = connection.execute(
            f"select count(*) > count(distinct book_no) from recon_book_{one.letter}".encode()
        ).fetchone()
        if row and row[0]:
            return True
    return False


def _run(connection: Connection, statement: str) -> None:
    connection.execute(statement.encode())
