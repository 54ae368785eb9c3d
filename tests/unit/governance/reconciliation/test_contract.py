"""What a contract may say, and that those we ship say it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
import yaml

from fulcrum.errors import ContractError
from fulcrum.governance.reconciliation.contract import lint, load, names
from fulcrum.settings import Settings, read_settings

TODAY = dt.date(2026, 11, 22)
SETTINGS = read_settings()


def test_every_kind_is_shipped() -> None:
    assert {load(SETTINGS, name, TODAY).contract.about for name in names(SETTINGS)} == {
        *("positions", "cash", "prices", "nav")
    }


@pytest.mark.parametrize("name", names(SETTINGS))
def test_its_numbers_have_units_and_its_runbook_exists(name: str) -> None:
    ready = load(SETTINGS, name, TODAY)
    assert all(judged["unit"] and judged["since"] <= "2026-11-22" for judged in ready.judged_by().values())
    path, _, anchor = ready.contract.runbook.partition("#")
    headings = [line[3:].lower().replace(" ", "-") for line in (SETTINGS.project / path).read_text().splitlines()]
    assert anchor in headings


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"ageing": [5, 1]}, "ageing ascends"),
        ({"classes": [{"class": "missing", "severity": "info"}]}, "the last is unknown"),
        ({"matches": {"timing": ["next_date"]}}, "name both or neither"),
        ({"compares": [{"column": "value"}]}, "names a tolerance"),
        ({"compares": [{"column": "value", "absolute": "no_such_number"}]}, "unknown tolerances: no_such_number"),
        ({"keys": ["currency"]}, "keys name portfolio or instrument"),
        ({"surprise": 1}, "Extra inputs"),
        ({"reconciliation": "another"}, "calls itself 'another'"),
    ],
)
def test_what_nobody_can_mean_is_refused_with_the_file(tmp_path: Path, change: dict[str, Any], says: str) -> None:
    folder = tmp_path / "quality" / "reconciliations"
    folder.mkdir(parents=True)
    quality = SETTINGS.project / "quality"
    (tmp_path / "quality" / "tolerances.yaml").write_text((quality / "tolerances.yaml").read_text("utf-8"), "utf-8")
    document = yaml.safe_load((quality / "reconciliations" / "reported_nav.yaml").read_text("utf-8"))
    (folder / "reported_nav.yaml").write_text(yaml.safe_dump(document | change), "utf-8")
    elsewhere = Settings(home=tmp_path / "home", project=tmp_path)
    with pytest.raises(ContractError, match=says) as refused:
        load(elsewhere, "reported_nav", TODAY)
    assert "quality/reconciliations/reported_nav.yaml" in str(refused.value)
    (problem,) = lint(elsewhere, TODAY)
    assert says in problem


def test_an_unknown_name_is_answered_with_those_that_exist() -> None:
    with pytest.raises(ContractError, match="custody_positions"):
        load(SETTINGS, "nothing", TODAY)
