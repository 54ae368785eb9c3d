"""Brings the warehouse's schema to a revision, as role `fulcrum_owner`; the only caller of Alembic."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from fulcrum.settings import PROJECT_ROOT, Settings
from fulcrum.warehouse.engine import create_engine


def alembic_config(
    connection: Connection | None = None, project: Path = PROJECT_ROOT
) -> Config:
    """Alembic's configuration from `pyproject.toml`, bound to `connection`."""
    config = Config(toml_file=str(project / "pyproject.toml"))
    if connection is not None:
        config.attributes["connection"] = connection
    return config


def head_revision(settings: Settings) -> str:
    """The revision that this code needs."""
    head = ScriptDirectory.from_config(
        alembic_config(project=settings.project)
    ).get_current_head()
    assert head is not None, "the project ships at least one migration"
    return head


def current_revision(settings: Settings) -> str | None:
    """The revision that the database has, or None where it has none."""
    engine = create_engine(settings, role="fulcrum_owner")
    with engine.connect() as connection:
        options = {
            "version_table": "schema_version",
            "version_table_schema": "governance",
        }
        found = MigrationContext.configure(
            connection, opts=options
        ).get_current_revision()
    engine.dispose()
    return found


def migrate(settings: Settings, revision: str = "head") -> None:
    """Upgrade to `revision`; nothing happens where it is reached already."""
    run(settings, lambda config: command.upgrade(config, revision))


def downgrade(settings: Settings, revision: str) -> None:
    """Go back to `revision`."""
    run(settings, lambda config: command.downgrade(config, revision))


def check(settings: Settings) -> None:
    """Compare the models with the database.

    Raises:
        alembic.util.CommandError: they differ.
    """
    run(settings, command.check)


def run(settings: Settings, action: object) -> None:
    """Call `action(config)` with a configuration that is bound to the owner's connection."""
    assert callable(action)
    engine = create_engine(settings, role="fulcrum_owner")
    try:
        with engine.connect() as connection:
            action(alembic_config(connection, settings.project))
    finally:
        engine.dispose()
