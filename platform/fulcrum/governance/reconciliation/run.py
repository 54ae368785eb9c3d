"""Runs one reconciliation for a business date, as known at one publication, and keeps what it found.

What is compared stands in the contract; each part of the comparison in a module of its own.
"""
# ruff: noqa: S608 see sides.py

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import psycopg

from fulcrum.errors import ContractError
from fulcrum.governance.desk import many
from fulcrum.governance.desk.policy import DeskPolicy
from fulcrum.governance.reconciliation import classes, compare, ledger, matches
from fulcrum.governance.reconciliation.contract import Ready, Side
from fulcrum.governance.reconciliation.ledger import Compared
from fulcrum.governance.reconciliation.sides import Sided
from fulcrum.warehouse.publications import latest_publication

Connection = psycopg.Connection[Any]


@dataclass(frozen=True)
class Run:
    """What a run found; `status` is agreed, broken, or not_run where a side has no rows."""

    reconciliation_run_id: int
    name: str
    business_date: dt.date
    publication_id: int
    status: str
    message: str
    a_rows: int
    b_rows: int
    breaks: int
    by_class: dict[str, int]
    opened: int = 0
    healed: int = 0


def reconcile(
    connection: Connection, policy: DeskPolicy, ready: Ready, day: dt.date, *, known: int | None = None
) -> Run:
    """Compare both sides on `day` as known at publication `known` (the newest, if not given); the caller commits.

    Where a side has no rows nothing is found and nothing heals: a source that did not come has not agreed.

    Raises:
        ContractError: the database refuses the SQL of the contract.
    """
    contract = ready.contract
    started_at = dt.datetime.now(dt.UTC)
    try:
        connection.execute("set local work_mem = '256MB'")
        connection.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", [contract.rule_id])
        _forget(connection)
        version = latest_publication(connection) if known is None else known
        a = Sided("a", contract.a, contract, _version(connection, contract.a, day, version))
        b = Sided("b", contract.b, contract, _version(connection, contract.b, day, version))
        compare.make_books(connection, a, b, day)
        if not (compare.has_lines(connection, a, day) and compare.has_lines(connection, b, day)):
            rows = compare.count(connection, a, day), compare.count(connection, b, day)
            lacking = " and ".join(one.side.name for one, found in zip((a, b), rows, strict=True) if not found)
            message = f"Not run: {lacking} has nothing for {day}."
            run_id = ledger.keep(connection, Compared(ready, day, version, started_at, *rows), 0, "not_run", message)
            return Run(run_id, contract.reconciliation, day, version, "not_run", message, *rows, 0, {})
        surplus = compare.differences(connection, ready, a, b, day)
        lines = compare.count(connection, b, day)
        rows = compare.count(connection, a, day) if surplus is None else lines + surplus, lines
        matches.match_identifiers(connection, ready, a, version)
        matches.match_timing(connection, ready, a, b, day)
        classes.classify(connection, ready)
        return _conclude(connection, policy, Compared(ready, day, version, started_at, *rows))
    except (psycopg.errors.SyntaxErrorOrAccessRuleViolation, psycopg.errors.DataError) as error:
        reason = str(error).splitlines()[0]
        raise ContractError(
            f"quality/reconciliations/{contract.reconciliation}.yaml: {reason}", remedy="Correct its SQL."
        ) from error


def _conclude(connection: Connection, policy: DeskPolicy, compared: Compared) -> Run:
    ready, day, version = compared.ready, compared.day, compared.publication_id
    name = ready.contract.reconciliation
    found = connection.execute("select class_code, count(*) from recon_classed group by 1 order by 1").fetchall()
    by_class = {str(each): int(number) for each, number in found}
    breaks = sum(by_class.values())
    status = "broken" if breaks else "agreed"
    words = ", ".join(f"{number} {each}" for each, number in by_class.items()) or "none"
    message = f"{compared.a_rows:,} lines against {compared.b_rows:,}; breaks: {words}."
    previous = ledger.previous(connection, name, day)
    run_id = ledger.keep(connection, compared, breaks, status, message)
    classes.store(connection, ready, run_id, previous, day)
    ledger.settle(connection, name, run_id, day)
    moved = many.take_all(
        connection, policy, ready.contract.rule_id, _findings(ready, run_id), day=day, publication_id=version
    )
    connection.execute(
        "update quality.reconciliation_break b set exception_id = e.exception_id from quality.exception e"
        " where b.reconciliation_run_id = %s and e.rule_id = %s and e.subject = %s || b.break_key",
        (run_id, ready.contract.rule_id, _subject(name)),
    )
    rows = compared.a_rows, compared.b_rows
    return Run(run_id, name, day, version, status, message, *rows, breaks, by_class, moved.opened, moved.healed)


def _subject(name: str) -> str:
    return f"reconciliation:{name}/"


def _findings(ready: Ready, run_id: int) -> str:
    """One finding per break; amounts stay in the break, which fewer may read, but for the difference."""
    contract = ready.contract
    a, b = (side.name.replace("'", "''") for side in (contract.a, contract.b))
    return f"""
        select '{_subject(contract.reconciliation)}' || break_key as subject, severity,
               class_code || ': ' || case
                 when match_rule is not null then '{a} and {b} differ, explained by ' || match_rule || '.'
                 when a_lines = 0 then '{a} lacks it.' when b_lines = 0 then '{b} lacks it.'
                 else '{a} and {b} differ in ' || differs || '.' end as message,
               abs(difference) as measured, difference_of as unit, a_lines + b_lines as rows_failed
          from quality.reconciliation_break where reconciliation_run_id = {run_id}"""


def _version(connection: Connection, side: Side, day: dt.date, known: int) -> int:
    """The publication that shows a side: the newest, or what its feed left behind when it last spoke of the date."""
    if side.feed is None:
        return known
    row = connection.execute(
        """
        select coalesce(d.publication_id, (
                 select max(p.publication_id) from governance.publication p where p.known_at <= d.finished_at))
          from governance.delivery d
         where d.feed = %s and %s between d.business_date_from and d.business_date_to
           and d.outcome in ('published', 'restated', 'no_op') and coalesce(d.publication_id, 0) <= %s
         order by d.delivery_id desc limit 1
        """,
        (side.feed, day, known),
    ).fetchone()
    return min(int(row[0] or 0), known) if row else 0


def _forget(connection: Connection) -> None:
    """Temporary tables of an earlier run in the same transaction."""
    rows = connection.execute(
        "select relname from pg_class where relnamespace = pg_my_temp_schema() and relkind = 'r'"
        " and relname like 'recon\\_%'"
    ).fetchall()
    for (table,) in rows:
        connection.execute(f'drop table pg_temp."{table}"'.encode())
