"""Exceptions live with the deliveries of their feed: opened, healed, reopened, and moved by people."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fulcrum.errors import DecisionError
from fulcrum.governance.desk import exceptions
from fulcrum.governance.desk.exceptions import SYSTEM, DeskException, Finding
from fulcrum.governance.desk.moves import LEGAL, Move, State, Step
from fulcrum.governance.desk.policy import load_desk_policy
from fulcrum.pipeline.deliver import deliver
from fulcrum.settings import Settings, read_settings
from tests.factories import house

POLICY = load_desk_policy(read_settings())
MONDAY = dt.date(2026, 1, 5)


def finding(*, is_good: bool, day: dt.date = MONDAY, message: str = "bad") -> Finding:
    return Finding(
        "rule.one", "feed:f", is_good=is_good, severity="critical", message=message, feed="f", business_date=day
    )


def only(connection: psycopg.Connection[Any]) -> DeskException:
    (found,) = exceptions.listed(connection, states=list(State))
    return found


def test_a_finding_opens_heals_and_returns_with_one_history(connection: psycopg.Connection[Any]) -> None:
    for is_good, day, state in (
        (True, 5, None),
        (False, 6, "open"),
        (False, 7, "open"),
        (True, 6, "open"),
        (True, 7, "resolved"),
        (True, 8, "resolved"),
        (False, 9, "reopened"),
    ):
        exceptions.take_findings(
            connection, POLICY, [finding(is_good=is_good, day=dt.date(2026, 1, day))], today=MONDAY
        )
        found = exceptions.listed(connection, states=list(State))
        assert [each.state for each in found] == ([] if state is None else [state])
    known = only(connection)
    assert known.occurrences == 3
    assert known.reason_code is None
    assert known.due_date == dt.date(2026, 1, 6)
    moves = [(event.move, event.actor_name) for event in exceptions.history(connection, known.exception_id)]
    assert moves == [(move, SYSTEM) for move in ("find", "find_again", "heal", "find_again")]


def test_people_move_it_and_illegal_moves_change_nothing(connection: psycopg.Connection[Any]) -> None:
    exceptions.take_findings(connection, POLICY, [finding(is_good=False)])
    number = only(connection).exception_id
    exceptions.move(connection, POLICY, number, "ann", Step(Move.ACKNOWLEDGE))
    exceptions.move(connection, POLICY, number, "ann", Step(Move.ASSIGN, owner="bob"))
    before = len(exceptions.history(connection, number))
    for step in (Step(Move.REOPEN, comment="x"), Step(Move.RESOLVE, reason_code="tired"), Step(Move.HEAL)):
        with pytest.raises(DecisionError):
            exceptions.move(connection, POLICY, number, "bob", step)
    assert only(connection).state == "assigned"
    assert len(exceptions.history(connection, number)) == before
    done = exceptions.move(connection, POLICY, number, "bob", Step(Move.RESOLVE, reason_code="accepted"))
    assert (done.state, done.reason_code, done.owner_name) == ("resolved", "accepted", "bob")
    assert done.resolved_at is not None
    with pytest.raises(DecisionError, match="no exception 999"):
        exceptions.move(connection, POLICY, 999, "bob", Step(Move.ACKNOWLEDGE))


STEPS = st.one_of(
    st.builds(finding, is_good=st.booleans(), day=st.dates(MONDAY, MONDAY + dt.timedelta(days=3))),
    st.builds(
        Step,
        st.sampled_from([Move.ACKNOWLEDGE, Move.ASSIGN, Move.COMMENT, Move.RESOLVE, Move.REOPEN]),
        owner=st.sampled_from([None, "bob"]),
        reason_code=st.sampled_from([None, "accepted", "false_alarm"]),
        comment=st.sampled_from([None, "why"]),
    ),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(STEPS, max_size=12))
def test_whatever_happens_states_are_legal_and_the_history_tells_all(
    connection: psycopg.Connection[Any], steps: list[Finding | Step]
) -> None:
    connection.rollback()
    exceptions.take_findings(connection, POLICY, [finding(is_good=False)])
    number = only(connection).exception_id
    made = ["find"]
    for step in steps:
        before = only(connection)
        if isinstance(step, Finding):
            exceptions.take_findings(connection, POLICY, [step])
            after = only(connection)
            if after.occurrences != before.occurrences:
                made.append("find_again")
            elif after.state != before.state:
                made.append("heal")
            continue
        try:
            exceptions.move(connection, POLICY, number, "ann", step)
            made.append(step.move.value)
        except DecisionError:
            assert only(connection) == before
    assert [event.move for event in exceptions.history(connection, number)] == made
    state = None
    for event in exceptions.history(connection, number):
        assert event.from_state == state
        if state is not None:
            assert State(state) in LEGAL[Move(event.move)]
        state = event.to_state
    assert only(connection).state == state
    connection.rollback()


def test_the_history_cannot_be_changed_even_by_the_loader(connection: psycopg.Connection[Any]) -> None:
    exceptions.take_findings(connection, POLICY, [finding(is_good=False)])
    connection.commit()
    for statement in ("update quality.exception_event set comment = 'x'", "delete from quality.exception_event"):
        with pytest.raises(psycopg.errors.RestrictViolation):
            connection.execute(statement)
        connection.rollback()


def test_a_blocked_delivery_opens_and_a_good_one_heals(
    database: Settings, tmp_path: Path, connection: psycopg.Connection[Any]
) -> None:
    house.prepare(database, tmp_path)
    rows = [house.holding(isin, 10) for isin in house.ISINS]
    good = house.deliver_holdings(database, tmp_path, "a.csv", rows)
    assert good.outcome == "published"
    rows = [house.holding(isin, 11) for isin in house.ISINS]
    file = house.broken_total(house.holdings_file(database, tmp_path, "b.csv", rows))
    blocked = deliver(database, "house_holdings", file)
    assert blocked.outcome == "blocked"
    opened = exceptions.listed(connection, feed="house_holdings")
    assert opened
    assert opened[0].severity == "critical"
    assert opened[0].delivery_id == blocked.delivery_id
    connection.rollback()
    house.deliver_holdings(database, tmp_path, "c.csv", rows)
    assert [each for each in exceptions.listed(connection, feed="house_holdings") if each.severity == "critical"] == []
