"""The bench's warehouse, written set by set: clients, portfolios, instruments, holdings, prices.

What is asked of it stands in `questions.py`; what PostGraphile needs on top in `postgraphile/`.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import psycopg

from fulcrum.settings import Settings
from fulcrum.warehouse import server
from fulcrum.warehouse.partitions import ensure_months

DAY = dt.date(2026, 1, 30)
LARGE, SMALL = 1_000, 250
"""Holdings of a large portfolio and of a small one; there are four small ones for each large one."""
PRICE_DAYS = 20


@dataclass(frozen=True)
class Bounds:
    """Clients, portfolios and large portfolios that questions are about: 1 to these numbers."""

    clients: int
    portfolios: int
    large: int


@dataclass(frozen=True)
class Size:
    """How much there is; for 1,000,000 holdings 500 large portfolios of 2,500, of 1,000 clients."""

    holdings: int

    @property
    def large(self) -> int:
        """Portfolios of 1,000 holdings; their codes come first."""
        return max(20, self.holdings // (LARGE + 4 * SMALL))

    @property
    def portfolios(self) -> int:
        """All portfolios."""
        return 5 * self.large

    @property
    def clients(self) -> int:
        """Each has two or three portfolios; one of them is large for every second client."""
        return 2 * self.large

    @property
    def instruments(self) -> int:
        """20,000 for 1,000,000 holdings; 20 prices each."""
        return max(2_000, self.holdings // 50)

    @property
    def everything(self) -> Bounds:
        """What there is."""
        return Bounds(self.clients, self.portfolios, self.large)

    @property
    def in_scope(self) -> Bounds:
        """What the restricted caller sees: the clients with a large portfolio."""
        return Bounds(self.large, self.large, self.large)


_STATEMENTS = """
insert into governance.publication
  select n, now() - interval '60 days' + n * interval '1 s', 'delivery', 'bench', t, %(day)s, %(day)s, null, 'passed',
    0, 0, '' from (values (1, 'core.client'), (2, 'core.instrument'), (3, 'core.holding'), (4, 'core.price')) v(n, t);
insert into core.client (client_code, created_in) select 'C' || to_char(n, 'FM00000'), 1
  from generate_series(1, %(clients)s) n;
insert into core.client_version (client_id, valid_from, published_in, client_name, email, risk_class_code)
  select client_id, '0001-01-01', 1, 'Client ' || client_id, 'c' || client_id || '@example.test',
    'C' || (1 + client_id %% 5) from core.client;
insert into core.portfolio (portfolio_code, created_in) select 'P' || to_char(n, 'FM00000'), 1
  from generate_series(1, %(portfolios)s) n;
insert into core.portfolio_version (portfolio_id, valid_from, published_in, portfolio_name, portfolio_kind_code,
    base_currency_code, risk_level_code, client_id, is_provisional)
  select portfolio_id, '0001-01-01', 1, 'Portfolio ' || portfolio_id, 'MANDATE',
    (array['EUR', 'USD', 'CHF'])[1 + portfolio_id %% 3], 'R' || (1 + portfolio_id %% 5),
    1 + (portfolio_id - 1) %% %(clients)s, false from core.portfolio;
insert into core.instrument (instrument_code, created_in) select 'I' || to_char(n, 'FM000000'), 2
  from generate_series(1, %(instruments)s) n;
insert into core.instrument_version (instrument_id, valid_from, published_in, instrument_name, asset_class_code,
    currency_code)
  select instrument_id, '0001-01-01', 2, 'Instrument ' || instrument_id,
    (array['EQUITY', 'DEBT', 'FUND', 'CASH', 'OTHER'])[1 + instrument_id %% 5],
    (array['USD', 'EUR', 'GBP'])[1 + instrument_id %% 3] from core.instrument;
insert into core.holding (portfolio_id, business_date, instrument_id, position_code, published_in, quantity,
    market_value, currency_code)
  select p, %(day)s, 1 + (p * 13 + n * 7) %% %(instruments)s, '', 3, n * 10.5,
    (n * 7919 + p * 104729) %% 1000000 + 0.25, (array['USD', 'EUR', 'GBP'])[1 + (p * 13 + n * 7) %% 3]
    from generate_series(1, %(portfolios)s) p,
      generate_series(1, case when p <= %(large)s then %(in_large)s else %(in_small)s end) n;
insert into core.price (instrument_id, business_date, price_type_code, source_code, published_in, price,
    currency_code)
  select i, %(day)s::date - d, 'CLOSE', 'BENCH', 4, 10 + i + d * 0.01, 'USD'
    from generate_series(1, %(instruments)s) i, generate_series(0, %(price_days)s - 1) d;
insert into governance.publication values (5, now() - interval '7 days', 'delivery', 'bench', 'core.holding', %(day)s,
    %(day)s, null, 'passed', 0, 0, '');
update core.holding set superseded_in = 5 where (instrument_id + portfolio_id) %% 50 = 0;
insert into core.holding (portfolio_id, business_date, instrument_id, position_code, published_in, quantity,
    market_value, currency_code)
  select portfolio_id, business_date, instrument_id, position_code, 5, quantity + 1, market_value + 1, currency_code
    from core.holding where superseded_in = 5
"""


def write(settings: Settings, size: Size) -> None:
    """Write it; one holding in fifty was restated a week ago."""
    numbers = {
        "day": DAY,
        "clients": size.clients,
        "portfolios": size.portfolios,
        "large": size.large,
        "in_large": LARGE,
        "in_small": SMALL,
        "instruments": size.instruments,
        "price_days": PRICE_DAYS,
    }
    url = server.ensure_running(settings).admin_url()
    with psycopg.connect(url) as connection:
        for table in ("core.holding", "core.price"):
            ensure_months(connection, table, [DAY, DAY.replace(day=1)])
        for statement in _STATEMENTS.split(";"):
            connection.execute(statement, numbers)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("vacuum analyze")
        connection.execute("checkpoint")
