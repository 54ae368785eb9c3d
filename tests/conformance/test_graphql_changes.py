"""The schema keeps what the released one promised, by our own reckoning and by graphql-inspector's."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest

from fulcrum.graph.compatibility import breaking_changes
from fulcrum.graph.schema import load_graph
from fulcrum.settings import PROJECT_ROOT
from tests.factories.node_project import NodeProject, node_project

RELEASED = PROJECT_ROOT / "schemas" / "graphql" / "released.graphql"
RENEW = "If it is meant: `fulcrum schema release --accept-breaking`."


@pytest.fixture
def judges() -> NodeProject:
    return node_project(Path(__file__).parent / "graphql")


def test_nothing_that_was_promised_is_gone() -> None:
    today = dt.datetime.now(dt.UTC).date()
    assert breaking_changes(RELEASED.read_text("utf-8"), load_graph().printed(), today) == [], RENEW


def test_graphql_inspector_finds_the_same_breaking_changes_as_we(judges: NodeProject, tmp_path: Path) -> None:
    printed = load_graph().printed()
    before, after, broken = (tmp_path / name for name in ("before.graphql", "after.graphql", "broken.graphql"))
    before.write_text(printed)
    after.write_text(printed)
    retyped = printed.replace("  navBase: Decimal\n", "  navBase: String\n", 1)
    broken.write_text(retyped.replace("  cfiCode: String\n", "  cfiCodes: String\n", 1))
    ours = breaking_changes(printed, broken.read_text(), dt.date(2026, 1, 1))
    assert len(ours) == 2
    told = json.loads(judges.run("node", "checks/changes.js", str(before), str(broken)))
    assert len([change for change in told if change["isBreaking"]]) == 2
    assert json.loads(judges.run("node", "checks/changes.js", str(before), str(after))) == []


def test_graphql_inspector_finds_nothing_broken_since_the_release(judges: NodeProject, tmp_path: Path) -> None:
    now = tmp_path / "now.graphql"
    now.write_text(load_graph().printed())
    told = json.loads(judges.run("node", "checks/changes.js", str(RELEASED), str(now)))
    ours = breaking_changes(RELEASED.read_text("utf-8"), now.read_text(), dt.date.min)
    assert bool([change for change in told if change["isBreaking"]]) == bool(ours)
