"""The API over the story of `graph_story` in a process of its own, and the programs that judge it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from fulcrum.settings import PROJECT_ROOT, Settings
from tests.factories.access import make_key
from tests.factories.api_process import api_process
from tests.factories.graph_story import write_story
from tests.factories.node_project import NodeProject, node_project

HERE = Path(__file__).parent
CLIENTS = PROJECT_ROOT / "schemas" / "graphql" / "clients"


@dataclass(frozen=True)
class Served:
    """Where the API listens, and a key to it."""

    url: str
    key: str
    settings: Settings


@pytest.fixture
def served(database: Settings, connection: psycopg.Connection[Any]) -> Iterator[Served]:
    """The API over a database with the story."""
    write_story(connection)
    key = make_key(connection)
    connection.commit()
    with api_process(database) as url:
        yield Served(url, key, database)


@pytest.fixture
def judges() -> NodeProject:
    """The Node programs of this folder."""
    return node_project(HERE)
