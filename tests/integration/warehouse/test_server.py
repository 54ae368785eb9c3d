"""The embedded server survives what kills its parents, and gives each test its own database."""

from __future__ import annotations

from typing import Any

import psycopg

from fulcrum.settings import Settings
from fulcrum.warehouse import engine


def test_loader_connection_sees_a_migrated_database(connection: psycopg.Connection[Any]) -> None:
    row = connection.execute("SELECT current_user, to_regclass('governance.schema_version') IS NOT NULL").fetchone()
    assert row == ("fulcrum_loader", True)


def test_api_role_cannot_bypass_row_level_security(database: Settings) -> None:
    with engine.connect(database, role="fulcrum_api") as connection:
        query = "SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user"
        assert connection.execute(query).fetchone() == (False, False)
