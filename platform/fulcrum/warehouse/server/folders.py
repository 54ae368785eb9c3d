"""Where the embedded server keeps its data, logs and socket.

All lies in the state folder, with two exceptions: the socket, whose path may have 103 bytes only,
and, when the server's account may not enter the state folder, the data, which then is a link.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from fulcrum.errors import ServerStartError
from fulcrum.settings import Settings
from fulcrum.warehouse.server.account import Account

SHELTER = Path("/var/lib/fulcrum")  # for root only; every account may enter it
_SOCKET_PATH_LIMIT = 103  # of sun_path: 104 bytes on macOS, 108 on Linux, with the final zero
_SOCKET_BASES = ("/tmp", "/var/tmp")  # noqa: S108 what is in them is checked: ours, and 0700
_SOCKET_NAME = ".s.PGSQL.5432"


@dataclass(frozen=True)
class Folders:
    """The server's places for one state folder; nothing is created by asking for them."""

    home: Path

    @classmethod
    def of(cls, settings: Settings) -> Folders:
        """The places for the state folder of `settings`."""
        return cls(settings.home.resolve())

    @property
    def data(self) -> Path:
        """PostgreSQL's data folder."""
        return self.home / "postgres"

    @property
    def logs(self) -> Path:
        """The server's logs, one file per weekday."""
        return self.home / "logs" / "postgres-server"

    @property
    def lock(self) -> Path:
        """Held while the server is started or stopped."""
        return self.home / "postgres.lock"

    @property
    def key(self) -> str:
        """A short name for the state folder, for what cannot lie in it."""
        return hashlib.sha256(os.fsencode(self.home)).hexdigest()[:12]

    @property
    def shelter(self) -> Path:
        """Where data and logs go when the server's account may not enter the state folder."""
        return SHELTER / self.key


def create_home(folders: Folders) -> None:
    """Create the state folder if it is absent, closed to other users."""
    folders.home.parent.mkdir(parents=True, exist_ok=True)
    folders.home.mkdir(mode=_passage(), exist_ok=True)


def _passage() -> int:
    """Root's server account must pass through the folders above its data, and see nothing else."""
    return 0o711 if os.geteuid() == 0 else 0o700


def prepare(folders: Folders, account: Account) -> None:
    """Create the log folder; lay links where `account` may not enter.

    Raises:
        ServerStartError: that account may not enter the state folder, and no other place was found.
    """
    create_home(folders)
    folders.logs.parent.mkdir(mode=_passage(), exist_ok=True)
    if not account.may_use(folders.home, folders.logs.parent):
        _make_shelter(folders.shelter)
        for path in (folders.data, folders.logs):
            if not path.exists() and not path.is_symlink():
                path.symlink_to(folders.shelter / path.name)
    logs = folders.logs.resolve()
    if not logs.exists():
        logs.mkdir(mode=0o700)
        account.own(logs)


def _make_shelter(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ServerStartError(
            "The server's system account may not enter the state folder, "
            f"and {SHELTER} cannot be written ({error.strerror}).",
            remedy="Set FULCRUM_HOME to a folder that every user may enter, or run fulcrum as an ordinary user.",
        ) from error


def socket_dir(folders: Folders, account: Account) -> Path:
    """A folder, private to `account` (and root), short enough for a socket; created if absent.

    Raises:
        ServerStartError: no temporary folder has a path that is short enough.
    """
    for base in (tempfile.gettempdir(), *_SOCKET_BASES):
        candidate = Path(base) / f"fulcrum-{account.uid}-{folders.key}"
        if len(os.fsencode(candidate / _SOCKET_NAME)) > _SOCKET_PATH_LIMIT:
            continue
        if not candidate.is_symlink():
            candidate.mkdir(mode=0o700, exist_ok=True)
            if os.geteuid() == 0 and candidate.stat().st_uid == 0:
                account.own(candidate)
        if _is_private(candidate, account) and account.may_use(candidate):
            return candidate
    raise ServerStartError(
        "No temporary folder can hold the server's socket: its path is too long, "
        "or somebody else has made a folder of that name.",
        remedy="Set TMPDIR to a private folder with a path of fewer than 60 characters.",
    )


def _is_private(path: Path, account: Account) -> bool:
    found = path.lstat()
    return stat.S_ISDIR(found.st_mode) and found.st_uid == account.uid and not found.st_mode & 0o077


def remove(folders: Folders) -> None:
    """Delete the data and the server's logs, wherever they are. The server must be stopped."""
    for path in (folders.data, folders.logs):
        shutil.rmtree(path.resolve(), ignore_errors=True)
        if path.is_symlink():
            path.unlink()
    shutil.rmtree(folders.shelter, ignore_errors=True)
    for base in (tempfile.gettempdir(), *_SOCKET_BASES):
        for left in Path(base).glob(f"fulcrum-*-{folders.key}"):
            if left.is_dir() and not left.is_symlink() and not any(left.iterdir()):
                left.rmdir()
