"""Connections and SQLAlchemy engines to the warehouse, each under one of Fulcrum's roles.

Starting the server belongs in `warehouse.server`; SQL belongs where its subject is.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import psycopg

from fulcrum.errors import WarehouseError
from fulcrum.settings import Settings
from fulcrum.warehouse import server

if TYPE_CHECKING:  # SQLAlchemy takes 0.3 s to import: the command line must not pay for it
    from sqlalchemy import Engine

# What PostgreSQL answers while it restarts after a crash of one backend.
_NOT_YET = (
    *("is starting up", "is in recovery mode", "is not yet accepting", "is shutting down"),
    "closed the connection unexpectedly",
)
_RETRY_SECONDS = 60.0


def connect(
    settings: Settings,
    *,
    role: str = server.LOADER_ROLE,
    autocommit: bool = False,
    application_name: str = "fulcrum",
    database: str = server.DATABASE,
) -> psycopg.Connection[Any]:
    """A psycopg connection to the warehouse as `role`; the caller closes it.

    Raises:
        WarehouseError: the server cannot be reached, or refuses the role.
    """
    deadline = time.monotonic() + _RETRY_SECONDS
    while True:
        address = server.ensure_running(settings)
        try:
            return psycopg.connect(
                address.url(database, role),
                autocommit=autocommit,
                application_name=application_name,
                connect_timeout=15,
            )
        except psycopg.OperationalError as error:
            if not any(words in str(error) for words in _NOT_YET) or time.monotonic() > deadline:
                reason = " ".join(str(error).split())
                raise WarehouseError(
                    f"No connection to database {address.database_name(database)} as {role}: {reason}",
                    remedy="`fulcrum doctor` says what is wrong.",
                ) from error
        time.sleep(0.2)


def create_engine(
    settings: Settings,
    *,
    role: str = server.LOADER_ROLE,
    application_name: str = "fulcrum",
    **options: Any,
) -> Engine:
    """A SQLAlchemy engine on psycopg 3 as `role`; `options` go to `sqlalchemy.create_engine`."""
    from sqlalchemy import create_engine as sqlalchemy_engine

    url = server.ensure_running(settings).url(user=role, driver="psycopg")
    return sqlalchemy_engine(url, connect_args={"application_name": application_name}, **options)
