"""What the mutations are told: input types and their enums; the root stands in `mutation.py`."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from enum import Enum
from typing import Any

import strawberry

_EXCEPTIONS = "Ids of exceptions, 100 at most: all of them are moved, or none."
_COMMENT = "What others should know."


def _key() -> Any:
    return strawberry.field(
        default=strawberry.UNSET,
        description="A text of your own, such as a UUID: sent again with the same input, nothing is done twice.",
    )


def _optional(description: str) -> Any:
    return strawberry.field(default=strawberry.UNSET, description=description)


@strawberry.enum(description="Why a person closes a finding.")
class ReasonCode(Enum):
    """Those of `quality/desk.yaml`; a test compares them."""

    FIXED_AT_SOURCE = strawberry.enum_value("fixed_at_source", description="The sender corrected and delivered again.")
    OVERRIDDEN = strawberry.enum_value("overridden", description="An override stands in its place.")
    ACCEPTED = strawberry.enum_value("accepted", description="It is true and may stay.")
    FALSE_ALARM = strawberry.enum_value("false_alarm", description="The rule was wrong; counts in its false alarms.")
    DUPLICATE = strawberry.enum_value("duplicate", description="Another finding stands for it.")
    OBSOLETE = strawberry.enum_value("obsolete", description="Feed, instrument or portfolio is no longer there.")


@strawberry.input(description="Which findings somebody has seen.")
class AcknowledgeExceptionsInput:
    """Input."""

    ids: list[strawberry.ID] = strawberry.field(description=_EXCEPTIONS)
    comment: str | None = _optional(_COMMENT)
    idempotency_key: str | None = _key()


@strawberry.input(description="Which findings go to whom.")
class AssignExceptionsInput:
    """Input."""

    ids: list[strawberry.ID] = strawberry.field(description=_EXCEPTIONS)
    owner_name: str = strawberry.field(description="To whom: a principal, or a team.")
    comment: str | None = _optional(_COMMENT)
    idempotency_key: str | None = _key()


@strawberry.input(description="What is said about which findings.")
class CommentOnExceptionsInput:
    """Input."""

    ids: list[strawberry.ID] = strawberry.field(description=_EXCEPTIONS)
    comment: str = strawberry.field(description="What is said.")
    idempotency_key: str | None = _key()


@strawberry.input(description="Which findings are closed, and why.")
class ResolveExceptionsInput:
    """Input."""

    ids: list[strawberry.ID] = strawberry.field(description=_EXCEPTIONS)
    reason_code: ReasonCode = strawberry.field(description="Why.")
    comment: str | None = _optional(_COMMENT)
    idempotency_key: str | None = _key()


@strawberry.input(description="Which closed findings are opened again, and why.")
class ReopenExceptionsInput:
    """Input."""

    ids: list[strawberry.ID] = strawberry.field(description=_EXCEPTIONS)
    comment: str = strawberry.field(description="Why.")
    idempotency_key: str | None = _key()


@strawberry.input(description="What shall be published in spite of a critical rule, and for how long.")
class AskWaiverInput:
    """Input."""

    rule_id: str = strawberry.field(description="The rule that may fail.")
    feed: str = strawberry.field(description="The feed whose deliveries it covers.")
    begin_date: dt.date = strawberry.field(description="First business date that it covers.")
    end_date: dt.date = strawberry.field(description="Last business date that it covers; no waiver is for ever.")
    reason: str = strawberry.field(description="Why it may be published all the same.")
    exception_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="Id of the exception because of which it is asked for."
    )
    idempotency_key: str | None = _key()


@strawberry.input(description="Which waiver of somebody else is approved.")
class ApproveWaiverInput:
    """Input."""

    id: strawberry.ID = strawberry.field(description="Id of the waiver.")
    comment: str | None = _optional(_COMMENT)
    idempotency_key: str | None = _key()


@strawberry.input(description="Which waiver of somebody else is refused.")
class RefuseWaiverInput:
    """Input."""

    id: strawberry.ID = strawberry.field(description="Id of the waiver.")
    comment: str | None = _optional(_COMMENT)
    idempotency_key: str | None = _key()


@strawberry.input(description="Which request of one's own is taken back.")
class WithdrawWaiverInput:
    """Input."""

    id: strawberry.ID = strawberry.field(description="Id of the waiver.")
    idempotency_key: str | None = _key()


@strawberry.input(description="Which approved waiver ends before its time.")
class EndWaiverInput:
    """Input."""

    id: strawberry.ID = strawberry.field(description="Id of the waiver.")
    comment: str = strawberry.field(description="Why.")
    idempotency_key: str | None = _key()


@strawberry.input(description="Which landed files go through the gate once more.")
class DeliverAgainInput:
    """Input."""

    ids: list[strawberry.ID] = strawberry.field(description="Ids of deliveries, 100 at most.")
    idempotency_key: str | None = _key()


@strawberry.input(description="Which publication is taken back, and why.")
class RollBackPublicationInput:
    """Input."""

    id: strawberry.ID = strawberry.field(description="Id of the publication.")
    reason: str = strawberry.field(description="Why.")
    idempotency_key: str | None = _key()


@strawberry.enum(description="Why a value stands in place of a delivered one.")
class OverrideReasonCode(Enum):
    """Those of `quality/desk.yaml`; a test compares them."""

    WRONG = strawberry.enum_value("wrong", description="The vendor's value is wrong, and a better one is known.")
    MISSING = strawberry.enum_value("missing", description="No vendor tells a value.")
    STALE = strawberry.enum_value("stale", description="What the vendor tells is old.")
    CORPORATE_ACTION = strawberry.enum_value(
        "corporate_action", description="The vendor has not applied a corporate action yet."
    )
    FAIR_VALUE = strawberry.enum_value(
        "fair_value", description="The market was closed or no price was made; valued by the fair value procedure."
    )


@strawberry.enum(description="In which unit a price is quoted.")
class QuoteUnit(Enum):
    """The units."""

    UNIT = strawberry.enum_value("UNIT", description="In whole units of the currency, for one piece.")
    MINOR = strawberry.enum_value("MINOR", description="In hundredths of the currency, such as pence.")
    PER_100 = strawberry.enum_value("PER_100", description="For 100 of nominal, as bonds are.")


@strawberry.input(description="An exchange rate.")
class CurrencyPair:
    """Input."""

    base_currency_code: str = strawberry.field(description="ISO 4217, of which one unit is worth the value.")
    quote_currency_code: str = strawberry.field(description="ISO 4217, in which the value is stated.")


@strawberry.input(one_of=True, description="Exactly one way to name what is overridden.")
class OverrideSubject:
    """Input."""

    isin: str | None = _optional("The instrument whose price it is, by its ISIN.")
    instrument_code: str | None = _optional("The instrument whose price it is, by its code.")
    pair: CurrencyPair | None = strawberry.field(default=strawberry.UNSET, description="The exchange rate.")


@strawberry.input(description="Which value shall stand in place of a delivered one, and for how long.")
class AskOverrideInput:
    """Input."""

    subject: OverrideSubject = strawberry.field(description="What is overridden.")
    value: Decimal = strawberry.field(
        description="A price as quoted, or units of the quote currency for one of the base currency."
    )
    currency_code: str | None = _optional("ISO 4217, of a price; a rate has none of its own.")
    quote_unit_code: QuoteUnit | None = strawberry.field(
        default=strawberry.UNSET, description="Of a price; if not given, as the instrument is quoted."
    )
    begin_date: dt.date = strawberry.field(description="First business date that it stands for.")
    end_date: dt.date = strawberry.field(description="Last business date that it stands for; never for ever.")
    reason_code: OverrideReasonCode = strawberry.field(description="Why, in one word.")
    reason: str = strawberry.field(description="Why, in a sentence.")
    exception_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="Id of the exception because of which it is asked for."
    )
    idempotency_key: str | None = _key()


@strawberry.input(description="Which override of somebody else is approved.")
class ApproveOverrideInput:
    """Input."""

    id: strawberry.ID = strawberry.field(description="Id of the override.")
    comment: str | None = _optional(_COMMENT)
    idempotency_key: str | None = _key()


@strawberry.input(description="Which override of somebody else is refused.")
class RefuseOverrideInput:
    """Input."""

    id: strawberry.ID = strawberry.field(description="Id of the override.")
    comment: str | None = _optional(_COMMENT)
    idempotency_key: str | None = _key()


@strawberry.input(description="Which request for an override of one's own is taken back.")
class WithdrawOverrideInput:
    """Input."""

    id: strawberry.ID = strawberry.field(description="Id of the override.")
    idempotency_key: str | None = _key()


@strawberry.input(description="Which approved override ends before its time.")
class EndOverrideInput:
    """Input."""

    id: strawberry.ID = strawberry.field(description="Id of the override.")
    comment: str = strawberry.field(description="Why.")
    last_date: dt.date | None = strawberry.field(
        default=strawberry.UNSET,
        description="Last business date that it still stands for; if not given, it is taken back for all of them.",
    )
    idempotency_key: str | None = _key()
