"""The pages of the quality desk: what the API's role may write there, and the indexes by which they read.

Revision: 0014, after 0013. Safe while the code before it runs: it only adds. The indexes are built under a lock that
lets everybody read; 5,000,000 results take about ten seconds.
"""

from __future__ import annotations

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

# Moves and decisions, no more: nothing is opened, changed afterwards or deleted from a page.
GRANTS = (
    "update (state, owner_name, due_date, reason_code, resolved_at) on quality.exception",
    "insert on quality.exception_event",
    "insert on quality.waiver",
    "update (state, decided_by, decided_at, decision_comment) on quality.waiver",
    "insert on governance.audit_event",
)
INDEXES = {
    "governance.delivery_today_ix": "governance.delivery (business_date_to desc, feed, delivery_id desc)"
    " include (outcome) where same_as_delivery_id is null and business_date_to is not null",
    "governance.delivery_undated_ix": "governance.delivery (delivery_id desc) where business_date_to is null",
    "quality.exception_feed_ix": "quality.exception (feed) where state <> 'resolved'",
    "quality.validation_result_rule_id_ix": "quality.validation_result (rule_id, validation_id desc) include (status)",
    "quality.waiver_exception_id_ix": "quality.waiver (exception_id)",
    "governance.audit_event_subject_ix": "governance.audit_event (subject, audit_event_id desc)",
}


def upgrade() -> None:
    """Apply."""
    for grant in GRANTS:
        op.execute(f"grant {grant} to fulcrum_api")
    for name, what in INDEXES.items():
        op.execute(f"create index {name.partition('.')[2]} on {what}")


def downgrade() -> None:
    """Take back."""
    for name in INDEXES:
        op.execute(f"drop index {name}")
    for grant in GRANTS:
        op.execute(f"revoke {grant} from fulcrum_api")
