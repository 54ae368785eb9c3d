"""API keys: made, listed, revoked, recognised. Only their SHA-256 is kept.

What a principal may see is decided elsewhere; here is only who it is.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from dataclasses import dataclass
from typing import Any

import psycopg

from fulcrum.errors import QueryError

PREFIX = "fk_"
USUAL_DAYS = 90
MOST_DAYS = 366

RECOGNISE = """
select k.principal_name, extract(epoch from k.expires_at)::text
from (select $1::text as digest) asked
left join governance.api_key k on k.key_sha256 = asked.digest and not k.is_revoked and k.expires_at > now()
"""
"""One row for the digest of a key: name and end of its principal, or nulls."""


@dataclass(frozen=True)
class KeyState:
    """A key as it can be listed; the key itself is known to its owner only."""

    api_key_id: int
    principal_name: str
    created_at: dt.datetime
    expires_at: dt.datetime
    is_revoked: bool


def digest(key: str) -> str:
    """What is kept of a key. It is random enough (256 bits) to need no salt."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def create_key(connection: psycopg.Connection[Any], principal: str, days: int = USUAL_DAYS) -> str:
    """Make a key for `principal` that ends after `days`; the caller commits.

    Raises:
        QueryError: `days` is not 1 to 366, or the name is empty.
    """
    if not 1 <= days <= MOST_DAYS:
        raise QueryError(f"A key lives 1 to {MOST_DAYS} days, not {days}.")
    if not principal.strip():
        raise QueryError("A key needs the name of whom it is for.")
    key = PREFIX + secrets.token_urlsafe(32)
    connection.execute(
        "insert into governance.api_key (key_sha256, principal_name, expires_at)"
        " values (%s, %s, now() + make_interval(days => %s))",
        [digest(key), principal.strip(), days],
    )
    return key


def list_keys(connection: psycopg.Connection[Any]) -> list[KeyState]:
    """Every key, oldest first."""
    rows = connection.execute(
        "select api_key_id, principal_name, created_at, expires_at, is_revoked"
        " from governance.api_key order by api_key_id"
    )
    return [KeyState(*row) for row in rows]


def revoke_keys(connection: psycopg.Connection[Any], principal_or_id: str) -> int:
    """Revoke the key of that number, or all of that principal; how many were. The caller commits."""
    changed = connection.execute(
        "update governance.api_key set is_revoked = true"
        " where not is_revoked and (principal_name = %(which)s or api_key_id::text = %(which)s)",
        {"which": principal_or_id},
    )
    return changed.rowcount
