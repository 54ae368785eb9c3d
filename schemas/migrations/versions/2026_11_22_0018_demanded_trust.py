"""Answers that are refused for what they rest on: the words of it, and the index that finds waived publications.

Revision: 0018, after 0017. Safe while the code before it runs: it only adds.

`governance.hold_trust` is true, or ends a statement of the API (SQLSTATE FU002); its message is JSON for the API,
which tells it in words. It reads as its caller, who may read all of it as `trust` of every row.
"""

from __future__ import annotations

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

HOLD = """
create function governance.hold_trust(rests_on bigint[], untrusted bigint[], demanded text) returns boolean
language plpgsql volatile parallel safe set search_path = pg_catalog as $$
declare
    told json;
begin
    if rests_on is null or not rests_on && untrusted then
        return true;
    end if;
    select json_build_object(
             'demanded', demanded, 'rests_on', coalesce(json_agg(r order by r.publication, r.waiver), '[]'))
      into told
      from (
        select p.publication_id as publication, p.feed, p.verdict, w.waiver_id as waiver, w.rule_id as rule,
               w.state, w.end_date as until
          from governance.publication p
          left join governance.publication_waiver m using (publication_id)
          left join quality.waiver w using (waiver_id)
         where p.publication_id = any(rests_on) and p.publication_id = any(untrusted)
         order by p.publication_id, w.waiver_id limit 20) r;
    raise exception using errcode = 'FU002', message = told::text;
end $$
"""


def upgrade() -> None:
    """Apply."""
    op.execute(HOLD)
    op.execute(
        "create index publication_not_clean_ix on governance.publication (publication_id)"
        " where verdict not in ('passed', 'warned')"
    )


def downgrade() -> None:
    """Take back."""
    op.execute("drop index governance.publication_not_clean_ix")
    op.execute("drop function governance.hold_trust(bigint[], bigint[], text)")
