"""The root of the mutations: moves of findings, waivers, overrides, repeated deliveries and rollbacks.

What each does stands in `fulcrum.graph.mutations.desk`; the actor is who sends it, never an argument.
"""

from __future__ import annotations

import strawberry

from fulcrum.entitlements.rights import Permission
from fulcrum.governance.desk.moves import Move
from fulcrum.graph.desk.deciding import NEEDED, Deciding
from fulcrum.graph.mutations import desk
from fulcrum.graph.mutations.words import mutation
from schemas.entities.desk import Override, QualityException, Waiver
from schemas.entities.mutation_inputs import (
    AcknowledgeExceptionsInput,
    ApproveOverrideInput,
    ApproveWaiverInput,
    AskOverrideInput,
    AskWaiverInput,
    AssignExceptionsInput,
    CommentOnExceptionsInput,
    DeliverAgainInput,
    EndOverrideInput,
    EndWaiverInput,
    RefuseOverrideInput,
    RefuseWaiverInput,
    ReopenExceptionsInput,
    ResolveExceptionsInput,
    RollBackPublicationInput,
    WithdrawOverrideInput,
    WithdrawWaiverInput,
)
from schemas.entities.publication import Delivery, Publication

REPEATED = "Whether an earlier request with this `idempotencyKey` had done it; then nothing was done now."


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


@strawberry.type(description="What became of an override.")
class OverridePayload:
    """Payload."""

    override: Override = strawberry.field(
        description="It, as it stands now; what it changes follows: `delivery` and publications of its feed tell."
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


def _waiver(description: str, what: Deciding, takes: type) -> WaiverPayload:
    done: WaiverPayload = mutation(description, takes=takes, needs=NEEDED[what], does=desk.decide_waiver(what))
    return done


def _override(description: str, what: Deciding, takes: type) -> OverridePayload:
    done: OverridePayload = mutation(description, takes=takes, needs=NEEDED[what], does=desk.decide_override(what))
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
    approve_waiver: WaiverPayload = _waiver(
        "Approve a waiver that somebody else asked for; what it covers and was blocked is delivered again.",
        Deciding.APPROVE,
        ApproveWaiverInput,
    )
    refuse_waiver: WaiverPayload = _waiver(
        "Refuse a waiver that somebody else asked for.", Deciding.REFUSE, RefuseWaiverInput
    )
    withdraw_waiver: WaiverPayload = _waiver(
        "Take back a waiver that you asked for, before it is decided.", Deciding.WITHDRAW, WithdrawWaiverInput
    )
    end_waiver: WaiverPayload = _waiver(
        "End an approved waiver before its time; what was published under it stays marked.",
        Deciding.END,
        EndWaiverInput,
    )
    ask_override: OverridePayload = mutation(
        "Ask for a value in place of a delivered one; somebody else decides.",
        takes=AskOverrideInput,
        needs=Permission.WORK,
        does=desk.ask_override,
    )
    approve_override: OverridePayload = _override(
        "Approve an override that somebody else asked for; it is delivered, and what rests on it is valued anew.",
        Deciding.APPROVE,
        ApproveOverrideInput,
    )
    refuse_override: OverridePayload = _override(
        "Refuse an override that somebody else asked for.", Deciding.REFUSE, RefuseOverrideInput
    )
    withdraw_override: OverridePayload = _override(
        "Take back an override that you asked for, before it is decided.", Deciding.WITHDRAW, WithdrawOverrideInput
    )
    end_override: OverridePayload = _override(
        "End an approved override before its time: the delivered values hold again.", Deciding.END, EndOverrideInput
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
