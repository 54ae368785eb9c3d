"""Mutations of the desk: done by the same functions as on pages, signed by who sends them, in one transaction."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from fulcrum.governance.desk.policy import load_desk_policy
from fulcrum.settings import Settings
from schemas.entities.mutation_inputs import OverrideReasonCode, ReasonCode
from tests.factories.access import make_key
from tests.integration.graph.conftest import Asked

MOVE = """mutation($ids: [ID!]!) {
  acknowledgeExceptions(input: { ids: $ids, comment: "seen" }) {
    isRepeated exceptions { number state history { actorName move toState comment } } } }"""
ASK = """mutation Ask($input: AskWaiverInput!) {
  askWaiver(input: $input) { __typename isRepeated waiver { id state askedBy exception { number } } deliveries { id } }
}"""
WAIVER = {
    "ruleId": "holding.control_total",
    "feed": "house_holdings",
    "beginDate": "2026-01-05",
    "endDate": "2026-01-09",
    "reason": "The sender will send it again.",
}


@pytest.fixture
def found(connection: psycopg.Connection[Any]) -> list[str]:
    """Ids of two open findings."""
    rows = connection.execute(
        """
        insert into quality.exception (rule_id, subject, feed, severity, state, message, due_date)
        select 'holding.control_total', 'feed:' || feed, feed, 'critical', 'open', 'The sum differs.', '2026-01-06'
          from unnest(array['house_holdings', 'other_holdings']) feed returning exception_id
        """
    ).fetchall()
    connection.commit()
    return [f"QualityException:{row[0]}" for row in rows]


@pytest.fixture
def desk(asked: Asked, connection: psycopg.Connection[Any]) -> People:
    return People(asked, connection)


class People:
    """The API and a key for each of several people."""

    def __init__(self, asked: Asked, connection: psycopg.Connection[Any]) -> None:
        self.asked = asked
        roles = {"ann": "data_engineer", "bob": "risk_officer", "cat": "risk_officer", "eve": "analyst"}
        self.keys = {name: make_key(connection, name, roles=[role]) for name, role in roles.items()}

    def answer(self, who: str, query: str, variables: dict[str, Any] | None = None) -> dict[str, Any]:
        self.asked.key = self.keys[who]
        return self.asked.answer(query, variables)

    def data(self, who: str, query: str, variables: dict[str, Any] | None = None) -> dict[str, Any]:
        answer = self.answer(who, query, variables)
        assert "errors" not in answer, answer
        data: dict[str, Any] = answer["data"]
        return data

    def refused(self, who: str, query: str, variables: dict[str, Any] | None = None) -> tuple[str, str | None]:
        answer = self.answer(who, query, variables)
        assert "data" not in answer, answer
        told = answer["errors"][0]["extensions"]
        return told["code"], told.get("reason")

    def ask(self, who: str = "ann", **more: Any) -> str:
        made: str = self.data(who, ASK, {"input": WAIVER | more})["askWaiver"]["waiver"]["id"]
        return made


def test_findings_are_moved_by_who_sends_it_many_at_once(desk: People, found: list[str]) -> None:
    answer = desk.answer("ann", MOVE, {"ids": found})
    shown = answer["data"]["acknowledgeExceptions"]
    assert shown["isRepeated"] is False
    assert [each["state"] for each in shown["exceptions"]] == ["acknowledged", "acknowledged"]
    assert [f"QualityException:{each['number']}" for each in shown["exceptions"]] == found
    assert shown["exceptions"][0]["history"] == [
        {"actorName": "ann", "move": "acknowledge", "toState": "acknowledged", "comment": "seen"}
    ]
    assert set(answer["extensions"]) == {"dataVersion", "asOf", "cost"}


def test_a_finding_walks_its_whole_way(desk: People, found: list[str]) -> None:
    query = """mutation($id: ID!) {
      assignExceptions(input: { ids: [$id], ownerName: "cat" }) { exceptions { state ownerName } }
      commentOnExceptions(input: { ids: [$id], comment: "looking" }) { exceptions { state } }
      resolveExceptions(input: { ids: [$id], reasonCode: FALSE_ALARM }) { exceptions { state reasonCode } }
      again: reopenExceptions(input: { ids: [$id], comment: "no" }) { exceptions { state history { move } } }
    }"""
    data = desk.data("bob", query, {"id": found[0]})
    assert list(data) == ["assignExceptions", "commentOnExceptions", "resolveExceptions", "again"]
    assert data["assignExceptions"]["exceptions"] == [{"state": "assigned", "ownerName": "cat"}]
    assert data["commentOnExceptions"]["exceptions"] == [{"state": "assigned"}]
    assert data["resolveExceptions"]["exceptions"] == [{"state": "resolved", "reasonCode": "false_alarm"}]
    moves = [each["move"] for each in data["again"]["exceptions"][0]["history"]]
    assert moves == ["assign", "comment", "resolve", "reopen"]


def test_all_of_an_operation_happens_or_nothing(desk: People, found: list[str]) -> None:
    query = """mutation($a: [ID!]!, $b: [ID!]!) {
      first: acknowledgeExceptions(input: { ids: $a }) { isRepeated }
      second: reopenExceptions(input: { ids: $b, comment: "?" }) { isRepeated } }"""
    answer = desk.answer("ann", query, {"a": found[:1], "b": found[1:]})
    assert "data" not in answer
    error = answer["errors"][0]
    assert (error["extensions"]["code"], error["extensions"]["reason"]) == ("DECISION_REFUSED", "ILLEGAL_MOVE")
    assert error["path"] == ["second"]
    assert "open" in error["message"]
    states = "{ exceptions { nodes { state history { move } } } }"
    assert {each["state"] for each in desk.data("ann", states)["exceptions"]["nodes"]} == {"open"}
    unknown = [found[0], "QualityException:99999"]
    assert desk.refused("ann", MOVE, {"ids": unknown}) == ("DECISION_REFUSED", "UNKNOWN")
    assert {each["state"] for each in desk.data("ann", states)["exceptions"]["nodes"]} == {"open"}


@pytest.mark.parametrize(
    "variables",
    [
        {"ids": []},
        {"ids": [f"QualityException:{n}" for n in range(101)]},
        {"ids": ["Waiver:1"]},
        {"ids": ["QualityException:1; drop"]},
        {"ids": ["QualityException:99999999999999999999"]},
        {"ids": ["\x00"]},
        {},
    ],
)
def test_ids_that_name_nothing_are_refused(desk: People, variables: dict[str, Any]) -> None:
    assert desk.refused("ann", MOVE, variables) == ("BAD_USER_INPUT", None)


def test_a_waiver_needs_two_people(desk: People, found: list[str], connection: psycopg.Connection[Any]) -> None:
    shown = desk.data("bob", ASK, {"input": WAIVER | {"exceptionId": found[0]}})["askWaiver"]
    assert shown["__typename"] == "WaiverPayload"
    assert shown["waiver"]["askedBy"] == "bob"
    assert shown["waiver"]["state"] == "asked"
    assert f"QualityException:{shown['waiver']['exception']['number']}" == found[0]
    approve = """mutation($id: ID!) { approveWaiver(input: { id: $id, comment: "once" }) {
      waiver { state decidedBy decisionComment } } }"""
    waiver = {"id": shown["waiver"]["id"]}
    assert desk.refused("bob", approve, waiver) == ("DECISION_REFUSED", "FOUR_EYES")
    assert desk.refused("ann", approve, waiver) == ("FORBIDDEN", None)
    assert desk.data("cat", approve, waiver)["approveWaiver"]["waiver"] == {
        "state": "approved",
        "decidedBy": "cat",
        "decisionComment": "once",
    }
    assert desk.refused("cat", approve, waiver) == ("DECISION_REFUSED", "ILLEGAL_MOVE")
    end = """mutation($id: ID!, $c: String!) { endWaiver(input: { id: $id, comment: $c }) { waiver {
      state decidedBy decisionComment endedBy endComment } } }"""
    assert desk.refused("bob", end, waiver | {"c": "over"}) == ("DECISION_REFUSED", "FOUR_EYES")
    assert desk.refused("cat", end, waiver | {"c": " "}) == ("DECISION_REFUSED", "INCOMPLETE")
    assert desk.data("cat", end, waiver | {"c": "over"})["endWaiver"]["waiver"] == {
        "state": "ended",
        "decidedBy": "cat",
        "decisionComment": "once",
        "endedBy": "cat",
        "endComment": "over",
    }
    log = connection.execute(
        "select actor_name, action from governance.audit_event where subject like 'waiver:%' order by audit_event_id"
    ).fetchall()
    assert log == [("bob", "waiver.asked"), ("cat", "waiver.approved"), ("cat", "waiver.ended")]


def test_a_waiver_can_be_refused_or_withdrawn(desk: People) -> None:
    refuse = "mutation($id: ID!) { refuseWaiver(input: { id: $id }) { waiver { state } } }"
    withdraw = "mutation($id: ID!) { withdrawWaiver(input: { id: $id }) { waiver { state } } }"
    assert desk.data("bob", refuse, {"id": desk.ask()})["refuseWaiver"]["waiver"] == {"state": "refused"}
    asked_for = desk.ask()
    assert desk.refused("bob", withdraw, {"id": asked_for}) == ("DECISION_REFUSED", "NOT_YOURS")
    assert desk.data("ann", withdraw, {"id": asked_for})["withdrawWaiver"]["waiver"] == {"state": "withdrawn"}
    assert desk.refused("bob", refuse, {"id": "Waiver:99999"}) == ("DECISION_REFUSED", "UNKNOWN")


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"endDate": "9999-12-31"}, "PERIOD"),
        ({"endDate": "2026-01-01"}, "PERIOD"),
        ({"reason": "  "}, "INCOMPLETE"),
        ({"exceptionId": "QualityException:99999"}, "UNKNOWN"),
    ],
)
def test_a_waiver_is_never_for_ever_nor_without_a_reason(desk: People, more: dict[str, str], reason: str) -> None:
    assert desk.refused("ann", ASK, {"input": WAIVER | more}) == ("DECISION_REFUSED", reason)


def test_an_input_that_names_nothing_by_a_variable_left_out_is_the_callers_mistake(desk: People) -> None:
    ask = """mutation($isin: String, $name: String) { askOverride(input: {
      subject: { isin: $isin, instrumentCode: $name }, value: "1",
      beginDate: "2026-01-05", endDate: "2026-01-05", reasonCode: WRONG, reason: "x" }) {
        override { id } } }"""
    assert desk.refused("ann", ask) == ("BAD_USER_INPUT", None)
    assert desk.refused("ann", ask, {"isin": "US0378331005", "name": "X"}) == ("BAD_USER_INPUT", None)


def test_a_repeated_request_does_nothing_twice(desk: People, found: list[str]) -> None:
    keyed = {"input": WAIVER | {"idempotencyKey": "7a0c"}}
    first = desk.data("ann", ASK, keyed)["askWaiver"]
    second = desk.data("ann", ASK, keyed)["askWaiver"]
    assert (first["isRepeated"], second["isRepeated"]) == (False, True)
    assert second["waiver"]["id"] == first["waiver"]["id"]
    other = {"input": keyed["input"] | {"reason": "Something else."}}
    assert desk.refused("ann", ASK, other) == ("BAD_USER_INPUT", None)
    assert desk.data("bob", ASK, keyed)["askWaiver"]["isRepeated"] is False, "keys are each client's own"
    seen = """mutation($ids: [ID!]!) { acknowledgeExceptions(input: { ids: $ids, idempotencyKey: "k" }) {
      isRepeated exceptions { state history { move } } } }"""
    for is_repeated in (False, True):
        shown = desk.data("ann", seen, {"ids": found})["acknowledgeExceptions"]
        assert shown["isRepeated"] is is_repeated
        assert [each["history"] for each in shown["exceptions"]] == [[{"move": "acknowledge"}]] * 2


def test_a_refused_request_may_be_sent_again_with_its_key(desk: People) -> None:
    keyed = {"input": WAIVER | {"idempotencyKey": "x", "reason": ""}}
    assert desk.refused("ann", ASK, keyed) == ("DECISION_REFUSED", "INCOMPLETE")
    keyed["input"]["reason"] = "now with a reason"
    assert desk.data("ann", ASK, keyed)["askWaiver"]["isRepeated"] is False


def test_reading_is_by_get_and_deciding_by_post(desk: People, found: list[str]) -> None:
    key = {"Authorization": f"Bearer {desk.keys['ann']}"}
    query = f'mutation {{ acknowledgeExceptions(input: {{ ids: ["{found[0]}"] }}) {{ isRepeated }} }}'
    sent = desk.asked.request("GET", "/graphql", params={"query": query}, headers=key)
    assert sent.status_code == 405
    assert sent.headers["allow"] == "POST"
    stream = desk.asked.request("POST", "/graphql/stream", json={"query": query}, headers=key)
    assert "by POST" in stream.text
    assert desk.data("ann", '{ exceptions(where: { state: { ne: "open" } }) { totalCount } }') == {
        "exceptions": {"totalCount": 0}
    }
    sent = desk.asked.request("POST", "/graphql", json={"query": query}, headers=key)
    assert sent.json()["data"] == {"acknowledgeExceptions": {"isRepeated": False}}
    assert "etag" not in sent.headers
    accept = key | {"Accept": "application/graphql-response+json"}
    sent = desk.asked.request("POST", "/graphql", json={"query": query}, headers=accept)
    assert (sent.status_code, sent.json()["errors"][0]["extensions"]["code"]) == (409, "DECISION_REFUSED")


def test_whoever_may_not_work_or_decide_is_told_nothing(desk: People, found: list[str]) -> None:
    waiver = desk.ask()
    for query, variables in (
        (MOVE, {"ids": found}),
        (MOVE, {"ids": ["QualityException:99999"]}),
        (ASK, {"input": WAIVER}),
        ("mutation($id: ID!) { approveWaiver(input: { id: $id }) { isRepeated } }", {"id": waiver}),
        ("mutation($id: ID!) { approveWaiver(input: { id: $id }) { isRepeated } }", {"id": "Waiver:99999"}),
    ):
        assert desk.refused("eve", query, variables) == ("FORBIDDEN", None)
    states = "{ exceptions { nodes { state } } waivers { nodes { state } } }"
    assert desk.data("ann", states) == {
        "exceptions": {"nodes": [{"state": "open"}] * 2},
        "waivers": {"nodes": [{"state": "asked"}]},
    }


def test_reason_codes_are_those_of_the_desk(database: Settings) -> None:
    policy = load_desk_policy(database)
    assert [str(code.value) for code in ReasonCode] == list(policy.reason_codes)
    assert [str(code.value) for code in OverrideReasonCode] == list(policy.overrides.reason_codes)


def test_the_root_tells_its_name_and_an_empty_operation_does_nothing(desk: People) -> None:
    assert desk.data("eve", "mutation { it: __typename }") == {"it": "Mutation"}
