"""Both shapes of GLEIF's JSON become the same cells, in the script of the register."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fulcrum.errors import DeliveryRefusedError

FEED = "gleif_lei"
Read = Callable[..., Any]


def test_golden_copy_names_keep_their_script(read: Read, filings: Path) -> None:
    reading, rows, refused = read(FEED, filings / "gleif_golden_copy.json")
    assert refused == []
    assert reading.metadata == {}, "a golden copy's date is in its name"
    assert rows[0].cells == {
        "lei": "DEMO00FULCRUM00KK085",
        "legalName": "例示証券株式会社",
        "country": "JP",
        "city": "東京都",
        "jurisdiction": "JP",
        "legalForm": "T417",
        "entityStatus": "ACTIVE",
        "registrationStatus": "ISSUED",
        "nextRenewalDate": "2027-01-31",
    }
    assert (rows[1].source_row, rows[1].cells["legalName"]) == (2, "Beispiel & Söhne AG")


def test_an_api_record_and_a_page_of_them(read: Read, filings: Path) -> None:
    reading, rows, _ = read(FEED, filings / "gleif_api_record.json")
    assert reading.metadata == {"business_date": "2024-07-06"}
    assert len(rows) == 1
    assert rows[0].cells["registrationStatus"] == "LAPSED"
    assert rows[0].cells["nextRenewalDate"] == "2014-11-01"
    _, page, _ = read(FEED, filings / "gleif_api_page.json")
    assert [row.cells["lei"] for row in page] == ["DEMO00FULCRUM0FUND41", "DEMO00FULCRUM00KK085"]
    assert page[0].cells == rows[0].cells


def test_gzip_and_block_borders_change_nothing(read: Read, filings: Path) -> None:
    record = json.loads((filings / "gleif_golden_copy.json").read_text())["records"][0]
    many = {"records": [record | {"LEI": {"$": f"{number:020d}"}} for number in range(2_000)]}
    content = json.dumps(many, ensure_ascii=False).encode()
    assert len(content) > 10 * 65_536
    _, rows, _ = read(FEED, gzip.compress(content))
    assert [row.cells["lei"] for row in rows] == [f"{number:020d}" for number in range(2_000)]
    assert {row.cells["city"] for row in rows} == {"東京都"}


def test_parts_that_a_record_lacks_are_null(read: Read) -> None:
    _, rows, _ = read(FEED, b'{"records": [{"LEI": {"$": "X"}, "Entity": {"LegalName": null}}]}')
    assert rows[0].cells["lei"] == "X"
    assert rows[0].cells["legalName"] is None
    assert rows[0].cells["nextRenewalDate"] is None


def test_what_is_no_record_goes_to_quarantine_alone(read: Read) -> None:
    _, rows, refused = read(FEED, b'{"records": [{"LEI": {"$": "X"}}, 7, {"id": 1}]}')
    assert len(rows) == 1
    assert [row.source_row for row in refused] == [2, 3]


def test_keys_after_the_records_are_read_over(read: Read) -> None:
    _, rows, _ = read(FEED, b'{"records": [{"LEI": {"$": "X"}}], "count": 1}')
    assert len(rows) == 1


@pytest.mark.parametrize("share", [0.3, 0.55, 0.8, 0.99])
def test_a_half_written_file_is_refused(read: Read, filings: Path, share: float) -> None:
    content = (filings / "gleif_golden_copy.json").read_bytes()
    with pytest.raises(DeliveryRefusedError, match=r"half-written.*after|after.*half-written"):
        read(FEED, content[: int(len(content) * share)])


def test_other_json_is_refused(read: Read) -> None:
    with pytest.raises(DeliveryRefusedError, match="neither `records`"):
        read(FEED, b'{"errors": [{"status": "404"}]}')
    with pytest.raises(DeliveryRefusedError, match=r"expected '\{', found '\['"):
        read(FEED, b"[1, 2]")


def test_xml_is_refused_as_what_it_is(read: Read, filings: Path) -> None:
    with pytest.raises(DeliveryRefusedError, match=r"XML \(SEC Form N-PORT\), not JSON"):
        read(FEED, filings / "nport.xml")


def test_other_encodings_are_refused(read: Read) -> None:
    with pytest.raises(DeliveryRefusedError, match="not UTF-8"):
        read(FEED, '{"records": [{"LEI": {"$": "Zürich"}}]}'.encode("latin-1"))
