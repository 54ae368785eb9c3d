"""Reconciliation of two sources: runs and their breaks.

Revision: 0015, after 0014. Safe while the code before it runs: it only adds. Breaks name portfolios of every client,
so the API shows them to callers who see the whole house only.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

BREAK = "quality.reconciliation_break"
SEES_THE_HOUSE = (
    "(select is_whole_house from governance.row_scope"
    " where scope_id = nullif(current_setting('fulcrum.scope', true), '')::bigint)"
)
SIDES = ("quantity", "price", "fx_rate", "value")


def _key(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), sa.Identity(always=True), nullable=False)


def _sided() -> list[sa.Column[Any]]:
    amounts: list[sa.Column[Any]] = [
        sa.Column(f"{side}_{name}", sa.Numeric(), nullable=True) for name in SIDES for side in "ab"
    ]
    return [*amounts, *(sa.Column(f"{side}_currency_code", sa.Text(), nullable=True) for side in "ab")]


def upgrade() -> None:
    """Apply."""
    _runs()
    _breaks()
    op.execute(f"alter table {BREAK} enable row level security")
    op.execute(f"create policy api_rows on {BREAK} for select to fulcrum_api using ({SEES_THE_HOUSE})")
    op.execute(f"create policy loader_rows on {BREAK} for all to fulcrum_loader using (true) with check (true)")


def _runs() -> None:
    op.create_table(
        "reconciliation_run",
        _key("reconciliation_run_id"),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("publication_id", sa.BigInteger(), nullable=False, comment="the newest publication that it saw"),
        sa.Column("a_name", sa.Text(), nullable=False),
        sa.Column("b_name", sa.Text(), nullable=False),
        sa.Column("a_rows", sa.BigInteger(), nullable=False),
        sa.Column("b_rows", sa.BigInteger(), nullable=False),
        sa.Column("breaks", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False, comment="agreed, broken; not_run: a side has no rows"),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("judged_by", postgresql.JSONB(), nullable=False, comment="tolerances by name: value, unit, since"),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "finished_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.CheckConstraint("status in ('agreed', 'broken', 'not_run')", name="reconciliation_run_status_ck"),
        sa.PrimaryKeyConstraint("reconciliation_run_id", name="reconciliation_run_pk"),
        schema="quality",
    )
    op.create_index(
        "reconciliation_run_name_business_date_ix", "reconciliation_run", ["name", "business_date"], schema="quality"
    )


def _breaks() -> None:
    op.create_table(
        "reconciliation_break",
        _key("reconciliation_break_id"),
        sa.Column("reconciliation_run_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("break_key", sa.Text(), nullable=False, comment="codes of the keys, joined by slashes"),
        sa.Column("class_code", sa.Text(), nullable=False),
        sa.Column("match_rule", sa.Text(), nullable=True, comment="the rule that found its counterpart"),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False, comment="open; continued or healed: so a later run found it"),
        sa.Column("book_code", sa.Text(), nullable=True),
        sa.Column("instrument_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "other_instrument_id",
            sa.BigInteger(),
            nullable=True,
            comment="what side B calls it, where the names differ",
        ),
        sa.Column("line_code", sa.Text(), nullable=True),
        sa.Column("key_currency_code", sa.Text(), nullable=True),
        sa.Column("a_lines", sa.BigInteger(), nullable=False, comment="lines netted; 0: side A lacks it"),
        sa.Column("b_lines", sa.BigInteger(), nullable=False),
        *_sided(),
        sa.Column("differs", sa.Text(), nullable=False, comment="columns beyond their tolerance, joined by commas"),
        sa.Column("difference_of", sa.Text(), nullable=False, comment="the column that `difference` is of"),
        sa.Column(
            "difference", sa.Numeric(), nullable=True, comment="side A minus side B; what is lacking counts as 0"
        ),
        sa.Column("first_seen", sa.Date(), nullable=False),
        sa.Column("age_days", sa.Integer(), nullable=False, comment="weekdays since first_seen"),
        sa.Column("age_bucket", sa.Text(), nullable=False),
        sa.Column("exception_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "class_code in ('missing', 'quantity', 'price', 'fx', 'timing', 'identifier', 'rounding', 'unknown')",
            name="reconciliation_break_class_code_ck",
        ),
        sa.CheckConstraint("severity in ('critical', 'warning', 'info')", name="reconciliation_break_severity_ck"),
        sa.CheckConstraint("state in ('open', 'continued', 'healed')", name="reconciliation_break_state_ck"),
        sa.ForeignKeyConstraint(
            ["reconciliation_run_id"],
            ["quality.reconciliation_run.reconciliation_run_id"],
            name="reconciliation_break_reconciliation_run_id_fk",
        ),
        sa.ForeignKeyConstraint(
            ["exception_id"], ["quality.exception.exception_id"], name="reconciliation_break_exception_id_fk"
        ),
        sa.PrimaryKeyConstraint("reconciliation_break_id", name="reconciliation_break_pk"),
        schema="quality",
    )
    op.create_index(
        "reconciliation_break_reconciliation_run_id_break_key_ix",
        "reconciliation_break",
        ["reconciliation_run_id", "break_key"],
        schema="quality",
    )
    op.create_index("reconciliation_break_exception_id_ix", "reconciliation_break", ["exception_id"], schema="quality")
    op.create_index(
        "reconciliation_break_open_ix",
        "reconciliation_break",
        ["name", "break_key"],
        schema="quality",
        postgresql_where=sa.text("state = 'open'"),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("reconciliation_break", schema="quality")
    op.drop_table("reconciliation_run", schema="quality")
