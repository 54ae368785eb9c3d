"""A large market for the benchmark, made in SQL: one business date with prices, rates, holdings."""

from __future__ import annotations

import datetime as dt
from typing import Any

import psycopg

from fulcrum.warehouse.publications import Publication, next_publication, record_publication

INSTRUMENTS = 20_000
POSITIONS_EACH = 100
CURRENCIES = ("EUR", "USD", "GBP", "CHF", "JPY")

_ENTITIES = """
with made as (
    insert into core.instrument (instrument_code, created_in)
    select 'BENCH:I' || i, %(n)s from generate_series(1, %(instruments)s) i returning instrument_id, instrument_code
)
insert into core.instrument_version (instrument_id, valid_from, published_in, instrument_name, asset_class_code,
                                     currency_code, quote_unit_code)
select instrument_id, '0001-01-01', %(n)s, instrument_code, 'EQUITY', (%(currencies)s::text[])[1 + instrument_id %% 5],
       case when instrument_id %% 5 = 2 then 'MINOR' when instrument_id %% 7 = 0 then 'PER_100' else 'UNIT' end
  from made;
with made as (
    insert into core.portfolio (portfolio_code, created_in)
    select 'BENCH:P' || i, %(n)s from generate_series(1, %(portfolios)s) i returning portfolio_id, portfolio_code
)
insert into core.portfolio_version (portfolio_id, valid_from, published_in, portfolio_name, base_currency_code)
select portfolio_id, '0001-01-01', %(n)s, portfolio_code, (%(currencies)s::text[])[1 + portfolio_id %% 5] from made
"""

_PRICES = """
insert into core.price (instrument_id, business_date, price_type_code, source_code, published_in, price)
select instrument_id, %(day)s, 'CLOSE', 'BENCH', %(n)s, round((1 + (instrument_id * 7919 %% 100000) / 100.0), 4)
  from core.instrument where instrument_code like 'BENCH:%%'
"""

_RATES = """
insert into core.fx_rate (base_currency_code, quote_currency_code, business_date, source_code, published_in, rate)
select 'EUR', currency, %(day)s, 'ECB', %(n)s, rate
  from (values ('USD', 1.0834), ('GBP', 0.8571), ('CHF', 0.9312), ('JPY', 163.27)) r (currency, rate)
"""

_HOLDINGS = """
insert into core.holding (portfolio_id, business_date, instrument_id, position_code, published_in, quantity,
                          market_value, currency_code)
select p.portfolio_id, %(day)s, i.low + (p.portfolio_id * 131 + line * 199) %% %(instruments)s, '', %(n)s,
       round(10 + (p.portfolio_id * 31 + line * 17) %% 100000 / 8.0, 3), 1000, 'EUR'
  from core.portfolio p, generate_series(1, %(each)s) line,
       (select min(instrument_id) as low from core.instrument where instrument_code like 'BENCH:%%') i
 where p.portfolio_code like 'BENCH:%%' order by p.portfolio_id, line
"""


def make_entities(connection: psycopg.Connection[Any], positions: int) -> None:
    """Instruments and as many portfolios as hold `positions` together."""
    parameters = {
        "instruments": INSTRUMENTS,
        "portfolios": max(1, positions // POSITIONS_EACH),
        "currencies": list(CURRENCIES),
    }
    number = next_publication(connection)
    for statement in _ENTITIES.split(";"):
        connection.execute(statement, parameters | {"n": number})
    _record(connection, number, "core.instrument", None)


def make_day(connection: psycopg.Connection[Any], day: dt.date) -> None:
    """Prices, rates and holdings of one date, and one request to derive it."""
    parameters = {"day": day, "each": POSITIONS_EACH, "instruments": INSTRUMENTS}
    for table, statement in (("core.price", _PRICES), ("core.fx_rate", _RATES), ("core.holding", _HOLDINGS)):
        number = next_publication(connection)
        connection.execute("select governance.ensure_month(%s, %s)", (table, day))
        connection.execute(statement, parameters | {"n": number})
        _record(connection, number, table, day)
    connection.execute(
        "insert into governance.derivation (target, business_date, caused_by) values (%s, %s, %s)",
        ("mart.position_valuation", day, number),
    )
    connection.commit()


def _record(connection: psycopg.Connection[Any], number: int, target: str, day: dt.date | None) -> None:
    publication = Publication(number, "delivery", "bench", target, (day, day), None, "passed", 0, 0, "bench")  # type: ignore[arg-type]
    record_publication(connection, publication)
    connection.commit()
