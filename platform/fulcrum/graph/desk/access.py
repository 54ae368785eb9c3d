"""Connections of the desk's pages under the API's role: for reading, and for the few tables that moves may write.

They are none of those that serve queries, which only read and must not wait for a page.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from fulcrum.entitlements.rights import Rights
from fulcrum.errors import WarehouseError
from fulcrum.graph.errors import TimedOutError, UnavailableError
from fulcrum.settings import Settings
from fulcrum.warehouse import engine, server

_SECONDS = 20
_SECONDS_OF_PUBLISHING = 300
"""A publication may hold millions of rows."""

Connection = psycopg.Connection[Any]


@contextmanager
def reading(settings: Settings, rights: Rights) -> Iterator[Connection]:
    """A connection that sees the rows of its caller and can change nothing.

    Raises:
        TimedOutError: a query took too long.
        UnavailableError: the warehouse does not answer.
    """
    with _opened(settings, rights) as connection:
        connection.execute("set transaction read only")
        yield connection


@contextmanager
def writing(settings: Settings, rights: Rights) -> Iterator[Connection]:
    """A connection for a move or a decision, committed at the end of the block unless it raises.

    Raises:
        TimedOutError: somebody else holds the row for too long.
        UnavailableError: the warehouse does not answer.
    """
    with _opened(settings, rights) as connection:
        yield connection


@contextmanager
def publishing(settings: Settings, rights: Rights) -> Iterator[Connection]:
    """A connection of the role that publishes, for a decision that changes published rows: it sees all of them.

    Raises:
        TimedOutError: it took too long.
        UnavailableError: the warehouse does not answer.
    """
    with _opened(settings, rights, role=server.LOADER_ROLE, seconds=_SECONDS_OF_PUBLISHING) as connection:
        yield connection


@contextmanager
def _opened(
    settings: Settings, rights: Rights, *, role: str = server.API_ROLE, seconds: int = _SECONDS
) -> Iterator[Connection]:
    try:
        with engine.connect(settings, role=role, application_name="fulcrum-desk") as connection:
            connection.execute(
                "select set_config('fulcrum.scope', %s, true), set_config('statement_timeout', %s, true),"
                " set_config('TimeZone', 'UTC', true), set_config('jit', 'off', true)",  # it takes longer than a page
                [str(rights.scope_id), f"{seconds}s"],
            )
            yield connection
    except psycopg.errors.QueryCanceled:
        raise TimedOutError(f"This took over {seconds} s.", remedy="Choose less, or try again later.") from None
    except (psycopg.OperationalError, WarehouseError):
        raise UnavailableError("The warehouse does not answer.", remedy="Try again in a few seconds.") from None
