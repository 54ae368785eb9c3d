"""Fixture `staging`: write bytes to a file, land it and stage it as a delivery of a feed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest

from fulcrum.contracts.catalog import contract_for
from fulcrum.contracts.delivery import Staged
from fulcrum.contracts.model import FeedContract
from fulcrum.ingest.landing import land
from fulcrum.ingest.staging import stage
from fulcrum.settings import Settings


class Staging:
    """Stages files in one database; `delivery_id` is that of the last."""

    def __init__(self, settings: Settings, connection: psycopg.Connection[Any], folder: Path) -> None:
        self.settings, self.connection, self.folder = settings, connection, folder
        self.delivery_id = 0

    def __call__(
        self,
        content: str | bytes,
        feed: str | FeedContract = "house_holdings",
        name: str = "holdings.csv",
        **parameters: str,
    ) -> Staged:
        file = self.folder / name
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return self.file(file, feed, **parameters)

    def file(self, file: Path, feed: str | FeedContract, **parameters: str) -> Staged:
        """Stage a file that is there."""
        contract = feed if isinstance(feed, FeedContract) else contract_for(self.settings, feed)
        landed = land(self.settings, file)
        row = self.connection.execute(
            "insert into governance.delivery (feed, file_name, sha256, size_bytes) values (%s, %s, %s, %s)"
            " returning delivery_id",
            (contract.feed, file.name, landed.sha256, landed.size_bytes),
        ).fetchone()
        self.connection.commit()
        assert row is not None
        self.delivery_id = int(row[0])
        try:
            return stage(self.connection, contract, landed, self.delivery_id, parameters)
        except BaseException:
            self.connection.rollback()
            raise

    def rows(self, staged: Staged, columns: str) -> list[tuple[Any, ...]]:
        """What is staged, by source row."""
        return self.connection.execute(f"select {columns} from {staged.table} order by source_row").fetchall()

    def quarantined(self) -> list[tuple[Any, ...]]:
        """Row, column and value of what the last delivery's staging refused."""
        return self.connection.execute(
            "select source_row, column_name, value from quality.quarantined_row where delivery_id = %s"
            " order by source_row",
            (self.delivery_id,),
        ).fetchall()

    def leftovers(self) -> int:
        """How many staging tables there are."""
        row = self.connection.execute(
            "select count(*) from pg_class where relnamespace = 'staging'::regnamespace and relkind = 'r'"
        ).fetchone()
        assert row is not None
        return int(row[0])


@pytest.fixture
def staging(settings: Settings, connection: psycopg.Connection[Any], tmp_path: Path) -> Staging:
    """Write, land and stage: `staging(text, feed, name, **parameters)`."""
    return Staging(settings, connection, tmp_path)
