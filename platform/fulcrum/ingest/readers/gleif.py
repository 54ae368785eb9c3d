"""GLEIF level 1 records (who is who) as JSON: golden copy files and answers of the API.

Here both shapes are flattened to the same cells; what they mean stands in the contract.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fulcrum.contracts.delivery import Landed
from fulcrum.contracts.model import FeedContract
from fulcrum.errors import DeliveryRefusedError
from fulcrum.ingest.readers.byte_source import ByteSource, open_landed
from fulcrum.ingest.readers.interface import Reading, RefusedRow, Row
from fulcrum.ingest.readers.json_stream import JsonObject
from fulcrum.ingest.readers.xml_stream import KNOWN_ROOTS

GOLDEN_COPY = {
    "lei": "LEI",
    "legalName": "Entity.LegalName",
    "country": "Entity.LegalAddress.Country",
    "city": "Entity.LegalAddress.City",
    "jurisdiction": "Entity.LegalJurisdiction",
    "legalForm": "Entity.LegalForm.EntityLegalFormCode",
    "entityStatus": "Entity.EntityStatus",
    "registrationStatus": "Registration.RegistrationStatus",
    "nextRenewalDate": "Registration.NextRenewalDate",
}
"""Golden copy: XML turned into JSON, values under `$`."""

API = {
    "lei": "lei",
    "legalName": "entity.legalName.name",
    "country": "entity.legalAddress.country",
    "city": "entity.legalAddress.city",
    "jurisdiction": "entity.jurisdiction",
    "legalForm": "entity.legalForm.id",
    "entityStatus": "entity.status",
    "registrationStatus": "registration.status",
    "nextRenewalDate": "registration.nextRenewalDate",
}
"""API answer: under `data.attributes`, for one record or a page of them."""

DATE_LENGTH = len("YYYY-MM-DD")


def read(landed: Landed, contract: FeedContract, parameters: Mapping[str, str]) -> Reading:
    """Open a golden copy (`{"records": [...]}`) or an API answer (`{"meta", "data"}`), plain or gzipped.

    Metadata: `business_date`, the day of publication, where the content tells it.

    Raises:
        DeliveryRefusedError: this is neither of the two shapes.
    """
    del contract, parameters
    source = open_landed(landed, "GLEIF records as JSON")
    try:
        head = source.peek(512)
        if head.startswith(b"<"):
            _refuse_xml(source, head)
        document = JsonObject(source, arrays=("records", "data"))
        metadata, has_records = _metadata(document)
        if not has_records:
            raise DeliveryRefusedError(
                "This JSON has neither `records` (golden copy) nor `data` (API answer).",
                file=source.file,
                row=1,
                remedy="Fetch a level 1 file of the golden copy in JSON, or an answer of /api/v1/lei-records.",
            )
    except BaseException:
        source.close()
        raise
    return Reading(metadata, _rows(source, document))


def _refuse_xml(source: ByteSource, head: bytes) -> None:
    text = head.decode("utf-8", "replace")
    known = next((f" ({what})" for name, part, what, _ in KNOWN_ROOTS if f"<{name}" in text and part in text), "")
    raise DeliveryRefusedError(
        f"This is XML{known}, not JSON.",
        file=source.file,
        row=1,
        value=text,
        remedy="Deliver it to the feed that reads it, or fetch the golden copy in its JSON edition.",
    )


def _metadata(document: JsonObject) -> tuple[dict[str, str], bool]:
    metadata: dict[str, str] = {}
    for key, value in document.members():
        if key in ("records", "data"):
            return metadata, True
        if key == "meta":
            published = _text(value, "goldenCopy.publishDate") or ""
            if published:
                metadata["business_date"] = published[:DATE_LENGTH]
    return metadata, False


def _rows(source: ByteSource, document: JsonObject) -> Iterator[Row | RefusedRow]:
    try:
        for ordinal, record in enumerate(document.records(), start=1):
            yield _row(ordinal, record)
    finally:
        source.close()


def _row(ordinal: int, record: Any) -> Row | RefusedRow:
    if isinstance(record, dict) and "LEI" in record:
        paths, body = GOLDEN_COPY, record
    elif isinstance(record, dict) and isinstance(record.get("attributes"), dict):
        paths, body = API, record["attributes"]
    else:
        return RefusedRow(ordinal, None, str(record)[:80], "No LEI record: neither `LEI` nor `attributes`.")
    cells = {name: _text(body, path) for name, path in paths.items()}
    renewal = cells["nextRenewalDate"]
    # A moment with an offset; the day is the one that the registrar wrote.
    return Row(ordinal, cells | {"nextRenewalDate": renewal[:DATE_LENGTH] if renewal else None})


def _text(body: Any, path: str) -> str | None:
    """The text at a dotted path, `$` taken off; null where a part is missing."""
    for part in path.split("."):
        if not isinstance(body, dict):
            return None
        body = body.get(part)
    if isinstance(body, dict):
        body = body.get("$")
    return body if isinstance(body, str) else None
