"""A published delivery of 100,000 positions whose rules all failed with rows, among nine days of the same.

The history of results and findings around it is `history.py`'s.
"""

from __future__ import annotations

from typing import Any

import psycopg

POSITIONS = 100_000
"""Rows of the delivery, and of each day before it."""
PORTFOLIOS = 1_000
DAYS_BEFORE = 9
FOUND = 100
"""Rows that each result keeps."""

# Publications have the numbers of their deliveries, and the feed's deliveries of other days are {feeds} apart.
_PORTFOLIOS = """
insert into core.portfolio (portfolio_id, portfolio_code, created_in) overriding system value
select n, 'P' || n, 1 from generate_series(1, {portfolios}) n
"""
_INSTRUMENTS = """
insert into core.instrument (instrument_id, instrument_code, created_in) overriding system value
select n, 'ISIN:X' || lpad(n::text, 11, '0'), 1 from generate_series(1, {lines}) n
"""
_HOLDINGS = """
insert into core.holding (portfolio_id, business_date, instrument_id, published_in, quantity, price, market_value,
    currency_code, delivery_id, source_row)
select n % {portfolios} + 1, d.business_date_to, n / {portfolios} + 1, d.delivery_id, n, 10, 10 * n, 'EUR',
       d.delivery_id, n + 2
  from governance.delivery d, generate_series(0, {positions} - 1) n
 where d.delivery_id in (select {delivery} - {feeds} * back from generate_series(0, {days}) back)
 order by d.delivery_id, n
"""
_MONTHS = """
select governance.ensure_month('core.holding', business_date_to) from governance.delivery
 where delivery_id in (select {delivery} - {feeds} * back from generate_series(0, {days}) back)
"""
_RESULTS = """
update quality.validation_result
   set status = 'failed', rows_failed = 1234,
       result = jsonb_build_object('rows', (
           select jsonb_agg(n * ({positions} / {found}) + 2) from generate_series(0, {found} - 1) n))
 where validation_id = {delivery}
"""


def write(connection: psycopg.Connection[Any], delivery: int, feeds: int) -> None:
    """Publish `delivery`, of a feed of holdings, and the same feed's deliveries of the days before; not committed."""
    known = {
        "delivery": delivery,
        "feeds": feeds,
        "positions": POSITIONS,
        "portfolios": PORTFOLIOS,
        "lines": POSITIONS // PORTFOLIOS,
        "days": DAYS_BEFORE,
        "found": FOUND,
    }
    for statement in (_PORTFOLIOS, _INSTRUMENTS, _MONTHS, _HOLDINGS, _RESULTS):
        connection.execute(statement.format(**known).encode())
    connection.execute(
        "update governance.delivery set rows_in = %s, rows_published = %s where delivery_id = %s",
        [POSITIONS, POSITIONS, delivery],
    )
    connection.execute("select governance.refresh_row_scopes()")
