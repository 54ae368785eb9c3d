"""The decision to take a publication back: by somebody who may decide, with a reason, in the audit log.

How the former state is restored stands in `fulcrum.warehouse.rollback`.
"""

from __future__ import annotations

from typing import Any

import psycopg

from fulcrum.errors import DecisionError, Refusal
from fulcrum.governance import audit
from fulcrum.governance.desk.subjects import FEEDS
from fulcrum.warehouse.rollback import RolledBack, roll_back


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
