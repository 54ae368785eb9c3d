"""An index by which the API finds the newest business date of a table without reading all publications.

Revision: 0005, after 0004. Safe while the code before it runs: it only adds an index to a table that has one
row per publication.
"""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

NAME = "publication_target_business_date_to_ix"


def upgrade() -> None:
    """Apply."""
    op.create_index(NAME, "publication", ["target", "business_date_to"], schema="governance")


def downgrade() -> None:
    """Take back."""
    op.drop_index(NAME, table_name="publication", schema="governance")
