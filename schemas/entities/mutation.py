"""The root of the mutations: moves of findings, waivers, deliveries put through the gate again, and rollbacks.

What each does stands in `fulcrum.graph.mutations.desk`; the actor is who sends it, never an argument.
"""

from __future__ import annotations

import datetime as dt
from enum import Enum
from typing import Any

import strawberry

from fulcrum.entitlements.rights import Permission
from fulcrum.governance.desk.moves import Move
from fulcrum.graph.mutations import desk
from fulcrum.graph.mutations.words import mutation
from fulcrum.graph.pages.desk.deciding import NEEDED, WaiverDecision
from schemas.entities.desk import QualityException, Waiver
from schemas.entities.publication import Delivery, Publication

REPEATED = "Whether an earlier request with this `idempotencyKey` had done it; then nothing was done now."
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


@strawberry.type(description="What became of findings.")
class ExceptionsPayload:
    """Payload."""

    exceptions: list[QualityException] = strawberry.field(description="They, as they stand now, in the order of `ids`.")
    is_repeated: bool = strawberry.field(description=REPEATED)


@strawberry.type(description="What became of a waiver.")
class WaiverPayload:
    """Payload."""

    waiver: Waiver = strawberry.field(description="It, as it stands now.")
    deliveries: list[Delivery] = strawberry.field(
        description="Blocked deliveries that its approval lets through: they are put through the gate again now."
    )
    is_repeated: bool = strawberry.field(description=REPEATED)


@strawberry.type(description="What is delivered again.")
class DeliveriesPayload:
    """Payload."""

    deliveries: list[Delivery] = strawberry.field(
        description="The deliveries; what becomes of their files are later deliveries with the same `sha256`."
    )
    is_repeated: bool = strawberry.field(description=REPEATED)


@strawberry.type(description="A publication that took another one back.")
class RollbackPayload:
    """Payload."""

    publication: Publication = strawberry.field(
        description="The new publication, which states the former state again; what is derived follows."
    )
    taken_back: Publication = strawberry.field(description="The publication that was taken back.")
    is_repeated: bool = strawberry.field(description=REPEATED)


def _decided(description: str, decision: WaiverDecision, takes: type) -> WaiverPayload:
    done: WaiverPayload = mutation(description, takes=takes, needs=NEEDED[decision], does=desk.decide_waiver(decision))
    return done


def _moved(description: str, move: Move, takes: type) -> ExceptionsPayload:
    done: ExceptionsPayload = mutation(description, takes=takes, needs=Permission.WORK, does=desk.move(move))
    return done


@strawberry.type(
    description="Decisions of the quality desk, by POST only. One operation is one transaction: all of its fields are"
    " done in their order, or none. A rule that forbids one answers DECISION_REFUSED with `extensions.reason`."
)
class Mutation:
    """The root."""

    acknowledge_exceptions: ExceptionsPayload = _moved(
        "Say that findings have been seen.", Move.ACKNOWLEDGE, AcknowledgeExceptionsInput
    )
    assign_exceptions: ExceptionsPayload = _moved("Give findings to somebody.", Move.ASSIGN, AssignExceptionsInput)
    comment_on_exceptions: ExceptionsPayload = _moved(
        "Say something about findings.", Move.COMMENT, CommentOnExceptionsInput
    )
    resolve_exceptions: ExceptionsPayload = _moved("Close findings.", Move.RESOLVE, ResolveExceptionsInput)
    reopen_exceptions: ExceptionsPayload = _moved("Open closed findings again.", Move.REOPEN, ReopenExceptionsInput)
    ask_waiver: WaiverPayload = mutation(
        "Ask to publish in spite of a critical rule; somebody else decides.",
        takes=AskWaiverInput,
        needs=Permission.WORK,
        does=desk.ask_waiver,
    )
    approve_waiver: WaiverPayload = _decided(
        "Approve a waiver that somebody else asked for; what it covers and was blocked is delivered again.",
        WaiverDecision.APPROVE,
        ApproveWaiverInput,
    )
    refuse_waiver: WaiverPayload = _decided(
        "Refuse a waiver that somebody else asked for.", WaiverDecision.REFUSE, RefuseWaiverInput
    )
    withdraw_waiver: WaiverPayload = _decided(
        "Take back a waiver that you asked for, before it is decided.", WaiverDecision.WITHDRAW, WithdrawWaiverInput
    )
    end_waiver: WaiverPayload = _decided(
        "End an approved waiver before its time; what was published under it stays marked.",
        WaiverDecision.END,
        EndWaiverInput,
    )
    deliver_again: DeliveriesPayload = mutation(
        "Put landed files through the gate once more.",
        takes=DeliverAgainInput,
        needs=Permission.WORK,
        does=desk.deliver_again,
    )
    roll_back_publication: RollbackPayload = mutation(
        "Take a publication back by a new one that states the former state again; alone in its operation.",
        takes=RollBackPublicationInput,
        needs=Permission.DECIDE,
        does=desk.roll_back,
        is_of_loader=True,
    )
