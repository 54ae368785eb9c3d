"""SEC Form N-PORT: a fund's monthly portfolio, one row per `<invstOrSec>`.

The cells of one holding are `nport_holding.py`; what the codes mean stands in the contract.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from xml.etree.ElementTree import Element

from fulcrum.contracts.delivery import Landed
from fulcrum.contracts.model import FeedContract
from fulcrum.errors import DeliveryRefusedError
from fulcrum.ingest.readers.byte_source import ByteSource, open_landed
from fulcrum.ingest.readers.edgar import Filing, value_or_nothing
from fulcrum.ingest.readers.interface import Reading, Row
from fulcrum.ingest.readers.nport_holding import Tally, holding_cells
from fulcrum.ingest.readers.xml_stream import XmlDocument, text_of

WANTED = "an SEC Form N-PORT"
RECORD = "invstOrSec"


def read(landed: Landed, contract: FeedContract, parameters: Mapping[str, str]) -> Reading:
    """Open an N-PORT filing: bare XML, full submission text, either of them gzipped.

    Metadata: `business_date` (`repPdDate`, the date of the portfolio; `repPdEnd` is the end of the
    fiscal year), `portfolio_code` (the series, or the registrant's CIK if it has none), names, LEI,
    net assets.

    Raises:
        DeliveryRefusedError: this is no N-PORT filing, or it does not say which portfolio it is.
    """
    del contract, parameters
    source = open_landed(landed, WANTED)
    try:
        document = _form(source)
        elements = document.elements(("submissionType", "genInfo", "fundInfo", RECORD))
        metadata, first = _facts(document, elements)
    except BaseException:
        source.close()
        raise
    tally = Tally()
    reading = Reading(metadata, iter(()), _header_messages(metadata))
    reading.rows = _rows(source, elements, first, metadata, tally, reading.messages)
    return reading


def _form(source: ByteSource) -> XmlDocument:
    filing = Filing(source, WANTED)
    for found in filing.documents():
        document = XmlDocument(found.source, record=RECORD)
        if document.root.name == "edgarSubmission" and "nport" in document.root.namespace:
            return document
        if not filing.is_submission or found.kind.startswith("NPORT"):
            raise DeliveryRefusedError(
                f"This is no SEC Form N-PORT: its root element is {document.root.description}.",
                file=source.file,
                row=1,
                remedy="Deliver it to the feed that reads it, or fetch the filing's primary document.",
            )
    raise DeliveryRefusedError(
        "The submission holds no N-PORT document.", file=source.file, remedy="Fetch the complete submission text."
    )


def _facts(
    document: XmlDocument, elements: Iterator[tuple[str, Element]]
) -> tuple[dict[str, str], tuple[str, Element] | None]:
    """What stands before the holdings, and the first holding."""
    facts: dict[str, str] = {}
    first = None
    for name, element in elements:
        if name == RECORD:
            first = (name, element)
            break
        facts |= _facts_of(name, element)
    missing = [name for name in ("business_date", "portfolio_code") if name not in facts]
    if missing:
        raise DeliveryRefusedError(
            f"The filing does not tell {' and '.join(missing)}: <genInfo> lacks repPdDate, seriesId or regCik.",
            file=document.file,
            row=1,
            remedy="Fetch the complete filing again.",
        )
    return facts, first


def _facts_of(name: str, element: Element) -> dict[str, str]:
    if name == "submissionType":
        found = {"submission_type": (element.text or "").strip()}
    elif name == "genInfo":
        series = value_or_nothing(text_of(element, "seriesId"))
        found = {
            "business_date": text_of(element, "repPdDate"),
            "fiscal_year_end": text_of(element, "repPdEnd"),
            "portfolio_code": series or value_or_nothing(text_of(element, "regCik")),
            "portfolio_name": value_or_nothing(text_of(element, "seriesName")) or text_of(element, "regName"),
            "portfolio_lei": value_or_nothing(text_of(element, "seriesLei")),
            "registrant_name": text_of(element, "regName"),
            "registrant_cik": text_of(element, "regCik"),
        }
    else:
        found = {
            "net_assets": text_of(element, "netAssets"),
            "total_assets": text_of(element, "totAssets"),
            "unlisted_assets": text_of(element, "assetsAttrMiscSec"),
        }
    return {key: value for key, value in found.items() if value}


def _header_messages(metadata: Mapping[str, str]) -> list[str]:
    messages = []
    if metadata.get("submission_type", "").endswith("/A"):
        messages.append(f"This is an amendment ({metadata['submission_type']}): it replaces the filing of its date.")
    if metadata.get("unlisted_assets", "").strip("0.-"):
        messages.append(f"Miscellaneous securities of {metadata['unlisted_assets']} USD are not listed in the filing.")
    return messages


def _rows(
    source: ByteSource,
    elements: Iterator[tuple[str, Element]],
    first: tuple[str, Element] | None,
    metadata: Mapping[str, str],
    tally: Tally,
    messages: list[str],
) -> Iterator[Row]:
    try:
        registrant = metadata.get("registrant_cik", "")
        item, ordinal = first, 0
        while item is not None:
            name, element = item
            if name == RECORD:
                ordinal += 1
                yield Row(ordinal, holding_cells(element, registrant, tally))
            item = next(elements, None)
        messages.extend(tally.messages())
    finally:
        source.close()
