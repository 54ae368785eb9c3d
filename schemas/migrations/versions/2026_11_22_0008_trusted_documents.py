"""Documents that clients have registered, so that they may send an id instead of a text.

Revision: 0008, after 0007. Safe while the code before it runs: it only adds a table.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "trusted_document",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("client_name", sa.Text(), comment="principal that may send it; *: everybody", nullable=False),
        sa.Column("document_text", sa.Text(), nullable=False),
        sa.Column("registered_by", sa.Text(), nullable=False),
        sa.Column(
            "registered_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.CheckConstraint(
            "sha256 = encode(sha256(convert_to(document_text, 'UTF8')), 'hex')", name="trusted_document_sha256_ck"
        ),
        sa.PrimaryKeyConstraint("sha256", "client_name", name="trusted_document_pk"),
        schema="governance",
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("trusted_document", schema="governance")
