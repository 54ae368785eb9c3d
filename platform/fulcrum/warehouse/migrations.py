"""Bringing the warehouse to the newest schema, and saying how far it is.

The steps themselves are in `schemas/migrations/versions`; Alembic is configured in pyproject.toml.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING

from fulcrum.errors import WarehouseError
from fulcrum.settings import Settings
from fulcrum.warehouse.engine import connect, create_engine
from fulcrum.warehouse.server import OWNER_ROLE

if TYPE_CHECKING:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

_LOCK_KEY = 0x4D494752  # "MIGR": two commands may migrate one database at once


def upgrade(settings: Settings, revision: str = "head") -> list[str]:
    """Apply every step up to `revision`, as the owner; the steps applied, oldest first.

    Raises:
        WarehouseError: a step failed; steps before it stand, its own changes do not.
    """
    from alembic import command

    before = applied(settings)
    _run(settings, lambda config: command.upgrade(config, revision))
    return [step for step in applied(settings) if step not in before]


def ensure_created(settings: Settings) -> None:
    """Migrate a database that is new; one that is only behind is left for `fulcrum migrate`.

    Alembic takes two seconds to look, which a command that only reads should not pay.
    """
    if current_revision(settings) is None:
        upgrade(settings)


def downgrade(settings: Settings, revision: str) -> None:
    """Take steps back to `revision` (`-1`: the last one).

    Raises:
        WarehouseError: a step failed.
    """
    from alembic import command

    _run(settings, lambda config: command.downgrade(config, revision))


def check(settings: Settings) -> None:
    """See that models and database agree.

    Raises:
        WarehouseError: they do not; the message lists the differences.
    """
    from alembic import command

    _run(settings, command.check)


def applied(settings: Settings) -> list[str]:
    """The steps that the database has, oldest first; empty for a new database."""
    current = current_revision(settings)
    if current is None:
        return []
    script = _script(settings)
    return [step.revision for step in reversed(list(script.iterate_revisions(current, "base")))]


def pending(settings: Settings) -> list[str]:
    """The steps that the project has and the database lacks, oldest first."""
    script = _script(settings)
    done = set(applied(settings))
    return [step.revision for step in reversed(list(script.walk_revisions())) if step.revision not in done]


def current_revision(settings: Settings) -> str | None:
    """The newest step that the database has; None for a new database."""
    with connect(settings, role=OWNER_ROLE, application_name="fulcrum migrate") as connection:
        found = connection.execute("SELECT to_regclass('governance.schema_version')").fetchone()
        if found is None or found[0] is None:
            return None
        row = connection.execute("SELECT version_num FROM governance.schema_version").fetchone()
    return None if row is None else str(row[0])


def _run(settings: Settings, command: Callable[[Config], object]) -> None:
    from alembic.util import CommandError
    from sqlalchemy.exc import SQLAlchemyError

    engine = create_engine(settings, role=OWNER_ROLE, application_name="fulcrum migrate")
    config = _config(settings)
    try:
        # A session lock on a connection of its own: the migrations' transactions end in between.
        with engine.connect() as guard, engine.connect() as connection:
            guard.exec_driver_sql(f"SELECT pg_advisory_lock({_LOCK_KEY})")
            config.attributes["connection"] = connection
            command(config)
    except (CommandError, SQLAlchemyError) as error:
        reason = str(getattr(error, "orig", None) or error).strip()
        raise WarehouseError(
            f"The database could not be migrated: {reason}",
            remedy="Nothing of the failed step remains. Mend what it names and run `fulcrum migrate` again.",
        ) from error
    finally:
        engine.dispose()


def _config(settings: Settings) -> Config:
    from alembic.config import Config

    return Config(toml_file=settings.project / "pyproject.toml", stdout=io.StringIO())


def _script(settings: Settings) -> ScriptDirectory:
    from alembic.script import ScriptDirectory

    return ScriptDirectory.from_config(_config(settings))
