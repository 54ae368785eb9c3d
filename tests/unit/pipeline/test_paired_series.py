"""Which files belong together, and which errors one of them has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from fulcrum.pipeline.paired_series import Bars, errors_of, is_right, kind_of, market_of, truth_of


@pytest.mark.parametrize(
    ("name", "kind", "market"),
    [
        ("1398-HK-1d-bad-div-fixed", "bad-div", "HK"),
        ("SSW-JO-1d-100x-error", "100x-error", "JO"),
        ("ABC-L-15m-bad-unit", "bad-unit", "L"),
        ("ABC-1wk-bad-stock-split", "bad-stock-split", ""),
        ("ABC.TO-1mo-new-kind_fixed", "new-kind", "TO"),
        ("8TRA-DE-90m-missing-div-adjust", "missing-div-adjust", "DE"),
        ("ABC-1d", "series", ""),
        ("abc", "series", ""),
    ],
)
def test_a_name_tells_kind_and_market(name: str, kind: str, market: str) -> None:
    assert (kind_of(Path(f"{name}.csv")), market_of(Path(f"{name}.csv"))) == (kind, market)


def test_a_truth_is_found_by_its_name_and_a_lone_file_is_right_unless_its_name_says_otherwise(tmp_path: Path) -> None:
    for name in ("A-1d-bad-div.csv", "A-1d-bad-div-fixed.csv", "B-1d-bad-div.csv", "B-1d-bad-div_fixed.csv"):
        (tmp_path / name).touch()
    truths = [truth_of(tmp_path / f"{name}-1d-bad-div.csv") for name in "ABC"]
    assert [truth and truth.name for truth in truths] == ["A-1d-bad-div-fixed.csv", "B-1d-bad-div_fixed.csv", None]
    right = ("A-1d-bad-div-fixed.csv", "A-1d-no-bad-divs.csv", "A-1d.csv", "A-1h-quiet.csv")
    assert all(is_right(Path(name)) for name in right)
    assert not any(
        is_right(Path(name)) for name in ("A-1d-bad-div.csv", "A-100x-error.csv", "A-1d-cg-double-count.csv")
    )


def bars(rows: Sequence[Mapping[str, float] | None]) -> Bars:
    """By day of one month; None is a day without a bar."""
    lines = [(f"2024-01-{day:02}", row) for day, row in enumerate(rows, start=1) if row is not None]
    return {day: (line, row) for line, (day, row) in enumerate(lines, start=2)}


def test_a_run_of_wrong_prices_is_one_error_and_so_is_one_wrong_low() -> None:
    true = bars([{"Low": 9.0, "Close": 10.0 + day} for day in range(9)])
    wrong = bars(
        [{"Low": 900.0 if day == 7 else 9.0, "Close": (10.0 + day) * (100 if day in (2, 3) else 1)} for day in range(9)]
    )
    assert [(error.what, sorted(error.lines)) for error in errors_of(wrong, true)] == [
        ("prices of 2024-01-03 to 2024-01-04", [4, 5, 6]),
        ("prices of 2024-01-08 to 2024-01-08", [9, 10]),
    ]


def test_an_adjustment_is_an_error_where_its_ratio_to_the_truth_changes() -> None:
    true = bars(
        [{"Close": 10.0, "Adj Close": 9.0 if day < 3 else 10.0, "Dividends": float(day == 3)} for day in range(6)]
    )
    wrong = bars([{"Close": 10.0, "Adj Close": 10.0, "Dividends": float(day == 3)} for day in range(6)])
    assert [error.what for error in errors_of(wrong, true)] == ["adjustment on 2024-01-04"]


def test_files_that_lack_columns_are_compared_by_what_both_have() -> None:
    true = bars([{"Low": 9.0, "Close": 10.0, "Adj Close": 9.0} for _ in range(4)])
    assert list(errors_of(bars([{"Close": 10.0} for _ in range(4)]), true)) == []


def test_bars_that_are_missing_are_one_error_where_they_are_many() -> None:
    true = bars([{"Close": 10.0 + day} for day in range(20)])
    few = bars([None if 3 <= day < 6 else {"Close": 10.0 + day} for day in range(20)])
    many = bars([None if 3 <= day < 10 else {"Close": 10.0 + day} for day in range(20)])
    assert list(errors_of(few, true)) == []
    assert [(error.what, set(error.lines)) for error in errors_of(many, true)] == [("7 bars before 2024-01-11", {5})]
    assert list(errors_of(true, many)) == []
