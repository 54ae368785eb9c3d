"""Programs for Node, installed from their lock file beside it (git-ignored) when a test first needs them."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fulcrum.warehouse.server.locking import exclusive

IS_REQUIRED = os.environ.get("CONFORMANCE") == "1"
"""`make conformance`: what cannot run fails instead of being skipped, and the slow parts run too."""
_OLDEST_NODE = 20
_INSTALL_SECONDS = 600
_MARK = ".installed"


@dataclass(frozen=True)
class NodeProject:
    """A folder with `package.json`, `package-lock.json` and `node_modules`."""

    folder: Path

    def run(
        self,
        *command: str,
        stdin: str | None = None,
        environment: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        timeout: float = 120,
    ) -> str:
        """Run a program of its `node_modules/.bin` or `node`; what it printed. It must succeed."""
        places = f"{self.folder / 'node_modules' / '.bin'}{os.pathsep}{os.environ['PATH']}"
        program = shutil.which(command[0], path=places)
        assert program is not None, command[0]
        done = subprocess.run(
            [program, *command[1:]],
            cwd=cwd or self.folder,
            env=os.environ | (environment or {}),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert done.returncode == 0, f"{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
        return done.stdout

    def check(self, script: str, *arguments: str, stdin: str | None = None, timeout: float = 120) -> Any:
        """Run one of its scripts in `checks/`; the JSON that it printed."""
        return json.loads(self.run("node", f"checks/{script}.js", *arguments, stdin=stdin, timeout=timeout))


def node_project(folder: Path) -> NodeProject:
    """The project in `folder`, installed; the test is skipped where Node or its packages cannot be had."""
    if (reason := _why_not()) is None:
        lock = Path(tempfile.gettempdir()) / f"fulcrum-npm-{hashlib.sha256(bytes(folder)).hexdigest()[:16]}.lock"
        with exclusive(lock, timeout=_INSTALL_SECONDS, purpose="install packages for Node"):
            reason = _install(folder)
    if reason is not None:
        (pytest.fail if IS_REQUIRED else pytest.skip)(reason)
    return NodeProject(folder)


def _why_not() -> str | None:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return "no Node on this machine"
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    major = int(version.lstrip("v").split(".")[0])
    return None if major >= _OLDEST_NODE else f"Node {version.strip()} is older than {_OLDEST_NODE}"


def _install(folder: Path) -> str | None:
    digest = hashlib.sha256((folder / "package-lock.json").read_bytes()).hexdigest()
    mark = folder / "node_modules" / _MARK
    if mark.exists() and mark.read_text("utf-8") == digest:
        return None
    done = subprocess.run(
        ["npm", "ci", "--prefer-offline"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=_INSTALL_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        return f"npm could not install {folder.name}: {done.stderr.strip().splitlines()[-1:]}"
    mark.write_text(digest, "utf-8")
    return None
