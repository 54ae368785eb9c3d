"""A reconciliation from tables to classified, stored breaks with findings, against the bare full outer join.

The bare join compares the same columns within the same tolerances and keeps the keys that differ in a table: no lots,
no classes, no other names or days, no history. Both sides run by turns.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from pathlib import Path
from typing import Any

import psycopg
from rich.console import Console
from rich.table import Table

from fulcrum.governance.desk.policy import load_desk_policy
from fulcrum.governance.reconciliation.contract import load
from fulcrum.governance.reconciliation.run import Run, reconcile
from fulcrum.settings import Settings
from fulcrum.warehouse.engine import connect
from tests.bench.figures import Figure
from tests.bench.processor import Took
from tests.factories.two_books import AFTER, BEFORE, DAY, Injected, write_books

BUDGET = 2.0
PER_BOOK = 1_000
PER_CLASS = 125

# As an expert writes it: integer keys, and equality before the arithmetic of tolerances.
_BARE = """
create temporary table bare on commit drop as
with theirs as (
    select own.portfolio_id, h.instrument_id, h.quantity, h.price, h.fx_rate, h.market_value, h.currency_code
      from core.holding h join core.portfolio p using (portfolio_id)
      join core.portfolio own on own.portfolio_code = substr(p.portfolio_code, 9)
     where p.portfolio_code like 'CUSTODY:%' and h.business_date = '2026-01-15' and h.superseded_in is null),
ours as (
    select h.portfolio_id, h.instrument_id, h.quantity, h.price, h.fx_rate, h.market_value, h.currency_code
      from core.holding h join core.portfolio p using (portfolio_id)
     where p.portfolio_code not like 'CUSTODY:%' and h.business_date = '2026-01-15' and h.superseded_in is null)
select portfolio_id, instrument_id, a.quantity as a_quantity, b.quantity as b_quantity, a.price as a_price,
       b.price as b_price, a.fx_rate as a_fx_rate, b.fx_rate as b_fx_rate, a.market_value as a_value,
       b.market_value as b_value
  from theirs a full join ours b using (portfolio_id, instrument_id)
 where ((a.quantity = b.quantity or abs(a.quantity - b.quantity) <= 0.0005)
        and (a.price = b.price
             or abs(a.price - b.price) <= greatest(0.0001, greatest(abs(a.price), abs(b.price)) * 0.0001))
        and (a.fx_rate = b.fx_rate
             or abs(a.fx_rate - b.fx_rate) <= greatest(abs(a.fx_rate), abs(b.fx_rate)) * 0.0005)
        and (a.market_value = b.market_value
             or abs(a.market_value - b.market_value)
                <= greatest(0.01, greatest(abs(a.market_value), abs(b.market_value)) * 0.0001))
        and a.currency_code is not distinct from b.currency_code) is not true
"""


def run(settings: Settings, folder: Path, rows: int, rounds: int, console: Console) -> list[Figure]:
    """Two books of so many positions, 1,000 breaks of every class among them."""
    books = max(1, rows // PER_BOOK)
    with connect(settings) as connection:
        write_books(connection, books, PER_BOOK, days=(BEFORE, DAY, AFTER))
        spacing = books * PER_BOOK // PER_CLASS
        expected = Injected(connection, PER_CLASS, PER_BOOK, spacing).everything()
        with connect(settings, role="fulcrum_owner", autocommit=True) as owner:
            owner.execute("vacuum (analyze) core.holding, core.portfolio, core.instrument")
        policy, ready = load_desk_policy(settings), load(settings, "custody_positions", dt.date(2026, 11, 22))
        runs: list[Run] = []

        def ours() -> None:
            runs.append(reconcile(connection, policy, ready, DAY))
            connection.commit()

        def bare() -> None:
            connection.execute("set local work_mem = '256MB'")
            connection.execute(_BARE)
            connection.commit()

        took = {"bare": Took(), "ours": Took()}
        bare()
        ours()
        for turn in range(rounds):
            told = took["bare"].run(settings, bare), took["ours"].run(settings, ours)
            console.print(f"round {turn + 1}: bare {told[0]}, reconciliation {told[1]}")
        found = _found(connection, runs[-1])
    console.print(_matrix(expected, found))
    _check(expected, found)
    name = f"reconciliation of {books * PER_BOOK:,} against as many / bare full outer join"
    return took["ours"].against(took["bare"], name, BUDGET)


def _found(connection: psycopg.Connection[Any], done: Run) -> dict[str, str]:
    """The class of each break, by key."""
    return dict(
        connection.execute(
            "select break_key, class_code from quality.reconciliation_break where reconciliation_run_id = %s",
            [done.reconciliation_run_id],
        ).fetchall()
    )


def _matrix(expected: dict[str, str], found: dict[str, str]) -> Table:
    """Which class was put in (lines) and which was said (columns); `-` is nothing put in, or not found."""
    counts = Counter((expected.get(key, "-"), found.get(key, "-")) for key in expected.keys() | found.keys())
    said = sorted({pair[1] for pair in counts})
    table = Table("put in", *said, title="Classes of breaks", title_justify="left", box=None, padding=(0, 1, 0, 0))
    for put_in in sorted({pair[0] for pair in counts}):
        table.add_row(put_in, *(f"{counts[put_in, one] or ''}" for one in said))
    return table


def _check(expected: dict[str, str], found: dict[str, str]) -> None:
    """More or other keys, or another class, are an error of the reconciliation."""
    if found.keys() != expected.keys():
        raise AssertionError(f"{len(found.keys() ^ expected.keys())} keys are found that were not put in, or not found")
    wrong = Counter((expected[key], found[key]) for key in found if found[key] != expected[key])
    if wrong:
        raise AssertionError(f"Classes differ: {wrong}")
