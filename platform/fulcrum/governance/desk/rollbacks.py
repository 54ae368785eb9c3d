"""The decision to take a publication back: by somebody who may decide, with a reason, in the audit log.

How the former state is restored stands in `fulcrum.warehouse.rollback`.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import class_row

from fulcrum.errors import DecisionError, Refusal
from fulcrum.governance import audit
from fulcrum.governance.desk.subjects import FEEDS
from fulcrum.warehouse.rollback import RolledBack, roll_back

_FORESEEN = """
select p.publication_id, p.target, p.business_date_from, p.business_date_to, p.rows_published, p.rows_superseded,
       (select max(r.publication_id) from governance.publication r
         where r.publication_id > p.publication_id and r.kind = 'rollback' and r.target = p.target
           and r.supersedes @> to_jsonb(p.publication_id)) as taken_back_in,
       array(select later.publication_id from governance.publication later
              where later.publication_id > p.publication_id and later.target = p.target and later.kind = 'delivery'
                and later.supersedes @> to_jsonb(p.publication_id)
                and not exists (select from governance.publication r
                                 where r.publication_id > later.publication_id and r.kind = 'rollback'
                                   and r.target = p.target and r.supersedes @> to_jsonb(later.publication_id))
              order by 1 desc limit 20) as built_upon
  from governance.publication p
 where p.publication_id = %s and p.kind = 'delivery'
"""


@dataclass(frozen=True)
class Foreseen:
    """What taking a publication back would do: the rows that end, and those before them that are stated again.

    `taken_back_in` is the rollback that did so already; `built_upon` are later publications that replaced rows of
    it, newest first: they have to be taken back before.
    """

    publication_id: int
    target: str
    business_date_from: dt.date | None
    business_date_to: dt.date | None
    rows_published: int
    rows_superseded: int
    taken_back_in: int | None
    built_upon: list[int]


def foresee(connection: psycopg.Connection[Any], publication_id: int) -> Foreseen | None:
    """What a rollback of a delivery's publication would do; None if no delivery made it."""
    with connection.cursor(row_factory=class_row(Foreseen)) as cursor:
        return cursor.execute(_FORESEEN, [publication_id]).fetchone()


def decide(connection: psycopg.Connection[Any], actor: str, publication_id: int, reason: str) -> RolledBack:
    """Take a publication back; the caller commits.

    Raises:
        DecisionError: there is no reason, or it belongs to an override, which is ended instead.
        PublishError: it cannot be taken back; the message says why.
    """
    if not reason.strip():
        raise DecisionError("A rollback needs a reason.", reason=Refusal.INCOMPLETE)
    row = connection.execute(
        "select feed from governance.publication where publication_id = %s", [publication_id]
    ).fetchone()
    if row is not None and row[0] in FEEDS.values():
        raise DecisionError(
            f"Publication {publication_id} belongs to an override.",
            remedy="End the override instead, or ask for another; `fulcrum overrides list` shows them.",
        )
    done = roll_back(connection, publication_id)
    audit.record(
        connection,
        actor,
        "rollback.done",
        f"publication:{publication_id}",
        {
            "reason": reason.strip(),
            "publication_id": done.publication_id,
            "rows_ended": done.rows_ended,
            "rows_restored": done.rows_restored,
        },
    )
    return done
