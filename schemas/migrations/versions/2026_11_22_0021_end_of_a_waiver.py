"""Who ended a waiver early stands beside who approved it, as for overrides, and neither is changed afterwards.

Revision: 0021, after 0020. While the code before it runs, all but ending a waiver works: it would overwrite who
approved it, and is refused.

Rows that ended before say in `decided_by` who ended them; who approved them is told by the audit log, which was
written in the same transactions. Where it says nothing (rows that were never written by the program), both are
the one who is known.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

COLUMNS: dict[str, Any] = {"ended_by": sa.Text(), "ended_at": sa.DateTime(timezone=True), "end_comment": sa.Text()}
CHECKS = {
    "ended": "num_nonnulls(ended_by, ended_at, end_comment) = case state when 'ended' then 3 else 0 end",
    "four_eyes_of_the_end": "ended_by is null or ended_by <> asked_by",
}
GRANT = "update (ended_by, ended_at, end_comment) on quality.waiver"

# `details.comment` of an approval is JSON null where nothing was said.
TELL_APART = """
update quality.waiver w
   set ended_by = w.decided_by, ended_at = w.decided_at, end_comment = coalesce(w.decision_comment, ''),
       decided_by = coalesce(given.actor_name, w.decided_by), decided_at = coalesce(given.at, w.decided_at),
       decision_comment = case when given.at is null then w.decision_comment else given.details ->> 'comment' end
  from quality.waiver ended
  left join lateral (
       select a.actor_name, a.at, a.details from governance.audit_event a
        where a.subject = 'waiver:' || ended.waiver_id and a.action = 'waiver.approved'
        order by a.audit_event_id desc limit 1) given on true
 where ended.waiver_id = w.waiver_id and w.state = 'ended'
"""
TELL_TOGETHER = """
update quality.waiver set decided_by = ended_by, decided_at = ended_at, decision_comment = end_comment
 where state = 'ended'
"""

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
    if {of_one_table}old.decided_by is not null
       and row(old.decided_by, old.decided_at, old.decision_comment)
           is distinct from row(new.decided_by, new.decided_at, new.decision_comment) then
        raise exception '{who}', tg_table_name using errcode = 'restrict_violation';
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
    for name, kind in COLUMNS.items():
        op.add_column("waiver", sa.Column(name, kind, nullable=True), schema="quality")
    op.create_foreign_key(
        "waiver_ended_by_fk",
        "waiver",
        "principal",
        ["ended_by"],
        ["principal_name"],
        source_schema="quality",
        referent_schema="governance",
    )
    _past_the_trigger(TELL_APART)
    for name, condition in CHECKS.items():
        op.create_check_constraint(op.f(f"waiver_{name}_ck"), "waiver", condition, schema="quality")
    op.execute(HOLD_DECISION.format(of_one_table="", who="who approved a % is never changed"))
    op.execute(f"grant {GRANT} to fulcrum_api")


def downgrade() -> None:
    """Take back."""
    op.execute(f"revoke {GRANT} from fulcrum_api")
    op.execute(
        HOLD_DECISION.format(of_one_table="tg_table_name = 'override' and ", who="who approved an % is never changed")
    )
    _past_the_trigger(TELL_TOGETHER)
    for name in CHECKS:
        op.drop_constraint(op.f(f"waiver_{name}_ck"), "waiver", schema="quality")
    op.drop_constraint("waiver_ended_by_fk", "waiver", schema="quality")
    for name in COLUMNS:
        op.drop_column("waiver", name, schema="quality")


def _past_the_trigger(statement: str) -> None:
    op.execute("alter table quality.waiver disable trigger hold_decision")
    op.execute(statement)
    op.execute("alter table quality.waiver enable trigger hold_decision")
