"""Connections of the desk's commands: to read, or to act under the key of whoever calls."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psycopg

    from fulcrum.entitlements.rights import Rights
    from fulcrum.governance.desk.policy import DeskPolicy


@contextmanager
def signed(permission: str) -> Iterator[tuple[psycopg.Connection[Any], DeskPolicy, str]]:
    """A connection, the desk's policy and the name of who acts; committed at the end of the block.

    Raises:
        DecisionError: nobody is signed in by FULCRUM_API_KEY, or may not do this.
    """
    from fulcrum.entitlements.actors import acting
    from fulcrum.entitlements.policy import load_policy
    from fulcrum.entitlements.rights import Permission
    from fulcrum.governance.desk.policy import load_desk_policy
    from fulcrum.settings import read_settings
    from fulcrum.warehouse import engine

    settings = read_settings()
    with engine.connect(settings) as connection:
        rights = acting(connection, load_policy(settings), Permission(permission))
        yield connection, load_desk_policy(settings), rights.principal


@contextmanager
def reading() -> Iterator[psycopg.Connection[Any]]:
    """A connection to look with."""
    from fulcrum.settings import read_settings
    from fulcrum.warehouse import engine

    with engine.connect(read_settings()) as connection:
        yield connection


@contextmanager
def seeing(permission: str) -> Iterator[tuple[psycopg.Connection[Any], Rights | None]]:
    """A connection that sees the rows of whoever FULCRUM_API_KEY names; without a key, all rows.

    Raises:
        DecisionError: the key is not valid, or its principal may not do this.
    """
    from fulcrum.entitlements.actors import VARIABLE, acting
    from fulcrum.entitlements.policy import load_policy
    from fulcrum.entitlements.rights import Permission
    from fulcrum.graph.desk import access
    from fulcrum.settings import read_settings

    with reading() as connection:
        if not os.environ.get(VARIABLE):
            yield connection, None
            return
        settings = read_settings()
        rights = acting(connection, load_policy(settings), Permission(permission))
    with access.reading(settings, rights) as connection:
        yield connection, rights
