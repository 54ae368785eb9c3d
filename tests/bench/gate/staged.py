"""Staged holdings of the gate's bench, good or with every hundredth row bad, and the checks as an expert writes them.

The contenders are `bench.py` and `peers.py`.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import psycopg

from fulcrum.contracts.delivery import Staged
from fulcrum.contracts.model import FeedContract

DAY = dt.date(2026, 1, 5)
COLUMNS = (
    "portfolio_code", "isin", "quantity", "price", "market_value", "currency_code", "cost", "business_date",
    "position_code",
)  # fmt: skip
TWELVE = (
    "holding.rows_present", "holding.line_once", "holding.portfolio_known", "holding.instrument_known",
    "holding.isin_valid", "holding.date_plausible", "holding.amount_present", "holding.quantity_magnitude",
    "holding.value_magnitude", "holding.price_not_negative", "holding.currency_listed", "holding.value_agrees",
)  # fmt: skip

# 20,000 instruments, 300 positions per portfolio, values that agree.
_ROWS = """
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
_PARENTS = (
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

# Every hundredth row: a wrong check digit, no amounts, no such currency, the line before once more, no such portfolio.
_SPOILED = """
create unlogged table {table} as
select s.source_row, case s.source_row / 100 % 5 * is_bad when 4 then 'GATE:NONE' when 3 then b.portfolio_code
                          else s.portfolio_code end as portfolio_code,
       case s.source_row / 100 % 5 * is_bad when 1 then left(s.isin, 11) || (right(s.isin, 1)::int + 1) % 10
            when 3 then b.isin else s.isin end as isin,
       case s.source_row / 100 % 5 * is_bad when 2 then null when 3 then b.quantity else s.quantity end as quantity,
       case s.source_row / 100 % 5 * is_bad when 3 then b.price else s.price end as price,
       case s.source_row / 100 % 5 * is_bad when 2 then null when 3 then b.market_value
            else s.market_value end as market_value,
       case when is_bad = 1 and s.source_row / 100 % 5 = 0 then 'XQX' when s.source_row / 100 % 5 * is_bad = 3
            then b.currency_code else s.currency_code end as currency_code,
       s.cost, s.business_date, s.position_code
  from (select *, (source_row % 100 = 0)::int as is_bad from {good}) s
  left join {good} b on s.is_bad = 1 and b.source_row = s.source_row - 1
 order by s.source_row
"""

_KEYS = """
       (select count(*) from (select from {table}
                               group by portfolio_code, business_date, isin, position_code having count(*) > 1) d),
       (select count(*) from {table} s where not exists (
            select from core.portfolio p where p.portfolio_code = s.portfolio_code)),
       (select count(*) from {table} s where not exists (
            select from core.instrument_identifier i
             where i.scheme = 'ISIN' and i.value = s.isin and i.superseded_in is null)),
       (select count(*) from {table} s where s.isin in (
            select isin from (select distinct isin from {table} offset 0) d where not quality.is_valid_isin(isin)))
"""
BY_HAND = {
    "12 rules": f"""
select count(*),
       count(*) filter (where business_date not between date '1970-01-01' and current_date + 1),
       count(*) filter (where quantity is null and market_value is null),
       count(*) filter (where abs(quantity) > 10000000000000),
       count(*) filter (where abs(market_value) > 10000000000000),
       count(*) filter (where price < 0),
       count(*) filter (where not (quality.is_currency(currency_code) or currency_code = 'CNH')),
       count(*) filter (where abs(quantity * price - market_value)
                              > abs(market_value) * 0.01 + abs(quantity) * 0.005 + 1),
{_KEYS}
  from {{table}}""",
    "all rules": f"""
select count(*),
       abs(sum(market_value) - {{total}}),
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
{_KEYS},
       (select min(100.0 * n.lines / b.lines)
          from (select portfolio_code, count(*) as lines from {{table}} group by portfolio_code) n
          join core.portfolio p using (portfolio_code)
          cross join lateral (select count(*) as lines from core.holding h
                               where h.portfolio_id = p.portfolio_id and h.superseded_in is null
                                 and h.business_date between date '2025-12-25' and date '2026-01-05') b
         where b.lines > 0)
  from {{table}}""",
}
"""One statement for a table: `{table}`, its control total `{total}`."""


def stage(
    connection: psycopg.Connection[Any], contract: FeedContract, rows: int, like: Staged | None = None
) -> tuple[int, Staged]:
    """A committed delivery of good rows, or of those of `like` with every hundredth spoiled; its number and table."""
    row = connection.execute(
        "insert into governance.delivery (feed, file_name, sha256, size_bytes) values (%s, 'bench', '0', 1)"
        " returning delivery_id",
        (contract.feed,),
    ).fetchone()
    assert row is not None
    table = f"staging.delivery_{row[0]}"
    good = like.table if like else ""
    for statement in (_SPOILED, "analyze {table}") if like else (_ROWS, *_PARENTS):
        connection.execute(statement.format(table=table, rows=rows, good=good).encode())
    # Its first vacuum would be counted as the processor time of whoever runs then (3 of 7 seconds once).
    connection.execute(f"alter table {table} set (autovacuum_enabled = off)".encode())
    total = connection.execute(f"select sum(market_value) from {table}".encode()).fetchone()
    assert total is not None
    connection.commit()
    metadata = {"control_rows": str(rows), "control_column": "market_value", "control_total": str(total[0])}
    return int(row[0]), Staged(table, COLUMNS, rows, 0, (DAY, DAY), metadata)
