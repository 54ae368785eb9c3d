"""The bench's warehouse, written set by set: clients, portfolios, instruments, holdings, prices."""

from __future__ import annotations

import datetime as dt

import psycopg

from fulcrum.settings import Settings
from fulcrum.warehouse import server
from fulcrum.warehouse.partitions import ensure_months

DAY = dt.date(2026, 1, 30)
CLIENTS, PORTFOLIOS, INSTRUMENTS, PRICE_DAYS = 200, 400, 5_000, 8

_STATEMENTS = """
insert into governance.publication select n, now() - interval '1 day' + n * interval '1 s', 'delivery', 'bench', t,
  %(day)s, %(day)s, null, 'passed', 0, 0, '' from (values (1, 'core.client'), (2, 'core.holding')) v(n, t);
insert into core.client (client_code, created_in) select 'C' || to_char(n, 'FM00000'), 1
  from generate_series(1, %(clients)s) n;
insert into core.client_version (client_id, valid_from, published_in, client_name, risk_class_code)
  select client_id, '0001-01-01', 1, 'Client ' || client_id, 'C3' from core.client;
insert into core.portfolio (portfolio_code, created_in) select 'P' || to_char(n, 'FM00000'), 1
  from generate_series(1, %(portfolios)s) n;
insert into core.portfolio_version (portfolio_id, valid_from, published_in, portfolio_name, portfolio_kind_code,
    base_currency_code, risk_level_code, client_id, is_provisional)
  select portfolio_id, '0001-01-01', 1, 'Portfolio ' || portfolio_id, 'MANDATE', 'EUR', 'R3',
    1 + portfolio_id %% %(clients)s, false from core.portfolio;
insert into core.instrument (instrument_code, created_in) select 'I' || to_char(n, 'FM000000'), 1
  from generate_series(1, %(instruments)s) n;
insert into core.instrument_version (instrument_id, valid_from, published_in, instrument_name, asset_class_code,
    currency_code)
  select instrument_id, '0001-01-01', 1, 'Instrument ' || instrument_id, 'EQUITY', 'USD' from core.instrument;
insert into core.holding (portfolio_id, business_date, instrument_id, position_code, published_in, quantity,
    market_value, currency_code)
  select p, %(day)s, 1 + (p * 13 + n) %% %(instruments)s, '', 2, n * 10.5, n * 1234.56, 'USD'
    from generate_series(1, %(portfolios)s) p, generate_series(1, %(positions)s) n;
insert into core.price (instrument_id, business_date, price_type_code, source_code, published_in, price,
    currency_code)
  select i, %(day)s::date - d, 'CLOSE', 'BENCH', 2, 10 + i + d * 0.01, 'USD'
    from generate_series(1, %(instruments)s) i, generate_series(0, %(price_days)s - 1) d
"""


def write(settings: Settings, holdings: int) -> None:
    """Write `holdings` rows and what they refer to."""
    numbers = {
        "day": DAY,
        "clients": CLIENTS,
        "portfolios": PORTFOLIOS,
        "instruments": INSTRUMENTS,
        "positions": max(1, min(holdings // PORTFOLIOS, INSTRUMENTS)),
        "price_days": PRICE_DAYS,
    }
    url = server.ensure_running(settings).admin_url()
    with psycopg.connect(url) as connection:
        for table in ("core.holding", "core.price"):
            ensure_months(connection, table, [DAY])
        for statement in _STATEMENTS.split(";"):
            connection.execute(statement, numbers)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("vacuum analyze")
