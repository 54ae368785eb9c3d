"""What Form N-PORT says becomes cells, line by line, whatever the holding is."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from fulcrum.errors import DeliveryRefusedError

FEED = "nport_filing"
Read = Callable[..., Any]


@pytest.fixture
def cells(read: Read, filings: Path) -> list[dict[str, str]]:
    """The cells of the nine holdings of the made-up fund."""
    _, rows, refused = read(FEED, filings / "nport.xml")
    assert refused == []
    assert [row.source_row for row in rows] == list(range(1, 10))
    return [row.cells for row in rows]


def test_the_date_is_the_portfolios_not_the_end_of_the_fiscal_year(read: Read, filings: Path) -> None:
    reading, _, _ = read(FEED, filings / "nport.xml")
    assert reading.metadata["business_date"] == "2023-03-31"
    assert reading.metadata["fiscal_year_end"] == "2023-09-30"
    assert reading.metadata["portfolio_code"] == "S000099999"
    assert reading.metadata["portfolio_name"] == "Example & Sons Bond Fund"
    assert reading.metadata["portfolio_lei"] == "DEMO00FULCRUM0FUND41"


def test_a_fund_without_a_series_is_named_by_its_registrant(read: Read, filings: Path) -> None:
    content = (filings / "nport.xml").read_bytes()
    content = content.replace(b"<seriesId>S000099999</seriesId>", b"<seriesId>N/A</seriesId>")
    reading, _, _ = read(FEED, content.replace(b"Example &amp; Sons Bond Fund", b"N/A"))
    assert reading.metadata["portfolio_code"] == "0000099999"
    assert reading.metadata["portfolio_name"] == "Example Trust"


def test_values_and_balances_come_as_written(cells: list[dict[str, str]]) -> None:
    assert cells[0]["valUSD"] == "1012345.67"
    assert cells[0]["pctVal"] == "10.1234567"
    assert cells[0]["balance"] == "1000000"
    assert sum(Decimal(row["valUSD"]) for row in cells) == Decimal("4590145.95")


def test_a_bond_has_its_identifiers_maturity_and_coupon(cells: list[dict[str, str]]) -> None:
    bond = cells[0]
    assert (bond["isin"], bond["cusip"], bond["lei"]) == ("US99999A1025", "99999A102", "DEMO00FULCRUM00KK085")
    assert (bond["maturityDt"], bond["annualizedRt"]) == ("2030-03-01", "5.000000")
    assert bond["other"] == "", "the filer's own code only names what nothing stronger names"


def test_long_and_short_legs_of_one_security_stay_two_positions(cells: list[dict[str, str]]) -> None:
    short, long = cells[1], cells[2]
    assert short["cusip"] == long["cusip"]
    assert (short["balance"], short["position"]) == ("-2000000", "SHORT")
    assert (long["balance"], long["position"]) == ("5000000", "")


def test_a_short_with_a_positive_balance_gets_a_negative_quantity_and_is_told(read: Read, filings: Path) -> None:
    reading, rows, _ = read(FEED, filings / "nport.xml")
    future, sold = rows[7].cells, rows[8].cells
    assert (future["balance"], future["position"]) == ("-5", "SHORT")
    assert (sold["balance"], sold["position"]) == ("-40", "SHORT")
    assert sold["valUSD"] == "400", "values stay as reported"
    assert any(message.startswith("2 short positions with a positive balance") for message in reading.messages)
    assert any(
        message.startswith("1 short securities are reported with a positive value") for message in reading.messages
    )


def test_kinds_tell_funds_paper_and_derivatives_apart(cells: list[dict[str, str]]) -> None:
    assert [row["kind"] for row in cells] == [
        "DBT", "ABS-MBS", "ABS-MBS", "EC/RF", "STIV/debt", "FWD", "FWD", "FUT", "OTHER",
    ]  # fmt: skip


def test_a_currency_with_its_rate_is_told_and_usd_has_none(cells: list[dict[str, str]]) -> None:
    assert (cells[5]["curCd"], cells[5]["exchangeRt"]) == ("JPY", "131.449")
    assert (cells[0]["curCd"], cells[0]["exchangeRt"]) == ("USD", "")


def test_a_derivative_is_named_by_the_filers_code_within_the_filer(cells: list[dict[str, str]]) -> None:
    assert cells[5]["cusip"] == "", "zeros are no CUSIP"
    assert cells[5]["other"] == "0000099999/T-1"
    assert cells[5]["lei"] == "", "the counterparty is not the issuer"
    assert cells[5]["name"] == "Bank of Examples"


def test_a_derivative_without_any_code_is_named_by_its_terms(cells: list[dict[str, str]]) -> None:
    assert cells[6]["other"] == "0000099999/FWD Bank of Examples 1000 EUR 880 GBP 2023-04-27"


def test_a_security_without_any_code_is_named_by_its_description(read: Read, filings: Path) -> None:
    content = (filings / "nport.xml").read_bytes().replace(b"<cusip>99999D403</cusip>", b"<cusip>N/A</cusip>")
    _, rows, _ = read(FEED, content)
    assert rows[4].cells["other"] == "0000099999/Bank of Examples Commercial paper 2023-06-30"


def test_a_bloomberg_identifier_that_is_a_figi_is_taken_as_one(cells: list[dict[str, str]]) -> None:
    assert (cells[7]["figi"], cells[7]["other"]) == ("BBG000000016", "")


def test_a_notional_is_taken_only_where_it_is_in_usd(read: Read, filings: Path) -> None:
    reading, rows, _ = read(FEED, filings / "nport.xml")
    assert [row.cells["notionalUSD"] for row in rows[5:8]] == ["138811.25", "", ""]
    assert any(message.startswith("2 derivatives state no notional in USD") for message in reading.messages)


def test_gzipped_filings_read_the_same(read: Read, filings: Path) -> None:
    plain = (filings / "nport.xml").read_bytes()
    assert read(FEED, gzip.compress(plain))[1] == read(FEED, plain)[1]


def test_an_amendment_says_that_it_replaces(read: Read, filings: Path) -> None:
    content = (filings / "nport.xml").read_bytes().replace(b">NPORT-P<", b">NPORT-P/A<")
    assert "amendment (NPORT-P/A)" in read(FEED, content)[0].messages[0]


def test_assets_that_the_filing_does_not_list_are_told(read: Read, filings: Path) -> None:
    content = (filings / "nport.xml").read_bytes().replace(b"<assetsAttrMiscSec>0.00<", b"<assetsAttrMiscSec>12.50<")
    assert "12.50 USD are not listed" in read(FEED, content)[0].messages[0]


def test_a_half_written_filing_is_refused_with_the_last_whole_holding(read: Read, filings: Path) -> None:
    content = (filings / "nport.xml").read_bytes()
    cut = content[: content.index(b"PURCHASED EUR")]
    with pytest.raises(DeliveryRefusedError, match=r"ends in the middle.*after 6 complete <invstOrSec>") as refusal:
        read(FEED, cut, name="half.xml")
    assert (refusal.value.file, refusal.value.row) == ("half.xml", 7)
    assert "Fetch it again" in str(refusal.value)


def test_broken_markup_is_refused_with_its_line(read: Read, filings: Path) -> None:
    content = (filings / "nport.xml").read_bytes().replace(b"</title>", b"</titel>", 3)
    with pytest.raises(DeliveryRefusedError, match=r"not well-formed XML \(mismatched tag\) at line \d+"):
        read(FEED, content)


def test_another_form_is_refused_with_the_feed_that_reads_it(read: Read, filings: Path) -> None:
    with pytest.raises(DeliveryRefusedError, match=r"<informationTable>.*feed form13f_filing"):
        read(FEED, filings / "form13f_table.xml")
    with pytest.raises(DeliveryRefusedError, match=r"<edgarSubmission>: SEC Form 13F cover page"):
        read(FEED, filings / "form13f_cover.xml")
    with pytest.raises(DeliveryRefusedError, match="holds no N-PORT document"):
        read(FEED, filings / "form13f_submission.txt")


def test_a_filing_that_does_not_say_which_fund_it_is_is_refused(read: Read, filings: Path) -> None:
    content = (filings / "nport.xml").read_bytes().replace(b"repPdDate", b"otherDate")
    with pytest.raises(DeliveryRefusedError, match="does not tell business_date"):
        read(FEED, content)
