"""When the first file and the first judgement of a business date came: what says when its month's report closes.

Revision: 0023, after 0022. Safe while the code before it runs: it only adds. The list of 36 months looked through all
deliveries of each; now it looks once at each date. The first index has 250,000 small entries for 1,000 feeds and
a year (a second to build, under a lock that lets everybody read), the other a few for each day.
"""

from __future__ import annotations

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

INDEXES = {
    "governance.delivery_first_ix": "governance.delivery (business_date_to, landed_at)"
    " where same_as_delivery_id is null and business_date_to is not null",
    "quality.validation_inspection_ix": "quality.validation (business_date, finished_at) where delivery_id is null",
}


def upgrade() -> None:
    """Apply."""
    for name, what in INDEXES.items():
        op.execute(f"create index {name.partition('.')[2]} on {what}")


def downgrade() -> None:
    """Take back."""
    for name in INDEXES:
        op.execute(f"drop index {name}")
