"""A waiver needs two people, ends, and marks all that it lets through."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import psycopg
import pytest

from fulcrum.entitlements.policy import load_policy
from fulcrum.entitlements.principals import WHOLE_HOUSE, Principal, register
from fulcrum.errors import DecisionError
from fulcrum.governance import audit
from fulcrum.governance.desk import waivers
from fulcrum.governance.desk.policy import load_desk_policy
from fulcrum.governance.desk.waivers import Request, Waiver
from fulcrum.pipeline.deliver import deliver
from fulcrum.pipeline.report import DeliveryReport
from fulcrum.settings import Settings, read_settings
from tests.factories import house

POLICY = load_desk_policy(read_settings())
RULE = "holding.control_total"


@pytest.fixture
def people(connection: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
    for name in ("ann", "bob", "cid"):
        register(connection, load_policy(read_settings()), Principal(name, "person", ("risk_officer",), WHOLE_HOUSE))
    connection.commit()
    return connection


def asked(connection: psycopg.Connection[Any], rule: str = RULE, days: int = 1) -> Waiver:
    end = house.DAY + dt.timedelta(days=days - 1)
    made = waivers.ask(connection, POLICY, "ann", Request(rule, "house_holdings", house.DAY, end, "index change"))
    connection.commit()
    return made


def test_nobody_decides_on_his_own_request_not_even_past_the_program(people: psycopg.Connection[Any]) -> None:
    waiver = asked(people)
    with pytest.raises(DecisionError, match="somebody else must decide"):
        waivers.decide(people, "ann", waiver.waiver_id, "approved")
    with pytest.raises(psycopg.errors.CheckViolation):
        people.execute("update quality.waiver set state = 'approved', decided_by = 'ann', decided_at = now()")
    people.rollback()
    assert waivers.decide(people, "bob", waiver.waiver_id, "approved").state == "approved"
    people.commit()
    with pytest.raises(DecisionError, match="approved already"):
        waivers.decide(people, "bob", waiver.waiver_id, "refused")


@pytest.mark.parametrize("days", [0, -1, 32, 4000])
def test_no_waiver_is_empty_or_lasts_longer_than_policy_allows(people: psycopg.Connection[Any], days: int) -> None:
    with pytest.raises(DecisionError, match="lasts 1 to 31 days"):
        asked(people, days=days)


@pytest.mark.parametrize(
    "change",
    [
        "update quality.waiver set end_date = end_date + 1000",
        "update quality.waiver set asked_by = 'bob'",
        "update quality.waiver set state = 'asked', decided_by = null, decided_at = null",
        "update quality.waiver set decision_comment = 'said later'",
        "update quality.waiver set ended_by = 'bob', ended_at = now(), end_comment = 'x'",
        "update quality.waiver set state = 'ended', decided_by = 'cid', ended_by = 'cid', end_comment = 'x'",
        "delete from quality.waiver",
    ],
)
def test_what_was_decided_is_never_changed(people: psycopg.Connection[Any], change: str) -> None:
    waivers.decide(people, "bob", asked(people).waiver_id, "approved")
    people.commit()
    with pytest.raises(psycopg.errors.RestrictViolation):
        people.execute(change)
    people.rollback()


def test_its_end_stands_beside_who_approved_it_and_neither_is_changed_afterwards(
    people: psycopg.Connection[Any],
) -> None:
    number = asked(people).waiver_id
    approved = waivers.decide(people, "bob", number, "approved", "Checked with the sender.")
    people.commit()
    for wrong in (
        "ended_by = 'ann', ended_at = now(), end_comment = 'x'",  # who asked for it
        "ended_by = 'cid', ended_at = now()",
        "end_comment = 'x'",
    ):
        with pytest.raises(psycopg.errors.CheckViolation):
            people.execute(f"update quality.waiver set state = 'ended', {wrong}".encode())
        people.rollback()
    ended = waivers.end(people, "cid", number, " The sender sends it again. ")
    people.commit()
    assert (ended.decided_by, ended.decided_at, ended.decision_comment) == (
        "bob", approved.decided_at, "Checked with the sender.",
    )  # fmt: skip
    assert (ended.state, ended.ended_by, ended.end_comment) == ("ended", "cid", "The sender sends it again.")
    assert ended.ended_at is not None
    assert approved.decided_at is not None
    assert ended.ended_at > approved.decided_at
    (told, *_) = audit.events(people)
    assert (told.actor_name, told.details["decided_by"], told.details["ended_by"], told.details["comment"]) == (
        "cid", "bob", "cid", "The sender sends it again.",
    )  # fmt: skip
    for change in ("ended_by = 'bob'", "end_comment = 'y'", "decided_by = 'cid'", "state = 'approved'"):
        with pytest.raises(psycopg.errors.RestrictViolation):
            people.execute(f"update quality.waiver set {change}".encode())
        people.rollback()


def test_every_step_is_in_the_audit_log(people: psycopg.Connection[Any]) -> None:
    first, second = asked(people), asked(people)
    waivers.withdraw(people, "ann", first.waiver_id)
    waivers.decide(people, "bob", second.waiver_id, "approved")
    waivers.end(people, "bob", second.waiver_id, "no longer needed")
    found = [(event.actor_name, event.action) for event in reversed(audit.events(people))]
    assert found == [
        ("ann", "waiver.asked"),
        ("ann", "waiver.asked"),
        ("ann", "waiver.withdrawn"),
        ("bob", "waiver.approved"),
        ("bob", "waiver.ended"),
    ]


def test_a_waived_delivery_is_published_and_marked_and_when_the_waiver_ends_it_blocks_again(
    people: psycopg.Connection[Any], database: Settings, tmp_path: Path
) -> None:
    house.prepare(database, tmp_path)

    def deliver_broken(name: str, quantity: int) -> DeliveryReport:
        rows = [house.holding(isin, quantity) for isin in house.ISINS]
        return deliver(
            database, "house_holdings", house.broken_total(house.holdings_file(database, tmp_path, name, rows))
        )

    assert deliver_broken("first.csv", 1).outcome == "blocked"
    waiver = asked(people, RULE)
    assert deliver_broken("asked_only.csv", 2).outcome == "blocked"
    waivers.decide(people, "bob", waiver.waiver_id, "approved")
    people.commit()
    published = deliver_broken("first.csv", 1)
    assert (published.outcome, published.verdict) == ("published", "waived")
    marked = people.execute(
        "select verdict, waiver_id, rule_id from governance.publication join governance.publication_waiver"
        " using (publication_id) where publication_id = %s",
        [published.publication_id],
    ).fetchall()
    assert marked == [("waived", waiver.waiver_id, RULE)]
    waivers.end(people, "bob", waiver.waiver_id, "no longer needed")
    people.commit()
    assert deliver_broken("third.csv", 3).outcome == "blocked"
