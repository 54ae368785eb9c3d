"""The landing zone: every file as it arrived, named by its SHA-256, never changed and never lost.

What is inside a file is none of landing's business: unreadable files land too.
"""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
from pathlib import Path
from typing import BinaryIO

from fulcrum.contracts.delivery import Landed
from fulcrum.errors import DeliveryRefusedError
from fulcrum.settings import Settings

__all__ = ["Landed", "land"]

_BLOCK = 1 << 20


def land(settings: Settings, path: Path) -> Landed:
    """Store the file at `path` under its hash, and say where; the same bytes again change nothing.

    The copy is hashed while it is written, made durable, and renamed in one step, so that whatever
    stands under a hash is whole; what a crash leaves is a temporary file that the next landing removes.

    Raises:
        DeliveryRefusedError: the source cannot be read, or the landing zone cannot be written.
    """
    try:
        source = path.open("rb")
    except OSError as error:
        raise _refusal(path, "cannot be read", error, "Check the path and its permissions.") from error
    with source:
        try:
            sha256, size, temporary = _copy(source, settings.landing)
        except OSError as error:
            remedy = (
                "Check the landing zone's disk and permissions." if error.errno in _OF_TARGET else "Check the file."
            )
            raise _refusal(path, "cannot be landed", error, remedy) from error
    target = settings.landing / sha256[:2] / sha256
    try:
        _put(temporary, target)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise _refusal(path, "cannot be landed", error, "Check the landing zone's disk and permissions.") from error
    return Landed(sha256=sha256, size_bytes=size, path=target, file_name=path.name)


_OF_TARGET = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EMFILE)


def _refusal(path: Path, what: str, error: OSError, remedy: str) -> DeliveryRefusedError:
    reason = error.strerror or type(error).__name__
    return DeliveryRefusedError(f"The file {what}: {reason}.", file=path.name, remedy=remedy)


def _copy(source: BinaryIO, landing: Path) -> tuple[str, int, Path]:
    """Copy to a temporary file of the landing zone; returns hash, bytes and that file."""
    incoming = landing / "incoming"
    incoming.mkdir(parents=True, exist_ok=True)
    _sweep(incoming)
    temporary = incoming / f"{os.getpid()}-{secrets.token_hex(8)}"
    digest, size = hashlib.sha256(), 0
    try:
        with temporary.open("xb") as copy:
            while block := source.read(_BLOCK):
                digest.update(block)
                copy.write(block)
                size += len(block)
            copy.flush()
            os.fsync(copy.fileno())
        temporary.chmod(0o440)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    return digest.hexdigest(), size, temporary


def _put(temporary: Path, target: Path) -> None:
    if target.exists():
        temporary.unlink()
        return
    target.parent.mkdir(exist_ok=True)
    temporary.replace(target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _sweep(incoming: Path) -> None:
    """Remove what landings left whose process is gone."""
    for left in incoming.iterdir():
        pid = left.name.partition("-")[0]
        if pid.isdigit() and int(pid) != os.getpid() and not _is_alive(int(pid)):
            left.unlink(missing_ok=True)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
