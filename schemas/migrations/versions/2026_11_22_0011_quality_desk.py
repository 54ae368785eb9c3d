"""The quality desk: exceptions with their history, waivers and overrides with four eyes, and the audit log.

Revision: 0011, after 0010. Safe while the code before it runs: it only adds.

Histories are only ever added to, and a decision is never changed afterwards: triggers hold that for every role
but the owner of the tables.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

TABLES = (
    "governance.publication_waiver",
    "quality.override",
    "quality.waiver",
    "quality.exception_event",
    "quality.exception",
    "governance.audit_event",
)
ONLY_ADDED_TO = ("quality.exception_event", "governance.audit_event", "governance.publication_waiver")
DECIDED = ("waiver", "override")

REFUSE_CHANGE = """
create function governance.refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '% is only ever added to', tg_table_name using errcode = 'restrict_violation';
end $$
"""

# A request may be decided once or withdrawn; an approved one may be ended, by somebody else than who asked for
# it (the table's check); what was asked for never changes.
HOLD_DECISION = """
create function quality.hold_decision() returns trigger language plpgsql as $$
declare
    fixed text[] := array['state', 'decided_by', 'decided_at', 'decision_comment', 'delivery_id'];
begin
    if tg_op = 'DELETE' then
        raise exception 'a % is never deleted', tg_table_name using errcode = 'restrict_violation';
    end if;
    if (to_jsonb(old) - fixed) <> (to_jsonb(new) - fixed) then
        raise exception 'what a % asks for is never changed', tg_table_name using errcode = 'restrict_violation';
    end if;
    if new.state <> old.state and not (
        (old.state = 'asked' and new.state in ('approved', 'refused', 'withdrawn'))
        or (old.state = 'approved' and new.state = 'ended'))
    then
        raise exception 'a % cannot go from % to %', tg_table_name, old.state, new.state
            using errcode = 'restrict_violation';
    end if;
    return new;
end $$
"""


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "audit_event",
        sa.Column("audit_event_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("actor_name", sa.Text(), nullable=False),
        sa.Column(
            "action",
            sa.Text(),
            nullable=False,
            comment="waiver.asked, waiver.approved, rollback.done, principal.set ...",
        ),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("details", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.PrimaryKeyConstraint("audit_event_id", name="audit_event_pk"),
        schema="governance",
    )
    op.create_index(
        ("audit_event_actor_name_at_ix"), "audit_event", ["actor_name", "at"], unique=False, schema="governance"
    )
    op.create_table(
        "exception",
        sa.Column("exception_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("rule_id", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False, comment="feed:<feed>, or reconciliation:<name>/<key>"),
        sa.Column("feed", sa.Text(), nullable=True),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False, comment="what the rule said last"),
        sa.Column("measured", sa.Numeric(), nullable=True),
        sa.Column("threshold", sa.Numeric(), nullable=True),
        sa.Column("unit", sa.Text(), nullable=True),
        sa.Column("rows_failed", sa.BigInteger(), nullable=True),
        sa.Column("owner_name", sa.Text(), nullable=True, comment="principal who works on it"),
        sa.Column("due_date", sa.Date(), nullable=False),
        sa.Column("reason_code", sa.Text(), nullable=True, comment="why it was resolved"),
        sa.Column("opened_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column(
            "last_seen_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("occurrences", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=True, comment="last business date that it was seen on"),
        sa.Column("delivery_id", sa.BigInteger(), nullable=True),
        sa.Column("validation_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "publication_id", sa.BigInteger(), nullable=True, comment="publication that carries it, if it did not block"
        ),
        sa.CheckConstraint("(state = 'resolved') = (resolved_at is not null)", name="exception_resolved_ck"),
        sa.CheckConstraint("severity in ('critical', 'warning', 'info')", name="exception_severity_ck"),
        sa.CheckConstraint("state <> 'assigned' or owner_name is not null", name="exception_assigned_ck"),
        sa.CheckConstraint(
            "state in ('open', 'acknowledged', 'assigned', 'resolved', 'reopened')", name="exception_state_ck"
        ),
        sa.ForeignKeyConstraint(["delivery_id"], ["governance.delivery.delivery_id"], name="exception_delivery_id_fk"),
        sa.ForeignKeyConstraint(
            ["validation_id"], ["quality.validation.validation_id"], name="exception_validation_id_fk"
        ),
        sa.PrimaryKeyConstraint("exception_id", name="exception_pk"),
        schema="quality",
    )
    op.create_index(
        "exception_open_ix",
        "exception",
        ["severity", "due_date"],
        unique=False,
        schema="quality",
        postgresql_where=sa.text("state <> 'resolved'"),
    )
    op.create_index("exception_rule_id_subject_uq", "exception", ["rule_id", "subject"], unique=True, schema="quality")
    op.create_table(
        "exception_event",
        sa.Column("exception_event_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("exception_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("actor_name", sa.Text(), nullable=False, comment="principal; `fulcrum` for what happens by itself"),
        sa.Column("move", sa.Text(), nullable=False),
        sa.Column("from_state", sa.Text(), nullable=True),
        sa.Column("to_state", sa.Text(), nullable=False),
        sa.Column("owner_name", sa.Text(), nullable=True),
        sa.Column("reason_code", sa.Text(), nullable=True),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("delivery_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "from_state is null or from_state in ('open', 'acknowledged', 'assigned', 'resolved', 'reopened')",
            name="exception_event_from_state_ck",
        ),
        sa.CheckConstraint(
            "to_state in ('open', 'acknowledged', 'assigned', 'resolved', 'reopened')",
            name="exception_event_to_state_ck",
        ),
        sa.ForeignKeyConstraint(
            ["exception_id"], ["quality.exception.exception_id"], name="exception_event_exception_id_fk"
        ),
        sa.PrimaryKeyConstraint("exception_event_id", name="exception_event_pk"),
        schema="quality",
    )
    op.create_index(
        ("exception_event_exception_id_ix"), "exception_event", ["exception_id"], unique=False, schema="quality"
    )
    op.create_table(
        "override",
        sa.Column("override_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("target", sa.Text(), nullable=False, comment="core.price or core.fx_rate"),
        sa.Column(
            "subject",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="the key in words: isin and type, or a currency pair",
        ),
        sa.Column("value", sa.Numeric(), nullable=False),
        sa.Column("currency_code", sa.Text(), nullable=True, comment="ISO 4217"),
        sa.Column("begin_date", sa.Date(), nullable=False),
        sa.Column(
            "end_date", sa.Date(), nullable=False, comment="last business date that it stands for; never for ever"
        ),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("exception_id", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.Text(), server_default=sa.text("'asked'"), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision_comment", sa.Text(), nullable=True),
        sa.Column(
            "delivery_id", sa.BigInteger(), nullable=True, comment="the delivery that brought it into the warehouse"
        ),
        sa.CheckConstraint(
            "(state in ('approved', 'refused', 'ended')) = (decided_by is not null and decided_at is not null)",
            name="override_decided_ck",
        ),
        sa.CheckConstraint("state in ('asked', 'approved', 'refused', 'withdrawn', 'ended')", name="override_state_ck"),
        sa.CheckConstraint("decided_by is null or decided_by <> asked_by", name="override_four_eyes_ck"),
        sa.CheckConstraint("end_date >= begin_date", name="override_period_ck"),
        sa.ForeignKeyConstraint(["asked_by"], ["governance.principal.principal_name"], name="override_asked_by_fk"),
        sa.ForeignKeyConstraint(["decided_by"], ["governance.principal.principal_name"], name="override_decided_by_fk"),
        sa.ForeignKeyConstraint(["exception_id"], ["quality.exception.exception_id"], name="override_exception_id_fk"),
        sa.PrimaryKeyConstraint("override_id", name="override_pk"),
        schema="quality",
    )
    op.create_table(
        "waiver",
        sa.Column("waiver_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("rule_id", sa.Text(), nullable=False),
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("begin_date", sa.Date(), nullable=False, comment="first business date of deliveries that it covers"),
        sa.Column("end_date", sa.Date(), nullable=False, comment="last one; never for ever"),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("exception_id", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.Text(), server_default=sa.text("'asked'"), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision_comment", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(state in ('approved', 'refused', 'ended')) = (decided_by is not null and decided_at is not null)",
            name="waiver_decided_ck",
        ),
        sa.CheckConstraint("state in ('asked', 'approved', 'refused', 'withdrawn', 'ended')", name="waiver_state_ck"),
        sa.CheckConstraint("decided_by is null or decided_by <> asked_by", name="waiver_four_eyes_ck"),
        sa.CheckConstraint("end_date >= begin_date", name="waiver_period_ck"),
        sa.ForeignKeyConstraint(["asked_by"], ["governance.principal.principal_name"], name="waiver_asked_by_fk"),
        sa.ForeignKeyConstraint(["decided_by"], ["governance.principal.principal_name"], name="waiver_decided_by_fk"),
        sa.ForeignKeyConstraint(["exception_id"], ["quality.exception.exception_id"], name="waiver_exception_id_fk"),
        sa.PrimaryKeyConstraint("waiver_id", name="waiver_pk"),
        schema="quality",
    )
    op.create_index("waiver_rule_id_feed_ix", "waiver", ["rule_id", "feed"], unique=False, schema="quality")
    op.create_table(
        "publication_waiver",
        sa.Column("publication_id", sa.BigInteger(), nullable=False),
        sa.Column("waiver_id", sa.BigInteger(), nullable=False),
        sa.Column("rule_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["publication_id"], ["governance.publication.publication_id"], name="publication_waiver_publication_id_fk"
        ),
        sa.ForeignKeyConstraint(["waiver_id"], ["quality.waiver.waiver_id"], name="publication_waiver_waiver_id_fk"),
        sa.PrimaryKeyConstraint("publication_id", "waiver_id", name="publication_waiver_pk"),
        schema="governance",
    )

    _verdicts("passed", "warned", "waived", "blocked", "broken")
    op.execute(REFUSE_CHANGE)
    op.execute(HOLD_DECISION)
    for table in ONLY_ADDED_TO:
        op.execute(
            f"create trigger only_added_to before update or delete on {table}"
            " for each row execute function governance.refuse_change()"
        )
    for table in DECIDED:
        op.execute(
            f"create trigger hold_decision before update or delete on quality.{table}"
            " for each row execute function quality.hold_decision()"
        )


def _verdicts(*words: str) -> None:
    op.drop_constraint(op.f("validation_verdict_ck"), "validation", schema="quality")
    op.create_check_constraint(op.f("validation_verdict_ck"), "validation", f"verdict in {words}", schema="quality")


def downgrade() -> None:
    """Take back."""
    op.execute("update quality.validation set verdict = 'warned' where verdict = 'waived'")
    _verdicts("passed", "warned", "blocked", "broken")
    for table in TABLES:
        schema, _, name = table.partition(".")
        op.drop_table(name, schema=schema)
    op.execute("drop function quality.hold_decision()")
    op.execute("drop function governance.refuse_change()")
