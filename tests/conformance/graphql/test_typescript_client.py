"""The TypeScript example: types are generated, tsc accepts it strictly, and it runs with its normalised cache."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from fulcrum.settings import PROJECT_ROOT
from tests.factories.node_project import NodeProject, node_project

GRAPHQL = PROJECT_ROOT / "schemas" / "graphql"
CLIENT = GRAPHQL / "clients" / "typescript"
GENERATED = ("node_modules", "dist", "generated")


@pytest.fixture
def client(tmp_path: Path) -> NodeProject:
    """A copy of the example beside a copy of the schema, with the packages of the checkout."""
    installed = node_project(CLIENT)
    folder = tmp_path / "graphql" / "clients" / "typescript"
    shutil.copytree(CLIENT, folder, ignore=shutil.ignore_patterns(*GENERATED))
    shutil.copy(GRAPHQL / "schema.graphql", tmp_path / "graphql")
    shutil.copytree(GRAPHQL / "examples", tmp_path / "graphql" / "examples")
    (folder / "node_modules").symlink_to(installed.folder / "node_modules")
    return NodeProject(folder)


def test_it_is_generated_compiles_and_answers_the_second_query_from_its_cache(client: NodeProject, served: Any) -> None:
    client.run("graphql-codegen", "--config", "codegen.yml")
    client.run("tsc")
    environment = {"FULCRUM_URL": served.url, "FULCRUM_KEY": served.key}
    printed = client.run("node", "dist/main.js", "FUND", "C-1", environment=environment)
    assert json.loads(printed) == {
        "portfolio": "World Fund",
        "lines": [
            {"instrument": "Pence plc", "quantity": "110", "verdict": "passed"},
            {"instrument": "Plain Inc", "quantity": "40", "verdict": "warned"},
        ],
        "card": {"__typename": "Instrument", "id": "Instrument:2", "name": "Pence plc", "isin": "GB00PENCE001"},
        "isFromCache": True,
        "wealth": [{"currencyCode": "EUR", "amount": "1265.62500"}, {"currencyCode": "USD", "amount": "1000.50"}],
    }


def test_tsc_refuses_a_field_that_the_schema_does_not_have(client: NodeProject) -> None:
    client.run("graphql-codegen", "--config", "codegen.yml")
    main = client.folder / "src" / "main.ts"
    main.write_text(main.read_text("utf-8").replace("line.trust.verdict", "line.trust.judgement"), "utf-8")
    with pytest.raises(AssertionError, match="judgement"):
        client.run("tsc", "--noEmit")
