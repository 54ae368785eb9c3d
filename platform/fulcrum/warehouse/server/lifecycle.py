"""Making, starting and stopping the embedded server. Roles and databases come after, in `bootstrap`.

The server outlives the process that starts it: nothing here ties it to its parent.
"""

from __future__ import annotations

import logging
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from fulcrum.errors import ServerStartError, WarehouseError
from fulcrum.settings import Settings
from fulcrum.warehouse.server import configuration, folders, postmaster
from fulcrum.warehouse.server.account import Account, clean_environment, server_account
from fulcrum.warehouse.server.binaries import Binaries, find_binaries, reachable_binaries
from fulcrum.warehouse.server.folders import Folders
from fulcrum.warehouse.server.postmaster import Postmaster

Notify = Callable[[str], None]

_log = logging.getLogger(__name__)
_POLL_SECONDS = 0.03
_TELL_AFTER_SECONDS = 3.0
_APPEAR_SECONDS = 3.0
_STALLED_SECONDS = 120.0  # no CPU, no disk, no log line: it will not come up by itself
_START_LIMIT_SECONDS = 3600.0  # replaying the 4 GB of max_wal_size took under a minute
_STOP_LIMIT_SECONDS = 120.0
_ORPHAN_SECONDS = 4.0  # an idle process sees the postmaster's death at once, a busy one does not


def start(settings: Settings, notify: Notify) -> Postmaster:
    """Bring the server up in the state folder; the caller holds the lock.

    Raises:
        ServerStartError: it did not come up; the message ends with its last log lines.
    """
    places = Folders.of(settings)
    account = server_account(places.data)
    running = postmaster.read_postmaster(places.data)
    if running is not None and running.has_lost_socket:
        notify("The server's socket was deleted from outside; restarting PostgreSQL")
        stop(settings)
        running = None
    if running is None:
        folders.prepare(places, account)
        binaries = reachable_binaries(find_binaries(settings), account, folders.SHELTER)
        if not (places.data / "PG_VERSION").exists():
            notify("Making a new PostgreSQL data folder")
            _initialise(places, account, binaries)
        _clear_leftovers(places.data)
        _launch(places, account, binaries)
    return _wait_until_ready(places, notify)


def stop(settings: Settings) -> bool:
    """Stop the server by a fast shutdown; the caller holds the lock. False if none was running.

    Raises:
        WarehouseError: it did not end within two minutes.
    """
    data = Folders.of(settings).data
    running = postmaster.read_postmaster(data)
    if running is None:
        return False
    os.kill(running.pid, signal.SIGINT)
    if not _wait(lambda: not postmaster.is_server_process(running.pid, data), _STOP_LIMIT_SECONDS):
        raise WarehouseError(
            f"PostgreSQL (process {running.pid}) is still writing after {_STOP_LIMIT_SECONDS:.0f} s.",
            remedy=f"Wait, or end it with `kill -QUIT {running.pid}`: it recovers at the next start.",
        )
    return True


def _initialise(places: Folders, account: Account, binaries: Binaries) -> None:
    """Make the data folder beside its place and rename it, so that half a folder is never used."""
    target = places.data.resolve()
    if target.exists() and any(target.iterdir()):
        raise ServerStartError(
            "The folder postgres in the state folder holds something that is not a database.",
            remedy="Move it away, or choose another FULCRUM_HOME.",
        )
    unfinished = target.with_name(f"{target.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    account.own(unfinished)
    made = account.run(
        [
            str(binaries.initdb),
            f"--pgdata={unfinished}",
            "--username=postgres",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
            "--locale-provider=builtin",  # the same order on every machine and C library
            "--builtin-locale=C.UTF-8",
            "--data-checksums",
        ],
        timeout=600,
    )
    if made.returncode != 0:
        raise ServerStartError(
            f"PostgreSQL could not make its data folder: {_last_lines(made.stdout)}",
            remedy="Mend what it names (often a full disk), then run the command again.",
        )
    with (unfinished / "postgresql.conf").open("a") as file:
        file.write(f"\ninclude '{configuration.FILE_NAME}'\n")
    (unfinished / "pg_hba.conf").write_text(configuration.HOST_BASED_AUTHENTICATION)
    if target.exists():
        target.rmdir()
    unfinished.rename(target)


def _clear_leftovers(data: Path) -> None:
    """Remove what a killed server left, once none of its processes can still write.

    PostgreSQL checks the same by itself, but gives up when the number in its pid file has since
    been given to another process of the same user, which is usual in containers.
    """
    orphans = [process.pid for process in postmaster.server_processes(data)]
    for number in (None, signal.SIGTERM, signal.SIGQUIT):
        for pid in orphans:
            if number is not None and postmaster.is_server_process(pid, data):
                os.kill(pid, number)
        if _wait(lambda: not any(postmaster.is_server_process(p, data) for p in orphans), _ORPHAN_SECONDS):
            break
    else:
        raise ServerStartError(
            f"Processes {orphans} of a server that was killed still use the database folder.",
            remedy="End them, then run the command again.",
        )
    if (data / "postmaster.pid").exists():
        (data / "postmaster.pid").unlink()


def _launch(places: Folders, account: Account, binaries: Binaries) -> None:
    """Start `postgres` detached: in a session of its own, its parent a shell that ends at once."""
    settings_file = places.data / configuration.FILE_NAME
    settings_file.write_text(
        configuration.settings_text(
            socket_dir=folders.socket_dir(places, account),
            log_dir=places.logs.resolve(),
            has_lz4=binaries.has_lz4(),
        )
    )
    settings_file.chmod(0o600)
    account.own(settings_file)
    log = _start_log(places)
    log.unlink(missing_ok=True)
    launched = subprocess.run(
        ["/bin/sh", "-c", '"$@" </dev/null >>start.log 2>&1 &', "sh", binaries.postgres, "-D", places.data.resolve()],
        cwd=places.data.resolve(),
        env=clean_environment(),
        start_new_session=True,
        check=False,
        user=account.uid if account.is_other else None,
        group=account.gid if account.is_other else None,
        extra_groups=[] if account.is_other else None,
    )
    if launched.returncode != 0:
        raise ServerStartError("The shell that starts PostgreSQL failed.", remedy="See that /bin/sh works.")


def _wait_until_ready(places: Folders, notify: Notify) -> Postmaster:
    """Wait as long as the server makes progress; a recovery may take minutes."""
    begun = moved = time.monotonic()
    seen, told, appeared = -1.0, False, False
    while time.monotonic() - begun < _START_LIMIT_SECONDS:
        running = postmaster.read_postmaster(places.data)
        if running is not None and running.is_ready:
            return running
        appeared = appeared or running is not None
        waited = time.monotonic() - begun > (0.2 if appeared else _APPEAR_SECONDS)
        if running is None and waited and not postmaster.server_processes(places.data):
            raise _start_error(places, "PostgreSQL ended while it started.")
        now = time.monotonic()
        if now - begun > _TELL_AFTER_SECONDS:
            if not told:
                notify("PostgreSQL is recovering from an unclean stop; waiting as long as it makes progress")
                told = True
            work = postmaster.activity(places.data)
            if work > seen:
                seen, moved = work, now
            elif now - moved > _STALLED_SECONDS:
                break
        time.sleep(_POLL_SECONDS if now - begun < _TELL_AFTER_SECONDS else 0.5)
    raise _start_error(places, "PostgreSQL is running but has made no progress, and takes no connections.")


def _start_error(places: Folders, message: str) -> ServerStartError:
    logs = sorted(places.logs.glob("*.log"), key=lambda path: path.stat().st_mtime)
    candidates = [path for path in (_start_log(places), *logs[-1:]) if path.exists()]
    texts = [_last_lines(path.read_text(errors="replace")) for path in candidates]
    # What goes wrong before the log files are open is in the start log, all else in the newest file.
    text = next((text for text in texts if "FATAL" in text), "".join(texts[-1:]))
    return ServerStartError(
        f"{message} Its last words: {text or 'none'}",
        remedy="Mend what they name (disk, memory, permissions) and run the command again; `fulcrum doctor` helps.",
    )


def _start_log(places: Folders) -> Path:
    return places.data / "start.log"


def _last_lines(text: str, count: int = 6) -> str:
    return " | ".join(line.strip() for line in text.strip().splitlines()[-count:])


def _wait(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True
