"""What a month's report looks for and seldom finds: rollbacks, and validations that nobody has counted yet.

Revision: 0020, after 0019. Safe while the code before it runs: it only adds. Both indexes are all but empty, and are
built under a lock that lets everybody read.
"""

from __future__ import annotations

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

INDEXES = {
    "governance.publication_rollback_ix": "governance.publication (publication_id) where kind = 'rollback'",
    "quality.validation_uncounted_ix": "quality.validation (validation_id) where tally is null",
}


def upgrade() -> None:
    """Apply."""
    for name, what in INDEXES.items():
        op.execute(f"create index {name.partition('.')[2]} on {what}")


def downgrade() -> None:
    """Take back."""
    for name in INDEXES:
        op.execute(f"drop index {name}")
