"""Thousands of findings at once move exceptions exactly as one by one."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import psycopg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fulcrum.governance.desk import exceptions, many
from fulcrum.governance.desk.exceptions import Finding
from fulcrum.governance.desk.moves import Move, State, Step
from fulcrum.governance.desk.policy import load_desk_policy
from fulcrum.settings import read_settings

POLICY = load_desk_policy(read_settings())
TODAY = dt.date(2026, 1, 5)
SUBJECTS = ("s1", "s2", "s3")
RUNS = st.lists(
    st.tuples(
        st.sets(st.sampled_from(SUBJECTS)),
        st.dates(TODAY, TODAY + dt.timedelta(days=2)),
        st.sampled_from(["critical", "info"]),
        st.booleans(),
    ),
    max_size=5,
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(RUNS)
def test_all_at_once_is_the_same_as_one_by_one(
    connection: psycopg.Connection[Any], runs: list[tuple[set[str], dt.date, str, bool]]
) -> None:
    connection.rollback()
    for subjects, day, severity, is_resolved_by_people in runs:
        rows = " union all ".join(
            f"select '{each}', '{severity}', 'said', 1::numeric, 'units', 2" for each in sorted(subjects)
        )
        values = rows or "select '', '', '', 1::numeric, '', 2 where false"
        query = f"select * from ({values}) v (subject, severity, message, measured, unit, rows_failed)"
        many.take_all(connection, POLICY, "at.once", query, day=day, publication_id=7, today=TODAY)
        found = [
            Finding(
                "one.by.one",
                each,
                is_good=each not in subjects,
                severity=severity,
                message="said",
                measured=Decimal(1),
                unit="units",
                rows_failed=2,
                business_date=day,
                publication_id=7,
            )
            for each in SUBJECTS
        ]
        exceptions.take_findings(connection, POLICY, found, today=TODAY)
        for known in exceptions.listed(connection) if is_resolved_by_people else ():
            step = Step(Move.RESOLVE, reason_code="accepted")
            exceptions.move(connection, POLICY, known.exception_id, "ann", step)
    assert told(connection, "at.once") == told(connection, "one.by.one")
    connection.rollback()


def told(connection: psycopg.Connection[Any], rule_id: str) -> list[Any]:
    """Everything that is known of the exceptions of a rule, but numbers and moments."""
    return [
        (
            *(each.subject, each.severity, each.state, each.message, each.measured, each.unit, each.rows_failed),
            *(each.due_date, each.reason_code, each.occurrences, each.business_date, each.publication_id),
            each.resolved_at is None,
            [
                (event.actor_name, event.move, event.from_state, event.to_state, event.reason_code)
                for event in exceptions.history(connection, each.exception_id)
            ],
        )
        for each in sorted(exceptions.listed(connection, states=list(State)), key=lambda known: known.subject)
        if each.rule_id == rule_id
    ]
