"""Gives Dagster a folder of its own in the state folder, with the project's `dagster.yaml`.

What runs, and when, belongs in `orchestration` and `assets`; where runs are stored, in
`orchestration.storage`.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from fulcrum.errors import ServiceError
from fulcrum.services.catalog import dagster_home
from fulcrum.settings import Settings
from fulcrum.warehouse import server


def write_dagster_home(settings: Settings) -> Path:
    """Make Dagster's folder and its database, and return the folder.

    Raises:
        ServiceError: the project has no `dagster.yaml`.
        WarehouseError: the database is absent and may not be created.
    """
    server.ensure_database(server.ensure_running(settings), server.DAGSTER_DATABASE)
    home = dagster_home(settings)
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        shutil.copyfile(settings.project / "infra" / "dagster" / "dagster.yaml", home / "dagster.yaml.new")
    except FileNotFoundError as error:
        raise ServiceError(
            "The project folder has no infra/dagster/dagster.yaml.", remedy="Set FULCRUM_PROJECT to the checkout."
        ) from error
    (home / "dagster.yaml.new").replace(home / "dagster.yaml")
    return home
