"""Who used what of the API, by hour.

Revision: 0009, after 0008. Safe while the code before it runs: it only adds a table.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "usage",
        sa.Column("used_hour", sa.DateTime(timezone=True), nullable=False, comment="beginning of the hour, UTC"),
        sa.Column("principal_name", sa.Text(), nullable=False),
        sa.Column("operation_name", sa.Text(), nullable=False, comment="empty: it has no name"),
        sa.Column("document_sha256", sa.Text(), nullable=False, comment="empty: one of too many of this client"),
        sa.Column("executions", sa.BigInteger(), nullable=False),
        sa.Column("field_counts", JSONB(), nullable=False, comment="Type.field: executions that asked for it"),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("used_hour", "principal_name", "operation_name", "document_sha256", name="usage_pk"),
        schema="governance",
    )
    op.execute("grant insert, update on governance.usage to fulcrum_api")


def downgrade() -> None:
    """Take back."""
    op.drop_table("usage", schema="governance")
