"""Files that no one should publish: each refused with file, row, column, value and what to do."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Callable
from typing import Any

import pytest

from fulcrum.errors import DeliveryRefusedError

HEADER = "portfolio_code,isin,quantity,price,market_value,currency_code,cost,business_date\n"
ROW = "P1,US0378331005,10.50,1.1,11.55,USD,9,2026-01-05\n"
GOOD = HEADER + ROW * 3


def zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def bomb() -> bytes:
    return gzip.compress(GOOD.encode() + b"0" * (80 << 20))


PAGE = "<!DOCTYPE html>\n<html><head><title>503 Service Unavailable</title></head></html>"
CASES: dict[str, tuple[Callable[[], str | bytes], str]] = {
    "empty": (lambda: "", "0 bytes"),
    "blank": (lambda: " \n \n", "only blanks"),
    "html page": (lambda: PAGE, r"row 1, value '503 Service Unavailable': The file is an HTML page"),
    "xml": (lambda: "<?xml version='1.0'?><a/>", "an XML document"),
    "json": (lambda: '{"error": "no such file"}', "a JSON document"),
    "utf-16": (lambda: GOOD.encode("utf-16"), "UTF-16"),
    "binary": (lambda: GOOD.encode() + b"P1,\x00\x01\x02,1,1,1,USD,1,2026-01-05\n", r"row 5.*NUL"),
    "gbk": (lambda: (HEADER + ROW + ROW.replace("P1", "组合")).encode("gbk"), r"row 3.*looks like GB18030"),
    "latin": (lambda: (HEADER + ROW.replace("P1", "Zürich")).encode("cp1252"), r"row 2.*0xFC.*Windows-1252"),
    "semicolons": (lambda: GOOD.replace(",", ";"), "separated by semicolons"),
    "tabs": (lambda: GOOD.replace(",", "\t"), "separated by tabs"),
    "unknown column": (lambda: GOOD.replace("cost", "colour"), r"row 1, column 'colour'.*does not know 'colour'"),
    "lacking column": (lambda: "portfolio_code,price\nP1,1\n", r"lacks"),
    "another feed": (lambda: "Ticker,Date,Close\nA,2024-03-01,1\n", "it is that of feed eod_closes"),
    "repeated column": (lambda: GOOD.replace("price", "quantity", 1), "twice: 'quantity'"),
    "header only": (lambda: HEADER, "header and no rows"),
    "trailer only": (lambda: HEADER + "#END,rows=0\n", "no rows"),
    "cut in a row": (lambda: GOOD[:-30], r"row 4, column 'quantity', value 'P1,US0378331005,10.'.*cut off"),
    "cut in the last cell": (lambda: GOOD[:-4], r"row 4, column 'business_date', value '2026-01'.*cut off"),
    "formula": (lambda: GOOD + ROW.replace("USD", "=cmd|'/C calc'!A0"), r"row 5, column 'currency_code', value .=cmd"),
    "at formula": (lambda: GOOD + ROW.replace("USD", '"@SUM(1,1)"'), r"row 5, column 'currency_code', value '@SUM"),
    "minus formula": (lambda: GOOD + ROW.replace("USD", "-2+3+cmd|' /C calc'!A0"), r"row 5, column 'currency_code'"),
    "first cell formula": (lambda: GOOD + ROW.replace("P1", "=1+1"), r"row 5, column 'portfolio_code', value '=1"),
    "open quote": (lambda: HEADER + '"' + ROW * 4000, "quote may never close"),
    "ten million columns": (lambda: HEADER + "1," * 10_000_000 + "\n", r"row 2, column .*longer than 1,048,576"),
    "ten million headers": (lambda: "1," * 10_000_000 + "\n", r"row 1, column .*longer than 1,048,576"),
    "german numbers": (lambda: GOOD.replace("10.50", '"1.210,50"'), r"column 'quantity', value '1.210,50'"),
    "other dates": (lambda: GOOD.replace("2026-01-05", "01/05/26"), r"row 2, column 'business_date', value '01/05/26'"),
    "far future": (lambda: GOOD.replace("2026", "2206"), "None of 3 rows"),
    "zip bomb": (bomb, "zip bomb"),
    "cut gzip": (lambda: gzip.compress(GOOD.encode())[:-12], "damaged or half-written"),
    "cut zip": (lambda: zipped({"a.csv": GOOD.encode()})[:-30], "damaged or half-written"),
    "zip of two": (lambda: zipped({"a.csv": b"a", "b.csv": b"b"}), "holds 2 files"),
    "workbook": (lambda: zipped({"[Content_Types].xml": b"<Types/>"}), "an Excel workbook"),
    "old workbook": (lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "old format"),
    "pdf": (lambda: b"%PDF-1.7\n", "a PDF document"),
    "cut parquet": (lambda: b"PAR1" + b"x" * 100, "Parquet file is damaged"),
    "bad trailer": (lambda: GOOD + "#END,rows=three\n", r"row 5.*trailer is not understood"),
    "old mac lines": (lambda: GOOD.replace("\n", "\r"), "holdings.csv, row 1"),
}


@pytest.mark.parametrize("case", CASES)
def test_a_file_that_cannot_be_read_is_refused_whole(staging: Any, case: str) -> None:
    content, says = CASES[case]
    with pytest.raises(DeliveryRefusedError, match=says) as refusal:
        staging(content())
    assert str(refusal.value).startswith("holdings.csv")
    assert refusal.value.remedy
    assert str(staging.folder) not in str(refusal.value)
    assert staging.leftovers() == 0, "nothing is staged"
    assert staging.quarantined() == []
    assert [path.is_file() for path in staging.settings.landing.glob("??/*")] == [True], "the file stays landed"


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        ({}, "Neither the file nor its name tells business_date. Pass --date"),
        ({"business_date": "2026-02-30"}, "is no day of the calendar"),
        ({"business_date": "2206-01-05"}, "is a date outside"),
        ({"business_date": "2026-01-05", "colour": "red"}, "takes no --set colour"),
        ({"business_date": "2026-01-05", "portfolio_code": "P2"}, "row 2, column 'portfolio_code', value 'P1'"),
    ],
)
def test_what_neither_file_nor_command_tells_and_what_contradicts_is_refused(
    staging: Any, parameters: dict[str, str], says: str
) -> None:
    with pytest.raises(DeliveryRefusedError, match=says):
        staging("portfolio_code,isin,quantity\nP1,US0378331005,1\n", **parameters)
    assert staging.leftovers() == 0


def test_a_date_in_the_file_name_may_not_contradict_the_command(staging: Any) -> None:
    text = "portfolio_code,isin,quantity\nP1,US0378331005,1\n"
    with pytest.raises(DeliveryRefusedError, match="file's name says business_date is 2026-01-05, the command says"):
        staging(text, name="holdings_2026-01-05.csv", business_date="2026-01-06")


def test_a_workbook_feed_refuses_text_and_a_broken_workbook(staging: Any) -> None:
    with pytest.raises(DeliveryRefusedError, match="is text, not the Excel workbook"):
        staging(GOOD, "spdr_holdings")
    with pytest.raises(DeliveryRefusedError, match="workbook is damaged"):
        staging(zipped({"[Content_Types].xml": b"<Types/>"}), "spdr_holdings")


def test_a_file_without_the_footer_of_its_feed_was_cut(staging: Any) -> None:
    header = "Ticker,Name,Sector,Asset Class,Market Value,Weight (%),Notional Value,Shares,Price,Location,Exchange,"
    text = (
        header
        + 'Market Currency\n"A","A CO","IT","Equity","1,000.50","1.00","1,000.50","10.00","100.05","US","NYSE","USD"\n'
    )
    arguments = {"feed": "ishares_uk_holdings", "name": "SWDA_x.csv", "business_date": "2026-01-05"}
    with pytest.raises(DeliveryRefusedError, match="footer that ends every file of this feed is missing"):
        staging(text, **arguments)
    assert staging(text, **arguments, complete="yes").rows_in == 1
    assert staging(text + "\u00a0 \n", **arguments).rows_in == 1
