"""Takes an installation back to its first day: services ended, database and state folder emptied."""

from __future__ import annotations

import shutil

from fulcrum.services.supervise import Notify, down
from fulcrum.settings import Settings
from fulcrum.warehouse import server

# By name, for FULCRUM_HOME may point to a folder that holds other things as well.
STATE = ("landing", "inbox", "demo", "dagster", "run", "logs", "tmp", "postgres.lock", "services.lock")


def reset(settings: Settings, notify: Notify) -> None:
    """End all services and delete the embedded database, landed files, inbox and logs.

    Raises:
        WarehouseError: the database is external; Fulcrum does not delete those.
    """
    if settings.database_url is not None:
        server.erase(settings)  # refuses, before anything is touched
    down(settings, notify)
    notify("Deleting the database and the state folder")
    server.erase(settings)
    for name in STATE:
        path = settings.home / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    if settings.home.is_dir() and not any(settings.home.iterdir()):
        settings.home.rmdir()
