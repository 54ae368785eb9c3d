"""`fulcrum schema check` and `release`: what is promised, and what may go."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from fulcrum.cli.main import app
from fulcrum.settings import PROJECT_ROOT

GONE = '  """Not here any more."""\n  shoeSize: Int\n'
DUE = '  """Not here any more."""\n  shoeSize: Int @deprecated(reason: "Nobody has it; goes 2026-01-01")\n'


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project with a folder `schemas/graphql` of its own; the released schema in it."""
    for path in PROJECT_ROOT.iterdir():
        if path.name != "schemas" and not path.name.startswith("."):
            (tmp_path / path.name).symlink_to(path)
    (tmp_path / "schemas" / "graphql").mkdir(parents=True)
    for path in (PROJECT_ROOT / "schemas").iterdir():
        if path.name != "graphql":
            (tmp_path / "schemas" / path.name).symlink_to(path)
    monkeypatch.setenv("FULCRUM_PROJECT", str(tmp_path))
    monkeypatch.setenv("FULCRUM_HOME", str(tmp_path / "home"))
    return tmp_path / "schemas" / "graphql" / "released.graphql"


def _run(*arguments: str) -> Any:
    return CliRunner().invoke(app, ["schema", *arguments])


def test_a_release_is_refused_while_it_breaks_a_promise(project: Path) -> None:
    assert _run("release").exit_code == 0
    promised = project.read_text("utf-8")
    assert promised == _run("print").stdout
    assert _run("check").exit_code == 0
    project.write_text(promised.replace("type Client implements Node {\n", f"type Client implements Node {{\n{GONE}"))
    for command in ("check", "release"):
        refused = _run(command)
        assert refused.exit_code == 1
        assert "Client.shoeSize was removed." in refused.stdout
        assert "goes YYYY-MM-DD" in refused.stderr
    assert "shoeSize" in project.read_text("utf-8")
    assert _run("release", "--accept-breaking").exit_code == 0
    assert project.read_text("utf-8") == promised


def test_what_was_due_to_go_may_go(project: Path) -> None:
    assert _run("release").exit_code == 0
    promised = project.read_text("utf-8")
    project.write_text(promised.replace("type Client implements Node {\n", f"type Client implements Node {{\n{DUE}"))
    assert _run("check").exit_code == 0
    assert _run("release").exit_code == 0
    assert project.read_text("utf-8") == promised


def test_the_subgraph_is_printed_for_composition_without_a_server() -> None:
    printed = _run("print", "--subgraph").stdout
    assert printed.startswith('extend schema @link(url: "https://specs.apollo.dev/federation/v2.0"')
    assert '@key(fields: "isin")' in printed
