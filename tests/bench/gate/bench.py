"""The gate on staged holdings against one hand-written statement with the same checks, same server.

Both sides run by turns, because neighbours disturb; importing Great Expectations is not measured.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import psycopg
from rich.console import Console

from fulcrum.contracts.catalog import contract_for
from fulcrum.contracts.delivery import Staged
from fulcrum.contracts.model import FeedContract
from fulcrum.pipeline.record import drop_staging
from fulcrum.quality.gate import judge
from fulcrum.settings import Settings
from fulcrum.warehouse.engine import connect
from tests.bench.figures import Figure, median, seconds

DAY = dt.date(2026, 1, 5)
COLUMNS = (
    "portfolio_code", "isin", "quantity", "price", "market_value", "currency_code", "cost", "business_date",
    "position_code",
)  # fmt: skip

# 20,000 instruments, 300 positions per portfolio, values that agree.
ROWS = """
create unlogged table {table} as
select g + 1 as source_row, 'GATE:P' || g / 300 as portfolio_code, i.isin,
       (g % 1000 + 1)::numeric as quantity, (g % 977 + 1) * 1.25 as price,
       (g % 1000 + 1) * ((g % 977 + 1) * 1.25) as market_value,
       (array['USD', 'EUR', 'GBP', 'CHF', 'JPY'])[g % 5 + 1] as currency_code, null::numeric as cost,
       date '2026-01-05' as business_date, null::text as position_code
  from generate_series(0, {rows} - 1) g
  join (select k, 'XS' || lpad(k::text, 9, '0') || c as isin
          from generate_series(0, 19999) k cross join generate_series(0, 9) c
         where quality.is_valid_isin('XS' || lpad(k::text, 9, '0') || c)) i
    on i.k = g % 300 * 66 + g / 300 % 66
"""
PARENTS = (
    """
    insert into core.portfolio (portfolio_code, created_in)
    select distinct portfolio_code, 1 from {table} on conflict do nothing
    """,
    """
    insert into core.instrument (instrument_code, created_in)
    select distinct 'ISIN:' || isin, 1 from {table} on conflict do nothing
    """,
    """
    insert into core.instrument_identifier (instrument_id, scheme, value, valid_from, published_in)
    select instrument_id, 'ISIN', substr(instrument_code, 6), '0001-01-01', 1 from core.instrument i
     where instrument_code like 'ISIN:XS%'
       and not exists (select from core.instrument_identifier x where x.instrument_id = i.instrument_id)
    """,
    "analyze core.portfolio, core.instrument_identifier, {table}",
)
BY_HAND = """
select count(*),
       abs(sum(market_value) - {total}),
       count(*) filter (where business_date not between date '1970-01-01' and current_date + 1),
       count(*) filter (where quantity is null and market_value is null),
       count(*) filter (where quantity is null),
       count(*) filter (where quantity = 0 and market_value = 0),
       count(*) filter (where abs(quantity) > 10000000000000),
       count(*) filter (where abs(market_value) > 10000000000000),
       count(*) filter (where price < 0),
       count(*) filter (where not (quality.is_currency(currency_code) or currency_code = 'CNH')),
       count(*) filter (where currency_code is null),
       count(*) filter (where abs(quantity * price - market_value)
                              > abs(market_value) * 0.01 + abs(quantity) * 0.005 + 1),
       count(*) filter (where quantity < 0),
       count(*) filter (where sign(quantity) * sign(market_value) < 0),
       (select count(*) from (select from {table}
                               group by portfolio_code, business_date, isin, position_code having count(*) > 1) d),
       (select count(*) from {table} s where not exists (
            select from core.portfolio p where p.portfolio_code = s.portfolio_code)),
       (select count(*) from {table} s where not exists (
            select from core.instrument_identifier i
             where i.scheme = 'ISIN' and i.value = s.isin and i.superseded_in is null)),
       (select count(*) from {table} s where s.isin in (
            select isin from (select distinct isin from {table} offset 0) d where not quality.is_valid_isin(isin))),
       (select min(100.0 * n.lines / b.lines)
          from (select portfolio_code, count(*) as lines from {table} group by portfolio_code) n
          join core.portfolio p using (portfolio_code)
          cross join lateral (select count(*) as lines from core.holding h
                               where h.portfolio_id = p.portfolio_id and h.superseded_in is null
                                 and h.business_date between date '2025-12-25' and date '2026-01-05') b
         where b.lines > 0)
  from {table}
"""


def run(settings: Settings, folder: Path, rows: int, rounds: int, console: Console) -> list[Figure]:
    """One delivery, judged again and again; each round asks ours and the hand-written statement in turn."""
    contract = contract_for(settings, "house_holdings")
    with connect(settings) as connection:
        delivery_id, staged = _stage(connection, contract, rows)
        by_hand = BY_HAND.format(table=staged.table, total=staged.metadata["control_total"]).encode()

        def ask() -> None:
            connection.execute("set local work_mem = '128MB'")  # as the gate's own session has
            connection.execute(by_hand).fetchone()
            connection.rollback()

        def judged() -> None:
            verdict = judge(settings, contract, staged, delivery_id)
            assert verdict.verdict == "passed", [result for result in verdict.results if result.status == "failed"]

        judged()
        asked, ours = [], []
        for number in range(rounds):
            asked.append(seconds(ask))
            ours.append(seconds(judged))
            console.print(f"round {number + 1}: gate {ours[-1]:.1f} s, by hand {asked[-1]:.1f} s")
        drop_staging(connection, delivery_id)
    ratio = median([our / bare for our, bare in zip(ours, asked, strict=True)])
    return [Figure(f"gate of {rows:,} holdings / one statement by hand", ratio, "x", note=f"{median(ours):.1f} s")]


def _stage(connection: psycopg.Connection[Any], contract: FeedContract, rows: int) -> tuple[int, Staged]:
    row = connection.execute(
        "insert into governance.delivery (feed, file_name, sha256, size_bytes) values (%s, 'bench', '0', 1)"
        " returning delivery_id",
        (contract.feed,),
    ).fetchone()
    assert row is not None
    table = f"staging.delivery_{row[0]}"
    for statement in (ROWS, *PARENTS):
        connection.execute(statement.format(table=table, rows=rows).encode())
    total = connection.execute(f"select sum(market_value) from {table}".encode()).fetchone()
    assert total is not None
    connection.commit()
    metadata = {"control_rows": str(rows), "control_column": "market_value", "control_total": str(total[0])}
    return int(row[0]), Staged(table, COLUMNS, rows, 0, (DAY, DAY), metadata)
