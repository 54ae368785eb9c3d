"""Measuring the price rules on files as people have them: complete, incomplete, unreadable."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import pytest

from fulcrum.errors import QueryError
from fulcrum.pipeline.known_errors import measure, total_of
from fulcrum.settings import Settings


def history(
    folder: Path,
    name: str,
    times: Mapping[int, float] | None = None,
    form: str = "2024-{month:02}-{day:02}",
    **shape: bool,
) -> None:
    """Fifty bars of a price that moves by about a percent; `times` multiplies single ones; newest first if `turned`."""
    lines = []
    for number in range(50):
        price = 100 * (1 + 0.01 * math.sin(number * 2.4)) * (times or {}).get(number, 1)
        date = form.format(month=number // 25 + 1, day=number % 25 + 1)
        lines.append(
            f"{date},{price:.4f}" if shape.get("bare") else f"{date},{price:.4f},{price:.4f},{price:.4f},{price:.4f},7"
        )
    header = "Date,Close" if shape.get("bare") else "Datetime,Open,High,Low,Close,Volume"
    lines = lines[::-1] if shape.get("turned") else lines
    (folder / name).write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "histories"
    made.mkdir()
    return made


def test_files_of_any_kind_interval_order_and_date_format_are_measured(
    settings: Settings, folder: Path, tmp_path: Path
) -> None:
    history(folder, "A-L-1wk-strange-new-kind.csv", {20: 100, 21: 100}, turned=True)
    history(folder, "A-L-1wk-strange-new-kind-fixed.csv", form="2024/{month}/{day}")
    history(folder, "^b=x-15m-bad-unit.csv", {30: 0.01}, form="2024-01-{month:02} 10:{day:02}:00-05:00")
    history(folder, "^b=x-15m-bad-unit-fixed.csv", form="2024-01-{month:02} 10:{day:02}:00-05:00", bare=True)
    history(folder, "C.HK-1d.csv", form="{day:02}/{month:02}/2024", bare=True)
    kinds = measure(settings, folder, tmp_path)
    assert {name: (kind.errors, kind.missed, kind.points, kind.alarms) for name, kind in kinds.items()} == {
        "strange-new-kind": (1, [], 50, {}),
        "bad-unit": (1, [], 50, {}),
        "series": (0, [], 50, {}),
    }


def test_what_cannot_be_measured_is_said_and_the_rest_is_measured(
    settings: Settings, folder: Path, tmp_path: Path
) -> None:
    history(folder, "A-1d-bad-div.csv")
    history(folder, "B-1d-bad-div-fixed.csv")
    history(folder, "C-1d-bad-div.csv", {20: 100})
    history(folder, "C-1d-bad-div-fixed.csv")
    file = folder / "C-1d-bad-div-fixed.csv"
    file.write_text("\n".join(file.read_text(encoding="utf-8").splitlines()[:-3]), encoding="utf-8")
    (folder / "D-1d-bad-div.csv").write_text("", encoding="utf-8")
    (folder / "E-1d-bad-div.csv").write_bytes(b"\x00\xff\x01binary")
    kinds = measure(settings, folder, tmp_path)
    assert (total_of(kinds).errors, total_of(kinds).missed, total_of(kinds).points) == (1, [], 97)
    notes = " ".join(kinds["bad-div"].notes)
    assert "A-1d-bad-div.csv: nothing says what is true" in notes
    assert "C-1d-bad-div.csv: 3 bars are in one of the two files only" in notes
    assert "D-1d-bad-div.csv: The file is empty" in notes
    assert "E-1d-bad-div.csv: The file has no column Close" in notes


def test_a_folder_of_which_nothing_can_be_measured_is_refused_with_the_reasons(
    settings: Settings, folder: Path, tmp_path: Path
) -> None:
    history(folder, "A-1d-bad-div.csv")
    with pytest.raises(QueryError, match="nothing says what is true"):
        measure(settings, folder, tmp_path)
