"""The folder `platform` must not shadow the standard library, and the lock must install anywhere."""

from __future__ import annotations

import platform
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_platform_is_still_the_standard_librarys() -> None:
    assert Path(platform.__file__).parent == Path(sysconfig.get_path("stdlib"))
    found = subprocess.run(
        [sys.executable, "-c", "import platform, uuid; print(platform.__file__)"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert ROOT not in Path(found.stdout.strip()).parents


def test_the_source_root_holds_packages_only() -> None:
    assert sorted(path.name for path in (ROOT / "platform").glob("*.py")) == []
    packages = {path.name for path in (ROOT / "platform").iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert packages == {"fulcrum"}


def test_every_package_has_an_init_with_a_docstring_or_nothing() -> None:
    folders = {path.parent for path in (ROOT / "platform" / "fulcrum").rglob("*.py")}
    assert sorted(str(folder.relative_to(ROOT)) for folder in folders if not (folder / "__init__.py").exists()) == []


def test_the_lock_pins_by_hash_and_names_no_place_to_download_from() -> None:
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    assert [line for line in lines if "://" in line or line.startswith("-")] == []
    blocks = re.split(r"\n(?=\S)", "\n".join(line for line in lines if not line.lstrip().startswith("#")))
    requirements = [block for block in blocks if block.strip()]
    assert len(requirements) > 100
    assert [block.split()[0] for block in requirements if "==" not in block or "--hash=sha256:" not in block] == []


def test_no_file_is_longer_than_400_lines() -> None:
    """Migrations excepted: a step is written once, never changed, and seldom read. So is what is generated."""
    tracked = subprocess.run(
        ["git", "ls-files", "*.py", ":!schemas/migrations", ":!schemas/graphql/clients/python/fulcrum_client"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    files = [ROOT / name for name in tracked.stdout.splitlines()]
    long = [
        str(file.relative_to(ROOT)) for file in files if file.exists() and len(file.read_bytes().splitlines()) > 400
    ]
    assert long == []


def test_set_up_tools_of_the_build_are_in_the_lock() -> None:
    names = set(re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements.lock").read_text(), flags=re.MULTILINE))
    assert {"hatchling", "editables", "pytest", "ruff", "mypy"} <= names
