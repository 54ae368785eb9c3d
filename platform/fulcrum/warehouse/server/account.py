"""The operating-system account that the embedded server runs as.

PostgreSQL refuses to run as root, so for root it is a system account of its own; for anybody else
it is simply them. What that account needs to reach is prepared in `folders`.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fulcrum.errors import ServerStartError

SYSTEM_ACCOUNT = "fulcrum_postgres"
_FALLBACK = "postgres"  # what a distribution's own PostgreSQL package creates


@dataclass(frozen=True)
class Account:
    """A user and its group; `is_other` when it is not the user that runs this process."""

    uid: int
    gid: int
    is_other: bool

    def run(self, command: Sequence[str], *, timeout: float) -> subprocess.CompletedProcess[str]:
        """Run `command` as this account, its output kept as text, in a clean environment."""
        return subprocess.run(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            cwd="/",
            env=clean_environment(),
            start_new_session=True,
            timeout=timeout,
            check=False,
            user=self.uid if self.is_other else None,
            group=self.gid if self.is_other else None,
            extra_groups=[] if self.is_other else None,
        )

    def may_use(self, *paths: Path) -> bool:
        """Whether the account can read each file and enter each folder of `paths`."""
        if not self.is_other:
            return True
        script = 'for p do if [ -d "$p" ]; then [ -x "$p" ]; else [ -r "$p" ]; fi || exit 1; done'
        return self.run(["/bin/sh", "-c", script, "sh", *map(str, paths)], timeout=30).returncode == 0

    def own(self, path: Path) -> None:
        """Give `path` to the account."""
        if self.is_other:
            os.chown(path, self.uid, self.gid)


def clean_environment() -> dict[str, str]:
    """What the server needs, and none of our secrets or of the caller's PG* variables."""
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    return {"PATH": os.defpath, **kept, "LC_ALL": "C", "TZ": "UTC"}


def server_account(data: Path) -> Account:
    """The owner of the data folder if there is one already, else ourselves, or root's stand-in.

    Raises:
        ServerStartError: the data belongs to somebody else, or no account can be made for root.
    """
    if os.geteuid() != 0:
        if data.exists() and data.stat().st_uid != os.geteuid():
            raise ServerStartError(
                "The database folder belongs to another user.",
                remedy="Run fulcrum as that user, or choose another folder by FULCRUM_HOME.",
            )
        return Account(os.geteuid(), os.getegid(), is_other=False)
    if data.exists() and data.stat().st_uid != 0:
        found = data.stat()
        return Account(found.st_uid, found.st_gid, is_other=True)
    entry = _system_account()
    return Account(entry.pw_uid, entry.pw_gid, is_other=True)


def _system_account() -> pwd.struct_passwd:
    for name in (SYSTEM_ACCOUNT, _FALLBACK):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            if name == SYSTEM_ACCOUNT and _create(name):
                return pwd.getpwnam(name)
    raise ServerStartError(
        "PostgreSQL does not run as root, and a system account for it could not be created.",
        remedy=f"Run `useradd --system {SYSTEM_ACCOUNT}`, or run fulcrum as an ordinary user.",
    )


def _create(name: str) -> bool:
    commands = (
        ["useradd", "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", name],
        ["adduser", "-S", "-D", "-H", "-s", "/sbin/nologin", name],  # busybox
    )
    for command in commands:
        if shutil.which(command[0]) and subprocess.run(command, capture_output=True, check=False).returncode == 0:
            return True
    # Two runs may create it at once: the loser's useradd fails although the account is there.
    return name in {entry.pw_name for entry in pwd.getpwall()}
