"""Who may take which step with what one person asks for and another decides: waivers and overrides.

What a step then changes stands in `waivers.py` and `overrides.py`; the database enforces the same.
"""

from __future__ import annotations

from typing import Literal, Protocol

from fulcrum.errors import DecisionError, Refusal

Decision = Literal["approved", "refused"]


class Asked(Protocol):
    """What was asked for, as it stands."""

    @property
    def state(self) -> str:
        """asked, approved, refused, withdrawn or ended."""

    @property
    def asked_by(self) -> str:
        """The principal who asked."""


def refuse_deciding(name: str, known: Asked, actor: str) -> None:
    """Refuse a decision on what is decided already, or on one's own request.

    Raises:
        DecisionError: it is not for `actor` to decide.
    """
    if known.state != "asked":
        raise DecisionError(f"{name.capitalize()} is {known.state} already.", reason=Refusal.ILLEGAL_MOVE)
    if known.asked_by == actor:
        raise DecisionError(
            f"{actor} asked for {name}, so somebody else must decide.",
            remedy="Four eyes: ask a colleague.",
            reason=Refusal.FOUR_EYES,
        )


def refuse_withdrawing(name: str, known: Asked, actor: str) -> None:
    """Refuse to take back what is decided already, or what somebody else asked for.

    Raises:
        DecisionError: it is not for `actor` to withdraw.
    """
    if known.state != "asked" or known.asked_by != actor:
        raise DecisionError(
            f"{name.capitalize()} is {known.state}, asked by {known.asked_by}: {actor} cannot withdraw it.",
            reason=Refusal.ILLEGAL_MOVE if known.state != "asked" else Refusal.NOT_YOURS,
        )


def refuse_ending(name: str, known: Asked, actor: str, comment: str) -> None:
    """Refuse to end what is not in force, without a word, or by the one who asked for it.

    Raises:
        DecisionError: it is not for `actor` to end, or the comment is missing.
    """
    if known.state != "approved":
        raise DecisionError(
            f"{name.capitalize()} is {known.state}, so there is nothing to end.", reason=Refusal.ILLEGAL_MOVE
        )
    if known.asked_by == actor or not comment.strip():
        raise DecisionError(
            f"To end {name} takes a comment, and somebody other than who asked for it.",
            reason=Refusal.FOUR_EYES if known.asked_by == actor else Refusal.INCOMPLETE,
        )
