"""SEC Form N-PORT: a fund's monthly portfolio, one row per `<invstOrSec>`.

Here the form's structure is flattened to cells; what the codes mean stands in the contract.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from fulcrum.contracts.delivery import Landed
from fulcrum.contracts.model import FeedContract
from fulcrum.errors import DeliveryRefusedError
from fulcrum.ingest.readers.byte_source import ByteSource, open_landed
from fulcrum.ingest.readers.edgar import Filing, cusip_or_nothing, value_or_nothing
from fulcrum.ingest.readers.interface import Reading, Row
from fulcrum.ingest.readers.xml_stream import XmlDocument, attribute_of, text_of

RECORD = "invstOrSec"
FIGI = re.compile(r"BBG[0-9BCDFGHJKLMNPQRSTVWXYZ]{8}[0-9]")
END_DATES = ("settlementDt", "expDate", "terminationDt", "expDt")
"""When a forward, a future, a swap and an option end."""
TERMS = ("amtCurPur", "curPur", "amtCurSold", "curSold", "notionalAmt", "curCd", "putOrCall", "exercisePrice")
FUND_CATEGORIES = ("RF", "PF")
"""`issuerCat` of registered and of private funds: their shares come as `EC`, and are fund units."""


def read(landed: Landed, contract: FeedContract, parameters: Mapping[str, str]) -> Reading:
    """Open an N-PORT filing: bare XML, full submission text, either of them gzipped.

    Metadata: `business_date` (`repPdDate`, the date of the portfolio; `repPdEnd` is the end of the
    fiscal year), `portfolio_code` (the series, or the registrant's CIK if it has none), names, LEI,
    net assets.

    Raises:
        DeliveryRefusedError: this is no N-PORT filing, or it does not say which portfolio it is.
    """
    del contract, parameters
    source = open_landed(landed)
    try:
        document = _form(source)
        elements = document.elements(("submissionType", "genInfo", "fundInfo", RECORD))
        metadata, first = _facts(document, elements)
    except BaseException:
        source.close()
        raise
    tally = _Tally()
    reading = Reading(metadata, iter(()), _header_messages(metadata))
    reading.rows = _rows(source, elements, first, metadata, tally, reading.messages)
    return reading


def _form(source: ByteSource) -> XmlDocument:
    filing = Filing(source, "an SEC Form N-PORT")
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


@dataclass
class _Tally:
    """What was changed or left out on the way, for the messages."""

    shorts_turned: int = 0
    shorts_positive: int = 0
    notionals_left: int = 0

    def messages(self) -> Iterator[str]:
        if self.shorts_turned:
            yield f"{self.shorts_turned:,} short positions with a positive balance were given a negative quantity."
        if self.shorts_positive:
            yield f"{self.shorts_positive:,} short securities are reported with a positive value, kept as reported."
        if self.notionals_left:
            yield f"{self.notionals_left:,} derivatives state no notional in USD; their notional value is empty."


def _rows(
    source: ByteSource,
    elements: Iterator[tuple[str, Element]],
    first: tuple[str, Element] | None,
    metadata: Mapping[str, str],
    tally: _Tally,
    messages: list[str],
) -> Iterator[Row]:
    try:
        item, ordinal = first, 0
        while item is not None:
            name, element = item
            if name == RECORD:
                ordinal += 1
                yield Row(ordinal, _cells(element, metadata, tally))
            item = next(elements, None)
        messages.extend(tally.messages())
    finally:
        source.close()


def _cells(holding: Element, metadata: Mapping[str, str], tally: _Tally) -> dict[str, str | None]:
    derivative = _derivative(holding)
    quantity = _quantity(holding, derivative, tally)
    title = value_or_nothing(text_of(holding, "title"))
    units = text_of(holding, "units")
    identifiers = _identifiers(holding, derivative, metadata)
    return {
        **identifiers,
        "name": text_of(holding, "name"),
        "title": title or text_of(holding, "name"),
        # For a derivative the form wants the counterparty here, who is not the issuer.
        "lei": "" if derivative is not None else value_or_nothing(text_of(holding, "lei")),
        "balance": quantity,
        "units": units,
        "curCd": text_of(holding, "curCd") or attribute_of(holding, "currencyConditional", "curCd"),
        "exchangeRt": value_or_nothing(attribute_of(holding, "currencyConditional", "exchangeRt")),
        "valUSD": text_of(holding, "valUSD"),
        "pctVal": value_or_nothing(text_of(holding, "pctVal")),
        "notionalUSD": _notional(derivative, tally),
        "kind": _kind(holding, derivative),
        "invCountry": value_or_nothing(text_of(holding, "invCountry")),
        "maturityDt": _end_date(holding, derivative),
        "annualizedRt": value_or_nothing(text_of(holding, "debtSec/annualizedRt")),
        "position": "SHORT" if quantity.startswith("-") else "",
    }


def _derivative(holding: Element) -> Element | None:
    """`fwdDeriv`, `futrDeriv`, `swapDeriv`, `optionSwaptionWarrantDeriv` or `othDeriv`, if it is one."""
    info = holding.find("derivativeInfo")
    return None if info is None or not len(info) else info[0]


def _kind(holding: Element, derivative: Element | None) -> str:
    """The code that the contract maps to an asset class.

    The derivative's own category where there is one (rates futures come as `DIR` like rates swaps),
    else `assetCat`, with `/RF` or `/PF` for units of funds and `/debt` for short-term paper that
    states a maturity (commercial paper comes as `STIV` like money market funds).
    """
    if derivative is not None:
        return derivative.get("derivCat", "").strip() or "OTH"
    category = text_of(holding, "assetCat") or attribute_of(holding, "assetConditional", "assetCat")
    if category == "EC" and text_of(holding, "issuerCat") in FUND_CATEGORIES:
        return f"{category}/{text_of(holding, 'issuerCat')}"
    if category == "STIV" and holding.find("debtSec") is not None:
        return "STIV/debt"
    return category


def _quantity(holding: Element, derivative: Element | None, tally: _Tally) -> str:
    balance = text_of(holding, "balance")
    is_short = text_of(holding, "payoffProfile") == "Short"
    if is_short and not text_of(holding, "valUSD").startswith("-") and derivative is None:
        tally.shorts_positive += 1
    if derivative is not None:
        is_short |= text_of(derivative, "payOffProf") == "Short" or text_of(derivative, "writtenOrPur") == "Written"
    if not is_short or not balance or balance.startswith("-") or not balance.strip("0."):
        return balance
    tally.shorts_turned += 1
    return f"-{balance}"


def _identifiers(holding: Element, derivative: Element | None, metadata: Mapping[str, str]) -> dict[str, str | None]:
    isin = value_or_nothing(attribute_of(holding, "identifiers/isin", "value")).upper()
    cusip = cusip_or_nothing(text_of(holding, "cusip"))
    others = [value_or_nothing(other.get("value", "")) for other in holding.iterfind("identifiers/other")]
    figi = next((other for other in others if FIGI.fullmatch(other)), "")
    own = next((other for other in others if other), "") or _terms(derivative)
    is_named = bool(isin or cusip or figi)
    # A filer's own code means nothing beside another filer's: it is scoped by the registrant.
    code = f"{metadata.get('registrant_cik', '')}/{own}" if own and not is_named else ""
    return {"isin": isin, "cusip": cusip, "figi": figi, "other": code}


def _terms(derivative: Element | None) -> str:
    """The terms that tell one derivative from another where the filer gives it no code."""
    if derivative is None:
        return ""
    parts = [text_of(derivative, "counterparties/counterpartyName")]
    parts += [text_of(derivative, name) for name in (*TERMS, *END_DATES)]
    rates = [leg.get("fixedRt", "") for leg in derivative if leg.tag in ("fixedRecDesc", "fixedPmntDesc")]
    legs = [leg.tag.removesuffix("Desc") for leg in derivative if leg.tag in ("fixedRecDesc", "fixedPmntDesc")]
    terms = " ".join(part for part in (*parts, *legs, *rates) if value_or_nothing(part))
    return f"{derivative.get('derivCat', '')} {terms}".strip() if terms else ""


def _notional(derivative: Element | None, tally: _Tally) -> str:
    """The notional as far as the filing states it in USD, unsigned as the form has it."""
    if derivative is None:
        return ""
    for amount, currency in (("notionalAmt", "curCd"), ("amtCurSold", "curSold"), ("amtCurPur", "curPur")):
        if text_of(derivative, currency) == "USD" and value_or_nothing(text_of(derivative, amount)):
            return text_of(derivative, amount)
    tally.notionals_left += 1
    return ""


def _end_date(holding: Element, derivative: Element | None) -> str:
    if derivative is None:
        return value_or_nothing(text_of(holding, "debtSec/maturityDt"))
    return next((day for name in END_DATES if (day := value_or_nothing(text_of(derivative, name)))), "")
