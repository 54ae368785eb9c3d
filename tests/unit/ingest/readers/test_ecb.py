"""ECB tables become one row per rate, with a number of its own."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fulcrum.errors import DeliveryRefusedError

FEED = "ecb_fx_rates"
Read = Callable[..., Any]


def test_a_wide_table_becomes_long(read: Read, filings: Path) -> None:
    reading, rows, refused = read(FEED, filings / "eurofxref-hist.csv")
    assert [(row.source_row, *row.cells.values()) for row in rows] == [
        (202, "2026-10-30", "USD", "1.1172"),
        (203, "2026-10-30", "JPY", "175.68"),
        (302, "2026-10-29", "USD", "1.113"),
        (402, "1999-01-04", "USD", "1.1789"),
        (403, "1999-01-04", "JPY", "133.73"),
        (404, "1999-01-04", "CYP", "0.58231"),
    ]
    assert "Days: 3; currencies: 3; not quoted (N/A) and left out: 2." in reading.messages[0]
    assert [(row.source_row, row.column, row.value) for row in refused] == [(303, "JPY", "oops")]


def test_the_file_of_one_day_has_another_date_format(read: Read, filings: Path) -> None:
    _, rows, _ = read(FEED, filings / "eurofxref.csv")
    assert [tuple(row.cells.values()) for row in rows] == [
        ("2026-10-30", "USD", "1.1172"),
        ("2026-10-30", "JPY", "175.68"),
    ]


def test_the_zip_reads_as_its_member(read: Read, filings: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(filings / "eurofxref-hist.csv", "eurofxref-hist.csv")
    assert read(FEED, packed.getvalue())[1] == read(FEED, filings / "eurofxref-hist.csv")[1]


def test_a_zip_of_two_files_is_refused(read: Read) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.csv", "Date,USD\n")
        archive.writestr("b.csv", "Date,USD\n")
    with pytest.raises(DeliveryRefusedError, match="2 files, not one"):
        read(FEED, packed.getvalue())


def test_a_bad_date_puts_its_line_in_quarantine(read: Read) -> None:
    _, rows, refused = read(FEED, b"Date,USD,\n2026-13-01,1.1,\n2026-01-02,1.2,\n")
    assert [row.cells["rate"] for row in rows] == ["1.2"]
    assert [(row.source_row, row.column, row.value) for row in refused] == [(201, "Date", "2026-13-01")]


@pytest.mark.parametrize("rate", ["-1.1", "1,1", "1e5", "NaN", "=1+1", "\u0661.1"])
def test_only_plain_positive_decimals_are_rates(read: Read, rate: str) -> None:
    content = f"Date,USD,JPY,\n2026-01-02,{rate.replace(',', ';')},150,\n".encode()
    _, rows, refused = read(FEED, content)
    assert [row.cells["currency"] for row in rows] == ["JPY"]
    assert [row.column for row in refused] == ["USD"]


def test_a_file_without_the_trailing_commas_is_as_good(read: Read) -> None:
    _, rows, _ = read(FEED, b"\xef\xbb\xbfDate,USD\r\n2026-01-02,1.2\r\n\r\n")
    assert [row.cells["rate"] for row in rows] == ["1.2"]


def test_a_line_that_breaks_off_is_refused(read: Read) -> None:
    with pytest.raises(DeliveryRefusedError, match=r"row 3.*Line 3 has 2 cells, the header 3") as refusal:
        read(FEED, b"Date,USD,JPY,\n2026-01-02,1.2,150,\n2026-01-01,1.")
    assert "nothing of it was used" in str(refusal.value)


def test_another_table_is_refused(read: Read) -> None:
    with pytest.raises(DeliveryRefusedError, match=r"row 1, column 'Name'.*not `Date` followed by currency codes"):
        read(FEED, b"Ticker,Name\nABC,Example\n")
    with pytest.raises(DeliveryRefusedError, match="column 'close'"):
        read(FEED, b"Date,close\n2026-01-02,1\n")
    with pytest.raises(DeliveryRefusedError, match="Two columns are of one currency"):
        read(FEED, b"Date,USD,USD\n2026-01-02,1,1\n")
