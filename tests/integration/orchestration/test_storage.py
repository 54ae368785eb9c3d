"""Dagster's runs and events lie in a database of their own on the warehouse's server."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest
import yaml
from dagster._core.instance import InstanceRef

from fulcrum.orchestration.storage import storage_url
from fulcrum.settings import PROJECT_ROOT, Settings
from fulcrum.warehouse import server
from fulcrum.warehouse.engine import connect


def test_plain_dagster_dev_keeps_its_events_beside_the_warehouse(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert settings.database_url is not None
    monkeypatch.setenv("FULCRUM_HOME", str(settings.home))
    monkeypatch.setenv("FULCRUM_DATABASE_URL", settings.database_url.get_secret_value())
    try:
        with dg.DagsterInstance.from_ref(InstanceRef.from_dir(str(tmp_path), config_dir=str(PROJECT_ROOT))) as instance:
            instance.report_runless_asset_event(dg.AssetMaterialization(["raw", "x"]))
        with connect(settings, role=server.OWNER_ROLE, database=server.DAGSTER_DATABASE) as connection:
            assert connection.execute("select asset_key from asset_keys").fetchall() == [('["raw", "x"]',)]
    finally:
        address = server.ensure_running(settings)
        server.drop_database(address, address.database_name(server.DAGSTER_DATABASE))


def test_the_address_is_for_the_driver_that_dagster_needs_and_no_file_holds_it(settings: Settings) -> None:
    try:
        assert storage_url(settings).startswith("postgresql+psycopg2://")
    finally:
        address = server.ensure_running(settings)
        server.drop_database(address, address.database_name(server.DAGSTER_DATABASE))
    committed = yaml.safe_load((PROJECT_ROOT / "infra" / "dagster" / "dagster.yaml").read_text("utf-8"))
    assert committed["storage"]["custom"]["config"] == {}
