"""API keys: made, listed, revoked, recognised. Only their SHA-256 is kept.

What a principal may see is decided elsewhere; here is only who it is.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from fulcrum.errors import QueryError

PREFIX = "fk_"
USUAL_DAYS = 90
MOST_DAYS = 366

RECOGNISE = """
select p.principal_name, array_to_json(
    case when k.roles is null then p.roles else array(select unnest(p.roles) intersect select unnest(k.roles)) end
  )::text, p.scope_id::text, extract(epoch from k.expires_at)::text
from (select $1::text as digest) asked
left join (governance.api_key k join governance.principal p using (principal_name))
  on k.key_sha256 = asked.digest and not k.is_revoked and k.expires_at > now() and p.is_active
"""
"""One row for the digest of a key: principal, roles as JSON, row scope, end of the key; or nulls."""


@dataclass(frozen=True)
class KeyState:
    """A key as it can be listed; the key itself is known to its owner only."""

    api_key_id: int
    principal_name: str
    created_at: dt.datetime
    expires_at: dt.datetime
    is_revoked: bool
    roles: tuple[str, ...] | None
    """None: all that the principal has."""


def digest(key: str) -> str:
    """What is kept of a key. It is random enough (256 bits) to need no salt."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def create_key(
    connection: psycopg.Connection[Any],
    principal: str,
    days: int = USUAL_DAYS,
    *,
    roles: Sequence[str] | None = None,
) -> str:
    """Make a key for a registered principal that ends after `days`; the caller commits.

    With `roles`, the key opens only what these of the principal's roles open.

    Raises:
        QueryError: `days` is not 1 to 366, the principal is not registered, or lacks one of the roles.
    """
    if not 1 <= days <= MOST_DAYS:
        raise QueryError(f"A key lives 1 to {MOST_DAYS} days, not {days}.")
    held = connection.execute(
        "select roles from governance.principal where principal_name = %s and is_active", [principal.strip()]
    ).fetchone()
    if held is None:
        raise QueryError(
            f"There is no active principal {principal.strip()!r}.",
            remedy="Register it: fulcrum principals set NAME --role ROLE --scope SCOPE.",
        )
    if lacking := sorted(set(roles or ()) - set(held[0])):
        raise QueryError(f"{principal} has no role {', '.join(lacking)}.", remedy=f"It has {', '.join(held[0])}.")
    key = PREFIX + secrets.token_urlsafe(32)
    connection.execute(
        "insert into governance.api_key (key_sha256, principal_name, expires_at, roles)"
        " values (%s, %s, now() + make_interval(days => %s), %s)",
        [digest(key), principal.strip(), days, list(roles) if roles else None],
    )
    return key


def list_keys(connection: psycopg.Connection[Any]) -> list[KeyState]:
    """Every key, oldest first."""
    rows = connection.execute(
        "select api_key_id, principal_name, created_at, expires_at, is_revoked, roles"
        " from governance.api_key order by api_key_id"
    )
    return [
        KeyState(number, name, created_at, expires_at, is_revoked, None if roles is None else tuple(roles))
        for number, name, created_at, expires_at, is_revoked, roles in rows
    ]


def revoke_keys(connection: psycopg.Connection[Any], principal_or_id: str) -> int:
    """Revoke the key of that number, or all of that principal; how many were. The caller commits."""
    changed = connection.execute(
        "update governance.api_key set is_revoked = true"
        " where not is_revoked and (principal_name = %(which)s or api_key_id::text = %(which)s)",
        {"which": principal_or_id},
    )
    return changed.rowcount
