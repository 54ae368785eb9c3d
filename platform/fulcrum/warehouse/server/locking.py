"""A lock between processes that the kernel frees when its holder dies, `kill -9` included.

What is done under the lock does not belong here.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fulcrum.errors import WarehouseError

_POLL_SECONDS = 0.05


@contextmanager
def exclusive(path: Path, *, timeout: float, purpose: str) -> Iterator[None]:
    """Hold the lock file `path`; wait up to `timeout` seconds for another holder.

    Raises:
        WarehouseError: another process still holds it after `timeout` seconds.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _acquire(descriptor, path, timeout, purpose)
        yield
    finally:
        os.close(descriptor)


def _acquire(descriptor: int, path: Path, timeout: float, purpose: str) -> None:
    deadline = time.monotonic() + timeout
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise WarehouseError(
                    f"Another process has held {path.name} for {timeout:.0f} s; this one wants to {purpose}.",
                    remedy="See with `fulcrum status` what it does, or end it.",
                ) from None
            time.sleep(_POLL_SECONDS)
        else:
            return
