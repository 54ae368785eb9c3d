"""Locks that a session holds over several transactions; what each is for is said where its key stands.

Locks of one transaction (`pg_advisory_xact_lock`) are single statements and stand with their work.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg


@contextmanager
def held(connection: psycopg.Connection[Any], key: int) -> Iterator[None]:
    """Hold the lock called `key`, waiting for it as long as it takes; what is open at the end is rolled back.

    The lock belongs to the session: a killed process gives it back.
    """
    connection.execute("select pg_advisory_lock(%s)", (key,))
    connection.commit()
    try:
        yield
    finally:
        if not connection.broken:
            connection.rollback()
            connection.execute("select pg_advisory_unlock(%s)", (key,))
            connection.commit()
