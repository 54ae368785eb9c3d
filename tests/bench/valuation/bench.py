"""Times Fulcrum's derivation beside the bare SQL join and a Polars join, all from tables to table.

Each contender starts from rows in PostgreSQL and ends with the same valued rows in a keyed table
and one sum per portfolio. Fulcrum also finds out what to do, chooses by policy, and publishes.
"""

from __future__ import annotations

import datetime as dt
import io
import time
from pathlib import Path
from typing import Any

import polars as pl
import psycopg
from rich.console import Console

from fulcrum.analytics import nav, positions
from fulcrum.pipeline.derive import derive
from fulcrum.settings import Settings
from fulcrum.warehouse.engine import connect
from tests.bench.figures import Figure, median, seconds
from tests.bench.processor import processor_seconds
from tests.bench.valuation.market import make_day, make_entities

FIRST_MONTH = dt.date(2031, 1, 15)
BUDGET = 1.5

_TABLES = """
drop table if exists staging.bench_value, staging.bench_nav;
create table staging.bench_value (like mart.position_valuation including all);
create table staging.bench_nav (like mart.portfolio_nav including all)
"""

# What a person would write for this date alone: no choice, no ages, no knowledge time, EUR crosses only.
_BARE = f"""
insert into staging.bench_value ({", ".join(positions.COLUMNS)}, published_in)
select h.portfolio_id, h.business_date, h.instrument_id, h.position_code, h.quantity, p.price, p.business_date,
       p.price_type_code, p.source_code, i.currency_code, f.factor, i.contract_size,
       h.quantity * p.price * f.factor * i.contract_size, fx.rate, h.business_date,
       i.currency_code || '>' || v.base_currency_code, v.base_currency_code,
       h.quantity * p.price * f.factor * i.contract_size * fx.rate, 'VALUED', h.published_in, p.published_in,
       array[fx.published_in], 1
  from core.holding h
  join core.instrument_version i on i.instrument_id = h.instrument_id and i.superseded_in is null
  join core.portfolio_version v on v.portfolio_id = h.portfolio_id and v.superseded_in is null
  join (values ('UNIT', 1), ('MINOR', 0.01), ('PER_100', 0.01)) f (unit, factor) on f.unit = i.quote_unit_code
  join core.price p on p.instrument_id = h.instrument_id and p.business_date = h.business_date
  join (with eur as (select quote_currency_code as c, rate, published_in from core.fx_rate
                      where business_date = %(day)s union all select 'EUR', 1, 0)
        select a.c as one, b.c as two, b.rate / a.rate as rate, b.published_in from eur a, eur b) fx
    on fx.one = i.currency_code and fx.two = v.base_currency_code
 where h.business_date = %(day)s and p.business_date = %(day)s and h.superseded_in is null
"""

_BARE_NAV = f"""
insert into staging.bench_nav ({", ".join(nav.COLUMNS)}, published_in)
select portfolio_id, business_date, base_currency_code, sum(market_value_base), count(*), count(market_value_base),
       0, true, min(price_date), null, null, 1, 1
  from staging.bench_value group by portfolio_id, business_date, base_currency_code
"""

_COPY = (
    f"copy staging.bench_value ({', '.join(positions.COLUMNS)}, published_in) from stdin"
    " (format csv, force_not_null (position_code))"
)

_READ = {
    "holding": "select portfolio_id, business_date, instrument_id, position_code, quantity, published_in"
    " from core.holding where business_date = %(day)s and superseded_in is null",
    "price": "select p.instrument_id, p.price, p.business_date as price_date, p.price_type_code, p.source_code,"
    " p.published_in as price_in, i.currency_code as one, i.contract_size,"
    " case when i.quote_unit_code = 'UNIT' then 1 else 0.01 end as factor"
    " from core.price p join core.instrument_version i using (instrument_id) where business_date = %(day)s",
    "portfolio": "select portfolio_id, base_currency_code as two from core.portfolio_version",
    "rate": "with eur as (select quote_currency_code as c, rate, published_in from core.fx_rate"
    " where business_date = %(day)s union all select 'EUR', 1, 0)"
    " select a.c as one, b.c as two, round(b.rate / a.rate, 12) as rate, b.published_in as fx_in from eur a, eur b",
}


def run(settings: Settings, _folder: Path, rows: int, rounds: int, console: Console) -> list[Figure]:
    """Value `rows` positions in 5 currencies `rounds` times, each contender in turn on a fresh month."""
    took: dict[str, list[float]] = {"fulcrum": [], "bare SQL": [], "polars": []}
    spent: dict[str, list[float]] = {name: [] for name in took}
    with connect(settings, application_name="bench") as connection:
        make_entities(connection, rows)
        for turn in range(rounds):
            month = FIRST_MONTH.replace(year=FIRST_MONTH.year + turn // 12, month=1 + turn % 12)
            make_day(connection, month)
            _analyze(settings)
            contenders = {
                "bare SQL": lambda: _bare(connection, month),  # noqa: B023 called in this turn
                "polars": lambda: _polars(connection, month),  # noqa: B023
                "fulcrum": lambda: derive(settings, dates=[month]),  # noqa: B023
            }
            names = list(contenders)
            for name in names[turn % 3 :] + names[: turn % 3]:
                connection.execute(_TABLES)
                connection.commit()
                connection.execute("checkpoint" if _may_checkpoint(connection) else "select 1")
                connection.commit()
                before = processor_seconds(settings)
                took[name].append(seconds(contenders[name]))
                time.sleep(1)  # a backend that is just ending is counted by nobody
                spent[name].append(processor_seconds(settings) - before)
                console.print(f"round {turn + 1}, {name}: {took[name][-1]:.2f} s, CPU {spent[name][-1]:.2f} s")
            _check_same(connection, month)
        connection.execute("drop table staging.bench_value, staging.bench_nav")
        connection.commit()
    best = min(("bare SQL", "polars"), key=lambda name: median(took[name]))
    return [
        *(
            Figure(
                f"value {rows:,} positions, {name}", median(took[name]), "s", note=f"CPU {median(spent[name]):.1f} s"
            )
            for name in took
        ),
        Figure(f"valuation / {best}, wall", _ratio(took, best), "x", BUDGET, note=f"{rows:,} positions"),
        Figure(
            f"valuation / {best}, CPU", _ratio(spent, best), "x", BUDGET, note="client and server; steadier than wall"
        ),
    ]


def _ratio(measured: dict[str, list[float]], peer: str) -> float:
    return median([mine / other for mine, other in zip(measured["fulcrum"], measured[peer], strict=True)])


def _analyze(settings: Settings) -> None:
    """What autovacuum does within a minute; without it the bare join takes a nested loop for ever."""
    with connect(settings, role="fulcrum_owner", autocommit=True) as owner:
        for table in ("instrument_version", "portfolio_version", "price", "fx_rate", "holding"):
            owner.execute(f"analyze core.{table}")


def _bare(connection: psycopg.Connection[Any], day: dt.date) -> None:
    connection.execute(_BARE, {"day": day})
    connection.execute(_BARE_NAV)
    connection.commit()


def _polars(connection: psycopg.Connection[Any], day: dt.date) -> None:
    """Read the tables into frames, join, and write the result back; float64, as a user would."""
    frames = {name: _frame(connection, query, day) for name, query in _READ.items()}
    joined = (
        frames["holding"]
        .join(frames["price"], on="instrument_id")
        .join(frames["portfolio"], on="portfolio_id")
        .join(frames["rate"], on=["one", "two"])
        .with_columns(local=pl.col("quantity") * pl.col("price") * pl.col("factor") * pl.col("contract_size"))
        .with_columns(base=pl.col("local") * pl.col("rate"))
    )
    out = joined.select(
        "portfolio_id", "business_date", "instrument_id", pl.col("position_code").fill_null(""), "quantity", "price",
        "price_date", "price_type_code", "source_code", "one", "factor", "contract_size", "local", "rate",
        pl.col("business_date").alias("fx_date"), pl.concat_str(["one", "two"], separator=">").alias("path"), "two",
        "base", pl.lit("VALUED").alias("status"), "published_in", "price_in",
        pl.concat_str([pl.lit("{"), pl.col("fx_in").cast(pl.String), pl.lit("}")]).alias("ids"),
        pl.lit(1).alias("in"),
    )  # fmt: skip
    buffer = io.BytesIO()
    out.write_csv(buffer, include_header=False, quote_style="never")
    with connection.cursor().copy(_COPY) as copy:
        copy.write(buffer.getvalue())
    connection.execute(_BARE_NAV)
    connection.commit()


def _frame(connection: psycopg.Connection[Any], query: str, day: dt.date) -> pl.DataFrame:
    statement = query.replace("%(day)s", f"'{day}'")
    with connection.cursor().copy(f"copy ({statement}) to stdout (format csv, header)") as copy:
        return pl.read_csv(io.BytesIO(b"".join(bytes(block) for block in copy)), infer_schema_length=None)


def _may_checkpoint(connection: psycopg.Connection[Any]) -> bool:
    row = connection.execute("select pg_has_role(current_user, 'pg_checkpoint', 'member')").fetchone()
    return bool(row and row[0])


def _check_same(connection: psycopg.Connection[Any], day: dt.date) -> None:
    """The contenders computed the same: to a ten-thousandth, since quotients are rounded differently."""
    row = connection.execute(
        """
        select (select round(sum(nav_base), 0) from mart.portfolio_nav where business_date = %(day)s),
               (select round(sum(nav_base), 0) from staging.bench_nav where business_date = %(day)s),
               (select count(*) from mart.position_valuation where business_date = %(day)s),
               (select count(*) from core.holding where business_date = %(day)s)
        """,
        {"day": day},
    ).fetchone()
    assert row is not None
    fulcrum, peer, valued, held = row
    if valued != held or (peer is not None and abs(fulcrum - peer) > abs(peer) / 10_000):
        raise AssertionError(f"The contenders disagree: {row}")
