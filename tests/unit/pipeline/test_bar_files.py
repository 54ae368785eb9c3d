"""Files of price bars, as vendors and people write them."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from fulcrum.errors import DeliveryRefusedError
from fulcrum.pipeline import bar_files

DAYS = [dt.date(2024, 5, 30), dt.date(2024, 5, 31), dt.date(2024, 6, 3)]


def written(folder: Path, text: str, name: str = "X-1d.csv") -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def of_days(folder: Path, cells: list[str], header: str = "Date,Close") -> dict[dt.date, str]:
    """By day as it is kept, the close, of a file whose rows are dated by `cells`."""
    bars = bar_files.read(written(folder, "\n".join([header, *(f"{cell},{10 + n}" for n, cell in enumerate(cells))])))
    days = bar_files.days_of([bars])
    return {days[stamp]: row["Close"] for stamp, row in bars.rows.items()}


@pytest.mark.parametrize(
    "cells",
    [
        ["2024-05-30", "2024-05-31", "2024-06-03"],
        ["2024-05-30 00:00:00+08:00", "2024-05-31 00:00:00+08:00", "2024-06-03 00:00:00+08:00"],
        ["2024-05-30T00:00:00.000Z", "2024-05-31T00:00:00.000Z", "2024-06-03T00:00:00.000Z"],
        ["2024-05-30 00:00:00 EDT", "2024-05-31 00:00:00 EDT", "2024-06-03 00:00:00 EDT"],
        ["2024-05-29 16:00:00+00:00", "2024-05-30 16:00:00+00:00", "2024-06-02 16:00:00+00:00"],
        ["2024-05-30 20:00:00+00:00", "2024-05-31 20:00:00+00:00", "2024-06-03 20:00:00+00:00"],
        ["20240530", "20240531", "20240603"],
        ["2024/5/30", "2024/5/31", "2024/6/3"],
        ["30/05/2024", "31/05/2024", "03/06/2024"],
        ["05/30/2024", "05/31/2024", "06/03/2024"],
        ["5/30/2024 0:00", "5/31/2024 0:00", "6/3/2024 0:00"],
        ["30.05.2024", "31.05.2024", "03.06.2024"],
        ["30-May-2024", "31-May-2024", "03-Jun-2024"],
        ["1717027200", "1717113600", "1717372800"],
    ],
)
def test_dates_are_read_however_they_are_written(tmp_path: Path, cells: list[str]) -> None:
    assert of_days(tmp_path, cells) == dict(zip(DAYS, ("10", "11", "12"), strict=True))


def test_days_and_months_that_could_be_either_are_read_as_weekdays(tmp_path: Path) -> None:
    american = [f"0{month}/0{day}/2024" for month, day in ((4, 1), (4, 2), (4, 3), (4, 4), (4, 5), (4, 8))]
    assert min(of_days(tmp_path, american, "Day,Close")) == dt.date(2024, 4, 1)
    european = [f"0{day}/0{month}/2024" for month, day in ((4, 1), (4, 2), (4, 3), (4, 4), (4, 5), (4, 8))]
    assert max(of_days(tmp_path, european, "Day,Close")) == dt.date(2024, 4, 8)


def test_newest_first_is_turned_round_and_the_last_of_two_bars_counts(tmp_path: Path) -> None:
    bars = bar_files.read(written(tmp_path, "Date,Close\n2024-05-31,2\n2024-05-30,1\n2024-05-31,3\n"))
    assert [row["Close"] for row in bars.rows.values()] == ["1", "3"]
    assert bars.notes == ("X-1d.csv: 1 bars stand twice; the last one counts.",)


def test_columns_are_known_by_other_names_left_out_and_added(tmp_path: Path) -> None:
    text = "Ticker;timestamp;close;ADJ_CLOSE;dividend;Note\nX;2024-05-30;1;0.9;;a\nX;2024-05-31;2;2;0.1;b\n"
    bars = bar_files.read(written(tmp_path, text))
    assert bars.columns == ("Close", "Adj Close", "Dividends")
    copy = tmp_path / "copy.csv"
    bar_files.write(bars, bar_files.days_of([bars]), copy)
    assert copy.read_text(encoding="utf-8").splitlines() == [
        "Date,Open,High,Low,Close,Adj Close,Volume,Dividends",
        "2024-05-30,,,,1,0.9,,",
        "2024-05-31,,,,2,2,,0.1",
    ]


def test_cells_that_hold_no_number_are_empty_and_thousands_are_read(tmp_path: Path) -> None:
    text = (
        'Date,Open,High,Low,Close,Volume\n2024-05-30,N/A,-,None,"1,234.5",1e3\n2024-05-31,inf,nan,,#N/A,x\nTotal,,,,,\n'
    )
    bars = bar_files.read(written(tmp_path, text))
    assert [dict(row) for row in bars.rows.values()] == [{"Close": "1234.5", "Volume": "1e3"}, {}]
    assert bars.notes == ("X-1d.csv: 1 rows without a date that can be read are left out.",)


def test_bars_within_a_day_get_days_of_their_own_that_a_pair_shares(tmp_path: Path) -> None:
    times = ("2024-05-30 09:30:00-04:00", "2024-05-30 09:45:00-04:00", "2024-05-31 09:30:00-04:00")
    whole = bar_files.read(written(tmp_path, "Datetime,Close\n" + "".join(f"{time},1\n" for time in times)))
    part = bar_files.read(written(tmp_path, "Datetime,Close\n" + "".join(f"{time},1\n" for time in times[1:])))
    days = bar_files.days_of([part, whole])
    assert [days[stamp] for stamp in whole.rows] == [dt.date(2024, 5, day) for day in (29, 30, 31)]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty"),
        ("Date,Open\n2024-05-30,1\n", "no column Close"),
        ("Open,Close\n1,1\n", "no column Date"),
        ("Date,Close\n", "no row with a date"),
        ("Date,Close\nsoon,1\n", "no row with a date"),
    ],
)
def test_a_file_without_bars_is_refused_with_the_reason(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(DeliveryRefusedError, match=says):
        bar_files.read(written(tmp_path, text))
