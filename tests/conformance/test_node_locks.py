"""Locks of Node projects pin by hash and name no place to download from."""

from __future__ import annotations

import json
import re
import subprocess

import pytest

from fulcrum.settings import PROJECT_ROOT

GRAPHQL = ("schemas/graphql/clients/typescript", "tests/bench/graph/postgraphile", "tests/conformance/graphql")
LOCKS = (*GRAPHQL, "tests/browser")


@pytest.mark.parametrize("folder", LOCKS)
def test_every_package_is_pinned_by_hash_and_has_no_address(folder: str) -> None:
    packages = json.loads((PROJECT_ROOT / folder / "package-lock.json").read_text("utf-8"))["packages"]
    assert packages.pop("")["name"] == json.loads((PROJECT_ROOT / folder / "package.json").read_text("utf-8"))["name"]
    assert len(packages) > (100 if folder in GRAPHQL else 0)
    assert [name for name, found in packages.items() if "resolved" in found] == []
    assert [name for name, found in packages.items() if not found.get("integrity", "").startswith("sha512-")] == []


@pytest.mark.parametrize("folder", LOCKS)
def test_direct_dependencies_are_exact(folder: str) -> None:
    declared = json.loads((PROJECT_ROOT / folder / "package.json").read_text("utf-8"))
    versions = declared.get("dependencies", {}) | declared.get("devDependencies", {})
    assert [name for name, version in versions.items() if not re.fullmatch(r"\d+\.\d+\.\d+", version)] == []
    assert versions.get("graphql", "16.").startswith("16.")
    assert ("graphql" in versions) is (folder in GRAPHQL)
    assert "omit-lockfile-registry-resolved=true" in (PROJECT_ROOT / folder / ".npmrc").read_text("utf-8")


def test_every_lock_is_looked_at() -> None:
    listed = ["git", "ls-files", "*package-lock.json"]
    found = subprocess.run(listed, cwd=PROJECT_ROOT, capture_output=True, text=True, check=True).stdout.split()
    assert {name.removesuffix("/package-lock.json") for name in found} == set(LOCKS)
