"""Alembic's entry: compares `Base.metadata` with the database that `fulcrum migrate` hands over.

It opens no connection of its own; the connection comes in `config.attributes`, so that tests,
`fulcrum migrate` and `make lint` use the same roles and the same server.
"""

from __future__ import annotations

import re
from typing import Any

from alembic import context

from fulcrum.warehouse.models import SCHEMAS, Base

LOCK_TIMEOUT = "10s"
STATEMENT_TIMEOUT = "15min"


def include_name(name: str | None, kind: str, parents: Any) -> bool:
    """Look at our schemas only, and not at `staging`, whose tables live for one delivery."""
    return kind != "schema" or (name in SCHEMAS and name != "staging")


def include_object(item: Any, name: str | None, kind: str, reflected: bool, other: Any) -> bool:
    """Leave out monthly partitions and the foreign keys that only document (NOT ENFORCED)."""
    if not reflected:
        return True
    if kind == "table":
        return not re.search(r"_p\d{6}$", str(name))
    return not (kind == "foreign_key_constraint" and str(name).endswith("_documented"))


def run_migrations() -> None:
    """Run within the given connection's one transaction."""
    connection = context.config.attributes.get("connection")
    if connection is None:
        raise SystemExit("Run `fulcrum migrate`: it knows the server and the owner's role.")
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        include_schemas=True,
        include_name=include_name,
        include_object=include_object,
        version_table="schema_version",
        version_table_schema="governance",
        compare_type=True,
        compare_server_default=False,
    )
    connection.exec_driver_sql(f"set lock_timeout = '{LOCK_TIMEOUT}'")
    connection.exec_driver_sql(f"set statement_timeout = '{STATEMENT_TIMEOUT}'")
    connection.exec_driver_sql("create schema if not exists governance")
    connection.commit()
    with context.begin_transaction():
        context.run_migrations()


run_migrations()
