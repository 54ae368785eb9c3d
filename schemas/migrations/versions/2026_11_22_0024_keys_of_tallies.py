"""Equal tallies are known by a number, so that a month's 30,000 validations are grouped without reading their JSON.

Revision: 0024, after 0023. Safe while the code before it runs: what it stores has no key and is counted one by one.
Filling in 250,000 validations takes some seconds and keeps nobody from reading; the index takes the place of the one
that had the delivery alone, and is built under a lock that lets everybody read.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

SAID = "hash of the tally's text: equal tallies have equal keys; null: none was made"


def upgrade() -> None:
    """Apply."""
    op.add_column("validation", sa.Column("tally_key", sa.BigInteger(), nullable=True, comment=SAID), schema="quality")
    op.execute("update quality.validation set tally_key = hashtextextended(tally::text, 0) where tally is not null")
    op.create_check_constraint(
        op.f("validation_tally_key_ck"), "validation", "tally_key is null or tally is not null", schema="quality"
    )
    op.execute(
        "create index validation_of_delivery_ix on quality.validation (delivery_id)"
        " include (finished_at, validation_id, tally_key)"
    )
    op.execute("drop index quality.validation_delivery_id_ix")


def downgrade() -> None:
    """Take back."""
    op.execute("create index validation_delivery_id_ix on quality.validation (delivery_id)")
    op.execute("drop index quality.validation_of_delivery_ix")
    op.drop_column("validation", "tally_key", schema="quality")
