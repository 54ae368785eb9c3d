"""The state machine of an exception: which move is legal from which state, and where it leads.

Nothing is read or written here; `exceptions.py` makes the moves in the warehouse.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from fulcrum.errors import DecisionError, Refusal


class State(StrEnum):
    """Where an exception stands."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    ASSIGNED = "assigned"
    RESOLVED = "resolved"
    REOPENED = "reopened"


class Move(StrEnum):
    """What can happen to an exception; the last three happen by themselves."""

    ACKNOWLEDGE = "acknowledge"
    ASSIGN = "assign"
    COMMENT = "comment"
    RESOLVE = "resolve"
    REOPEN = "reopen"
    FIND = "find"
    FIND_AGAIN = "find_again"
    HEAL = "heal"


_NEW = frozenset({State.OPEN, State.REOPENED})
_UNRESOLVED = frozenset(set(State) - {State.RESOLVED})

LEGAL: dict[Move, frozenset[State]] = {
    Move.ACKNOWLEDGE: _NEW,
    Move.ASSIGN: _UNRESOLVED,
    Move.COMMENT: frozenset(State),
    Move.RESOLVE: _UNRESOLVED,
    Move.REOPEN: frozenset({State.RESOLVED}),
    Move.FIND: frozenset(),
    Move.FIND_AGAIN: frozenset(State),
    Move.HEAL: _UNRESOLVED,
}
"""Move -> the states from which it may be made; `find` makes the exception itself."""


@dataclass(frozen=True)
class Step:
    """What a person says with a move."""

    move: Move
    owner: str | None = None
    reason_code: str | None = None
    comment: str | None = None


def after(state: State, step: Step) -> State:
    """The state that a move leads to.

    Raises:
        DecisionError: the move is illegal in this state, or lacks its owner, reason or comment.
    """
    if state not in LEGAL[step.move]:
        raise DecisionError(
            f"An exception that is {state} cannot be moved by `{step.move}`.",
            remedy=f"Possible now: {', '.join(possible(state))}.",
            reason=Refusal.ILLEGAL_MOVE,
        )
    _complete(step)
    match step.move:
        case Move.ACKNOWLEDGE:
            return State.ACKNOWLEDGED
        case Move.ASSIGN:
            return State.ASSIGNED
        case Move.RESOLVE | Move.HEAL:
            return State.RESOLVED
        case Move.REOPEN:
            return State.REOPENED
        case Move.FIND_AGAIN if state is State.RESOLVED:
            return State.REOPENED
        case _:
            return state


def possible(state: State) -> list[Move]:
    """The moves that a person can make in this state."""
    by_people = (Move.ACKNOWLEDGE, Move.ASSIGN, Move.COMMENT, Move.RESOLVE, Move.REOPEN)
    return [move for move in by_people if state in LEGAL[move]]


def _complete(step: Step) -> None:
    lacking = None
    if step.move is Move.ASSIGN and not step.owner:
        lacking = "the owner to whom it goes"
    elif step.move is Move.RESOLVE and not step.reason_code:
        lacking = "a reason code"
    elif step.move in (Move.COMMENT, Move.REOPEN) and not (step.comment or "").strip():
        lacking = "a comment"
    if lacking:
        raise DecisionError(f"The move `{step.move}` needs {lacking}.", reason=Refusal.INCOMPLETE)
