"""The shape of an explanation: a number, its formula, and the inputs down to file and row.

Finding the inputs is `explain.py`; reading the row out of the landed file is `source_text.py`.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, fields, is_dataclass
from decimal import Decimal
from typing import Any

STATUS_MEANINGS = {
    "VALUED": "Valued with inputs that the policy calls fresh.",
    "VALUED_STALE_PRICE": "Valued, and flagged: the price is older than the policy calls fresh.",
    "VALUED_STALE_FX": "Valued, and flagged: the exchange rate is older than the policy calls fresh.",
    "VALUED_REPORTED_PRICE": "Valued, and flagged: no usable market price, so the holding file's own was taken.",
    "PRICE_MISSING": "No value: there is no price of an allowed type within the policy's look-back.",
    "PRICE_TOO_OLD": "No value: the newest price is older than the policy allows.",
    "FX_MISSING": "No value in the base currency: no rate, direct, inverse or crossed, within the look-back.",
    "FX_TOO_OLD": "No value in the base currency: the newest rate is older than the policy allows.",
    "CURRENCY_UNKNOWN": "No value: the currency or quote unit of the price, or the portfolio's currency, is unknown.",
    "QUANTITY_MISSING": "No value: the holding states no quantity.",
}


@dataclass(frozen=True)
class Overriding:
    """The override that an input is: who asked for it, who approved it, why, and its last business date."""

    override_id: int
    asked_by: str
    approved_by: str | None
    reason_code: str
    reason: str
    begin_date: dt.date
    stands_to: dt.date

    def __str__(self) -> str:
        return (
            f"override {self.override_id} of {self.asked_by}, approved by {self.approved_by}, to {self.stands_to}:"
            f" {self.reason_code}, {self.reason}"
        )


@dataclass(frozen=True)
class Source:
    """Where an input was told: publication, delivery and place in the landed file.

    `place` names the place in words (`line 14`, `element 3`); `text` is what stands there, null
    where the landing zone does not have it. `override` is set where people put the value there.
    """

    publication_id: int
    known_at: dt.datetime | None
    verdict: str | None
    feed: str | None
    delivery_id: int | None = None
    file_name: str | None = None
    sha256: str | None = None
    source_row: int | None = None
    place: str | None = None
    text: str | None = None
    override: Overriding | None = None


@dataclass(frozen=True)
class Input:
    """One factor of a number; `value` in `unit`, `note` says how it was chosen or used."""

    name: str
    value: Decimal | dt.date | str | int | None
    unit: str | None = None
    note: str = ""
    source: Source | None = None


@dataclass(frozen=True)
class Explanation:
    """One number with its formula and inputs, as known at publication `known_as_of`.

    `subject` says what kind of number it is, `keys` which one; `publication_id` is the publication
    that brought it.
    """

    subject: str
    keys: dict[str, str]
    value: Decimal | None
    unit: str | None
    formula: str
    status: str
    meaning: str
    publication_id: int
    known_as_of: int
    inputs: tuple[Input, ...] = ()
    details: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Plain values; decimals as strings without exponent, dates as ISO 8601."""
        plain: dict[str, Any] = _plain(self)
        return plain


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, (dt.date, dt.datetime)):
        return value.isoformat()
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return value
