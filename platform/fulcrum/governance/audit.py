"""The audit log: every decision and every change of rights, with who and when; only ever added to.

Moves of exceptions have a history of their own beside them; both are shown together.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import class_row
from psycopg.types.json import Jsonb


@dataclass(frozen=True)
class AuditEvent:
    """One entry."""

    audit_event_id: int
    at: dt.datetime
    actor_name: str
    action: str
    subject: str
    details: dict[str, Any]


def record(
    connection: psycopg.Connection[Any], actor: str, action: str, subject: str, details: Mapping[str, Any] | None = None
) -> None:
    """Add an entry in the transaction of what it tells; the caller commits."""
    connection.execute(
        "insert into governance.audit_event (actor_name, action, subject, details) values (%s, %s, %s, %s)",
        (actor, action, subject, Jsonb(dict(details or {}))),
    )


def events(connection: psycopg.Connection[Any], *, actor: str | None = None, limit: int = 100) -> list[AuditEvent]:
    """The newest entries, newest first."""
    with connection.cursor(row_factory=class_row(AuditEvent)) as cursor:
        return cursor.execute(
            """
            select audit_event_id, at, actor_name, action, subject, details from governance.audit_event
             where %(actor)s::text is null or actor_name = %(actor)s
             order by audit_event_id desc limit %(limit)s
            """,
            {"actor": actor, "limit": limit},
        ).fetchall()
