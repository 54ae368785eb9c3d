"""Crash injection for the tests: a named checkpoint that kills the process when asked to.

Nothing else may look at `FULCRUM_FAULT`; without it a checkpoint costs one dictionary look-up.
"""

from __future__ import annotations

import os
import signal


def checkpoint(name: str) -> None:
    """End this process with SIGKILL if `FULCRUM_FAULT` names this checkpoint."""
    if os.environ.get("FULCRUM_FAULT") == name:
        os.kill(os.getpid(), signal.SIGKILL)
