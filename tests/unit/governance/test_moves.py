"""The state machine of exceptions: every move from every state, and random walks through it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fulcrum.errors import DecisionError
from fulcrum.governance.desk.moves import LEGAL, Move, State, Step, after, possible

STEPS = st.builds(
    Step,
    st.sampled_from([move for move in Move if move is not Move.FIND]),
    owner=st.sampled_from([None, "ann"]),
    reason_code=st.sampled_from([None, "accepted"]),
    comment=st.sampled_from([None, " ", "because"]),
)


def complete(move: Move) -> Step:
    return Step(move, owner="ann", reason_code="accepted", comment="because")


@pytest.mark.parametrize("move", [move for move in Move if move is not Move.FIND])
@pytest.mark.parametrize("state", list(State))
def test_a_move_is_made_where_it_is_legal_and_refused_with_what_is_possible_elsewhere(state: State, move: Move) -> None:
    if state in LEGAL[move]:
        assert after(state, complete(move)) in State
    else:
        with pytest.raises(DecisionError, match="Possible now") as refusal:
            after(state, complete(move))
        assert all(each in str(refusal.value) for each in possible(state))


@given(st.lists(STEPS, max_size=30))
def test_no_walk_leads_anywhere_but_through_legal_moves(steps: list[Step]) -> None:
    state = State.OPEN
    for step in steps:
        try:
            reached = after(state, step)
        except DecisionError:
            continue
        assert state in LEGAL[step.move]
        if reached is State.RESOLVED and state is not State.RESOLVED:
            assert step.move in (Move.RESOLVE, Move.HEAL)
        if state is State.RESOLVED and reached is not State.RESOLVED:
            assert reached is State.REOPENED
        state = reached


@pytest.mark.parametrize(
    ("step", "lacking"),
    [
        (Step(Move.ASSIGN), "owner"),
        (Step(Move.RESOLVE), "reason code"),
        (Step(Move.COMMENT, comment=" "), "comment"),
    ],
)
def test_a_move_says_what_it_lacks(step: Step, lacking: str) -> None:
    with pytest.raises(DecisionError, match=lacking):
        after(State.OPEN, step)
