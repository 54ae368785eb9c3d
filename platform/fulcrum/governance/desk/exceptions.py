"""Exceptions in the warehouse: opened and healed by what the gate finds, moved by people, never deleted.

Which move is legal stands in `moves.py`; every statement on exceptions is here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import psycopg
from psycopg.rows import class_row

from fulcrum.errors import DecisionError, Refusal
from fulcrum.governance.desk.moves import Move, State, Step, after
from fulcrum.governance.desk.policy import HEALED, DeskPolicy

SYSTEM = "fulcrum"
"""The actor of what happens by itself."""

_GET = "select * from quality.exception where exception_id = %s"
_LOCK = "select * from quality.exception where exception_id = %s for update"

Connection = psycopg.Connection[Any]


@dataclass(frozen=True)
class Finding:
    """What a rule said about one subject: failed (or broken) or passed."""

    rule_id: str
    subject: str
    is_good: bool
    severity: str
    message: str
    feed: str | None = None
    measured: Decimal | None = None
    threshold: Decimal | None = None
    unit: str | None = None
    rows_failed: int | None = None
    business_date: dt.date | None = None
    delivery_id: int | None = None
    validation_id: int | None = None
    publication_id: int | None = None


@dataclass(frozen=True)
class DeskException:
    """One row of `quality.exception`."""

    exception_id: int
    rule_id: str
    subject: str
    feed: str | None
    severity: str
    state: str
    message: str
    measured: Decimal | None
    threshold: Decimal | None
    unit: str | None
    rows_failed: int | None
    owner_name: str | None
    due_date: dt.date
    reason_code: str | None
    opened_at: dt.datetime
    last_seen_at: dt.datetime
    resolved_at: dt.datetime | None
    occurrences: int
    business_date: dt.date | None
    delivery_id: int | None
    validation_id: int | None
    publication_id: int | None


@dataclass(frozen=True)
class Event:
    """One row of `quality.exception_event`."""

    exception_event_id: int
    exception_id: int
    at: dt.datetime
    actor_name: str
    move: str
    from_state: str | None
    to_state: str
    owner_name: str | None
    reason_code: str | None
    comment: str | None
    delivery_id: int | None


def take_findings(
    connection: Connection, policy: DeskPolicy, findings: Iterable[Finding], *, today: dt.date | None = None
) -> int:
    """Open, reopen or heal the exceptions of these findings; how many moved. The caller commits.

    A good finding heals only what was not seen on a later business date: an old file that comes late
    says nothing about today.
    """
    day = today or dt.datetime.now(dt.UTC).date()
    moved = 0
    for finding in findings:
        known = _locked(connection, finding.rule_id, finding.subject)
        if finding.is_good:
            moved += known is not None and _heal(connection, known, finding)
        elif known is None:
            _open(connection, policy, finding, day)
            moved += 1
        else:
            _find_again(connection, policy, known, finding, day)
            moved += 1
    return moved


def move(connection: Connection, policy: DeskPolicy, exception_id: int, actor: str, step: Step) -> DeskException:
    """Make one move of a person; the caller commits.

    Raises:
        DecisionError: there is no such exception, or the move is illegal or incomplete.
    """
    known = get(connection, exception_id, is_locked=True)
    if step.move in (Move.FIND, Move.FIND_AGAIN, Move.HEAL):
        raise DecisionError(f"`{step.move}` happens by itself.", reason=Refusal.ILLEGAL_MOVE)
    if step.reason_code is not None and step.reason_code not in policy.reason_codes:
        raise DecisionError(
            f"There is no reason code {step.reason_code!r}.",
            remedy=f"One of {', '.join(policy.reason_codes)}.",
            reason=Refusal.INCOMPLETE,
        )
    state = after(State(known.state), step)
    today = dt.datetime.now(dt.UTC).date()
    due_date = policy.due_date(known.severity, today) if step.move is Move.REOPEN else known.due_date
    owner = step.owner if step.move is Move.ASSIGN else known.owner_name
    connection.execute(
        """
        update quality.exception set state = %(state)s, owner_name = %(owner)s, due_date = %(due_date)s,
            reason_code = case when %(state)s <> 'resolved' then null else coalesce(%(reason)s, reason_code) end,
            resolved_at = case when %(state)s <> 'resolved' then null
                               else coalesce(resolved_at, clock_timestamp()) end
         where exception_id = %(id)s
        """,
        {"state": state, "owner": owner, "due_date": due_date, "reason": step.reason_code, "id": exception_id},
    )
    _tell(connection, exception_id, actor, step, State(known.state), state)
    return get(connection, exception_id)


def get(connection: Connection, exception_id: int, *, is_locked: bool = False) -> DeskException:
    """One exception.

    Raises:
        DecisionError: there is none of this number.
    """
    with connection.cursor(row_factory=class_row(DeskException)) as cursor:
        found = cursor.execute(_LOCK if is_locked else _GET, [exception_id]).fetchone()
    if found is None:
        raise DecisionError(
            f"There is no exception {exception_id}.",
            remedy="`fulcrum exceptions list` shows them.",
            reason=Refusal.UNKNOWN,
        )
    return found


def history(connection: Connection, exception_id: int) -> list[Event]:
    """All that happened to an exception, oldest first."""
    with connection.cursor(row_factory=class_row(Event)) as cursor:
        return cursor.execute(
            "select * from quality.exception_event where exception_id = %s order by exception_event_id", [exception_id]
        ).fetchall()


def listed(
    connection: Connection,
    *,
    states: Sequence[str] = (State.OPEN, State.REOPENED, State.ACKNOWLEDGED, State.ASSIGNED),
    feed: str | None = None,
    owner: str | None = None,
    limit: int = 200,
) -> list[DeskException]:
    """Exceptions in these states, the most pressing first: by severity, then by due date."""
    with connection.cursor(row_factory=class_row(DeskException)) as cursor:
        return cursor.execute(
            """
            select * from quality.exception
             where state = any(%(states)s) and (%(feed)s::text is null or feed = %(feed)s)
               and (%(owner)s::text is null or owner_name = %(owner)s)
             order by array_position(array['critical', 'warning', 'info'], severity), due_date, exception_id
             limit %(limit)s
            """,
            {"states": list(states), "feed": feed, "owner": owner, "limit": limit},
        ).fetchall()


def _locked(connection: Connection, rule_id: str, subject: str) -> DeskException | None:
    with connection.cursor(row_factory=class_row(DeskException)) as cursor:
        return cursor.execute(
            "select * from quality.exception where rule_id = %s and subject = %s for update", [rule_id, subject]
        ).fetchone()


def _open(connection: Connection, policy: DeskPolicy, finding: Finding, today: dt.date) -> None:
    row = connection.execute(
        """
        insert into quality.exception (rule_id, subject, feed, severity, state, message, measured, threshold, unit,
            rows_failed, due_date, business_date, delivery_id, validation_id, publication_id)
        values (%s, %s, %s, %s, 'open', %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        returning exception_id
        """,
        (
            finding.rule_id,
            finding.subject,
            finding.feed,
            finding.severity,
            finding.message,
            finding.measured,
            finding.threshold,
            finding.unit,
            finding.rows_failed,
            policy.due_date(finding.severity, today),
            finding.business_date,
            finding.delivery_id,
            finding.validation_id,
            finding.publication_id,
        ),
    ).fetchone()
    assert row is not None
    _tell(connection, row[0], SYSTEM, Step(Move.FIND), None, State.OPEN, finding.delivery_id)


def _find_again(
    connection: Connection, policy: DeskPolicy, known: DeskException, finding: Finding, today: dt.date
) -> None:
    state = after(State(known.state), Step(Move.FIND_AGAIN))
    returns = known.state == State.RESOLVED
    due_date = policy.due_date(finding.severity, today) if returns else known.due_date
    connection.execute(
        """
        update quality.exception set state = %(state)s, severity = %(severity)s, message = %(message)s,
            measured = %(measured)s, threshold = %(threshold)s, unit = %(unit)s, rows_failed = %(rows_failed)s,
            due_date = %(due_date)s, occurrences = occurrences + 1, last_seen_at = clock_timestamp(),
            resolved_at = null, reason_code = null,
            business_date = greatest(business_date, %(business_date)s), delivery_id = %(delivery_id)s,
            validation_id = %(validation_id)s, publication_id = %(publication_id)s
         where exception_id = %(exception_id)s
        """,
        {
            "state": state,
            "severity": finding.severity,
            "message": finding.message,
            "measured": finding.measured,
            "threshold": finding.threshold,
            "unit": finding.unit,
            "rows_failed": finding.rows_failed,
            "due_date": due_date,
            "business_date": finding.business_date,
            "delivery_id": finding.delivery_id,
            "validation_id": finding.validation_id,
            "publication_id": finding.publication_id,
            "exception_id": known.exception_id,
        },
    )
    _tell(
        connection,
        known.exception_id,
        SYSTEM,
        Step(Move.FIND_AGAIN),
        State(known.state),
        state,
        finding.delivery_id,
    )


def _heal(connection: Connection, known: DeskException, finding: Finding) -> bool:
    is_older = (
        finding.business_date is not None
        and known.business_date is not None
        and finding.business_date < known.business_date
    )
    if known.state == State.RESOLVED or is_older:
        return False
    connection.execute(
        "update quality.exception set state = 'resolved', reason_code = %s, resolved_at = clock_timestamp()"
        " where exception_id = %s",
        [HEALED, known.exception_id],
    )
    step = Step(Move.HEAL, reason_code=HEALED)
    _tell(connection, known.exception_id, SYSTEM, step, State(known.state), State.RESOLVED, finding.delivery_id)
    return True


def _tell(
    connection: Connection,
    exception_id: int,
    actor: str,
    step: Step,
    before: State | None,
    state: State,
    delivery_id: int | None = None,
) -> None:
    connection.execute(
        """
        insert into quality.exception_event
            (exception_id, actor_name, move, from_state, to_state, owner_name, reason_code, comment, delivery_id)
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (exception_id, actor, step.move, before, state, step.owner, step.reason_code, step.comment, delivery_id),
    )
