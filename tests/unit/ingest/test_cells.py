"""Cells in several dialects: what they say is kept to the last digit, what says nothing is refused."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fulcrum.ingest.cells import CellError, date_parser, has_form, is_formula, number_parser, text_parser

AMOUNTS = st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**18), max_value=10**18)
DAYS = st.dates(dt.date(1700, 1, 1), dt.date(9999, 12, 31))
GERMAN_MONTHS = ("Jan", "Feb", "Mär", "Apr", "Mai", "Jun", "Jul", "Aug", "Sep", "Okt", "Nov", "Dez")
DIALECTS = [(".", ",", "1,234.56"), (",", ".", "1.234,56"), (".", "'", "1'234.56"), (",", " ", "1 234,56")]


@pytest.mark.parametrize(("mark", "thousands", "_example"), DIALECTS)
@given(amount=AMOUNTS)
def test_a_number_written_in_a_dialect_comes_back_exactly(
    mark: str, thousands: str, _example: str, amount: Decimal
) -> None:
    english = f"{amount:,.4f}"
    written = english.translate(str.maketrans(",.", thousands + mark))
    assert Decimal(number_parser(mark, thousands)(written) or "") == amount
    assert Decimal(number_parser(mark, thousands)(written.replace(thousands, "")) or "") == amount


@pytest.mark.parametrize(("mark", "thousands", "example"), DIALECTS)
def test_a_number_of_another_dialect_is_refused_rather_than_guessed(mark: str, thousands: str, example: str) -> None:
    for other_mark, other_thousands, _ in DIALECTS:
        if (other_mark, other_thousands) != (mark, thousands):
            with pytest.raises(CellError):
                number_parser(other_mark, other_thousands)(example + "7" if other_mark == mark else example)
        else:
            assert number_parser(other_mark, other_thousands)(example) == "1234.56"


@pytest.mark.parametrize("text", ["NaN", "inf", "-Infinity", "1_000", "0x1F", "12x", "1,23,456", "1..2", "--1", ""])
def test_what_is_no_plain_number_is_refused(text: str) -> None:
    with pytest.raises(CellError):
        number_parser(".", ",")(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("$587,866,090.50", "587866090.50"), ("9.28%", "9.28"), ("(1,234.50)", "-1234.50"), ("1.53E+11", "1.53E+11")],
)
def test_units_and_accountants_brackets_are_understood(text: str, expected: str) -> None:
    assert number_parser(".", ",", ("$", "%"))(text) == expected


def test_scale_multiplies_exactly() -> None:
    assert number_parser(scale="1000")("299007622.119") == "299007622119.000"


@given(day=DAYS)
def test_a_date_written_in_any_format_comes_back(day: dt.date) -> None:
    month = GERMAN_MONTHS[day.month - 1]
    written = {
        "%Y-%m-%d": day.isoformat(),
        "%m/%d/%Y": f"{day.month}/{day.day}/{day.year:04}",
        "%d.%m.%Y": f"{day.day:02}.{day.month:02}.{day.year:04}",
        "%d.%b.%Y": f"{day.day}.{month}.{day.year:04}",
        "%Y%m%d": f"{day.year:04}{day.month:02}{day.day:02}",
    }
    for form, text in written.items():
        assert date_parser([form])(text) == day.isoformat(), form


@pytest.mark.parametrize(
    ("form", "text", "expected"),
    [
        ("%d.%b.%Y", "20.Jan.2026", "2026-01-20"),
        ("%b %d, %Y", "Mar 10, 2022", "2022-03-10"),
        ("%d %B %Y", "30 October 2026", "2026-10-30"),
        ("%d. %B %Y", "3. März 2026", "2026-03-03"),
        ("%d-%b-%y", "10-Nov-94", "1994-11-10"),
    ],
)
def test_month_names_are_english_and_german(form: str, text: str, expected: str) -> None:
    assert date_parser([form])(text) == expected


@pytest.mark.parametrize("text", ["2026-02-30", "2026-13-01", "30.Foo.2026", "yesterday", "2026-1-5x", "1/2/2026"])
def test_what_is_no_day_is_refused(text: str) -> None:
    with pytest.raises(CellError):
        date_parser(["%Y-%m-%d", "%d.%b.%Y"])(text)


def test_a_date_outside_what_is_believed_is_refused_with_the_bounds() -> None:
    with pytest.raises(CellError, match="outside 2000-01-01 to 2030-01-01"):
        date_parser(["%Y-%m-%d"], dt.date(2000, 1, 1), dt.date(2030, 1, 1))("2062-01-05")


@pytest.mark.parametrize(
    "text", ["=cmd|'/C calc'!A0", "@SUM(1+1)", "+cmd|' /C calc'!A0", "-1+cmd|' /C calc'!A0", "\t=1"]
)
def test_what_a_spreadsheet_would_run_is_a_formula(text: str) -> None:
    assert is_formula(text)


@pytest.mark.parametrize("text", ["-", "-12.50", "+1.5", "- (unlisted)", "A=B", "a@b.de", "", "--", "3M CO"])
def test_what_a_spreadsheet_would_only_show_is_none(text: str) -> None:
    assert not is_formula(text)


def test_an_identifier_is_told_by_its_check_digit() -> None:
    assert has_form("isin", "US0378331005")
    assert not has_form("isin", "US0378331006")
    assert has_form("cusip", "88160R101")
    assert not has_form("cusip", "BREADUMMY")
    assert has_form("sedol", "BMW8R04")
    assert has_form("us_ticker", "BRK.B")
    assert not has_form("us_ticker", "3690")


def test_a_pattern_cuts_the_market_off_a_ticker() -> None:
    assert text_parser(r"^(?P<value>[A-Z0-9./]+?)(?:\.0)?(?: [A-Z]{2})?$")("RKLB UQ") == "RKLB"
