"""Relay's compiler and graphql-eslint take the committed schema."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from fulcrum.settings import PROJECT_ROOT
from tests.factories.node_project import NodeProject

SCHEMA = PROJECT_ROOT / "schemas" / "graphql" / "schema.graphql"


def test_relay_compiles_fragments_pages_and_refetches(judges: NodeProject, tmp_path: Path) -> None:
    shutil.copytree(judges.folder / "relay", tmp_path / "relay")
    shutil.copy(SCHEMA, tmp_path / "relay" / "schema.graphql")
    (tmp_path / "relay" / "generated").mkdir()
    judges.run("relay-compiler", "relay.config.json", cwd=tmp_path / "relay")
    made = sorted(path.name for path in (tmp_path / "relay" / "generated").iterdir())
    assert made == [
        "portfolioHoldingsPage.graphql.ts",
        "portfolioQuery.graphql.ts",
        "portfolio_holding.graphql.ts",
        "portfolio_holdings.graphql.ts",
    ]
    assert "marketValue: string | null" in (tmp_path / "relay" / "generated" / made[2]).read_text("utf-8")


def test_eslint_finds_nothing_in_the_schema_that_is_not_allowed_on_purpose(judges: NodeProject) -> None:
    found = json.loads(judges.run("node", "checks/lint.js", str(SCHEMA)))
    assert found["rules"] >= 20
    assert found["faults"] == []
