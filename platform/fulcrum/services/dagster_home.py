"""Writes `dagster.yaml`: runs and events go to the warehouse's server, nothing is sent anywhere.

What runs, and when, belongs in `orchestration` and `assets`.
"""

from __future__ import annotations

from typing import Any

import yaml

from fulcrum.services.catalog import dagster_home
from fulcrum.settings import Settings
from fulcrum.warehouse import server

# The URL of an external server holds a password: it goes by the environment, never into a file.
URL_VARIABLE = "FULCRUM_DAGSTER_DATABASE"
_RUNS_AT_ONCE = 4


def write_dagster_home(settings: Settings) -> dict[str, str]:
    """Make Dagster's folder and database; the variables that its processes need."""
    address = server.ensure_running(settings)
    server.ensure_database(address, server.DAGSTER_DATABASE)
    url = address.url(server.DAGSTER_DATABASE, driver="psycopg2")
    home = dagster_home(settings)
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    unfinished = home / "dagster.yaml.new"
    unfinished.write_text(yaml.safe_dump(_configuration(url, is_secret=not address.is_embedded), sort_keys=False))
    unfinished.replace(home / "dagster.yaml")
    return {} if address.is_embedded else {URL_VARIABLE: url}


def _configuration(url: str, *, is_secret: bool) -> dict[str, Any]:
    return {
        "storage": {"postgres": {"postgres_url": {"env": URL_VARIABLE} if is_secret else url}},
        "telemetry": {"enabled": False},
        "nux": {"enabled": False},
        "concurrency": {"runs": {"max_concurrent_runs": _RUNS_AT_ONCE}},
    }
