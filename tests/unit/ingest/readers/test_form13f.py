"""Form 13F tables become dollars and positions that stay apart; what is no complete table is refused."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from fulcrum.errors import DeliveryRefusedError
from fulcrum.ingest.readers.form13f_unit import Clues, Unit, unit_of

FEED = "form13f_filing"
Read = Callable[..., Any]


def total(rows: list[Any]) -> Decimal:
    return sum((Decimal(row.cells["valueUSD"]) for row in rows), Decimal(0))


def test_values_in_thousands_become_dollars_exactly(read: Read, filings: Path) -> None:
    reading, rows, _ = read(FEED, filings / "form13f_table.xml", parameters={"filed_date": "2022-11-14"})
    assert total(rows) == 1_994_543_000
    assert reading.metadata["value_unit"] == "thousands"
    assert "thousands of dollars, stored as dollars" in reading.messages[0]


def test_values_in_dollars_stay_dollars(read: Read, filings: Path) -> None:
    _, rows, _ = read(FEED, filings / "form13f_table.xml", parameters={"filed_date": "2023-01-03"})
    assert total(rows) == 1_994_543


def test_a_submission_tells_filer_period_filing_date_and_control_totals(read: Read, filings: Path) -> None:
    reading, rows, _ = read(FEED, filings / "form13f_submission.txt")
    assert reading.metadata == {
        "portfolio_code": "0000099999",
        "portfolio_name": "Example Management LP",
        "accession_number": "0000099999-23-000007",
        "business_date": "2023-09-30",
        "filed_date": "2023-11-14",
        "control_rows": "4",
        "control_column": "market_value",
        "control_total": "1994543",
        "value_unit": "dollars",
    }
    assert total(rows) == 1_994_543
    assert [row.source_row for row in rows] == [1, 2, 3, 4]


def test_the_control_total_has_the_unit_of_the_table(read: Read, filings: Path) -> None:
    content = (filings / "form13f_submission.txt").read_text()
    old = content.replace("20231114", "20221114").replace("20230930", "20220930").replace("-2023", "-2022")
    reading, rows, _ = read(FEED, old.encode())
    assert reading.metadata["control_total"] == "1994543000"
    assert total(rows) == 1_994_543_000


def test_prefixed_and_plain_tables_read_the_same(read: Read, filings: Path) -> None:
    plain = read(FEED, filings / "form13f_table.xml", parameters={"filed_date": "2023-11-14"})[1]
    assert read(FEED, filings / "form13f_submission.txt")[1] == plain


def test_lines_of_one_security_stay_apart_by_their_managers(read: Read, filings: Path) -> None:
    _, rows, _ = read(FEED, filings / "form13f_submission.txt")
    assert [row.cells["position"] for row in rows] == ["DFND|4,8", "DFND|4,10", "SOLE||PUT", "SOLE"]


def test_an_option_is_no_share_of_what_it_is_written_on(read: Read, filings: Path) -> None:
    option = read(FEED, filings / "form13f_submission.txt")[1][2].cells
    assert (option["cusip"], option["other"], option["kind"]) == ("", "99999A102 PUT", "PUT")
    assert option["title"] == "EXAMPLE CORP COM PUT"


def test_principal_amounts_are_told_from_shares(read: Read, filings: Path) -> None:
    note = read(FEED, filings / "form13f_submission.txt")[1][3].cells
    assert (note["kind"], note["sshPrnamtType"], note["nameOfIssuer"]) == ("PRN", "PRN", "EXAMPLE & SONS")


def test_the_portfolio_is_the_commands_then_the_file_names_first_word(read: Read, filings: Path) -> None:
    name = "berkshire_2022-12-31_0000950123-23-002585_infotable.xml"
    table = filings / "form13f_table.xml"
    assert read(FEED, table, name=name)[0].metadata["portfolio_code"] == "BERKSHIRE"
    told = read(FEED, table, name=name, parameters={"portfolio_code": "0001067983"})[0]
    assert told.metadata["portfolio_code"] == "0001067983"


@pytest.mark.parametrize(
    ("clues", "is_thousands", "evidence"),
    [
        (Clues("a.xml", filed="20230102"), True, "submission header"),
        (Clues("a.xml", filed="20230103"), False, "submission header"),
        (Clues("a.xml", signed="03-22-2023", period="2021-12-31"), False, "signed"),
        (Clues("x_0000950123-22-012275.xml"), True, "is of 2022"),
        (Clues("0000950123-23-002585.txt"), False, "is of 2023"),
        (Clues("0000950123-99-002585.txt"), True, "is of 1999"),
        (Clues("a.xml", period="2022-12-31"), False, "can only be filed since"),
        (Clues("a.xml", parameters={"filed_date": "2022-12-30"}), True, "--set filed_date"),
    ],
)
def test_the_unit_follows_the_filing_date(clues: Clues, is_thousands: bool, evidence: str) -> None:  # noqa: FBT001
    unit = unit_of(clues)
    assert unit.is_thousands is is_thousands
    assert evidence in unit.evidence


def test_a_table_that_tells_no_filing_date_is_refused_with_what_to_pass(read: Read, filings: Path) -> None:
    with pytest.raises(DeliveryRefusedError, match=r"--set filed_date=YYYY-MM-DD") as refusal:
        read(FEED, filings / "form13f_table.xml", name="infotable.xml", parameters={"business_date": "2022-09-30"})
    assert refusal.value.file == "infotable.xml"


def test_a_command_that_contradicts_the_file_is_refused() -> None:
    with pytest.raises(DeliveryRefusedError, match="contradict each other"):
        unit_of(Clues("x_0000950123-22-012275.xml", parameters={"filed_date": "2023-02-14"}))


def test_a_filing_of_the_last_evening_of_a_year_has_the_date_of_the_next() -> None:
    overnight = unit_of(Clues("x_0000950123-22-012275.xml", parameters={"filed_date": "2023-01-03"}))
    assert not overnight.is_thousands


def test_a_signature_is_not_asked_where_the_header_tells() -> None:
    assert not unit_of(Clues("a.xml", filed="20231114", signed="November 14")).is_thousands
    with pytest.raises(DeliveryRefusedError, match=r"column 'signatureDate', value 'November 14': This is no date"):
        unit_of(Clues("a.xml", signed="November 14"))


def test_a_filing_older_than_its_period_is_refused() -> None:
    with pytest.raises(DeliveryRefusedError, match="before its period ended"):
        unit_of(Clues("a.xml", filed="20221114", period="2022-12-31"))


@pytest.mark.parametrize(("value", "dollars"), [("12", "12000"), ("1.5", "1500"), ("-3", "-3000"), ("n/a", "n/a")])
def test_thousands_are_exact_and_what_is_no_number_is_left_to_the_gate(value: str, dollars: str) -> None:
    assert Unit(is_thousands=True, evidence="").in_dollars(value) == dollars


def test_a_cover_page_alone_is_refused(read: Read, filings: Path) -> None:
    with pytest.raises(DeliveryRefusedError, match=r"Cover page only: Example Management LP, period 09-30-2023, "):
        read(FEED, filings / "form13f_cover.xml")


def test_a_notice_is_refused_as_one(read: Read, filings: Path) -> None:
    content = (filings / "form13f_cover.xml").read_bytes().replace(b"13F HOLDINGS REPORT", b"13F NOTICE")
    with pytest.raises(DeliveryRefusedError, match="Notice only: Example Management LP"):
        read(FEED, content)


def test_an_amendment_that_only_adds_is_refused(read: Read, filings: Path) -> None:
    added = b"<amendmentInfo><amendmentType>NEW HOLDINGS</amendmentType></amendmentInfo><filingManager>"
    content = (filings / "form13f_submission.txt").read_bytes().replace(b"<filingManager>", added)
    with pytest.raises(DeliveryRefusedError, match="lists only holdings that the first filing left out"):
        read(FEED, content)


def test_a_half_written_submission_is_refused_with_the_last_whole_line(read: Read, filings: Path) -> None:
    content = (filings / "form13f_submission.txt").read_bytes()
    with pytest.raises(DeliveryRefusedError, match="after 3 complete <infoTable>"):
        read(FEED, content[: content.index(b"NOTE 1.250%")])
    with pytest.raises(DeliveryRefusedError, match=r"ends in the middle|Cover page only"):
        read(FEED, content[: content.index(b"<ns1:informationTable")])
