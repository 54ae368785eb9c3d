"""Waivers: asked by one person, decided by another, for a rule of a feed and a period.

That nobody decides on his own request, and that no waiver lasts for ever, the database enforces too.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import class_row

from fulcrum.errors import DecisionError, Refusal
from fulcrum.governance import audit
from fulcrum.governance.desk import four_eyes
from fulcrum.governance.desk.four_eyes import Decision
from fulcrum.governance.desk.policy import DeskPolicy

Connection = psycopg.Connection[Any]
_GET = "select * from quality.waiver where waiver_id = %s"
_LOCK = "select * from quality.waiver where waiver_id = %s for update"


@dataclass(frozen=True)
class Waiver:
    """One row of `quality.waiver`."""

    waiver_id: int
    rule_id: str
    feed: str
    begin_date: dt.date
    end_date: dt.date
    reason: str
    exception_id: int | None
    state: str
    asked_by: str
    asked_at: dt.datetime
    decided_by: str | None
    decided_at: dt.datetime | None
    decision_comment: str | None
    ended_by: str | None
    ended_at: dt.datetime | None
    end_comment: str | None


@dataclass(frozen=True)
class Request:
    """What somebody asks for; the dates are business dates of the deliveries it shall cover."""

    rule_id: str
    feed: str
    begin_date: dt.date
    end_date: dt.date
    reason: str
    exception_id: int | None = None


def ask(connection: Connection, policy: DeskPolicy, actor: str, request: Request) -> Waiver:
    """Ask for a waiver; the caller commits.

    Raises:
        DecisionError: the period is empty or too long, or there is no reason.
    """
    days = (request.end_date - request.begin_date).days + 1
    if not 1 <= days <= policy.waivers.longest_days:
        raise DecisionError(
            f"A waiver lasts 1 to {policy.waivers.longest_days} days, not {days}.",
            remedy="Choose another end.",
            reason=Refusal.PERIOD,
        )
    if not request.reason.strip():
        raise DecisionError("A waiver needs a reason.", reason=Refusal.INCOMPLETE)
    row = connection.execute(
        """
        insert into quality.waiver (rule_id, feed, begin_date, end_date, reason, exception_id, asked_by)
        values (%s, %s, %s, %s, %s, %s, %s) returning waiver_id
        """,
        (
            request.rule_id,
            request.feed,
            request.begin_date,
            request.end_date,
            request.reason.strip(),
            request.exception_id,
            actor,
        ),
    ).fetchone()
    assert row is not None
    made = get(connection, int(row[0]))
    audit.record(connection, actor, "waiver.asked", f"waiver:{made.waiver_id}", _says(made))
    return made


def decide(connection: Connection, actor: str, waiver_id: int, decision: Decision, comment: str = "") -> Waiver:
    """Approve or refuse a waiver that somebody else asked for; the caller commits.

    Raises:
        DecisionError: it was decided already, or the actor asked for it.
    """
    known = get(connection, waiver_id, is_locked=True)
    four_eyes.refuse_deciding(f"waiver {waiver_id}", known, actor)
    connection.execute(
        "update quality.waiver set state = %s, decided_by = %s, decided_at = clock_timestamp(), decision_comment = %s"
        " where waiver_id = %s",
        [decision, actor, comment or None, waiver_id],
    )
    made = get(connection, waiver_id)
    audit.record(connection, actor, f"waiver.{decision}", f"waiver:{waiver_id}", _says(made))
    return made


def withdraw(connection: Connection, actor: str, waiver_id: int) -> Waiver:
    """Take back one's own request before it is decided; the caller commits.

    Raises:
        DecisionError: it was decided already, or somebody else asked.
    """
    known = get(connection, waiver_id, is_locked=True)
    four_eyes.refuse_withdrawing(f"waiver {waiver_id}", known, actor)
    connection.execute("update quality.waiver set state = 'withdrawn' where waiver_id = %s", [waiver_id])
    made = get(connection, waiver_id)
    audit.record(connection, actor, "waiver.withdrawn", f"waiver:{waiver_id}", _says(made))
    return made


def end(connection: Connection, actor: str, waiver_id: int, comment: str) -> Waiver:
    """End an approved waiver before its time; what was published under it stays marked. The caller commits.

    Raises:
        DecisionError: it is not in force, there is no comment, or the actor asked for it.
    """
    known = get(connection, waiver_id, is_locked=True)
    four_eyes.refuse_ending(f"waiver {waiver_id}", known, actor, comment)
    connection.execute(
        "update quality.waiver set state = 'ended', ended_by = %s, ended_at = clock_timestamp(), end_comment = %s"
        " where waiver_id = %s",
        [actor, comment.strip(), waiver_id],
    )
    made = get(connection, waiver_id)
    audit.record(connection, actor, "waiver.ended", f"waiver:{waiver_id}", _says(made))
    return made


def in_force(connection: Connection, feed: str, dates: tuple[dt.date | None, dt.date | None]) -> dict[str, int]:
    """Rule -> approved waiver that covers every business date of a delivery of `feed`."""
    rows = connection.execute(
        """
        select rule_id, max(waiver_id) from quality.waiver
         where feed = %s and state = 'approved' and begin_date <= %s and end_date >= %s group by rule_id
        """,
        [feed, dates[0], dates[1]],
    )
    return dict(rows.fetchall())


def mark(connection: Connection, publication_id: int, used: Iterable[tuple[str, int]]) -> None:
    """Record under which waivers a publication was made, in its own transaction."""
    for rule_id, waiver_id in used:
        connection.execute(
            "insert into governance.publication_waiver (publication_id, waiver_id, rule_id) values (%s, %s, %s)",
            [publication_id, waiver_id, rule_id],
        )


def get(connection: Connection, waiver_id: int, *, is_locked: bool = False) -> Waiver:
    """One waiver.

    Raises:
        DecisionError: there is none of this number.
    """
    with connection.cursor(row_factory=class_row(Waiver)) as cursor:
        found = cursor.execute(_LOCK if is_locked else _GET, [waiver_id]).fetchone()
    if found is None:
        raise DecisionError(
            f"There is no waiver {waiver_id}.", remedy="`fulcrum waivers list` shows them.", reason=Refusal.UNKNOWN
        )
    return found


def listed(connection: Connection, *, state: str | None = None, limit: int = 200) -> list[Waiver]:
    """Waivers, the undecided first, then the newest."""
    with connection.cursor(row_factory=class_row(Waiver)) as cursor:
        return cursor.execute(
            "select * from quality.waiver where %(state)s::text is null or state = %(state)s"
            " order by (state = 'asked') desc, waiver_id desc limit %(limit)s",
            {"state": state, "limit": limit},
        ).fetchall()


def _says(waiver: Waiver) -> dict[str, Any]:
    return {
        "rule_id": waiver.rule_id,
        "feed": waiver.feed,
        "begin_date": waiver.begin_date.isoformat(),
        "end_date": waiver.end_date.isoformat(),
        "reason": waiver.reason,
        "asked_by": waiver.asked_by,
        "decided_by": waiver.decided_by,
        "ended_by": waiver.ended_by,
        "comment": waiver.end_comment or waiver.decision_comment,
    }
