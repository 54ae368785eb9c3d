"""Keeps runs of reconciliations, and what a later run means for the breaks of earlier ones.

Breaks themselves are written by `classes.py`.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from fulcrum.governance.reconciliation.contract import Ready

Connection = psycopg.Connection[Any]


@dataclass(frozen=True)
class Compared:
    """What was compared: by which contract, for which date, as known when, and how many lines a side had."""

    ready: Ready
    day: dt.date
    publication_id: int
    started_at: dt.datetime
    a_rows: int
    b_rows: int


def previous(connection: Connection, name: str, day: dt.date) -> int | None:
    """The run before: of the newest date up to this one, its last."""
    row = connection.execute(
        "select reconciliation_run_id from quality.reconciliation_run"
        " where name = %s and business_date <= %s and status <> 'not_run'"
        " order by business_date desc, reconciliation_run_id desc limit 1",
        (name, day),
    ).fetchone()
    return int(row[0]) if row else None


def keep(connection: Connection, compared: Compared, breaks: int, status: str, message: str) -> int:
    """Write a run; its number."""
    contract = compared.ready.contract
    row = connection.execute(
        """
        insert into quality.reconciliation_run (name, version, owner, business_date, publication_id, a_name, b_name,
            a_rows, b_rows, breaks, status, message, judged_by, started_at)
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) returning reconciliation_run_id
        """,
        (
            contract.reconciliation,
            contract.version,
            contract.owner,
            compared.day,
            compared.publication_id,
            contract.a.name,
            contract.b.name,
            compared.a_rows,
            compared.b_rows,
            breaks,
            status,
            message,
            Jsonb(compared.ready.judged_by()),
            compared.started_at,
        ),
    ).fetchone()
    assert row is not None
    return int(row[0])


def settle(connection: Connection, name: str, run_id: int, day: dt.date) -> None:
    """What was open before is continued by a break of this run, or healed; an older date changes no newer one."""
    connection.execute(
        """
        update quality.reconciliation_break b
           set state = case when exists (select from quality.reconciliation_break n
                                          where n.reconciliation_run_id = %(run)s and n.break_key = b.break_key)
                            then 'continued' else 'healed' end
         where b.name = %(name)s and b.state = 'open' and b.business_date <= %(day)s
           and b.reconciliation_run_id <> %(run)s
        """,
        {"run": run_id, "name": name, "day": day},
    )
    connection.execute(
        """
        update quality.reconciliation_break b
           set state = case when exists (select from quality.reconciliation_break n
                                          where n.reconciliation_run_id = l.reconciliation_run_id
                                            and n.break_key = b.break_key)
                            then 'continued' else 'healed' end
          from (select reconciliation_run_id from quality.reconciliation_run
                 where name = %(name)s and business_date > %(day)s and status <> 'not_run'
                 order by business_date, reconciliation_run_id desc limit 1) l
         where b.reconciliation_run_id = %(run)s
        """,
        {"run": run_id, "name": name, "day": day},
    )
