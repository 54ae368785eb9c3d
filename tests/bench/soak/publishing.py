"""Publications that keep sums: values move between holdings, and valuations change with their net asset value.

Each is one transaction with one number, as Fulcrum publishes. So within one answer the sums agree, or the answer
mixes two publications.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from typing import Any

import psycopg

from fulcrum.settings import Settings
from fulcrum.warehouse import server
from fulcrum.warehouse.partitions import ensure_months
from tests.bench.graph.data import DAY, Size

PER_SECOND = 4

_VALUE_ALL = """
insert into governance.publication values (6, now() - interval '1 day', 'derivation', 'bench', 'mart.portfolio_nav',
    %(day)s, %(day)s, null, 'passed', 0, 0, '');
insert into mart.position_valuation (portfolio_id, business_date, instrument_id, position_code, published_in, quantity,
    price, base_currency_code, market_value_base, valuation_status_code, holding_publication_id)
  select portfolio_id, business_date, instrument_id, position_code, 6, quantity, 1, 'EUR', market_value, 'VALUED',
    published_in from core.holding where superseded_in is null;
insert into mart.portfolio_nav (portfolio_id, business_date, published_in, base_currency_code, nav_base, positions,
    positions_valued, positions_flagged, is_complete, valuation_publication_id)
  select portfolio_id, business_date, 6, 'EUR', sum(market_value_base), count(*), count(*), 0, true, 6
    from mart.position_valuation group by portfolio_id, business_date
"""

_NEXT = """
insert into governance.publication select max(publication_id) + 1, clock_timestamp(), %(kind)s, 'bench', %(target)s,
    %(day)s, %(day)s, null, 'passed', 0, 0, '' from governance.publication returning publication_id
"""

# Of two neighbours one gains what the other loses.
_MOVE_VALUES = """
with chosen as (
  select instrument_id, position_code, row_number() over (order by instrument_id, position_code) as nth
  from core.holding where portfolio_id = %(portfolio)s and business_date = %(day)s and superseded_in is null
  order by instrument_id, position_code limit 20 offset %(offset)s
), old as (
  update core.holding h set superseded_in = %(number)s from chosen c
  where h.portfolio_id = %(portfolio)s and h.business_date = %(day)s and h.superseded_in is null
    and h.instrument_id = c.instrument_id and h.position_code = c.position_code
  returning h.*, c.nth
)
insert into core.holding (portfolio_id, business_date, instrument_id, position_code, published_in, quantity,
    market_value, currency_code)
  select portfolio_id, business_date, instrument_id, position_code, %(number)s, quantity,
    market_value + case when nth %% 2 = 0 then 7 else -7 end, currency_code from old
"""

_REVALUE = """
with old as (
  update mart.position_valuation set superseded_in = %(number)s
  where portfolio_id = %(portfolio)s and business_date = %(day)s and superseded_in is null and instrument_id %% 3 = 0
  returning *
)
insert into mart.position_valuation (portfolio_id, business_date, instrument_id, position_code, published_in, quantity,
    price, base_currency_code, market_value_base, valuation_status_code, holding_publication_id)
  select portfolio_id, business_date, instrument_id, position_code, %(number)s, quantity, price, base_currency_code,
    market_value_base + 1.01, valuation_status_code, holding_publication_id from old
"""

_NEW_NAV = """
with old as (
  update mart.portfolio_nav set superseded_in = %(number)s
  where portfolio_id = %(portfolio)s and business_date = %(day)s and superseded_in is null returning *
)
insert into mart.portfolio_nav (portfolio_id, business_date, published_in, base_currency_code, nav_base, positions,
    positions_valued, positions_flagged, is_complete, valuation_publication_id)
  select portfolio_id, business_date, %(number)s, base_currency_code,
    (select sum(market_value_base) from mart.position_valuation v where v.portfolio_id = %(portfolio)s
       and v.business_date = %(day)s and v.superseded_in is null),
    positions, positions_valued, 0, true, %(number)s from old
"""


def value_all(settings: Settings) -> None:
    """Valuations and net asset values of everything held, in one publication."""
    with psycopg.connect(server.ensure_running(settings).admin_url()) as connection:
        for table in ("mart.position_valuation", "mart.portfolio_nav"):
            ensure_months(connection, table, [DAY])
        for statement in _VALUE_ALL.split(";"):
            connection.execute(statement, {"day": DAY})
    with psycopg.connect(server.ensure_running(settings).admin_url(), autocommit=True) as connection:
        connection.execute("vacuum analyze")


@dataclass
class Publisher:
    """Publishes a few times a second until it is told to stop."""

    settings: Settings
    size: Size
    published: int = 0

    async def run(self, stop: asyncio.Event) -> None:
        """Publish, wait, publish."""
        url = server.ensure_running(self.settings).url(user=server.LOADER_ROLE)
        chance = random.Random("soak")
        async with await psycopg.AsyncConnection.connect(url) as connection:
            while not stop.is_set():
                await self._publish(connection, chance)
                await asyncio.sleep(1 / PER_SECOND)

    async def _publish(self, connection: psycopg.AsyncConnection[Any], chance: random.Random) -> None:
        values: dict[str, Any] = {"portfolio": chance.randint(1, self.size.portfolios), "day": DAY}
        is_holding = bool(self.published % 2)
        named = ("delivery", "core.holding") if is_holding else ("derivation", "mart.portfolio_nav")
        made = await connection.execute(_NEXT, values | dict(zip(("kind", "target"), named, strict=True)))
        row = await made.fetchone()
        assert row is not None
        values |= {"number": row[0], "offset": 2 * chance.randint(0, 100)}
        for statement in (_MOVE_VALUES,) if is_holding else (_REVALUE, _NEW_NAV):
            await connection.execute(statement, values)
        await connection.commit()
        self.published += 1
