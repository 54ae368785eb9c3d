"""Identifiers are told apart by a hash, and found by an index of their own.

Revision: 0004, after 0003. Safe while the code before it runs: the same rows are allowed and refused.
"""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

BEFORE = "scheme with =, value with =, daterange(valid_from, valid_to) with &&"
AFTER = "hashtextextended(scheme || ':' || value, 0) with =, daterange(valid_from, valid_to) with &&"


def upgrade() -> None:
    """Apply."""
    for entity in ("instrument", "client"):
        _exclude(entity, AFTER)
        op.execute(
            f"create index {entity}_identifier_current_ix on core.{entity}_identifier (value, scheme)"
            " where superseded_in is null"
        )


def downgrade() -> None:
    """Take back."""
    for entity in ("instrument", "client"):
        op.execute(f"drop index core.{entity}_identifier_current_ix")
        _exclude(entity, BEFORE)


def _exclude(entity: str, elements: str) -> None:
    name = f"{entity}_identifier_one_at_a_time"
    op.execute(f"alter table core.{entity}_identifier drop constraint {name}")
    op.execute(
        f"alter table core.{entity}_identifier add constraint {name}"
        f" exclude using gist ({elements}) where (superseded_in is null)"
    )
