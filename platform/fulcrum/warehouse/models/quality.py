"""Schema `quality`: every verdict, every result and every refused row, kept for ever."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    text,
)
from sqlalchemy import (
    Identity as IdentityColumn,
)
from sqlalchemy.orm import Mapped, mapped_column

from fulcrum.warehouse.models.base import (
    Amount,
    Base,
    BusinessDate,
    Code,
    Identity,
    Json,
    Key,
    Moment,
)


class Validation(Base):
    """One run of rules: of the gate on a staged delivery, or on a schedule about what no file told."""

    __tablename__ = "validation"
    __table_args__ = (
        CheckConstraint("verdict in ('passed', 'warned', 'waived', 'blocked', 'broken')", name="verdict"),
        CheckConstraint("delivery_id is not null or subject is not null", name="about"),
        CheckConstraint("tally_key is null or tally is not null", name="tally_key"),
        Index(
            "validation_of_delivery_ix",
            "delivery_id",
            postgresql_include=["finished_at", "validation_id", "tally_key"],
        ),
        Index(None, "subject", "business_date"),
        Index("validation_inspection_ix", "business_date", "finished_at", postgresql_where=text("delivery_id is null")),
        Index("validation_uncounted_ix", "validation_id", postgresql_where=text("tally is null")),
        {"schema": "quality"},
    )

    validation_id: Mapped[Identity] = mapped_column(BigInteger, IdentityColumn(always=True), primary_key=True)
    delivery_id: Mapped[Key | None] = mapped_column(ForeignKey("governance.delivery.delivery_id"))
    suite_name: Mapped[Code]
    subject: Mapped[Code | None] = mapped_column(comment="what was judged where no file was: a feed, a table")
    business_date: Mapped[BusinessDate | None]
    started_at: Mapped[Moment]
    finished_at: Mapped[Moment]
    verdict: Mapped[Code]
    rows_judged: Mapped[Key]
    engine_version: Mapped[Code]
    tally: Mapped[Json | None] = mapped_column(
        comment="how many results: [[dimension, owner, status, number], ...], sorted; null: to be counted"
    )
    tally_key: Mapped[Key | None] = mapped_column(
        comment="hash of the tally's text: equal tallies have equal keys; null: none was made"
    )


class ValidationResult(Base):
    """What one rule measured; `not_run` and `broken` are never `passed`."""

    __tablename__ = "validation_result"
    __table_args__ = (
        CheckConstraint("status in ('passed', 'failed', 'broken', 'not_run')", name="status"),
        CheckConstraint("severity in ('critical', 'warning', 'info')", name="severity"),
        CheckConstraint("level in ('row', 'set')", name="level"),
        Index("validation_result_rule_id_ix", "rule_id", text("validation_id desc"), postgresql_include=["status"]),
        {"schema": "quality"},
    )

    validation_id: Mapped[Key] = mapped_column(ForeignKey("quality.validation.validation_id"), primary_key=True)
    rule_id: Mapped[Code] = mapped_column(primary_key=True)
    rule_version: Mapped[int]
    dimension: Mapped[Code]
    severity: Mapped[Code]
    level: Mapped[Code]
    owner: Mapped[Code]
    status: Mapped[Code]
    measured: Mapped[Amount | None]
    threshold: Mapped[Amount | None]
    unit: Mapped[Code | None]
    rows_failed: Mapped[Key | None]
    message: Mapped[Code]
    result: Mapped[Json] = mapped_column(server_default=text("'{}'"))


class ExchangeSession(Base):
    """The days on which an exchange trades, as far as they were asked for."""

    __tablename__ = "exchange_session"
    __table_args__ = ({"schema": "quality"},)

    exchange_code: Mapped[Code] = mapped_column(primary_key=True, comment="ISO 10383 MIC")
    session_date: Mapped[BusinessDate] = mapped_column(primary_key=True)


class QuarantinedRow(Base):
    """A row, or a cell of it, that was refused; the row number leads to the landed file."""

    __tablename__ = "quarantined_row"
    __table_args__ = (
        Index(None, "delivery_id", "source_row"),
        {"schema": "quality"},
    )

    quarantined_row_id: Mapped[Identity] = mapped_column(BigInteger, IdentityColumn(always=True), primary_key=True)
    delivery_id: Mapped[Key] = mapped_column(ForeignKey("governance.delivery.delivery_id"))
    source_row: Mapped[Key]
    rule_id: Mapped[Code]
    column_name: Mapped[Code | None]
    value: Mapped[Code | None]
    row_key: Mapped[Json] = mapped_column(server_default=text("'{}'"))
    message: Mapped[Code]
