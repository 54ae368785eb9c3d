"""What the API itself keeps: quality events for its subscribers, the ledger of exports, and keys of mutations.

What it serves stands in the other modules; events are written by a trigger, never by a program.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, text
from sqlalchemy import Identity as IdentityColumn
from sqlalchemy.orm import Mapped, mapped_column

from fulcrum.warehouse.models.base import Base, BusinessDate, Code, Identity, Json, Key, Moment

EVENT_KINDS = ("warned", "blocked", "broken", "refused", "failed")
FORMATS = ("parquet", "arrow", "csv")
STATES = ("queued", "running", "done", "failed", "expired")


class QualityEvent(Base):
    """What the gate had to say of a delivery, other than "passed"; numbers are in commit order, without gaps."""

    __tablename__ = "event"
    __table_args__ = (CheckConstraint(f"kind in {EVENT_KINDS}", name="kind"), {"schema": "quality"})

    event_id: Mapped[Identity] = mapped_column(BigInteger, autoincrement=False, primary_key=True)
    occurred_at: Mapped[Moment]
    kind: Mapped[Code]
    delivery_id: Mapped[Key] = mapped_column(ForeignKey("governance.delivery.delivery_id"))
    validation_id: Mapped[Key | None]
    feed: Mapped[Code]
    business_date_from: Mapped[BusinessDate | None]
    business_date_to: Mapped[BusinessDate | None]
    rows_in: Mapped[Key | None]
    rows_quarantined: Mapped[Key | None]
    publication_id: Mapped[Key | None]
    data_version: Mapped[Key]
    is_about_clients: Mapped[bool]


class ExportJob(Base):
    """One export, whether downloaded at once or made for later; rows stay as a record of who took what."""

    __tablename__ = "export_job"
    __table_args__ = (
        CheckConstraint(f"format in {FORMATS}", name="format"),
        CheckConstraint(f"state in {STATES}", name="state"),
        Index("export_job_open_ix", "process_id", postgresql_where=text("state in ('queued', 'running')")),
        Index(None, "principal_name"),
        {"schema": "governance"},
    )

    export_job_id: Mapped[Identity] = mapped_column(BigInteger, IdentityColumn(always=True), primary_key=True)
    public_id: Mapped[Code] = mapped_column(unique=True)
    principal_name: Mapped[Code]
    entitlement: Mapped[Json]
    scope_id: Mapped[Key]
    is_download: Mapped[bool]
    format: Mapped[Code]
    document: Mapped[Code]
    operation_name: Mapped[Code | None]
    variables: Mapped[Json] = mapped_column(server_default=text("'{}'"))
    state: Mapped[Code] = mapped_column(server_default=text("'queued'"))
    process_id: Mapped[Key]
    requested_at: Mapped[Moment] = mapped_column(server_default=text("clock_timestamp()"))
    started_at: Mapped[Moment | None]
    finished_at: Mapped[Moment | None]
    expires_at: Mapped[Moment | None]
    data_version: Mapped[Key | None]
    business_date: Mapped[BusinessDate | None]
    rows_exported: Mapped[Key | None]
    size_bytes: Mapped[Key | None]
    sha256: Mapped[Code | None]
    error_code: Mapped[Code | None]
    error_message: Mapped[Code | None]


class Mutation(Base):
    """One mutation that carried a key of its client: a repetition finds it here and does nothing. Never changed."""

    __tablename__ = "mutation"
    __table_args__ = ({"schema": "governance"},)

    principal_name: Mapped[Code] = mapped_column(primary_key=True)
    idempotency_key: Mapped[Code] = mapped_column(primary_key=True, comment="chosen by the client")
    made_at: Mapped[Moment] = mapped_column(server_default=text("clock_timestamp()"))
    field_name: Mapped[Code] = mapped_column(comment="the mutation")
    input_sha256: Mapped[Code] = mapped_column(comment="SHA-256 of its input without the key")
    changed: Mapped[Json] = mapped_column(comment="field of the answer: ids of what was changed")
