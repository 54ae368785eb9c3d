"""The price rules on real histories with known errors, and on real ones that are right."""

from __future__ import annotations

from pathlib import Path

import pytest

from fulcrum.pipeline.known_errors import measure, table_of, total_of
from fulcrum.settings import Settings

pytestmark = pytest.mark.slow


def test_the_rules_find_the_known_errors_and_cry_wolf_less_than_once_in_a_thousand(
    settings: Settings, real: Path, tmp_path: Path
) -> None:
    from rich.console import Console

    kinds = measure(settings, real / "prices" / "yahoo_known_errors", tmp_path)
    Console(width=150).print(table_of(kinds))
    total = total_of(kinds)
    assert total.errors > 60
    assert total.points > 12_000
    assert total.recall >= 95, total.missed
    assert total.false_alarms < 1, total.alarms
    assert kinds["no-bad-divs"].alarms == {}
