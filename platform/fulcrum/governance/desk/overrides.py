"""Overrides: a value in place of a delivered one, asked for by one person and decided by another, for a period.

What is decided here changes no number yet: `fulcrum.pipeline.overrides.carry_out` delivers it like any file. That
nobody decides on his own request, and that no two stand for one subject and day, the database enforces too.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import psycopg
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from fulcrum.errors import DecisionError, Refusal
from fulcrum.governance import audit
from fulcrum.governance.desk import four_eyes
from fulcrum.governance.desk.four_eyes import Decision
from fulcrum.governance.desk.policy import DeskPolicy
from fulcrum.governance.desk.subjects import Subject, find_subject, refuse_unlisted

Connection = psycopg.Connection[Any]
_GET = "select * from quality.override where override_id = %s"
_LOCK = "select * from quality.override where override_id = %s for update"
_DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Override:
    """One row of `quality.override`."""

    override_id: int
    target: str
    subject: dict[str, str]
    subject_key: str
    value: Decimal
    currency_code: str | None
    quote_unit_code: str | None
    begin_date: dt.date
    end_date: dt.date
    reason_code: str
    reason: str
    exception_id: int | None
    state: str
    asked_by: str
    asked_at: dt.datetime
    decided_by: str | None
    decided_at: dt.datetime | None
    decision_comment: str | None
    last_date: dt.date | None
    ended_by: str | None
    ended_at: dt.datetime | None
    end_comment: str | None
    carried_to: dt.date | None
    delivery_id: int | None

    @property
    def stands_to(self) -> dt.date:
        """The last business date that it stands for, if it was approved; before `begin_date`: it stands for none."""
        return self.end_date if self.last_date is None else self.last_date

    @property
    def is_live(self) -> bool:
        """Whether it moves a value, did so once, or would if it were approved."""
        return self.state in ("asked", "approved", "ended")

    def standing(self, today: dt.date) -> str:
        """Its state, with `lapsed` for an approved one whose last day is over."""
        return "lapsed" if self.state == "approved" and self.end_date < today else self.state


@dataclass(frozen=True)
class Request:
    """What somebody asks for.

    `kind` is `price` or `fx_rate`. `subject` names an instrument (`isin` or `instrument_code`), or a pair
    (`base_currency_code` and `quote_currency_code`). `value` is a price as quoted, in `currency_code` and
    `quote_unit_code` (UNIT, MINOR, PER_100; None: as the instrument is quoted), or units of the quote currency for
    one of the base currency. The dates are the first and last business date that it shall stand for.
    """

    kind: str
    subject: Mapping[str, str]
    value: Decimal
    begin_date: dt.date
    end_date: dt.date
    reason_code: str
    reason: str
    currency_code: str | None = None
    quote_unit_code: str | None = None
    exception_id: int | None = None


def ask(connection: Connection, policy: DeskPolicy, actor: str, request: Request) -> Override:
    """Ask for an override; the caller commits.

    Raises:
        DecisionError: such a value cannot be overridden, the subject is unknown, the period is empty or too long,
            another override stands in it, or the reason is missing or its code unknown.
    """
    _check(policy, request)
    subject = find_subject(connection, request.kind, request.subject, request.begin_date)
    currency = _currency(connection, request)
    _refuse_overlap(connection, subject, request.begin_date, request.end_date)
    row = connection.execute(
        """
        insert into quality.override (target, subject, subject_key, value, currency_code, quote_unit_code,
            begin_date, end_date, reason_code, reason, exception_id, asked_by)
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) returning override_id
        """,
        (
            subject.target,
            Jsonb(subject.names),
            subject.key,
            request.value,
            currency,
            request.quote_unit_code,
            request.begin_date,
            request.end_date,
            request.reason_code,
            request.reason.strip(),
            request.exception_id,
            actor,
        ),
    ).fetchone()
    assert row is not None
    return _told(connection, actor, "asked", int(row[0]))


def decide(connection: Connection, actor: str, override_id: int, decision: Decision, comment: str = "") -> Override:
    """Approve or refuse an override that somebody else asked for; the caller commits, then has it carried out.

    Raises:
        DecisionError: it was decided already, the actor asked for it, or another one stands in its period.
    """
    known = get(connection, override_id, is_locked=True)
    four_eyes.refuse_deciding(f"override {override_id}", known, actor)
    if decision == "approved":
        subject = Subject(known.target, known.subject, known.subject_key)
        _refuse_overlap(connection, subject, known.begin_date, known.end_date)
    try:
        connection.execute(
            "update quality.override set state = %s, decided_by = %s, decided_at = clock_timestamp(),"
            " decision_comment = %s where override_id = %s",
            [decision, actor, comment.strip() or None, override_id],
        )
    except psycopg.errors.ExclusionViolation as error:  # two were approved at the same moment
        raise DecisionError(f"Another override of {known.subject_key} was approved just now.") from error
    return _told(connection, actor, decision, override_id)


def withdraw(connection: Connection, actor: str, override_id: int) -> Override:
    """Take back one's own request before it is decided; the caller commits.

    Raises:
        DecisionError: it was decided already, or somebody else asked.
    """
    known = get(connection, override_id, is_locked=True)
    four_eyes.refuse_withdrawing(f"override {override_id}", known, actor)
    connection.execute("update quality.override set state = 'withdrawn' where override_id = %s", [override_id])
    return _told(connection, actor, "withdrawn", override_id)


def end(connection: Connection, actor: str, override_id: int, comment: str, last_date: dt.date | None) -> Override:
    """End an approved override early; the caller commits, then has it carried out.

    `last_date` is the last business date that it still stands for; None takes it back for all of its dates. After
    that date the delivered values hold again.

    Raises:
        DecisionError: it is not in force, there is no comment, the actor asked for it, or the date is not before
            its end.
    """
    known = get(connection, override_id, is_locked=True)
    four_eyes.refuse_ending(f"override {override_id}", known, actor, comment)
    last = known.begin_date - _DAY if last_date is None else last_date
    if not known.begin_date - _DAY <= last < known.end_date:
        raise DecisionError(
            f"Override {override_id} stands from {known.begin_date} to {known.end_date}; {last} is not within that.",
            remedy="Name a last day before its end, or take it back altogether.",
            reason=Refusal.PERIOD,
        )
    connection.execute(
        "update quality.override set state = 'ended', last_date = %s, ended_by = %s, ended_at = clock_timestamp(),"
        " end_comment = %s where override_id = %s",
        [last, actor, comment.strip(), override_id],
    )
    return _told(connection, actor, "ended", override_id)


def get(connection: Connection, override_id: int, *, is_locked: bool = False) -> Override:
    """One override.

    Raises:
        DecisionError: there is none of this number.
    """
    with connection.cursor(row_factory=class_row(Override)) as cursor:
        found = cursor.execute(_LOCK if is_locked else _GET, [override_id]).fetchone()
    if found is None:
        raise DecisionError(
            f"There is no override {override_id}.",
            remedy="`fulcrum overrides list` shows them.",
            reason=Refusal.UNKNOWN,
        )
    return found


def listed(connection: Connection, *, state: str | None = None, limit: int = 200) -> list[Override]:
    """Overrides, the undecided first, then the newest."""
    with connection.cursor(row_factory=class_row(Override)) as cursor:
        return cursor.execute(
            "select * from quality.override where %(state)s::text is null or state = %(state)s"
            " order by (state = 'asked') desc, override_id desc limit %(limit)s",
            {"state": state, "limit": limit},
        ).fetchall()


def of_exception(connection: Connection, exception_id: int) -> list[Override]:
    """Overrides that were asked for because of an exception, newest first."""
    with connection.cursor(row_factory=class_row(Override)) as cursor:
        return cursor.execute(
            "select * from quality.override where exception_id = %s order by override_id desc", [exception_id]
        ).fetchall()


def _check(policy: DeskPolicy, request: Request) -> None:
    days = (request.end_date - request.begin_date).days + 1
    if not 1 <= days <= policy.overrides.longest_days:
        raise DecisionError(
            f"An override lasts 1 to {policy.overrides.longest_days} days, not {days}.",
            remedy="Choose another end.",
            reason=Refusal.PERIOD,
        )
    if request.reason_code not in policy.overrides.reason_codes:
        raise DecisionError(
            f"There is no reason {request.reason_code!r} for an override.",
            remedy=f"One of {', '.join(policy.overrides.reason_codes)}.",
            reason=Refusal.INCOMPLETE,
        )
    if not request.reason.strip():
        raise DecisionError("An override needs a reason in words, too.", reason=Refusal.INCOMPLETE)
    if not (request.value.is_finite() and request.value > 0):
        raise DecisionError("The value of an override is a number above zero.", reason=Refusal.INCOMPLETE)


def _currency(connection: Connection, request: Request) -> str | None:
    if request.kind != "price":
        if request.currency_code or request.quote_unit_code:
            raise DecisionError("An exchange rate has no currency or unit of its own: its pair says them.")
        return None
    if not request.currency_code:
        raise DecisionError(
            "A price needs its currency.", remedy="ISO 4217, in which it is quoted.", reason=Refusal.INCOMPLETE
        )
    if request.quote_unit_code not in (None, "UNIT", "MINOR", "PER_100"):
        raise DecisionError("A price is quoted per UNIT, in MINOR (hundredths) or PER_100 of nominal.")
    refuse_unlisted(connection, request.currency_code.upper())
    return request.currency_code.upper()


def _refuse_overlap(connection: Connection, subject: Subject, begin: dt.date, end_: dt.date) -> None:
    row = connection.execute(
        """
        select override_id, begin_date, coalesce(last_date, end_date) from quality.override
         where subject_key = %s and state in ('approved', 'ended')
           and daterange(begin_date, coalesce(last_date, end_date) + 1) && daterange(%s, %s, '[]')
         order by override_id limit 1
        """,
        [subject.key, begin, end_],
    ).fetchone()
    if row is not None:
        raise DecisionError(
            f"Override {row[0]} stands for {subject.key} from {row[1]} to {row[2]}.",
            remedy="End it first, or choose another period.",
        )


def _told(connection: Connection, actor: str, did: str, override_id: int) -> Override:
    made = get(connection, override_id)
    details = {
        "subject": made.subject_key,
        "value": f"{made.value:f}",
        "currency_code": made.currency_code,
        "begin_date": made.begin_date.isoformat(),
        "end_date": made.end_date.isoformat(),
        "last_date": None if made.last_date is None else made.last_date.isoformat(),
        "reason_code": made.reason_code,
        "reason": made.reason,
        "asked_by": made.asked_by,
        "decided_by": made.decided_by,
        "comment": made.end_comment or made.decision_comment,
    }
    audit.record(connection, actor, f"override.{did}", f"override:{override_id}", details)
    return made
