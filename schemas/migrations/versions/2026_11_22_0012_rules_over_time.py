"""What rules over time need: events beside prices, trading days of markets, judgements without a file.

Revision: 0012, after 0011. Safe while the code before it runs: columns that it does not name are null, and every
validation that it writes has its delivery.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

EVENTS = ("adjusted_price", "dividend", "capital_gain", "split_ratio")


def upgrade() -> None:
    """Apply."""
    for name in EVENTS:
        op.add_column("price", sa.Column(name, sa.Numeric(), nullable=True), schema="core")
    op.create_table(
        "exchange_session",
        sa.Column("exchange_code", sa.Text(), nullable=False, comment="ISO 10383 MIC"),
        sa.Column("session_date", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("exchange_code", "session_date", name="exchange_session_pk"),
        schema="quality",
    )
    op.alter_column("validation", "delivery_id", nullable=True, schema="quality")
    op.add_column(
        "validation",
        sa.Column("subject", sa.Text(), nullable=True, comment="what was judged where no file was: a feed, a table"),
        schema="quality",
    )
    op.add_column("validation", sa.Column("business_date", sa.Date(), nullable=True), schema="quality")
    op.create_check_constraint(
        op.f("validation_about_ck"), "validation", "delivery_id is not null or subject is not null", schema="quality"
    )
    op.create_index("validation_subject_business_date_ix", "validation", ["subject", "business_date"], schema="quality")


def downgrade() -> None:
    """Take back; judgements that no file caused have no place in the older table."""
    op.execute(
        "delete from quality.validation_result where validation_id in"
        " (select validation_id from quality.validation where delivery_id is null)"
    )
    op.execute("delete from quality.validation where delivery_id is null")
    op.drop_index("validation_subject_business_date_ix", "validation", schema="quality")
    op.drop_constraint(op.f("validation_about_ck"), "validation", schema="quality")
    op.drop_column("validation", "business_date", schema="quality")
    op.drop_column("validation", "subject", schema="quality")
    op.alter_column("validation", "delivery_id", nullable=False, schema="quality")
    op.drop_table("exchange_session", schema="quality")
    for name in reversed(EVENTS):
        op.drop_column("price", name, schema="core")
