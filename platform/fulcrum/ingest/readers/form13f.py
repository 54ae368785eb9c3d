"""SEC Form 13F: what a manager holds at a quarter's end, one row per line of the information table.

Here the structure is flattened and values become dollars; what the codes mean stands in the contract.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from xml.etree.ElementTree import Element

from fulcrum.contracts.delivery import Landed
from fulcrum.contracts.model import FeedContract
from fulcrum.errors import DeliveryRefusedError
from fulcrum.ingest.readers.byte_source import ByteSource, open_landed
from fulcrum.ingest.readers.edgar import Filing, cusip_or_nothing, value_or_nothing
from fulcrum.ingest.readers.form13f_unit import Clues, Unit, parse_date, unit_of
from fulcrum.ingest.readers.interface import Reading, Row
from fulcrum.ingest.readers.xml_stream import XmlDocument, text_of

WANTED = "an SEC Form 13F"
RECORD = "infoTable"
COVER_PARTS = ("headerData", "coverPage", "signatureBlock", "summaryPage")


def read(landed: Landed, contract: FeedContract, parameters: Mapping[str, str]) -> Reading:
    """Open an information table, bare or inside a full submission text file.

    Metadata, as far as the file tells it: `business_date`, `portfolio_code` (the filer's CIK, else
    the command's, else the first word of the file name as `portfolio_in_file_name` cuts it out),
    `portfolio_name`, `filed_date`, and from the cover page `control_rows`, `control_total`.

    Raises:
        DeliveryRefusedError: this is no 13F table, only a cover page, an amendment that lists only
            additions, or nothing tells whether its values are dollars or thousands.
    """
    source = open_landed(landed, WANTED)
    try:
        filing = Filing(source, WANTED)
        document, cover = _find_table(filing)
        metadata = _metadata(filing, cover)
        if "portfolio_code" not in metadata and (code := _portfolio_elsewhere(landed, contract, parameters)):
            metadata["portfolio_code"] = code
        period = metadata.get("business_date") or _period_elsewhere(landed, contract, parameters)
        unit = unit_of(
            Clues(
                file=landed.file_name,
                filed=filing.header.get("FILED AS OF DATE", ""),
                signed=cover.get("signatureDate", ""),
                period=period,
                parameters=parameters,
            )
        )
    except BaseException:
        source.close()
        raise
    if total := cover.get("tableValueTotal"):
        metadata |= {"control_column": "market_value", "control_total": unit.in_dollars(total)}
    metadata["value_unit"] = "thousands" if unit.is_thousands else "dollars"
    return Reading(metadata, _rows(source, document, unit), [unit.message])


def _find_table(filing: Filing) -> tuple[XmlDocument, dict[str, str]]:
    """The information table, still to be read, and the facts of the cover page before it."""
    cover: dict[str, str] = {}
    for found in filing.documents():
        document = XmlDocument(found.source, record=RECORD)
        root = document.root
        if root.name == "informationTable":
            _refuse_additions(filing.file, cover)
            return document, cover
        if root.name == "edgarSubmission" and "thirteenf" in root.namespace:
            cover = _read_cover(document)
        elif not filing.is_submission:
            raise DeliveryRefusedError(
                f"This is no SEC Form 13F: its root element is {root.description}.",
                file=filing.file,
                row=1,
                remedy="Deliver it to the feed that reads it, or fetch the filing's information table.",
            )
    raise _no_table(filing, cover)


def _no_table(filing: Filing, cover: Mapping[str, str]) -> DeliveryRefusedError:
    name = cover.get("name") or filing.header.get("COMPANY CONFORMED NAME", "an unknown filer")
    if cover.get("reportType", "").upper() == "13F NOTICE":
        return DeliveryRefusedError(
            f"Notice only: {name} holds nothing to report here, other managers report it.",
            file=filing.file,
            remedy="Deliver the filings of the managers that the cover page lists.",
        )
    if not cover:
        return DeliveryRefusedError(
            "The submission holds no information table in XML.",
            file=filing.file,
            remedy="Tables before 2013 are plain text, which this feed does not read; fetch the full submission.",
        )
    announced = cover.get("tableEntryTotal", "an unknown number of")
    return DeliveryRefusedError(
        f"Cover page only: {name}, period {cover.get('periodOfReport', 'unknown')}, announces {announced} "
        "positions, but the information table is not in this file.",
        file=filing.file,
        remedy="Deliver the full submission text file, or the filing's information table XML.",
    )


def _refuse_additions(file: str, cover: Mapping[str, str]) -> None:
    if cover.get("amendmentType", "").upper() == "NEW HOLDINGS":
        raise DeliveryRefusedError(
            "This amendment lists only holdings that the first filing left out; as a complete table it "
            "would remove all others.",
            file=file,
            column="amendmentType",
            value=cover["amendmentType"],
            remedy="Deliver a file that joins the first filing's table and this one.",
        )


def _read_cover(document: XmlDocument) -> dict[str, str]:
    wanted = {
        "headerData": {"cik": "filerInfo/filer/credentials/cik", "periodOfReport": "filerInfo/periodOfReport"},
        "coverPage": {
            "name": "filingManager/name",
            "reportType": "reportType",
            "quarter": "reportCalendarOrQuarter",
            "amendmentType": "amendmentInfo/amendmentType",
        },
        "signatureBlock": {"signatureDate": "signatureDate"},
        "summaryPage": {"tableEntryTotal": "tableEntryTotal", "tableValueTotal": "tableValueTotal"},
    }
    facts: dict[str, str] = {}
    for part, element in document.elements(COVER_PARTS):
        found = {name: value_or_nothing(text_of(element, path)) for name, path in wanted[part].items()}
        facts |= {name: value for name, value in found.items() if value}
    return facts


def _metadata(filing: Filing, cover: Mapping[str, str]) -> dict[str, str]:
    header = filing.header
    period = header.get("CONFORMED PERIOD OF REPORT") or cover.get("periodOfReport") or cover.get("quarter", "")
    facts = {
        "portfolio_code": header.get("CENTRAL INDEX KEY") or cover.get("cik", ""),
        "portfolio_name": cover.get("name") or header.get("COMPANY CONFORMED NAME", ""),
        "accession_number": header.get("ACCESSION NUMBER", ""),
        "control_rows": cover.get("tableEntryTotal", ""),
    }
    if period:
        facts["business_date"] = parse_date(filing.file, period, "periodOfReport").isoformat()
    if filed := header.get("FILED AS OF DATE"):
        facts["filed_date"] = parse_date(filing.file, filed, "FILED AS OF DATE").isoformat()
    return {name: value for name, value in facts.items() if value}


def _portfolio_elsewhere(landed: Landed, contract: FeedContract, parameters: Mapping[str, str]) -> str:
    """The command's code, else the word that the file's name begins with: a told code beats a guess."""
    pattern = contract.reader_options.get("portfolio_in_file_name")
    match = re.search(pattern, landed.file_name) if pattern else None
    return parameters.get("portfolio_code") or (match[1].upper() if match else "")


def _period_elsewhere(landed: Landed, contract: FeedContract, parameters: Mapping[str, str]) -> str:
    """The period that the file's name or the command tells, where the file itself does not."""
    for fact in contract.found:
        if fact.name == "business_date" and fact.origin == "file_name" and fact.pattern:
            match = re.search(fact.pattern, landed.file_name)
            if match:
                return match[fact.name]
    return parameters.get("business_date", "")


def _rows(source: ByteSource, document: XmlDocument, unit: Unit) -> Iterator[Row]:
    try:
        for ordinal, (_, line) in enumerate(document.elements((RECORD,)), start=1):
            yield Row(ordinal, _cells(line, unit))
    finally:
        source.close()


def _cells(line: Element, unit: Unit) -> dict[str, str | None]:
    right = text_of(line, "putCall").upper()
    cusip = cusip_or_nothing(text_of(line, "cusip"))
    title = " ".join(part for part in (text_of(line, "nameOfIssuer"), text_of(line, "titleOfClass"), right) if part)
    other = "" if cusip else title
    if cusip and right:
        other = f"{cusip} {right}"
    amount_kind = text_of(line, "shrsOrPrnAmt/sshPrnamtType").upper()
    managers = [re.sub(r"\s", "", manager.text or "") for manager in line.iterfind("otherManager")]
    position = (text_of(line, "investmentDiscretion").upper(), ",".join(filter(None, managers)), right)
    return {
        # Of an option the form gives the CUSIP of what it is written on: the option is not that share.
        "cusip": "" if right else cusip,
        "other": other,
        "nameOfIssuer": text_of(line, "nameOfIssuer"),
        "title": title,
        "valueUSD": unit.in_dollars(text_of(line, "value")),
        "sshPrnamt": text_of(line, "shrsOrPrnAmt/sshPrnamt"),
        "sshPrnamtType": amount_kind,
        "kind": right or amount_kind,
        "position": "|".join(position).rstrip("|"),
    }
