"""Reads breaks back for people; what finds them is `run.py`."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import psycopg
from psycopg.rows import class_row


@dataclass(frozen=True)
class Break:
    """One row of `quality.reconciliation_break`; amounts in the words of the contract, null where not compared."""

    name: str
    business_date: dt.date
    break_key: str
    class_code: str
    match_rule: str | None
    severity: str
    state: str
    a_lines: int
    b_lines: int
    a_quantity: Decimal | None
    b_quantity: Decimal | None
    a_price: Decimal | None
    b_price: Decimal | None
    a_fx_rate: Decimal | None
    b_fx_rate: Decimal | None
    a_value: Decimal | None
    b_value: Decimal | None
    a_currency_code: str | None
    b_currency_code: str | None
    differs: str
    difference_of: str
    difference: Decimal | None
    first_seen: dt.date
    age_days: int
    age_bucket: str
    exception_id: int | None


def listed(
    connection: psycopg.Connection[Any],
    *,
    name: str | None = None,
    day: dt.date | None = None,
    class_code: str | None = None,
    limit: int = 200,
) -> list[Break]:
    """Open breaks, or those of the last run for `day`; the worst, then the oldest first."""
    columns = ", ".join(f"b.{column}" for column in Break.__dataclass_fields__)
    statement = f"""
        select {columns} from quality.reconciliation_break b
         where (%(name)s::text is null or b.name = %(name)s) and (%(class)s::text is null or b.class_code = %(class)s)
           and case when %(day)s::date is null then b.state = 'open'
                    else b.reconciliation_run_id in (
                        select distinct on (r.name) r.reconciliation_run_id from quality.reconciliation_run r
                         where r.business_date = %(day)s and r.status <> 'not_run'
                         order by r.name, r.reconciliation_run_id desc) end
         order by array_position(array['critical', 'warning', 'info'], b.severity), b.first_seen, b.name, b.break_key
         limit %(limit)s
    """  # noqa: S608 columns of our own dataclass
    with connection.cursor(row_factory=class_row(Break)) as cursor:
        parameters = {"name": name, "class": class_code, "day": day, "limit": limit}
        return cursor.execute(statement.encode(), parameters).fetchall()
