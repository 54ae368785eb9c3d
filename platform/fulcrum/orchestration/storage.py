"""Keeps Dagster's runs, events and schedules in the database `fulcrum_dagster` of Fulcrum's server.

`dagster.yaml` names the class, so that plain `dagster dev` needs no URL and starts the server itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dagster._config.config_schema import UserConfigSchema
from dagster._serdes import ConfigurableClassData
from dagster_postgres import DagsterPostgresStorage

from fulcrum.settings import Settings, read_settings
from fulcrum.warehouse import server


class FulcrumStorage(DagsterPostgresStorage):
    """Dagster's PostgreSQL storage at the address that Fulcrum's settings tell."""

    @classmethod
    def config_type(cls) -> UserConfigSchema:
        """No options: the settings decide."""
        return {}

    @classmethod
    def from_config_value(
        cls,
        inst_data: ConfigurableClassData | None,
        config_value: Mapping[str, Any],  # noqa: ARG003 - there are no options
    ) -> FulcrumStorage:
        """Start the server if it does not run, and connect."""
        return cls(postgres_url=storage_url(read_settings()), inst_data=inst_data)


def storage_url(settings: Settings) -> str:
    """The URL of Dagster's database, which is created if it is absent.

    dagster-postgres listens for events through psycopg2's NOTIFY and fails with psycopg 3.
    """
    address = server.ensure_running(settings)
    server.ensure_database(address, server.DAGSTER_DATABASE)
    return address.url(server.DAGSTER_DATABASE, server.OWNER_ROLE, "psycopg2")
