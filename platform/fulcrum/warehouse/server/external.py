"""A server that Fulcrum does not run: checked once per process, never started or stopped."""

from __future__ import annotations

import psycopg

from fulcrum.errors import WarehouseError
from fulcrum.warehouse.server import bootstrap
from fulcrum.warehouse.server.address import ServerAddress
from fulcrum.warehouse.server.binaries import MAJOR_VERSION

_checked: set[str] = set()


def check(address: ServerAddress) -> None:
    """See that the server answers, is version 18, and has Fulcrum's roles and extensions.

    Raises:
        WarehouseError: it does not answer, is another version, or lacks what its user cannot create.
    """
    url = address.admin_url()
    if url in _checked:
        return
    try:
        connection = psycopg.connect(url, autocommit=True, connect_timeout=10)
    except psycopg.OperationalError as error:
        reason = " ".join(str(error).split())
        raise WarehouseError(
            f"The database of FULCRUM_DATABASE_URL does not answer: {reason}",
            remedy="Start it, correct the URL, or unset it to use the embedded server.",
        ) from error
    with connection:
        version = connection.info.server_version // 10000
        if version != MAJOR_VERSION:
            raise WarehouseError(
                f"FULCRUM_DATABASE_URL names a PostgreSQL {version}; Fulcrum needs {MAJOR_VERSION}.",
                remedy=f"Use a PostgreSQL {MAJOR_VERSION}, or unset FULCRUM_DATABASE_URL to use the embedded server.",
            )
        bootstrap.ensure_roles(connection, address)
    bootstrap.ensure_extensions(address)
    _checked.add(url)
