"""What subscriptions are woken by and read, and the ledger of exports.

Revision: 0007, after 0006. Safe while the code before it runs: it adds two tables, and triggers that
write to them and notify.
A notification only wakes; what is told is read from the tables by number, in commit order.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

NOTIFY_PUBLICATION = """
create function governance.notify_publication() returns trigger
language plpgsql set search_path = pg_catalog as $$
begin
    perform pg_notify('fulcrum_publication', new.publication_id::text);
    return null;
end $$
"""

# Event numbers are in commit order, as those of publications are: the lock is held until the commit. Within
# a publication it is taken after the publishing lock and nothing is waited for after it, so no two wait in a ring.
# Whose rows are in a file that was never published nobody knows: such an event is about clients if the
# feed's table is protected by rows, or if the feed has never published anything.
RECORD_EVENT = """
create function quality.record_event() returns trigger
language plpgsql security definer set search_path = pg_catalog as $$
declare
    judged quality.validation;
    happened text;
begin
    select * into judged from quality.validation
     where delivery_id = new.delivery_id order by validation_id desc limit 1;
    happened := case
        when new.outcome in ('refused', 'failed') then new.outcome
        when new.outcome = 'blocked' then case when judged.verdict = 'broken' then 'broken' else 'blocked' end
        when judged.verdict = 'warned' then 'warned'
    end;
    if happened is null then
        return null;
    end if;
    perform pg_advisory_xact_lock(1364541780);
    insert into quality.event (event_id, occurred_at, kind, delivery_id, validation_id, feed, business_date_from,
        business_date_to, rows_in, rows_quarantined, publication_id, data_version, is_about_clients)
    select coalesce((select max(event_id) from quality.event), 0) + 1, clock_timestamp(), happened,
        new.delivery_id, judged.validation_id, new.feed, new.business_date_from, new.business_date_to,
        new.rows_in, new.rows_quarantined, new.publication_id,
        coalesce((select max(publication_id) from governance.publication), 0),
        coalesce((select c.relrowsecurity from governance.publication p
            join pg_class c on c.oid = to_regclass(p.target)
            where p.feed = new.feed order by p.publication_id desc limit 1), true);
    perform pg_notify('fulcrum_quality', (select max(event_id)::text from quality.event));
    return null;
end $$
"""

SCOPE = "from governance.row_scope where scope_id = nullif(current_setting('fulcrum.scope', true), '')::bigint"

STATEMENTS = (
    NOTIFY_PUBLICATION,
    "create trigger notify_publication after insert on governance.publication"
    " for each row execute function governance.notify_publication()",
    RECORD_EVENT,
    "create trigger record_event after update of outcome on governance.delivery"
    " for each row when (new.outcome is distinct from old.outcome) execute function quality.record_event()",
    "alter table quality.event enable row level security",
    "create policy api_rows on quality.event for select to fulcrum_api"
    f" using ((not is_about_clients and exists (select {SCOPE})) or (select is_whole_house {SCOPE}))",
    "create policy loader_rows on quality.event for select to fulcrum_loader using (true)",
    "revoke insert, update, delete on quality.event from fulcrum_loader",
    "grant insert, update on governance.export_job to fulcrum_api",
)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "event",
        sa.Column("event_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("delivery_id", sa.BigInteger(), nullable=False),
        sa.Column("validation_id", sa.BigInteger(), nullable=True),
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("business_date_from", sa.Date(), nullable=True),
        sa.Column("business_date_to", sa.Date(), nullable=True),
        sa.Column("rows_in", sa.BigInteger(), nullable=True),
        sa.Column("rows_quarantined", sa.BigInteger(), nullable=True),
        sa.Column("publication_id", sa.BigInteger(), nullable=True),
        sa.Column("data_version", sa.BigInteger(), nullable=False),
        sa.Column("is_about_clients", sa.Boolean(), nullable=False),
        sa.CheckConstraint("kind in ('warned', 'blocked', 'broken', 'refused', 'failed')", name="event_kind_ck"),
        sa.ForeignKeyConstraint(["delivery_id"], ["governance.delivery.delivery_id"], name="event_delivery_id_fk"),
        sa.PrimaryKeyConstraint("event_id", name="event_pk"),
        schema="quality",
    )
    _export_job()
    for statement in STATEMENTS:
        op.execute(statement)


def _export_job() -> None:
    now = sa.text("clock_timestamp()")
    op.create_table(
        "export_job",
        sa.Column("export_job_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("principal_name", sa.Text(), nullable=False),
        sa.Column("entitlement", JSONB(), nullable=False),
        sa.Column("scope_id", sa.BigInteger(), nullable=False),
        sa.Column("is_download", sa.Boolean(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("operation_name", sa.Text(), nullable=True),
        sa.Column("variables", JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'queued'"), nullable=False),
        sa.Column("process_id", sa.BigInteger(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), server_default=now, nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("data_version", sa.BigInteger(), nullable=True),
        sa.Column("business_date", sa.Date(), nullable=True),
        sa.Column("rows_exported", sa.BigInteger(), nullable=True),
        sa.Column("size_bytes", sa.BigInteger(), nullable=True),
        sa.Column("sha256", sa.Text(), nullable=True),
        sa.Column("error_code", sa.Text(), nullable=True),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.CheckConstraint("format in ('parquet', 'arrow', 'csv')", name="export_job_format_ck"),
        sa.CheckConstraint("state in ('queued', 'running', 'done', 'failed', 'expired')", name="export_job_state_ck"),
        sa.PrimaryKeyConstraint("export_job_id", name="export_job_pk"),
        sa.UniqueConstraint("public_id", name="export_job_public_id_uq"),
        schema="governance",
    )
    op.create_index(
        "export_job_open_ix",
        "export_job",
        ["process_id"],
        schema="governance",
        postgresql_where=sa.text("state in ('queued', 'running')"),
    )
    op.create_index("export_job_principal_name_ix", "export_job", ["principal_name"], schema="governance")


def downgrade() -> None:
    """Take back."""
    op.execute("drop trigger record_event on governance.delivery")
    op.execute("drop trigger notify_publication on governance.publication")
    op.execute("drop function quality.record_event()")
    op.execute("drop function governance.notify_publication()")
    op.drop_table("export_job", schema="governance")
    op.drop_table("event", schema="quality")
