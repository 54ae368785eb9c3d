"""Overrides: what they are keyed by, how they end, and how far they were carried into the warehouse.

Revision: 0016, after 0015. Safe while the code before it runs: nothing has written to `quality.override` yet. What was
decided can no longer be changed while the state stays, for waivers either.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

COLUMNS: dict[str, tuple[Any, bool, str | None]] = {  # name: (type, whether it may be null, comment)
    "subject_key": (sa.Text(), False, "the subject in one word; a pair and its inverse have the same"),
    "quote_unit_code": (sa.Text(), True, "of a price; null: as the instrument is quoted"),
    "reason_code": (sa.Text(), False, None),
    "last_date": (
        sa.Date(),
        True,
        "ended early: last business date that it still stands for; the day before the first: for none",
    ),
    "ended_by": (sa.Text(), True, None),
    "ended_at": (sa.DateTime(timezone=True), True, None),
    "end_comment": (sa.Text(), True, None),
    "carried_to": (sa.Date(), True, "last business date that its deliveries tell"),
}
COMMENTS = {  # column: (before, after)
    "subject": (
        "the key in words: isin and type, or a currency pair",
        "instrument_code, isin, scheme and value; or the pair",
    ),
    "value": (None, "a price as quoted, or units of the quote currency for one base"),
    "currency_code": ("ISO 4217", "ISO 4217, of a price"),
    "delivery_id": (
        "the delivery that brought it into the warehouse",
        "the newest delivery that brought it into the warehouse",
    ),
}
CHECKS = {
    "target": "target in ('core.price', 'core.fx_rate')",
    "value": "value > 0",
    "ended": "num_nonnulls(last_date, ended_by, ended_at, end_comment) = case state when 'ended' then 4 else 0 end",
    "four_eyes_of_the_end": "ended_by is null or ended_by <> asked_by",
    "last_date": "last_date is null or last_date between begin_date - 1 and end_date - 1",
}
# One value at a time for a subject, also of those that ended early, for the dates that they stood for.
ONE_AT_A_TIME = """
alter table quality.override add constraint override_one_at_a_time exclude using gist (
    subject_key with =, daterange(begin_date, coalesce(last_date, end_date) + 1) with &&
) where (state in ('approved', 'ended'))
"""
GRANTS = (
    "insert on quality.override",
    "update (state, decided_by, decided_at, decision_comment, last_date, ended_by, ended_at, end_comment)"
    " on quality.override",
)

# While the state stays, only what the pipeline notes may change; an override keeps who approved it when it ends.
HOLD_DECISION = """
create or replace function quality.hold_decision() returns trigger language plpgsql as $$
declare
    noted text[] := array['delivery_id', 'carried_to'];
    moved text[] := noted || array['state', 'decided_by', 'decided_at', 'decision_comment',
                                   'last_date', 'ended_by', 'ended_at', 'end_comment'];
begin
    if tg_op = 'DELETE' then
        raise exception 'a % is never deleted', tg_table_name using errcode = 'restrict_violation';
    end if;
    if (to_jsonb(old) - moved) <> (to_jsonb(new) - moved) then
        raise exception 'what a % asks for is never changed', tg_table_name using errcode = 'restrict_violation';
    end if;
    if new.state = old.state and (to_jsonb(old) - noted) <> (to_jsonb(new) - noted) then
        raise exception 'what was decided on a % is never changed', tg_table_name using errcode = 'restrict_violation';
    end if;
    if tg_table_name = 'override' and old.decided_by is not null
       and row(old.decided_by, old.decided_at, old.decision_comment)
           is distinct from row(new.decided_by, new.decided_at, new.decision_comment) then
        raise exception 'who approved an % is never changed', tg_table_name using errcode = 'restrict_violation';
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
HELD_BEFORE = """
create or replace function quality.hold_decision() returns trigger language plpgsql as $$
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
    for name, (kind, may_be_null, comment) in COLUMNS.items():
        op.add_column("override", sa.Column(name, kind, nullable=may_be_null, comment=comment), schema="quality")
    for name, (_, comment) in COMMENTS.items():
        op.alter_column("override", name, comment=comment, schema="quality")
    op.create_foreign_key(
        "override_ended_by_fk",
        "override",
        "principal",
        ["ended_by"],
        ["principal_name"],
        source_schema="quality",
        referent_schema="governance",
    )
    for name, condition in CHECKS.items():
        op.create_check_constraint(op.f(f"override_{name}_ck"), "override", condition, schema="quality")
    op.execute(ONE_AT_A_TIME)
    op.create_index("override_exception_id_ix", "override", ["exception_id"], schema="quality")
    op.execute(HOLD_DECISION)
    for grant in GRANTS:
        op.execute(f"grant {grant} to fulcrum_api")


def downgrade() -> None:
    """Take back."""
    for grant in GRANTS:
        op.execute(f"revoke {grant} from fulcrum_api")
    op.execute(HELD_BEFORE)
    op.drop_index("override_exception_id_ix", "override", schema="quality")
    op.drop_constraint("override_one_at_a_time", "override", schema="quality")
    for name in CHECKS:
        op.drop_constraint(op.f(f"override_{name}_ck"), "override", schema="quality")
    op.drop_constraint("override_ended_by_fk", "override", schema="quality")
    for name, (comment, _) in COMMENTS.items():
        op.alter_column("override", name, comment=comment, schema="quality")
    for name in COLUMNS:
        op.drop_column("override", name, schema="quality")
