"""What the pages of the desk show of exceptions, waivers, false alarms and published tables.

Deliveries and results of rules are read in `reading.py`; moves and decisions stand in `exceptions.py` and `waivers.py`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import class_row, dict_row

from fulcrum.governance.desk.exceptions import DeskException
from fulcrum.governance.desk.reading import LINES, Row
from fulcrum.governance.desk.waivers import Waiver

Connection = psycopg.Connection[Any]
Cursor = tuple[int, str, int]
"""Rank of severity, due date, number."""

_RANK = "array_position(array['critical', 'warning', 'info'], severity)"


AGES = {"0-1": (0, 1), "2-5": (2, 5), "6-20": (6, 20), "21+": (21, 100_000)}
"""Days since it was opened, from and to."""
UNASSIGNED = "-"
"""As an owner: nobody."""


@dataclass(frozen=True)
class Wanted:
    """Which exceptions; empty: all. `states` are a choice, the others one value each."""

    states: Sequence[str] = ()
    severity: str | None = None
    feed: str | None = None
    owner: str | None = None
    rule: str | None = None
    age: str | None = None
    """One of `AGES`: days since it was opened."""
    is_overdue: bool = False


def found(
    connection: Connection, wanted: Wanted, after: Cursor | None = None, limit: int = LINES
) -> tuple[list[DeskException], Cursor | None]:
    """Exceptions, the most pressing first, and where the next page begins (None: nowhere)."""
    rank, due, number = after if after is not None else (None, None, None)
    youngest, oldest = AGES.get(wanted.age or "", (None, None))
    with connection.cursor(row_factory=class_row(DeskException)) as cursor:
        rows = cursor.execute(
            f"""
            select * from quality.exception
             where (%(states)s::text[] is null or state = any(%(states)s))
               and (%(severity)s::text is null or severity = %(severity)s)
               and (%(feed)s::text is null or feed = %(feed)s)
               and (%(owner)s::text is null or coalesce(owner_name, '{UNASSIGNED}') = %(owner)s)
               and (%(from)s::int is null or opened_at < current_date - %(from)s + 1)
               and (%(to)s::int is null or opened_at >= current_date - %(to)s)
               and (not %(overdue)s or (due_date < current_date and state <> 'resolved'))
               and (%(rule)s::text is null or rule_id = %(rule)s)
               and (%(rank)s::int is null
                    or ({_RANK}, due_date, exception_id) > (%(rank)s, %(due)s::date, %(number)s))
             order by {_RANK}, due_date, exception_id limit %(limit)s
            """.encode(),  # noqa: S608 - a constant of this module
            {
                "states": list(wanted.states) or None,
                "severity": wanted.severity,
                "feed": wanted.feed,
                "owner": wanted.owner,
                "rule": wanted.rule,
                "from": youngest,
                "to": oldest,
                "overdue": wanted.is_overdue,
                "rank": rank,
                "due": due,
                "number": number,
                "limit": limit + 1,
            },
        ).fetchall()
    if len(rows) <= limit:
        return rows, None
    last = rows[limit - 1]
    rank = ("critical", "warning", "info").index(last.severity) + 1
    return rows[:limit], (rank, last.due_date.isoformat(), last.exception_id)


def choices(connection: Connection) -> dict[str, list[str]]:
    """Feeds and owners that exceptions have."""
    return {
        name: [
            row[0]
            for row in connection.execute(
                f"select distinct {name} from quality.exception where {name} is not null order by 1".encode()  # noqa: S608
            )
        ]
        for name in ("feed", "owner_name")
    }


def counts(connection: Connection) -> dict[str, int]:
    """Open, overdue and unassigned exceptions, and undecided waivers and overrides."""
    row = _rows(
        connection,
        """
        select count(*) as open, count(*) filter (where due_date < current_date) as overdue,
               count(*) filter (where owner_name is null) as unassigned,
               count(*) filter (where severity = 'critical') as critical,
               (select count(*) from quality.waiver where state = 'asked') as undecided,
               (select count(*) from quality.override where state = 'asked') as overrides
          from quality.exception where state <> 'resolved'
        """,
        [],
    )
    return dict(row[0])


def ageing(connection: Connection) -> dict[tuple[str, str], int]:
    """(severity, one of `AGES`) -> how many open exceptions."""
    cases = " ".join(f"when age between {low} and {high} then '{name}'" for name, (low, high) in AGES.items())
    rows = _rows(
        connection,
        f"""
        select severity, case {cases} end as age, count(*) as found
          from (select severity, current_date - opened_at::date as age from quality.exception
                 where state <> 'resolved') e
         group by 1, 2
        """,  # noqa: S608 - numbers of this module
        [],
    )
    return {(row["severity"], row["age"]): row["found"] for row in rows}


def open_by_rule(connection: Connection, feed: str) -> dict[str, int]:
    """Rule -> number of its open exception on a feed."""
    rows = _rows(
        connection,
        "select rule_id, exception_id from quality.exception where feed = %s and state <> 'resolved'",
        [feed],
    )
    return {row["rule_id"]: row["exception_id"] for row in rows}


def waivers_of(connection: Connection, exception_id: int) -> list[Waiver]:
    """Waivers that were asked for because of an exception, newest first."""
    with connection.cursor(row_factory=class_row(Waiver)) as cursor:
        return cursor.execute(
            "select * from quality.waiver where exception_id = %s order by waiver_id desc", [exception_id]
        ).fetchall()


def blocked_deliveries(connection: Connection, waiver: Waiver) -> list[int]:
    """The newest blocked delivery of each date that a waiver covers and on which its rule failed, oldest first.

    Dates on which something later was published are left out.
    """
    rows = _rows(
        connection,
        """
        select distinct on (d.business_date_to) d.delivery_id
          from governance.delivery d
         where d.feed = %(feed)s and d.outcome = 'blocked'
           and d.business_date_from >= %(begin)s and d.business_date_to <= %(end)s
           and exists (
               select from quality.validation v join quality.validation_result r using (validation_id)
                where v.delivery_id = d.delivery_id and r.rule_id = %(rule)s and r.status = 'failed')
           and not exists (
               select from governance.delivery later
                where later.feed = d.feed and later.delivery_id > d.delivery_id
                  and later.business_date_to = d.business_date_to
                  and later.outcome in ('published', 'restated', 'no_op'))
         order by d.business_date_to, d.delivery_id desc
        """,
        {"feed": waiver.feed, "rule": waiver.rule_id, "begin": waiver.begin_date, "end": waiver.end_date},
    )
    return [row["delivery_id"] for row in rows]


def published_under(connection: Connection, waiver_id: int, limit: int = 50) -> list[Row]:
    """Publications that rest on a waiver, newest first."""
    return _rows(
        connection,
        """
        select p.publication_id, p.feed, p.target, p.business_date_to as business_date, p.known_at, p.rows_published,
               p.delivery_id
          from governance.publication_waiver w join governance.publication p using (publication_id)
         where w.waiver_id = %s order by p.publication_id desc limit %s
        """,
        [waiver_id, limit],
    )


def decided(connection: Connection, subject: str, limit: int = 50) -> list[Row]:
    """What the audit log says of one subject, newest first."""
    return _rows(
        connection,
        "select at, actor_name, action, details from governance.audit_event where subject = %s"
        " order by audit_event_id desc limit %s",
        [subject, limit],
    )


def judged(connection: Connection, rule_id: str) -> dict[str, int]:
    """Reason -> how often people resolved a finding of a rule for it."""
    rows = _rows(
        connection,
        """
        select h.reason_code, count(*) as times
          from quality.exception e join quality.exception_event h using (exception_id)
         where e.rule_id = %s and h.move = 'resolve' and h.reason_code is not null group by 1 order by 2 desc, 1
        """,
        [rule_id],
    )
    return {row["reason_code"]: row["times"] for row in rows}


def false_alarms(connection: Connection, rule_id: str, limit: int = 50) -> list[Row]:
    """Findings of a rule that people judged to be false alarms, newest first."""
    return _rows(
        connection,
        """
        select e.exception_id, e.subject, h.at, h.actor_name, h.comment
          from quality.exception e join quality.exception_event h using (exception_id)
         where e.rule_id = %s and h.move = 'resolve' and h.reason_code = 'false_alarm'
         order by h.exception_event_id desc limit %s
        """,
        [rule_id, limit],
    )


def freshness(connection: Connection, targets: Collection[str]) -> dict[str, Row]:
    """Target (schema.table) -> its newest publication."""
    rows = _rows(
        connection,
        """
        select wanted.target, p.publication_id, p.known_at, p.business_date_to as business_date, p.verdict
          from unnest(%s::text[]) wanted (target)
         cross join lateral (
               (select * from governance.publication where target = wanted.target and business_date_to is not null
                 order by business_date_to desc, publication_id desc limit 1)
                union all
               (select * from governance.publication where target = wanted.target and business_date_to is null
                 order by publication_id desc limit 1)
                limit 1) p  -- `nulls last` is in no index: 80 ms of 50,000 publications of one target, instead of 1
        """,
        [sorted(set(targets))],
    )
    return {row["target"]: row for row in rows}


def users(connection: Connection, fields: Collection[str], days: int = 30) -> list[Row]:
    """Who asked for any of these fields (`Type.field`) of the API in the last days, most first."""
    return _rows(
        connection,
        """
        select principal_name, sum(executions)::bigint as executions, max(last_used_at) as last_used_at
          from governance.usage
         where used_hour >= now() - make_interval(days => %s) and field_counts ?| %s::text[]
         group by 1 order by 2 desc, 1 limit 50
        """,
        [days, sorted(fields)],
    )


def _rows(connection: Connection, statement: str, values: Any) -> list[Row]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement.encode(), values or None).fetchall()
