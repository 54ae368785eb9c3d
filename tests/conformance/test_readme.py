"""The README tells the truth: every command, setting and target is in it, and nothing that is not there."""

from __future__ import annotations

import re

import typer.main

from fulcrum.cli import app
from fulcrum.entitlements import actors
from fulcrum.settings import PROJECT_ROOT, Settings

README = (PROJECT_ROOT / "README.md").read_text(encoding="utf-8")


def commands() -> set[str]:
    return set(typer.main.get_group(app).commands)


def test_every_command_is_in_the_readme() -> None:
    missing = {name for name in commands() if f"`fulcrum {name}" not in README}
    assert not missing, f"README.md lacks: {sorted(missing)}"


def test_every_command_in_the_readme_exists() -> None:
    named = set(re.findall(r"`fulcrum ([a-z]+)", README))
    assert named <= commands(), f"README.md names commands that do not exist: {sorted(named - commands())}"


def test_every_setting_is_in_the_readme_and_no_other() -> None:
    wanted = {f"FULCRUM_{name.upper()}" for name in Settings.model_fields} | {actors.VARIABLE}
    assert set(re.findall(r"FULCRUM_[A-Z_]+", README)) == wanted


def test_every_make_target_in_the_readme_exists() -> None:
    makefile = (PROJECT_ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, flags=re.MULTILINE))
    named = set(re.findall(r"\bmake ([a-z]+)\b", README)) - {"and"}
    assert {"demo", "test"} <= named <= targets


def test_every_folder_in_the_readme_exists() -> None:
    named = re.findall(r"^\| `([a-z/]+)`", README, flags=re.MULTILINE)
    assert named
    assert [name for name in named if not (PROJECT_ROOT / name).exists()] == []
