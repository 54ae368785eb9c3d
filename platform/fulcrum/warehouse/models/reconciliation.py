"""What comparing two sources found: runs, and their breaks with both sides' values.

The contracts are `quality/reconciliations`; a break's moves by people are those of its exception in `desk.py`.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, text
from sqlalchemy import Identity as IdentityColumn
from sqlalchemy.orm import Mapped, mapped_column

from fulcrum.warehouse.models.base import Amount, Base, BusinessDate, Code, Identity, Json, Key, Moment

CLASSES = ("missing", "quantity", "price", "fx", "timing", "identifier", "rounding", "unknown")
STATES = ("open", "continued", "healed")


class ReconciliationRun(Base):
    """One comparison of two sources for a business date, as known at a publication; never changed."""

    __tablename__ = "reconciliation_run"
    __table_args__ = (
        CheckConstraint("status in ('agreed', 'broken', 'not_run')", name="status"),
        Index(None, "name", "business_date"),
        {"schema": "quality"},
    )

    reconciliation_run_id: Mapped[Identity] = mapped_column(BigInteger, IdentityColumn(always=True), primary_key=True)
    name: Mapped[Code]
    version: Mapped[int]
    owner: Mapped[Code]
    business_date: Mapped[BusinessDate]
    publication_id: Mapped[Key] = mapped_column(comment="the newest publication that it saw")
    a_name: Mapped[Code]
    b_name: Mapped[Code]
    a_rows: Mapped[Key]
    b_rows: Mapped[Key]
    breaks: Mapped[Key]
    status: Mapped[Code] = mapped_column(comment="agreed, broken; not_run: a side has no rows")
    message: Mapped[Code]
    judged_by: Mapped[Json] = mapped_column(comment="tolerances by name: value, unit, since")
    started_at: Mapped[Moment]
    finished_at: Mapped[Moment] = mapped_column(server_default=text("clock_timestamp()"))


class ReconciliationBreak(Base):
    """Where two sources differ; amounts that are not compared are null, a side without lines lacks the key."""

    __tablename__ = "reconciliation_break"
    __table_args__ = (
        CheckConstraint(f"class_code in {CLASSES}", name="class_code"),
        CheckConstraint("severity in ('critical', 'warning', 'info')", name="severity"),
        CheckConstraint(f"state in {STATES}", name="state"),
        Index(None, "reconciliation_run_id", "break_key"),
        Index(None, "exception_id"),
        Index("reconciliation_break_open_ix", "name", "break_key", postgresql_where=text("state = 'open'")),
        {"schema": "quality"},
    )

    reconciliation_break_id: Mapped[Identity] = mapped_column(BigInteger, IdentityColumn(always=True), primary_key=True)
    reconciliation_run_id: Mapped[Key] = mapped_column(ForeignKey("quality.reconciliation_run.reconciliation_run_id"))
    name: Mapped[Code]
    business_date: Mapped[BusinessDate]
    break_key: Mapped[Code] = mapped_column(comment="codes of the keys, joined by slashes")
    class_code: Mapped[Code]
    match_rule: Mapped[Code | None] = mapped_column(comment="the rule that found its counterpart")
    severity: Mapped[Code]
    state: Mapped[Code] = mapped_column(comment="open; continued or healed: so a later run found it")
    book_code: Mapped[Code | None]
    instrument_id: Mapped[Key | None]
    other_instrument_id: Mapped[Key | None] = mapped_column(comment="what side B calls it, where the names differ")
    line_code: Mapped[Code | None]
    key_currency_code: Mapped[Code | None]
    a_lines: Mapped[Key] = mapped_column(comment="lines netted; 0: side A lacks it")
    b_lines: Mapped[Key]
    a_quantity: Mapped[Amount | None]
    b_quantity: Mapped[Amount | None]
    a_price: Mapped[Amount | None]
    b_price: Mapped[Amount | None]
    a_fx_rate: Mapped[Amount | None]
    b_fx_rate: Mapped[Amount | None]
    a_value: Mapped[Amount | None]
    b_value: Mapped[Amount | None]
    a_currency_code: Mapped[Code | None]
    b_currency_code: Mapped[Code | None]
    differs: Mapped[Code] = mapped_column(comment="columns beyond their tolerance, joined by commas")
    difference_of: Mapped[Code] = mapped_column(comment="the column that `difference` is of")
    difference: Mapped[Amount | None] = mapped_column(comment="side A minus side B; what is lacking counts as 0")
    first_seen: Mapped[BusinessDate]
    age_days: Mapped[int] = mapped_column(comment="weekdays since first_seen")
    age_bucket: Mapped[Code]
    exception_id: Mapped[Key | None] = mapped_column(ForeignKey("quality.exception.exception_id"))
