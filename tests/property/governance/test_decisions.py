"""Whatever people try with waivers and overrides, in any order: no illegal state, four eyes, and a complete log.

Exceptions have their own walk in `tests/integration/governance/desk/test_exceptions.py`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fulcrum.entitlements.policy import load_policy
from fulcrum.entitlements.principals import WHOLE_HOUSE, Principal, register
from fulcrum.errors import DecisionError
from fulcrum.governance.desk import overrides, waivers
from fulcrum.governance.desk.policy import load_desk_policy
from fulcrum.settings import read_settings

POLICY = load_desk_policy(read_settings())
PEOPLE = ("ann", "bob", "cid")
BEGIN = dt.date(2026, 1, 5)
LEGAL = {
    None: {"asked"},
    "asked": {"approved", "refused", "withdrawn"},
    "approved": {"ended"},
    "refused": set(),
    "withdrawn": set(),
    "ended": set(),
}


@dataclass(frozen=True)
class Try:
    """What somebody tries with the decision of a number; the days count from `BEGIN`."""

    act: str
    who: str
    which: int
    comment: str
    first: int
    days: int
    last: int | None


TRIES = st.lists(
    st.builds(
        Try,
        st.sampled_from(["ask", "approved", "refused", "withdraw", "end"]),
        st.sampled_from(PEOPLE),
        st.integers(0, 3),
        st.sampled_from(["", "why", "why", "why"]),
        st.integers(0, 5),
        st.integers(-1, 33),
        st.none() | st.integers(-2, 8),
    ),
    max_size=14,
)


@pytest.fixture
def people(connection: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
    for name in PEOPLE:
        register(connection, load_policy(read_settings()), Principal(name, "person", ("risk_officer",), WHOLE_HOUSE))
    connection.commit()
    return connection


def _day(number: int) -> dt.date:
    return BEGIN + dt.timedelta(days=number)


def try_override(connection: psycopg.Connection[Any], number: int, each: Try) -> None:
    if each.act == "ask":
        pair = {"base_currency_code": "EUR", "quote_currency_code": "USD"}
        begin, end = _day(each.first), _day(each.first + each.days)
        wanted = overrides.Request("fx_rate", pair, Decimal("1.1"), begin, end, "wrong", each.comment)
        overrides.ask(connection, POLICY, each.who, wanted)
    elif each.act == "withdraw":
        overrides.withdraw(connection, each.who, number)
    elif each.act == "end":
        last = None if each.last is None else _day(each.last)
        overrides.end(connection, each.who, number, each.comment, last)
    else:
        overrides.decide(connection, each.who, number, each.act, each.comment)  # type: ignore[arg-type]


def try_waiver(connection: psycopg.Connection[Any], number: int, each: Try) -> None:
    if each.act == "ask":
        wanted = waivers.Request("rule.one", "f", _day(each.first), _day(each.first + each.days), each.comment)
        waivers.ask(connection, POLICY, each.who, wanted)
    elif each.act == "withdraw":
        waivers.withdraw(connection, each.who, number)
    elif each.act == "end":
        waivers.end(connection, each.who, number, each.comment)
    else:
        waivers.decide(connection, each.who, number, each.act, each.comment)  # type: ignore[arg-type]


def rows(connection: psycopg.Connection[Any], kind: str) -> dict[int, dict[str, Any]]:
    with connection.cursor(row_factory=psycopg.rows.dict_row) as cursor:
        found = cursor.execute(f"select * from quality.{kind} order by {kind}_id".encode()).fetchall()
    return {row[f"{kind}_id"]: row for row in found}


def logged(connection: psycopg.Connection[Any], kind: str) -> list[tuple[int, str, str]]:
    found = connection.execute(
        "select split_part(subject, ':', 2)::bigint, split_part(action, '.', 2), actor_name"
        " from governance.audit_event where subject like %s order by audit_event_id",
        [f"{kind}:%"],
    )
    return [(int(number), did, who) for number, did, who in found]


def walk(
    connection: psycopg.Connection[Any],
    kind: str,
    tries: list[Try],
    attempt: Callable[[psycopg.Connection[Any], int, Try], None],
) -> None:
    """Try everything; hold what is then there and what was logged against the rules of the desk."""
    expected: list[tuple[int, str, str]] = []
    for each in tries:
        before = rows(connection, kind)
        numbers = sorted(before)
        number = numbers[each.which % len(numbers)] if numbers else 0
        try:
            with connection.transaction():
                attempt(connection, number, each)
        except DecisionError:
            assert rows(connection, kind) == before
            assert logged(connection, kind) == expected
            continue
        after = rows(connection, kind)
        (changed,) = [key for key in after if after[key] != before.get(key)]
        was, now = before.get(changed), after[changed]
        if was is not None and was["decided_by"] is not None:
            signed = ("decided_by", "decided_at", "decision_comment")
            assert [now[name] for name in signed] == [was[name] for name in signed]
        assert now["state"] in LEGAL[was["state"] if was else None]
        expected.append((changed, now["state"], each.who))
        assert logged(connection, kind) == expected
    for row in rows(connection, kind).values():
        assert row["asked_by"] not in {row["decided_by"], row["ended_by"]}
        assert (row["ended_by"] is not None) == (row["state"] == "ended")
        assert 1 <= (row["end_date"] - row["begin_date"]).days + 1 <= POLICY.overrides.longest_days
        assert row["reason"].strip()


QUIET = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@QUIET
@given(TRIES)
def test_no_order_of_tries_brings_a_waiver_where_it_must_not_be(
    people: psycopg.Connection[Any], tries: list[Try]
) -> None:
    people.rollback()
    walk(people, "waiver", tries, try_waiver)
    people.rollback()


@QUIET
@given(TRIES)
def test_no_order_of_tries_brings_an_override_where_it_must_not_be(
    people: psycopg.Connection[Any], tries: list[Try]
) -> None:
    people.rollback()
    walk(people, "override", tries, try_override)
    standing: set[dt.date] = set()
    for row in rows(people, "override").values():
        if row["state"] in ("approved", "ended"):
            last = row["end_date"] if row["last_date"] is None else row["last_date"]
            days = {row["begin_date"] + dt.timedelta(days=n) for n in range((last - row["begin_date"]).days + 1)}
            assert standing & days == set()
            standing |= days
    people.rollback()
