"""Files that are something else, or mean harm, are refused in words, quickly and without growing."""

from __future__ import annotations

import gzip
import io
import resource
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fulcrum.errors import DeliveryRefusedError

Read = Callable[..., Any]
FEEDS = ("nport_filing", "form13f_filing", "gleif_lei", "ecb_fx_rates")
XML_FEEDS = ("nport_filing", "form13f_filing")

LAUGHS = b"""<?xml version="1.0"?>
<!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;&lol;&lol;"><!ENTITY lol3 "&lol2;&lol2;&lol2;">]>
<informationTable><infoTable>&lol3;</infoTable></informationTable>"""


@pytest.mark.parametrize("feed", FEEDS)
def test_nothing_and_blanks_are_refused(read: Read, feed: str) -> None:
    with pytest.raises(DeliveryRefusedError, match="0 bytes"):
        read(feed, b"")
    with pytest.raises(DeliveryRefusedError, match="only blanks"):
        read(feed, b"\xef\xbb\xbf \r\n\n")


@pytest.mark.parametrize("feed", FEEDS)
def test_a_web_page_is_refused_as_one(read: Read, feed: str) -> None:
    with pytest.raises(DeliveryRefusedError, match=r"page\.csv, row 1, .*HTML page") as refusal:
        read(feed, b"\n<!DOCTYPE html><html><title>503</title></html>", name="page.csv")
    assert "download the data file itself" in str(refusal.value)


@pytest.mark.parametrize("feed", XML_FEEDS)
def test_billion_laughs_are_refused_before_they_are_told(read: Read, feed: str) -> None:
    with pytest.raises(DeliveryRefusedError, match="document type declaration"):
        read(feed, LAUGHS)


@pytest.mark.parametrize("feed", XML_FEEDS)
def test_an_external_document_type_is_refused(read: Read, feed: str) -> None:
    content = b'<!DOCTYPE informationTable SYSTEM "file:///etc/passwd"><informationTable/>'
    with pytest.raises(DeliveryRefusedError, match="document type declaration"):
        read(feed, content)


@pytest.mark.parametrize("feed", XML_FEEDS)
def test_what_is_no_xml_is_refused_with_its_beginning(read: Read, feed: str) -> None:
    with pytest.raises(DeliveryRefusedError, match=r"not XML and no EDGAR submission") as refusal:
        read(feed, b"Ticker,Name\nABC,Example")
    assert refusal.value.value is not None
    assert refusal.value.value.startswith("Ticker,Name")


@pytest.mark.parametrize("feed", XML_FEEDS)
def test_an_unknown_root_is_named(read: Read, feed: str) -> None:
    with pytest.raises(DeliveryRefusedError, match=r"root element is <FlexQueryResponse>: Interactive Brokers"):
        read(feed, b"<FlexQueryResponse></FlexQueryResponse>")


@pytest.mark.parametrize("feed", FEEDS)
def test_a_damaged_gzip_is_refused(read: Read, feed: str, filings: Path) -> None:
    whole = gzip.compress((filings / "nport.xml").read_bytes())
    with pytest.raises(DeliveryRefusedError, match="damaged or half-written"):
        read(feed, whole[: len(whole) // 2])


def test_endless_nesting_is_refused(read: Read) -> None:
    with pytest.raises(DeliveryRefusedError, match="nested more than 64 deep"):
        read("form13f_filing", b"<informationTable>" + b"<a>" * 100_000, parameters={"filed_date": "2024-01-02"})


def test_endless_json_nesting_is_refused(read: Read) -> None:
    with pytest.raises(DeliveryRefusedError, match=r"nested too deep|no complete JSON"):
        read("gleif_lei", b'{"records": [' + b"[" * 200_000)


def endless(start: bytes) -> bytes:
    """Gzip of `start` and 100 MB of ones, made without holding them."""
    packer = zlib.compressobj(1, wbits=31)
    return b"".join([packer.compress(start), *(packer.compress(b"1" * 1_000_000) for _ in range(100)), packer.flush()])


def test_a_record_without_end_is_refused_before_it_fills_the_memory(read: Read) -> None:
    bombs = {
        "form13f_filing": endless(b"<informationTable><infoTable><cusip>"),
        "gleif_lei": endless(b'{"records": [{"LEI": "'),
    }
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for feed, bomb in bombs.items():
        with pytest.raises(DeliveryRefusedError, match=r"hold not one complete record"):
            read(feed, bomb, parameters={"filed_date": "2024-01-02"})
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 64_000, f"{grown} kB more than before"


def test_a_zip_bomb_of_blank_lines_is_refused_early(read: Read) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("eurofxref-hist.csv", b"Date,USD,\n" + b"\n" * 60_000_000)
    with pytest.raises(DeliveryRefusedError, match=r"row 102.*lines are blank"):
        read("ecb_fx_rates", packed.getvalue())


def test_a_zip_bomb_of_rates_is_refused(read: Read) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("eurofxref-hist.csv", b"Date," + b"USD," * 10_000_000)
    with pytest.raises(DeliveryRefusedError, match=r"longer than 65,536 bytes"):
        read("ecb_fx_rates", packed.getvalue())


def test_ten_million_columns_in_one_row_are_refused(read: Read) -> None:
    with pytest.raises(DeliveryRefusedError, match=r"row 1.*longer than 65,536 bytes"):
        read("ecb_fx_rates", b"Date," + b"USD," * 10_000_000)


def test_half_a_zip_is_refused(read: Read, filings: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(filings / "eurofxref-hist.csv", "eurofxref-hist.csv")
    with pytest.raises(DeliveryRefusedError, match="damaged or half-written"):
        read("ecb_fx_rates", packed.getvalue()[:100])
