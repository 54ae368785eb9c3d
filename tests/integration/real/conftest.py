"""Real public files: read from `../shared/data` beside the project, never copied into it."""

from __future__ import annotations

from pathlib import Path

import pytest

from fulcrum.settings import PROJECT_ROOT

REAL = PROJECT_ROOT.parent / "shared" / "data"


@pytest.fixture(scope="session")
def real() -> Path:
    """The folder of real files; the test is skipped where it is absent."""
    if not REAL.is_dir():
        pytest.skip("the real public files (../shared/data) are not on this machine")
    return REAL
