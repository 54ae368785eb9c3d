"""The published rows of one delivery are found quickly: what a failed warning speaks of is shown on a page.

Revision: 0022, after 0021. Safe while the code before it runs: it only adds. The indexes are built under a lock that
lets everybody read.

A delivery's rows lie together, so a block range index finds them: 24 kB of each month, and next to nothing at each
insert. Rows that were restated have moved, and a range of them spans old and new deliveries: hence `minmax_multi`.
"""

from __future__ import annotations

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

TABLES = (
    *("benchmark_weight", "fx_rate", "holding", "price", "transaction", "unit_holding"),
    *("client_identifier", "instrument_identifier"),
    *(f"{entity}_version" for entity in ("account", "benchmark", "client", "instrument", "issuer")),
    *("portfolio_version", "share_class_version"),
)


def upgrade() -> None:
    """Apply."""
    for table in TABLES:
        op.execute(
            f"create index {table}_delivery_id_ix on core.{table}"
            " using brin (delivery_id int8_minmax_multi_ops) with (autosummarize = on)"
        )


def downgrade() -> None:
    """Take back."""
    for table in TABLES:
        op.execute(f"drop index core.{table}_delivery_id_ix")
