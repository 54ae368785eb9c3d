"""`fulcrum quality lint` says what is wrong with the rules, and its exit code can be relied on."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fulcrum.cli import app
from fulcrum.quality.suites import suite_names
from fulcrum.settings import PROJECT_ROOT, read_settings

runner = CliRunner()
SUITES = len(suite_names(read_settings()))


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the rules, to be spoiled."""
    shutil.copytree(PROJECT_ROOT / "quality", tmp_path / "quality")
    shutil.copytree(PROJECT_ROOT / "infra" / "runbooks", tmp_path / "infra" / "runbooks")
    monkeypatch.setenv("FULCRUM_PROJECT", str(tmp_path))
    return tmp_path


@pytest.mark.usefixtures("project")
def test_the_shipped_rules_have_no_problems() -> None:
    result = runner.invoke(app, ["quality", "lint"])
    assert (result.exit_code, result.stdout.strip()) == (0, f"{SUITES} suites, 0 problems")


def test_each_problem_is_told_and_the_command_fails(project: Path) -> None:
    suite = project / "quality" / "suites" / "core" / "price.yaml"
    suite.write_text(suite.read_text(encoding="utf-8").replace("tolerance: price_max", "tolerance: price_most"))
    expected = [
        "quality/suites/core/price.yaml, rule price.magnitude: unknown tolerance 'price_most'.",
        "quality/tolerances.yaml, tolerance price_max: no rule uses it.",
    ]
    result = runner.invoke(app, ["quality", "lint"])
    assert (result.exit_code, result.stdout.splitlines()) == (1, [*expected, f"{SUITES} suites, 2 problems"])
    result = runner.invoke(app, ["quality", "lint", "--json"])
    assert (result.exit_code, json.loads(result.stdout)["problems"]) == (1, expected)


def test_a_project_without_suites_is_a_problem(project: Path) -> None:
    shutil.rmtree(project / "quality" / "suites")
    result = runner.invoke(app, ["quality", "lint"])
    assert result.exit_code == 1
    assert "quality/suites: there is no suite." in result.stdout
