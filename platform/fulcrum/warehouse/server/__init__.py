"""PostgreSQL 18 for the warehouse: the embedded server, or the one that `FULCRUM_DATABASE_URL` names.

Connections belong in `warehouse.engine`, tables in `warehouse.models` and `schemas/migrations`.
"""

from __future__ import annotations

from fulcrum.warehouse.server.address import (
    API_ROLE,
    DAGSTER_DATABASE,
    DATABASE,
    LOADER_ROLE,
    OWNER_ROLE,
    ROLES,
    ServerAddress,
)
from fulcrum.warehouse.server.bootstrap import create_database, drop_database, ensure_database
from fulcrum.warehouse.server.face import ServerState, ensure_running, erase, inspect, stop

__all__ = [
    "API_ROLE",
    "DAGSTER_DATABASE",
    "DATABASE",
    "LOADER_ROLE",
    "OWNER_ROLE",
    "ROLES",
    "ServerAddress",
    "ServerState",
    "create_database",
    "drop_database",
    "ensure_database",
    "ensure_running",
    "erase",
    "inspect",
    "stop",
]
