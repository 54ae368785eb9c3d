"""The quality desk: findings that people work on, decisions that they sign, and the log of both.

What a finding is measured by stands in `quality.py`; the rules of the moves in `fulcrum.governance.desk`.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, text
from sqlalchemy import Identity as IdentityColumn
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column

from fulcrum.warehouse.models.base import Amount, Base, BusinessDate, Code, Identity, Json, Key, Moment

STATES = ("open", "acknowledged", "assigned", "resolved", "reopened")
DECISIONS = ("asked", "approved", "refused", "withdrawn", "ended")
_NOW = text("clock_timestamp()")


class DeskException(Base):
    """A finding on one rule and one subject; it closes when healed and opens again when it returns."""

    __tablename__ = "exception"
    __table_args__ = (
        CheckConstraint(f"state in {STATES}", name="state"),
        CheckConstraint("severity in ('critical', 'warning', 'info')", name="severity"),
        CheckConstraint("(state = 'resolved') = (resolved_at is not null)", name="resolved"),
        CheckConstraint("state <> 'assigned' or owner_name is not null", name="assigned"),
        Index("exception_rule_id_subject_uq", "rule_id", "subject", unique=True),
        Index("exception_open_ix", "severity", "due_date", postgresql_where=text("state <> 'resolved'")),
        Index("exception_feed_ix", "feed", postgresql_where=text("state <> 'resolved'")),
        {"schema": "quality"},
    )

    exception_id: Mapped[Identity] = mapped_column(BigInteger, IdentityColumn(always=True), primary_key=True)
    rule_id: Mapped[Code]
    subject: Mapped[Code] = mapped_column(comment="feed:<feed>, or reconciliation:<name>/<key>")
    feed: Mapped[Code | None]
    severity: Mapped[Code]
    state: Mapped[Code]
    message: Mapped[Code] = mapped_column(comment="what the rule said last")
    measured: Mapped[Amount | None]
    threshold: Mapped[Amount | None]
    unit: Mapped[Code | None]
    rows_failed: Mapped[Key | None]
    owner_name: Mapped[Code | None] = mapped_column(comment="principal who works on it")
    due_date: Mapped[BusinessDate]
    reason_code: Mapped[Code | None] = mapped_column(comment="why it was resolved")
    opened_at: Mapped[Moment] = mapped_column(server_default=_NOW)
    last_seen_at: Mapped[Moment] = mapped_column(server_default=_NOW)
    resolved_at: Mapped[Moment | None]
    occurrences: Mapped[int] = mapped_column(server_default=text("1"))
    business_date: Mapped[BusinessDate | None] = mapped_column(comment="last business date that it was seen on")
    delivery_id: Mapped[Key | None] = mapped_column(ForeignKey("governance.delivery.delivery_id"))
    validation_id: Mapped[Key | None] = mapped_column(ForeignKey("quality.validation.validation_id"))
    publication_id: Mapped[Key | None] = mapped_column(comment="publication that carries it, if it did not block")


class ExceptionEvent(Base):
    """One move of an exception: who, when, from which state to which, and why. Never changed."""

    __tablename__ = "exception_event"
    __table_args__ = (
        CheckConstraint(f"from_state is null or from_state in {STATES}", name="from_state"),
        CheckConstraint(f"to_state in {STATES}", name="to_state"),
        Index(None, "exception_id"),
        {"schema": "quality"},
    )

    exception_event_id: Mapped[Identity] = mapped_column(BigInteger, IdentityColumn(always=True), primary_key=True)
    exception_id: Mapped[Key] = mapped_column(ForeignKey("quality.exception.exception_id"))
    at: Mapped[Moment] = mapped_column(server_default=_NOW)
    actor_name: Mapped[Code] = mapped_column(comment="principal; `fulcrum` for what happens by itself")
    move: Mapped[Code]
    from_state: Mapped[Code | None]
    to_state: Mapped[Code]
    owner_name: Mapped[Code | None]
    reason_code: Mapped[Code | None]
    comment: Mapped[Code | None]
    delivery_id: Mapped[Key | None]


class Waiver(Base):
    """Permission to publish in spite of a critical rule, for a feed and a period: one asks, another decides."""

    __tablename__ = "waiver"
    __table_args__ = (
        CheckConstraint(f"state in {DECISIONS}", name="state"),
        CheckConstraint("end_date >= begin_date", name="period"),
        CheckConstraint("decided_by is null or decided_by <> asked_by", name="four_eyes"),
        CheckConstraint(
            "(state in ('approved', 'refused', 'ended')) = (decided_by is not null and decided_at is not null)",
            name="decided",
        ),
        CheckConstraint(
            "num_nonnulls(ended_by, ended_at, end_comment) = case state when 'ended' then 3 else 0 end", name="ended"
        ),
        CheckConstraint("ended_by is null or ended_by <> asked_by", name="four_eyes_of_the_end"),
        Index(None, "rule_id", "feed"),
        Index(None, "exception_id"),
        {"schema": "quality"},
    )

    waiver_id: Mapped[Identity] = mapped_column(BigInteger, IdentityColumn(always=True), primary_key=True)
    rule_id: Mapped[Code]
    feed: Mapped[Code]
    begin_date: Mapped[BusinessDate] = mapped_column(comment="first business date of deliveries that it covers")
    end_date: Mapped[BusinessDate] = mapped_column(comment="last one; never for ever")
    reason: Mapped[Code]
    exception_id: Mapped[Key | None] = mapped_column(ForeignKey("quality.exception.exception_id"))
    state: Mapped[Code] = mapped_column(server_default=text("'asked'"))
    asked_by: Mapped[Code] = mapped_column(ForeignKey("governance.principal.principal_name"))
    asked_at: Mapped[Moment] = mapped_column(server_default=_NOW)
    decided_by: Mapped[Code | None] = mapped_column(ForeignKey("governance.principal.principal_name"))
    decided_at: Mapped[Moment | None]
    decision_comment: Mapped[Code | None]
    ended_by: Mapped[Code | None] = mapped_column(ForeignKey("governance.principal.principal_name"))
    ended_at: Mapped[Moment | None]
    end_comment: Mapped[Code | None]


class PublicationWaiver(Base):
    """A publication that was made under a waiver: everything it published is marked by it."""

    __tablename__ = "publication_waiver"
    __table_args__ = ({"schema": "governance"},)

    publication_id: Mapped[Key] = mapped_column(ForeignKey("governance.publication.publication_id"), primary_key=True)
    waiver_id: Mapped[Key] = mapped_column(ForeignKey("quality.waiver.waiver_id"), primary_key=True)
    rule_id: Mapped[Code]


class Override(Base):
    """A value that people put in place of a delivered one, for a period; delivered like any file when approved."""

    __tablename__ = "override"
    __table_args__ = (
        CheckConstraint("target in ('core.price', 'core.fx_rate')", name="target"),
        CheckConstraint(f"state in {DECISIONS}", name="state"),
        CheckConstraint("value > 0", name="value"),
        CheckConstraint("end_date >= begin_date", name="period"),
        CheckConstraint("decided_by is null or decided_by <> asked_by", name="four_eyes"),
        CheckConstraint(
            "(state in ('approved', 'refused', 'ended')) = (decided_by is not null and decided_at is not null)",
            name="decided",
        ),
        CheckConstraint(
            "num_nonnulls(last_date, ended_by, ended_at, end_comment) = case state when 'ended' then 4 else 0 end",
            name="ended",
        ),
        CheckConstraint("ended_by is null or ended_by <> asked_by", name="four_eyes_of_the_end"),
        CheckConstraint("last_date is null or last_date between begin_date - 1 and end_date - 1", name="last_date"),
        ExcludeConstraint(
            (text("subject_key"), "="),
            (text("daterange(begin_date, coalesce(last_date, end_date) + 1)"), "&&"),
            where=text("state in ('approved', 'ended')"),
            name="override_one_at_a_time",
        ),
        Index(None, "exception_id"),
        {"schema": "quality"},
    )

    override_id: Mapped[Identity] = mapped_column(BigInteger, IdentityColumn(always=True), primary_key=True)
    target: Mapped[Code] = mapped_column(comment="core.price or core.fx_rate")
    subject: Mapped[Json] = mapped_column(comment="instrument_code, isin, scheme and value; or the pair")
    subject_key: Mapped[Code] = mapped_column(comment="the subject in one word; a pair and its inverse have the same")
    value: Mapped[Amount] = mapped_column(comment="a price as quoted, or units of the quote currency for one base")
    currency_code: Mapped[Code | None] = mapped_column(comment="ISO 4217, of a price")
    quote_unit_code: Mapped[Code | None] = mapped_column(comment="of a price; null: as the instrument is quoted")
    begin_date: Mapped[BusinessDate]
    end_date: Mapped[BusinessDate] = mapped_column(comment="last business date that it stands for; never for ever")
    reason_code: Mapped[Code]
    reason: Mapped[Code]
    exception_id: Mapped[Key | None] = mapped_column(ForeignKey("quality.exception.exception_id"))
    state: Mapped[Code] = mapped_column(server_default=text("'asked'"))
    asked_by: Mapped[Code] = mapped_column(ForeignKey("governance.principal.principal_name"))
    asked_at: Mapped[Moment] = mapped_column(server_default=_NOW)
    decided_by: Mapped[Code | None] = mapped_column(ForeignKey("governance.principal.principal_name"))
    decided_at: Mapped[Moment | None]
    decision_comment: Mapped[Code | None]
    last_date: Mapped[BusinessDate | None] = mapped_column(
        comment="ended early: last business date that it still stands for; the day before the first: for none"
    )
    ended_by: Mapped[Code | None] = mapped_column(ForeignKey("governance.principal.principal_name"))
    ended_at: Mapped[Moment | None]
    end_comment: Mapped[Code | None]
    carried_to: Mapped[BusinessDate | None] = mapped_column(comment="last business date that its deliveries tell")
    delivery_id: Mapped[Key | None] = mapped_column(comment="the newest delivery that brought it into the warehouse")


class AuditEvent(Base):
    """One decision or change of rights: who, when, what. Never changed."""

    __tablename__ = "audit_event"
    __table_args__ = (
        Index(None, "actor_name", "at"),
        Index("audit_event_subject_ix", "subject", text("audit_event_id desc")),
        {"schema": "governance"},
    )

    audit_event_id: Mapped[Identity] = mapped_column(BigInteger, IdentityColumn(always=True), primary_key=True)
    at: Mapped[Moment] = mapped_column(server_default=_NOW)
    actor_name: Mapped[Code]
    action: Mapped[Code] = mapped_column(comment="waiver.asked, waiver.approved, rollback.done, principal.set ...")
    subject: Mapped[Code]
    details: Mapped[Json] = mapped_column(server_default=text("'{}'"))
