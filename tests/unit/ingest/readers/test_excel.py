"""Workbooks: rows keep their sheet numbers, numbers their digits, and a contract is enough for a new one."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from fulcrum.contracts.delivery import Landed
from fulcrum.contracts.model import Dialect, FeedContract, FeedField, Found, LogicalType
from fulcrum.errors import DeliveryRefusedError
from fulcrum.ingest.readers.excel import read
from fulcrum.ingest.readers.interface import Row

CONTRACT = FeedContract(
    feed="broker_positions",
    title="Broker positions",
    owner="operations",
    source="BROKER",
    target="core.holding",
    reader="excel",
    dialect=Dialect(header_within=10, footer="blank_row"),
    fields=(
        FeedField(name="isin", header="ISIN"),
        FeedField(name="quantity", header="Shares", logical_type=LogicalType.NUMBER),
    ),
    found=(Found(name="business_date", origin="preamble", label="As of"),),
)
SHEET = """
<row r="3"><c r="A3" t="inlineStr"><is><t>As of</t></is></c><c r="B3" t="inlineStr"><is><t>2026-01-05</t></is></c></row>
<row r="5"><c r="A5" t="inlineStr"><is><t>ISIN</t></is></c><c r="B5" t="inlineStr"><is><t>Shares</t></is></c></row>
<row r="6"><c r="A6" t="inlineStr"><is><t>US0378331005</t></is></c><c r="B6"><v>90771106</v></c></row>
<row r="7"><c r="A7" t="inlineStr"><is><t>US5949181045</t></is></c><c r="B7"><v>0.1</v></c></row>
<row r="9"><c r="A9" t="inlineStr"><is><t>Past performance is no guide.</t></is></c></row>
"""
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"


def workbook(sheet: str) -> bytes:
    """The smallest xlsx with one sheet."""
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="xml" '
        'ContentType="application/xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="r1" '
        f'Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets><sheet name="Positions" sheetId="1" '
        'r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="r1" '
        f'Type="{OFFICE}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{MAIN}"><sheetData>{sheet}</sheetData></worksheet>',
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, f'<?xml version="1.0" encoding="UTF-8"?>{text}')
    return buffer.getvalue()


def landed(folder: Path, content: bytes) -> Landed:
    (folder / "landed").write_bytes(content)
    return Landed("0" * 64, len(content), folder / "landed", "positions.xlsx")


def test_rows_carry_their_number_in_the_sheet_and_exact_numbers(tmp_path: Path) -> None:
    reading = read(landed(tmp_path, workbook(SHEET)), CONTRACT, {})
    assert reading.metadata == {"business_date": "2026-01-05"}
    assert list(reading.rows) == [
        Row(6, {"ISIN": "US0378331005", "Shares": "90771106"}),
        Row(7, {"ISIN": "US5949181045", "Shares": "0.1"}),
    ]


def test_a_workbook_without_the_contracts_sheet_says_which_it_has(tmp_path: Path) -> None:
    wanted = CONTRACT.model_copy(update={"dialect": CONTRACT.dialect.model_copy(update={"sheet": "Holdings"})})
    with pytest.raises(DeliveryRefusedError, match="value 'Positions': The workbook has no sheet 'Holdings'"):
        read(landed(tmp_path, workbook(SHEET)), wanted, {})


def test_a_workbook_that_unpacks_to_a_mountain_is_refused(tmp_path: Path) -> None:
    content = workbook(SHEET + "<!--" + " " * (40 << 20) + "-->")
    with pytest.raises(DeliveryRefusedError, match="zip bomb"):
        read(landed(tmp_path, content), CONTRACT, {})
