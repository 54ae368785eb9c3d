"""Callers for tests: a registered principal with a key, in one line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg

from fulcrum.entitlements.keys import create_key
from fulcrum.entitlements.policy import load_policy
from fulcrum.entitlements.principals import WHOLE_HOUSE, Principal, RowScope, register, set_scope
from fulcrum.settings import read_settings


def make_key(
    connection: psycopg.Connection[Any],
    name: str = "tests",
    *,
    roles: Sequence[str] = ("administrator",),
    scope: RowScope | None = None,
    days: int = 1,
) -> str:
    """A key of a principal with these roles who sees the whole house or `scope`; committed."""
    if scope is not None:
        set_scope(connection, scope)
    seen = WHOLE_HOUSE if scope is None else scope.name
    register(connection, load_policy(read_settings()), Principal(name, "service", tuple(roles), seen))
    key = create_key(connection, name, days)
    connection.commit()
    return key
