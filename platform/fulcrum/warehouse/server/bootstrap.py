"""The roles, databases and extensions that every server of Fulcrum has. Tables are Alembic's.

Everything here may run again at any time and changes nothing then.
"""

from __future__ import annotations

import psycopg
from psycopg import errors, sql

from fulcrum.errors import WarehouseError
from fulcrum.warehouse.server.address import (
    DAGSTER_DATABASE,
    DATABASE,
    LOADER_ROLE,
    OWNER_ROLE,
    ROLES,
    ServerAddress,
)

VERSION = "1"
EXTENSIONS = ("pg_trgm", "btree_gist")
_LOCK_KEY = 0x46554C43  # "FULC": two processes may bootstrap one external server at once


def bootstrap_server(address: ServerAddress) -> None:
    """Create roles, both databases and the extensions on an embedded server."""
    with psycopg.connect(address.admin_url("postgres"), autocommit=True) as connection:
        ensure_roles(connection, address)
        for name in (DATABASE, DAGSTER_DATABASE):
            _ensure_database(connection, address.database_name(name))
    ensure_extensions(address)


def ensure_database(address: ServerAddress, name: str) -> None:
    """Create the database that Fulcrum calls `name` if it is absent.

    Raises:
        WarehouseError: it is absent and the URL's user may not create it.
    """
    actual = address.database_name(name)
    try:
        with psycopg.connect(address.admin_url(), autocommit=True) as connection:
            _ensure_database(connection, actual)
    except errors.InsufficientPrivilege as error:
        raise WarehouseError(
            f"The database {actual} is absent, and {address.admin} may not create it.",
            remedy=f"Have an administrator run: CREATE DATABASE {actual} OWNER {OWNER_ROLE};",
        ) from error


def create_database(address: ServerAddress, name: str, *, template: str | None = None) -> None:
    """Create the database `name`, as a copy of `template` if given, with Fulcrum's rights."""
    with psycopg.connect(address.admin_url("postgres"), autocommit=True) as connection:
        _create(connection, name, template)


def drop_database(address: ServerAddress, name: str) -> None:
    """Drop the database `name`, ending its sessions; nothing happens if there is none."""
    with psycopg.connect(address.admin_url("postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def ensure_roles(connection: psycopg.Connection, address: ServerAddress) -> None:
    """Create the three roles that are absent.

    Raises:
        WarehouseError: the user of the connection may not.
    """
    present = {
        row[0] for row in connection.execute("SELECT rolname FROM pg_roles WHERE rolname = ANY(%s)", [list(ROLES)])
    }
    missing = [role for role in ROLES if role not in present]
    if not missing:
        return
    connection.execute("SELECT pg_advisory_lock(%s)", [_LOCK_KEY])
    try:
        for role in missing:
            _create_role(connection, role, address.role_password)
        connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(OWNER_ROLE)))
    except errors.InsufficientPrivilege as error:
        statements = " ".join(f"CREATE ROLE {role} LOGIN NOSUPERUSER NOBYPASSRLS PASSWORD '...';" for role in missing)
        raise WarehouseError(
            f"The roles {', '.join(missing)} are absent, and {address.admin} may not create them.",
            remedy=f"Have an administrator run: {statements} Tell their password by FULCRUM_ROLE_PASSWORD.",
        ) from error
    finally:
        connection.execute("SELECT pg_advisory_unlock(%s)", [_LOCK_KEY])


def _create_role(connection: psycopg.Connection, role: str, password: str | None) -> None:
    secret = sql.SQL(" PASSWORD {}").format(sql.Literal(password)) if password else sql.SQL("")
    statement = sql.SQL("CREATE ROLE {} LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE{}")
    try:
        connection.execute(statement.format(sql.Identifier(role), secret))
    except errors.DuplicateObject:
        return  # another process was first


def ensure_extensions(address: ServerAddress, database: str = DATABASE) -> None:
    """Create the extensions that indexes and constraints need, as the server's administrator.

    Raises:
        WarehouseError: one is absent and the URL's user may not create it.
    """
    with psycopg.connect(address.admin_url(database), autocommit=True) as connection:
        present = {row[0] for row in connection.execute("SELECT extname FROM pg_extension")}
        for extension in EXTENSIONS:
            if extension in present:
                continue
            try:
                connection.execute(sql.SQL("CREATE EXTENSION IF NOT EXISTS {}").format(sql.Identifier(extension)))
            except (errors.InsufficientPrivilege, errors.UndefinedFile, errors.FeatureNotSupported) as error:
                raise WarehouseError(
                    f"The extension {extension} is absent and {address.admin} cannot create it.",
                    remedy=f"Have an administrator install it and run: CREATE EXTENSION {extension};",
                ) from error


def _ensure_database(connection: psycopg.Connection, name: str) -> None:
    if connection.execute("SELECT FROM pg_database WHERE datname = %s", [name]).fetchone() is None:
        try:
            _create(connection, name, None)
        except errors.DuplicateDatabase:
            return  # another process was first


def _create(connection: psycopg.Connection, name: str, template: str | None) -> None:
    identifier = sql.Identifier(name)
    copied = sql.SQL(" TEMPLATE {}").format(sql.Identifier(template)) if template else sql.SQL("")
    connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}{}").format(identifier, sql.Identifier(OWNER_ROLE), copied))
    # A template's rights are not copied: without this everybody may connect and make temporary tables.
    roles = sql.SQL(", ").join(map(sql.Identifier, ROLES))
    connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(identifier))
    connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(identifier, roles))
    connection.execute(sql.SQL("GRANT TEMPORARY ON DATABASE {} TO {}").format(identifier, sql.Identifier(LOADER_ROLE)))
