"""Mutations that carry a key of their client, so that a repetition does nothing a second time.

Revision: 0017, after 0016. Safe while the code before it runs: it only adds a table.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "mutation",
        sa.Column("principal_name", sa.Text(), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=False, comment="chosen by the client"),
        sa.Column("made_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("field_name", sa.Text(), nullable=False, comment="the mutation"),
        sa.Column("input_sha256", sa.Text(), nullable=False, comment="SHA-256 of its input without the key"),
        sa.Column("changed", JSONB(), nullable=False, comment="field of the answer: ids of what was changed"),
        sa.PrimaryKeyConstraint("principal_name", "idempotency_key", name="mutation_pk"),
        schema="governance",
    )
    op.execute(
        "create trigger only_added_to before update or delete on governance.mutation"
        " for each row execute function governance.refuse_change()"
    )
    op.execute("grant insert on governance.mutation to fulcrum_api")


def downgrade() -> None:
    """Take back."""
    op.drop_table("mutation", schema="governance")
