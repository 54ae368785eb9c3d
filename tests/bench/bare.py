"""What a good engineer would write by hand in SQL for the same work: the limit we measure against."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import psycopg

Connection = psycopg.Connection[Any]
BLOCK = 262_144

STAGING = """
drop table if exists bare.staging;
create unlogged table bare.staging (
    portfolio_code text, isin text, quantity numeric, price numeric, market_value numeric,
    currency_code text, cost numeric, business_date date)
"""

CHECKS = """
with duplicated as (
    select count(*) as n from (
        select from bare.staging group by portfolio_code, isin, business_date having count(*) > 1) d),
unknown_instrument as (
    select count(*) as n from (select distinct isin from bare.staging) s
     where not exists (select from core.instrument_identifier i where i.scheme = 'ISIN' and i.value = s.isin
                          and i.superseded_in is null)),
unknown_portfolio as (
    select count(*) as n from (select distinct portfolio_code from bare.staging) s
     where not exists (select from core.portfolio p where p.portfolio_code = s.portfolio_code)),
weights as (
    select count(*) as n from (
        select portfolio_code from bare.staging group by portfolio_code having sum(market_value) <= 0) w)
select count(*), count(*) filter (where portfolio_code is null or isin is null),
       count(*) filter (where not quality.is_valid_isin(isin)),
       count(*) filter (where quantity is null), count(*) filter (where quantity = 0),
       count(*) filter (where abs(quantity) > 1e12), count(*) filter (where price < 0),
       count(*) filter (where currency_code !~ '^[A-Z]{3}$'),
       count(*) filter (where abs(market_value - quantity * price) > greatest(1, abs(market_value) * 0.01)),
       count(*) filter (where business_date > current_date), sum(market_value),
       (select n from duplicated), (select n from unknown_instrument), (select n from unknown_portfolio),
       (select n from weights)
  from bare.staging
"""

INSERT = """
insert into bare.holding
select p.portfolio_id, s.business_date, i.instrument_id, '', 1, s.quantity, s.price, s.market_value, null, s.cost,
       s.currency_code, null, null, null, null, 1, row_number() over ()
  from bare.staging s
  join core.portfolio p using (portfolio_code)
  join core.instrument_identifier i on i.scheme = 'ISIN' and i.value = s.isin and i.superseded_in is null
"""


def prepare(connection: Connection) -> None:
    """A schema of its own, with a partitioned table like `core.holding`."""
    connection.execute("set work_mem = '128MB'")  # as Fulcrum's gate has it
    connection.execute("drop schema if exists bare cascade")
    connection.execute("create schema bare")
    connection.execute(
        "create table bare.holding (like core.holding including defaults) partition by range (business_date)"
    )
    connection.execute(
        "alter table bare.holding add primary key"
        " (portfolio_id, business_date, instrument_id, position_code, published_in)"
    )
    connection.commit()


def month(connection: Connection, day: dt.date) -> None:
    """An empty partition for `day`."""
    first = day.replace(day=1)
    following = (first + dt.timedelta(days=32)).replace(day=1)
    connection.execute(
        f"create table if not exists bare.holding_p{first:%Y%m} partition of bare.holding"
        f" for values from ('{first}') to ('{following}')".encode()
    )
    connection.commit()


def copy(connection: Connection, file: Path) -> None:
    """COPY the file's bytes into typed unlogged staging."""
    connection.execute(STAGING.encode())
    with (
        file.open("rb") as stream,
        connection.cursor().copy("copy bare.staging from stdin (format csv, header)") as target,
    ):
        ahead = stream.read(BLOCK)
        while block := stream.read(BLOCK):
            target.write(ahead)
            ahead = block
        target.write(ahead[: ahead.rfind(b"#END")])
    connection.execute("analyze bare.staging")
    connection.commit()


def check(connection: Connection) -> None:
    """The suite's checks in one statement."""
    connection.execute(CHECKS.encode()).fetchall()
    connection.commit()


def insert(connection: Connection) -> None:
    """INSERT ... SELECT into the partitioned table with its key."""
    connection.execute(INSERT.encode())
    connection.commit()
