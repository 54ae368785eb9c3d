"""What an override reaches, for those who decide on it: portfolios, positions, and an estimate of each NAV's change.

How it is estimated is `fulcrum.analytics.reach`'s; whose portfolios are seen, the row scope of the connection decides.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from fulcrum.analytics.policy import ValuationPolicy
from fulcrum.analytics.reach import SHOWS, reach
from fulcrum.entitlements.rights import Rights

Connection = psycopg.Connection[Any]
MOST_SHOWN = 50

_READ = """
with reached as materialized ({reach})
select (select count(*) from reached) as portfolios, (select min(business_date) from reached) as first_date,
       (select max(business_date) from reached) as last_date,
       (select jsonb_object_agg(coalesce(c.base_currency_code, ''), c.total::text order by c.base_currency_code)
          from (select base_currency_code, sum(change_base) as total from reached group by 1) c) as changes,
       coalesce((select is_whole_house from governance.row_scope
                  where scope_id = nullif(current_setting('fulcrum.scope', true), '')::bigint),
                pg_has_role(current_user, 'fulcrum_loader', 'usage')) as is_whole_house,
       p.portfolio_code, r.*
  from (select) one left join (select * from reached where rank <= {most}) r on true
  left join core.portfolio p using (portfolio_id)
 order by r.rank
"""


@dataclass(frozen=True)
class Moved:
    """One portfolio: `quantity` and values of the positions that are priced or converted otherwise, and its NAV.

    Amounts are in `base_currency_code`, estimated from the valuation of `business_date`; a value is null where
    nothing could be valued. `quantity` is null for a rate. `nav_base_now` is the NAV of that date as it stands since
    the override is in the warehouse; null: it is not yet.
    """

    portfolio_code: str
    business_date: dt.date
    base_currency_code: str | None
    positions: int
    quantity: Decimal | None
    value_base_before: Decimal | None
    value_base_under: Decimal | None
    change_base: Decimal
    change_bps: Decimal | None
    nav_base_before: Decimal | None
    nav_base_under: Decimal
    nav_base_now: Decimal | None


@dataclass(frozen=True)
class Reach:
    """What an override reaches of what the caller sees: `largest` by share of the NAV, of `portfolios` in all.

    `changes` are the changes of all NAVs, by base currency. Without `is_whole_house` there may be portfolios that
    the caller does not see. `is_hidden`: the caller's roles mask the amounts, so none are told. `is_late`: it took
    longer than was allowed.
    """

    portfolios: int
    first_date: dt.date | None
    last_date: dt.date | None
    changes: Mapping[str, Decimal]
    is_whole_house: bool
    largest: tuple[Moved, ...]
    is_hidden: bool = False
    is_late: bool = False


_NOTHING = Reach(0, None, None, {}, is_whole_house=False, largest=())


def read_reach(
    connection: Connection,
    policy: ValuationPolicy,
    override_id: int,
    rights: Rights | None,
    *,
    most_seconds: float | None = None,
) -> Reach:
    """What an override reaches; without `rights` for whoever may read the warehouse itself."""
    if rights is not None and any(rights.mask(column) for column in SHOWS):
        return replace(_NOTHING, is_hidden=True)
    known = "(select coalesce(max(publication_id), 0) from governance.publication)"
    query = sql.SQL(_READ).format(reach=sql.SQL(reach(policy, "%(override_id)s", known)), most=sql.Literal(MOST_SHOWN))
    try:
        with connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
            if most_seconds is not None:
                limit = f"{most_seconds * 1000:.0f}ms"
                cursor.execute("select set_config('statement_timeout', %s, true)", [limit])
            rows = cursor.execute(query, {"override_id": override_id}).fetchall()
    except psycopg.errors.QueryCanceled:
        return replace(_NOTHING, is_late=True)
    first = rows[0]
    return Reach(
        first["portfolios"],
        first["first_date"],
        first["last_date"],
        {currency: Decimal(total) for currency, total in (first["changes"] or {}).items()},
        first["is_whole_house"],
        tuple(Moved(**{name: row[name] for name in Moved.__dataclass_fields__}) for row in rows if row["rank"]),
    )
