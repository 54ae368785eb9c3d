"""Opens, finds again and heals the exceptions of one rule for thousands of subjects by three statements.

What happens to each is what `exceptions.take_findings` does with a single finding; a test holds them together.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from fulcrum.governance.desk.exceptions import SYSTEM
from fulcrum.governance.desk.policy import HEALED, DeskPolicy

Connection = psycopg.Connection[Any]

_LOCK = "select from quality.exception where rule_id = %(rule)s order by exception_id for update"
_EVENT = """
insert into quality.exception_event (exception_id, actor_name, move, from_state, to_state, reason_code, delivery_id)
select exception_id, %(actor)s, {move}, before, after, {reason}, null from moved
"""
_AGAIN = """
with moved as (
    update quality.exception e set state = case when e.state = 'resolved' then 'reopened' else e.state end,
        severity = f.severity, message = f.message, measured = f.measured, threshold = null, unit = f.unit,
        rows_failed = f.rows_failed, occurrences = occurrences + 1, last_seen_at = clock_timestamp(),
        due_date = case when e.state = 'resolved' then (%(due)s::jsonb ->> f.severity)::date else e.due_date end,
        resolved_at = null, reason_code = null, business_date = greatest(e.business_date, %(day)s), delivery_id = null,
        validation_id = null, publication_id = %(publication)s
      from finding f where e.rule_id = %(rule)s and e.subject = f.subject
    returning e.exception_id, old.state as before, new.state as after)
"""
_OPEN = """
with moved as (
    insert into quality.exception (rule_id, subject, severity, state, message, measured, unit, rows_failed, due_date,
        business_date, publication_id)
    select %(rule)s, f.subject, f.severity, 'open', f.message, f.measured, f.unit, f.rows_failed,
           (%(due)s::jsonb ->> f.severity)::date, %(day)s, %(publication)s
      from finding f
     where not exists (select from quality.exception e where e.rule_id = %(rule)s and e.subject = f.subject)
     order by f.subject
    returning exception_id, null::text as before, state as after)
"""
_HEAL = """
with moved as (
    update quality.exception e set state = 'resolved', reason_code = %(healed)s, resolved_at = clock_timestamp()
     where e.rule_id = %(rule)s and e.state <> 'resolved' and (e.business_date is null or e.business_date <= %(day)s)
       and not exists (select from finding f where f.subject = e.subject)
    returning e.exception_id, old.state as before, new.state as after)
"""


@dataclass(frozen=True)
class Moved:
    """How many exceptions were found again (of open and of resolved ones), opened and healed."""

    again: int
    opened: int
    healed: int


def take_all(
    connection: Connection,
    policy: DeskPolicy,
    rule_id: str,
    findings: str,
    *,
    day: dt.date,
    publication_id: int | None,
    today: dt.date | None = None,
) -> Moved:
    """Take everything that `rule_id` found on business date `day`; what it did not find is good. The caller commits.

    `findings` is a table or query of ours with one row per subject: subject, severity, message, measured, unit,
    rows_failed. As with a single finding, a good one heals nothing that was seen on a later business date.
    """
    now = today or dt.datetime.now(dt.UTC).date()
    due = "{" + ", ".join(f'"{each}": "{policy.due_date(each, now)}"' for each in ("critical", "warning", "info")) + "}"
    parameters = {
        "rule": rule_id,
        "actor": SYSTEM,
        "healed": HEALED,
        "day": day,
        "due": due,
        "publication": publication_id,
    }
    connection.execute("drop table if exists pg_temp.finding")
    connection.execute(
        sql.SQL("create temporary table finding on commit drop as select * from ({}) f").format(sql.SQL(findings))
    )
    connection.execute("create unique index on finding (subject)")
    connection.execute("analyze finding")
    connection.execute(_LOCK, parameters)

    def moved(statement: str, move: str, reason: str = "null") -> int:
        event = _EVENT.format(move=f"'{move}'", reason=reason)
        return connection.execute((statement + event).encode(), parameters).rowcount

    again = moved(_AGAIN, "find_again")
    opened = moved(_OPEN, "find")
    return Moved(again, opened, moved(_HEAL, "heal", "%(healed)s"))
