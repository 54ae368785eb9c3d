"""One `<invstOrSec>` of Form N-PORT, flattened to cells: sign, kind, identifiers, notional.

The filing around it is `nport.py`; what the codes mean stands in the contract.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from fulcrum.ingest.readers.edgar import cusip_or_nothing, value_or_nothing
from fulcrum.ingest.readers.xml_stream import attribute_of, text_of

FIGI = re.compile(r"BBG[0-9BCDFGHJKLMNPQRSTVWXYZ]{8}[0-9]")
END_DATES = ("settlementDt", "expDate", "terminationDt", "expDt")
"""When a forward, a future, a swap and an option end."""
TERMS = ("amtCurPur", "curPur", "amtCurSold", "curSold", "notionalAmt", "curCd", "putOrCall", "exercisePrice")
FUND_CATEGORIES = ("RF", "PF")
"""`issuerCat` of registered and of private funds: their shares come as `EC`, and are fund units."""


@dataclass
class Tally:
    """What was changed or left out on the way, for the messages."""

    shorts_turned: int = 0
    shorts_positive: int = 0
    notionals_left: int = 0

    def messages(self) -> Iterator[str]:
        """One sentence for each that happened."""
        if self.shorts_turned:
            yield f"{self.shorts_turned:,} short positions with a positive balance were given a negative quantity."
        if self.shorts_positive:
            yield f"{self.shorts_positive:,} short securities are reported with a positive value, kept as reported."
        if self.notionals_left:
            yield f"{self.notionals_left:,} derivatives state no notional in USD; their notional value is empty."


def holding_cells(holding: Element, registrant: str, tally: Tally) -> dict[str, str | None]:
    """The cells of one `<invstOrSec>` by the contract's headers; `registrant` is the filer's CIK."""
    derivative = _derivative(holding)
    quantity = _quantity(holding, derivative, tally)
    title = value_or_nothing(text_of(holding, "title"))
    units = text_of(holding, "units")
    identifiers = _identifiers(holding, derivative, registrant)
    return {
        **identifiers,
        "name": text_of(holding, "name"),
        "title": title or text_of(holding, "name"),
        # For a derivative the form wants the counterparty here, who is not the issuer.
        "lei": "" if derivative is not None else value_or_nothing(text_of(holding, "lei")),
        "balance": quantity,
        "units": units,
        "curCd": value_or_nothing(text_of(holding, "curCd") or attribute_of(holding, "currencyConditional", "curCd")),
        "exchangeRt": value_or_nothing(attribute_of(holding, "currencyConditional", "exchangeRt")),
        "valUSD": text_of(holding, "valUSD"),
        "pctVal": value_or_nothing(text_of(holding, "pctVal")),
        "notionalUSD": _notional(derivative, tally),
        "kind": _kind(holding, derivative),
        "invCountry": value_or_nothing(text_of(holding, "invCountry")),
        "maturityDt": _end_date(holding, derivative),
        "annualizedRt": value_or_nothing(text_of(holding, "debtSec/annualizedRt")),
        "position": "SHORT" if quantity.startswith("-") and quantity.strip("-0.") else "",
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


def _quantity(holding: Element, derivative: Element | None, tally: Tally) -> str:
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


def _identifiers(holding: Element, derivative: Element | None, registrant: str) -> dict[str, str | None]:
    isin = value_or_nothing(attribute_of(holding, "identifiers/isin", "value")).upper()
    cusip = cusip_or_nothing(text_of(holding, "cusip"))
    others = [value_or_nothing(other.get("value", "")) for other in holding.iterfind("identifiers/other")]
    figi = next((other for other in others if FIGI.fullmatch(other)), "")
    own = next((other for other in others if other), "") or _terms(derivative) or _description(holding)
    is_named = bool(isin or cusip or figi)
    # A filer's own code means nothing beside another filer's: it is scoped by the registrant.
    code = f"{registrant}/{own}" if own and not is_named else ""
    return {"isin": isin, "cusip": cusip, "figi": figi, "other": code}


def _terms(derivative: Element | None) -> str:
    """The terms that tell one derivative from another where the filer gives it no code."""
    if derivative is None:
        return ""
    parts = [text_of(derivative, "counterparties/counterpartyName")]
    parts += [text_of(derivative, name) for name in (*TERMS, *END_DATES)]
    legs = [leg for leg in derivative if leg.tag in ("fixedRecDesc", "fixedPmntDesc")]
    parts += [f"{leg.tag.removesuffix('Desc')} {leg.get('fixedRt', '')}" for leg in legs]
    terms = " ".join(part for part in parts if value_or_nothing(part))
    return f"{derivative.get('derivCat', '')} {terms}".strip() if terms else ""


def _description(holding: Element) -> str:
    """What tells a security without any code from another: who issued what, until when, at which rate."""
    parts = [text_of(holding, name) for name in ("name", "title", "debtSec/maturityDt", "debtSec/annualizedRt")]
    return " ".join(part for part in parts if value_or_nothing(part))


def _notional(derivative: Element | None, tally: Tally) -> str:
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
