"""Real filings, register files and rates, where they are at hand: nothing lost, nothing added."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from fulcrum.errors import DeliveryRefusedError
from fulcrum.settings import PROJECT_ROOT

REAL = PROJECT_ROOT.parent / "shared" / "data"
Read = Callable[..., Any]

pytestmark = pytest.mark.skipif(
    not REAL.is_dir(), reason="the real public files (../shared/data) are not on this machine"
)


def total(rows: list[Any], cell: str) -> Decimal:
    return sum((Decimal(row.cells[cell]) for row in rows), Decimal(0))


def test_the_municipal_bond_fund(read: Read) -> None:
    reading, rows, refused = read("nport_filing", REAL / "holdings/nport_xml/NPORT-P_dupree_kentucky_2022-12-31.xml")
    assert (len(rows), refused) == (55, [])
    assert total(rows, "valUSD") == Decimal("40455026.70")
    assert reading.metadata["business_date"] == "2022-12-31"
    assert reading.metadata["fiscal_year_end"] == "2023-06-30"
    assert all(row.cells["isin"] and row.cells["cusip"] and row.cells["units"] == "PA" for row in rows)


def test_the_bond_fund_with_forwards_swaps_and_mortgages(read: Read) -> None:
    file = REAL / "holdings/nport_xml/NPORT-P_goldman_sachs_bond_fund_2023-03-31.xml"
    reading, rows, refused = read("nport_filing", file)
    assert (len(rows), refused) == (1685, [])
    assert total(rows, "valUSD") == Decimal("376129711.56")
    assert Counter(row.cells["kind"] for row in rows) == {
        "DBT": 603, "FWD": 554, "ABS-MBS": 283, "OPT": 90, "SWP": 76, "SWO": 42, "ABS-CBDO": 14, "FUT": 12,
        "ABS-O": 7, "EC/RF": 2, "STIV/debt": 2,
    }  # fmt: skip
    assert sum(row.cells["position"] == "SHORT" for row in rows) == 95
    assert not any("negative quantity" in message for message in reading.messages), "this filer signs its balances"
    names = Counter(
        (row.cells["isin"] or row.cells["cusip"] or row.cells["figi"] or row.cells["other"], row.cells["position"])
        for row in rows
    )
    assert len(names) == 1685, "every line is a position of its own"
    assert "" not in {name for name, _ in names}


@pytest.mark.parametrize(
    ("file", "lines", "dollars"),
    [
        ("berkshire_2022-09-30_0000950123-22-012275_infotable.xml", 179, 296_096_640_000),
        ("berkshire_2022-12-31_0000950123-23-002585_infotable.xml", 172, 299_007_622_119),
        ("LTS_One_0001894188-23-000007_full_submission.txt", 14, 454_926_000),
    ],
)
def test_13f_tables_in_dollars(read: Read, file: str, lines: int, dollars: int) -> None:
    reading, rows, refused = read("form13f_filing", REAL / "holdings/13f" / file)
    assert (len(rows), refused) == (lines, [])
    assert total(rows, "valueUSD") == dollars
    assert len({(row.cells["cusip"], row.cells["position"]) for row in rows}) == lines
    assert reading.metadata.get("control_total", str(dollars)) == str(dollars)


@pytest.mark.parametrize(
    ("file", "says"),
    [
        ("metlife_2021-12-31_coverpage.xml", "Cover page only: METLIFE INC"),
        ("abacus_2020-12-31_coverpage.xml", "Cover page only: Abacus Wealth Partners, LLC"),
        ("adviser_2021-09-30_value_in_dollars_infotable.xml", "--set filed_date="),
    ],
)
def test_13f_files_that_cannot_be_used_say_why(read: Read, file: str, says: str) -> None:
    with pytest.raises(DeliveryRefusedError, match=says):
        read("form13f_filing", REAL / "holdings/13f" / file)


def test_both_files_of_the_lei_register(read: Read) -> None:
    golden = REAL / "reference/gleif_golden_copy_lei2_intraday_2024-05-05.json.gz"
    _, rows, refused = read("gleif_lei", golden)
    assert (len(rows), refused) == (577, [])
    assert len({row.cells["lei"] for row in rows}) == 577
    assert Counter(row.cells["registrationStatus"] for row in rows) == {"LAPSED": 333, "ISSUED": 244}
    assert all(all(row.cells.values()) for row in rows)
    reading, one, _ = read("gleif_lei", REAL / "reference/gleif_api_lapsed_549300LBI3LRIZ2V8V66.json")
    assert reading.metadata["business_date"] == "2024-07-06"
    assert [(row.cells["legalName"], row.cells["registrationStatus"]) for row in one] == [
        ("UK EQUITY FUND (OFFSHORE)", "LAPSED")
    ]


def test_the_whole_history_of_reference_rates(read: Read) -> None:
    reading, rows, refused = read("ecb_fx_rates", REAL / "fx/eurofxref-hist.zip")
    assert (len(rows), refused) == (221_702, [])
    assert "Days: 7,126; currencies: 41; not quoted (N/A) and left out: 70,464." in reading.messages[0]
    assert len({row.source_row for row in rows}) == len(rows)
    latest = {row.cells["currency"]: row.cells["rate"] for row in rows[:29]}
    _, one_day, _ = read("ecb_fx_rates", REAL / "fx/eurofxref_one_day.csv")
    assert {row.cells["currency"]: Decimal(row.cells["rate"]) for row in one_day} == {
        currency: Decimal(rate) for currency, rate in latest.items()
    }


def test_half_of_a_real_filing_is_refused_with_its_last_whole_holding(read: Read) -> None:
    content = (REAL / "holdings/nport_xml/NPORT-P_goldman_sachs_bond_fund_2023-03-31.xml").read_bytes()
    with pytest.raises(DeliveryRefusedError, match=r"after [\d,]+ complete <invstOrSec>: the file is half-written"):
        read("nport_filing", content[: len(content) // 2])
