"""Roles x fields x paths: nobody is shown a row outside his scope, nor a value that his roles mask.

The first part asks for everything that the schema has, so a new field is in it by itself; a caller who may
see all must find every mark by it, else the check would be empty. The second part goes the other ways.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from fulcrum.entitlements.principals import RowScope
from fulcrum.entitlements.rights import Permission
from fulcrum.graph.app import create_app
from fulcrum.graph.limits import Limits
from fulcrum.graph.schema import load_graph
from fulcrum.settings import Settings
from tests.factories.access import make_key
from tests.factories.two_houses import IDENTIFIERS, PERSONAL, marks, personal, write_two_houses
from tests.integration.graph.conftest import Asked
from tests.integration.graph.everything import mutations, questions

ONE = RowScope("only-one", client_codes=("C-one",))
WIDE = Limits(fields=20_000, tokens=60_000, depth=30, aliases=1_000, body_bytes=4_000_000, is_cost_measured_only=True)
BIRTH = {name: str(values["birth_date"]) for name, values in PERSONAL.items()}


class Callers:
    """One API and a key per kind of caller."""

    def __init__(self, asked: Asked, connection: psycopg.Connection[Any]) -> None:
        self.asked = asked
        self.keys = {
            (role, scope): make_key(connection, f"{role}-{scope}", roles=[role], scope=ONE if scope == "one" else None)
            for role in ("administrator", "risk_officer", "data_engineer", "analyst", "partner")
            for scope in ("house", "one")
        }

    def ask(self, role: str, scope: str, query: str, variables: dict[str, Any] | None = None) -> dict[str, Any]:
        self.asked.key = self.keys[role, scope]
        return self.asked.answer(query, variables)

    def data(self, role: str, scope: str, query: str, variables: dict[str, Any] | None = None) -> dict[str, Any]:
        answer = self.ask(role, scope, query, variables)
        assert "errors" not in answer, (query, answer["errors"])
        data: dict[str, Any] = answer["data"]
        return data

    def code(self, role: str, scope: str, query: str) -> str:
        answer = self.ask(role, scope, query)
        assert answer.get("data") is None, answer
        return str(answer["errors"][0]["extensions"]["code"])

    def everything(self, role: str, scope: str, depth: int = 2) -> str:
        """All that this caller is shown, as one text; refusals may tell that something is masked, no more."""
        shown = []
        for query in questions(load_graph().schema, depth):
            answer = self.ask(role, scope, query)
            codes = {error["extensions"]["code"] for error in answer.get("errors", [])}
            assert codes <= {"FORBIDDEN"}, (query, answer)
            shown.append(json.dumps(answer))
        return "\n".join(shown)


@pytest.fixture
def callers(database: Settings, connection: psycopg.Connection[Any]) -> Iterator[Callers]:
    write_two_houses(connection)
    running = Asked(create_app(database, limits=WIDE), "")
    yield Callers(running, connection)
    running.close()


def found(text: str, wanted: list[str]) -> list[str]:
    return [mark for mark in wanted if mark in text]


@pytest.mark.slow
def test_whoever_may_see_all_finds_every_mark_so_the_other_checks_look_everywhere(callers: Callers) -> None:
    shown = callers.everything("administrator", "house")
    for name in ("one", "two"):
        assert found(shown, marks(name)) == marks(name)


@pytest.mark.slow
@pytest.mark.parametrize("role", ["administrator", "analyst", "partner"])
def test_no_list_shows_a_row_outside_the_scope(callers: Callers, role: str) -> None:
    shown = callers.everything(role, "one")
    assert found(shown, marks("two")) == []
    expected = marks("one") if role == "administrator" else ["C-one", "A-one", "M-one", "1111"]
    assert found(shown, expected) == expected


@pytest.mark.slow
@pytest.mark.parametrize("role", ["data_engineer", "analyst", "partner"])
def test_no_field_shows_who_a_client_is_to_those_who_need_not_know(callers: Callers, role: str) -> None:
    shown = callers.everything(role, "house")
    assert [mark for name in ("one", "two") for mark in found(shown, personal(name))] == []
    assert found(shown, ["C-one", "C-two"]) == ["C-one", "C-two"]


def test_each_mask_shows_what_the_policy_says(callers: Callers) -> None:
    query = '{ client(code: "C-one") { name email birthDate identifiers { value } } }'
    shown = {
        role: callers.data(role, "house", query)["client"]
        for role in ("administrator", "risk_officer", "data_engineer", "analyst", "partner")
    }
    assert shown["administrator"]["email"] == PERSONAL["one"]["email"]
    assert shown["risk_officer"] == {
        "name": "one-full-name",
        "email": None,
        "birthDate": "1961-01-01",
        "identifiers": [{"value": IDENTIFIERS["one"]}],
    }
    assert shown["analyst"]["name"] == "o***"
    assert shown["analyst"]["email"] is None
    assert shown["analyst"]["birthDate"] == "1961-01-01"
    assert shown["partner"]["name"] is None
    assert shown["partner"]["identifiers"] == [{"value": "***"}]
    hashed = shown["data_engineer"]
    assert hashed["name"].startswith("sha256:")
    assert hashed["birthDate"] is None
    assert hashed["name"] == callers.data("data_engineer", "one", query)["client"]["name"], "equal values stay equal"


@pytest.mark.parametrize(
    "query",
    [
        '{ clients(where: { name: { eq: "one-full-name" } }) { totalCount } }',
        '{ clients(where: { name: { startsWith: "one" } }) { totalCount } }',
        '{ clients(where: { name: { search: "one" } }) { totalCount } }',
        '{ clients(where: { not: { or: [{ name: { contains: "one" } }] } }) { totalCount } }',
        '{ portfolios(where: { client: { name: { contains: "one" } } }) { totalCount } }',
        "{ clients(orderBy: [NAME_ASC]) { nodes { code } } }",
        "{ clients { groups(by: [NAME]) { key { name } count } } }",
        '{ client(by: { identifier: { scheme: "NATIONAL_ID", value: "one-national-id" } }) { code } }',
    ],
)
def test_nothing_can_be_found_ordered_or_grouped_by_a_masked_field(callers: Callers, query: str) -> None:
    for role in ("analyst", "data_engineer", "partner"):
        answer = callers.ask(role, "house", query)
        assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
        assert found(json.dumps(answer), personal("one") + personal("two")) == []


@pytest.mark.parametrize("aggregate", ["sum", "min", "avg"])
def test_masked_amounts_are_not_summed(callers: Callers, aggregate: str) -> None:
    query = f"{{ holdings {{ aggregate {{ {aggregate} {{ cost {{ amount }} }} }} }} }}"
    assert callers.ask("administrator", "house", query).get("errors") is None
    assert callers.code("partner", "house", query) == "FORBIDDEN"
    assert callers.data("partner", "house", "{ holdings { nodes { quantity cost } } }")["holdings"]["nodes"] == [
        {"quantity": "1111", "cost": None},
        {"quantity": "2222", "cost": None},
    ]


def test_sums_and_counts_hold_only_rows_of_the_scope(callers: Callers) -> None:
    query = "{ holdings { totalCount aggregate { count sum { quantity } } } clients { totalCount } }"
    shown = callers.data("administrator", "one", query)
    assert shown["holdings"]["totalCount"] == 1
    assert shown["holdings"]["aggregate"]["sum"]["quantity"] == "1111"
    assert shown["clients"]["totalCount"] == 1


def test_ids_codes_references_and_aliases_lead_to_nothing_outside_the_scope(callers: Callers) -> None:
    ids = "{ clients { nodes { id } } accounts { nodes { id } } portfolios { nodes { id } } holdings { nodes { id } } }"
    everyone = callers.data("administrator", "house", ids)
    own = {node["id"] for each in callers.data("administrator", "one", ids).values() for node in each["nodes"]}
    foreign = [node["id"] for each in everyone.values() for node in each["nodes"] if node["id"] not in own]
    assert len(foreign) >= 4
    for identifier in foreign:
        query = "query($id: ID!) { node(id: $id) { __typename } it: node(id: $id) { id } }"
        assert callers.data("administrator", "one", query, {"id": identifier}) == {"node": None, "it": None}
    listed = callers.data("administrator", "one", "query($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": foreign})
    assert listed["nodes"] == [None] * len(foreign)
    reference = "query($r: [_Any!]!) { _entities(representations: $r) { __typename } }"
    asked_for = [{"__typename": "Client", "code": "C-two"}, {"__typename": "Portfolio", "code": "M-two"}]
    answer = callers.data("administrator", "one", reference, {"r": asked_for})
    assert answer["_entities"] == [None, None]
    query = '{ client(code: "C-two") { code } account(code: "A-two") { code } portfolio(code: "M-two") { code } }'
    assert callers.data("administrator", "one", query) == {"client": None, "account": None, "portfolio": None}


def test_no_relation_leads_out_of_the_scope(callers: Callers) -> None:
    query = """{ instruments { nodes { code holders { nodes { code } } } }
      publications(first: 100) { nodes { trust { deliveryFile } } } }"""
    shown = callers.data("administrator", "one", query)
    assert [node["code"] for each in shown["instruments"]["nodes"] for node in each["holders"]["nodes"]] == ["M-one"]
    assert found(json.dumps(shown), marks("two")) == []


def test_a_cursor_of_another_caller_shows_nothing_more(callers: Callers) -> None:
    page = "query($c: String) { holdings(first: 1, after: $c) { edges { cursor node { quantity } } } }"
    first = callers.data("administrator", "house", page)["holdings"]["edges"][0]
    assert first["node"]["quantity"] == "1111"
    assert callers.data("administrator", "one", page, {"c": first["cursor"]})["holdings"]["edges"] == []
    ordered = "{ clients(first: 2) { edges { cursor } } }"
    for role in ("analyst", "partner", "data_engineer"):
        text = json.dumps(callers.data(role, "house", ordered))
        assert found(text, personal("one") + personal("two")) == []


def test_the_past_shows_no_more_than_today(callers: Callers) -> None:
    query = """query($at: DateTime) { clients(asOf: "2026-01-05", knownAt: $at) { nodes { code name email
      history { nodes { name email changed } } } } }"""
    for moment in (None, "2026-01-06T00:00:00Z"):
        text = json.dumps(callers.data("analyst", "one", query, {"at": moment}))
        assert found(text, personal("one") + marks("two")) == []


@pytest.mark.parametrize("file_format", ["csv"])
def test_exports_hold_what_lists_show(callers: Callers, file_format: str) -> None:
    def exported(role: str, scope: str, query: str) -> tuple[int, str]:
        sent = callers.asked.request(
            "POST",
            "/export",
            json={"query": query, "format": file_format},
            headers={"X-API-Key": callers.keys[role, scope]},
        )
        return sent.status_code, sent.text

    query = "{ clients { nodes { code name email } } }"
    status, text = exported("administrator", "house", query)
    assert status == 200
    assert found(text, ["one-full-name", "two-mail@example.org"]) == ["one-full-name", "two-mail@example.org"]
    status, text = exported("analyst", "one", query)
    assert status == 200
    assert "C-one" in text
    assert found(text, personal("one") + marks("two")) == []
    assert exported("partner", "one", query)[0] == 403, "the permission `export` is lacking"


def test_an_error_tells_nothing_of_rows_that_may_not_be_seen(callers: Callers) -> None:
    for query in (
        '{ client(code: "C-two") { nam } }',
        '{ clients(after: "x:C-two") { nodes { code } } }',
        '{ node(id: "Client:C-two") { id } }',
        '{ holdings(where: { quantity: { eq: "2222x" } }) { totalCount } }',
    ):
        answer = callers.ask("analyst", "one", query)
        assert answer["errors"]
        told = json.dumps(answer).replace("C-two", "", 1).replace("2222x", "")
        assert found(told, personal("two")) == []
        assert "select " not in told


def test_what_was_said_about_files_needs_a_permission(callers: Callers) -> None:
    query = "{ deliveries { nodes { fileName messages } } }"
    assert callers.code("partner", "one", query) == "FORBIDDEN"
    assert callers.code("analyst", "house", query) == "FORBIDDEN"
    assert callers.data("risk_officer", "house", query)["deliveries"]["nodes"]


def test_every_mutation_needs_a_permission_and_nothing_of_the_desk_is_told_without(
    callers: Callers, connection: psycopg.Connection[Any]
) -> None:
    schema = load_graph()
    made = dict(mutations(schema.schema))
    assert made.keys() == schema.mutations.keys()
    deciding = {name for name, found in schema.mutations.items() if found.mutation.needs is Permission.DECIDE}
    assert len(deciding) >= 6
    for name, query in made.items():
        for role in ("analyst", "partner"):
            answer = callers.ask(role, "house", query)
            assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN", name
            assert "Waiver" not in answer["errors"][0]["message"], "whether there is such a thing is not told"
        if name in deciding:
            assert callers.code("data_engineer", "house", query) == "FORBIDDEN", name
    written = "select from governance.audit_event union all select from quality.waiver"
    assert connection.execute(written).fetchall() == []


def test_a_mutation_answers_with_no_row_outside_the_scope_and_with_masks(
    callers: Callers, connection: psycopg.Connection[Any]
) -> None:
    connection.execute(
        """
        insert into quality.exception (rule_id, subject, severity, state, message, due_date, publication_id)
        select 'client.known', 'clients ' || publication_id, 'critical', 'open', '?', '2026-01-06', publication_id
          from governance.publication where target = 'core.client'
        """
    )
    connection.commit()
    query = """mutation {
      commentOnExceptions(input: { ids: ["QualityException:1", "QualityException:2"], comment: "?" }) {
        exceptions { publication { clients { nodes { code name email accounts { nodes { code } } } } } } } }"""
    everything = json.dumps(callers.data("administrator", "house", query))
    assert found(everything, ["C-one", "C-two", "two-full-name"]) == ["C-one", "C-two", "two-full-name"]
    one = json.dumps(callers.data("administrator", "one", query))
    assert found(one, ["C-one", "one-full-name"]) == ["C-one", "one-full-name"]
    assert found(one, marks("two")) == []
    masked = json.dumps(callers.data("data_engineer", "one", query))
    assert found(masked, ["C-one"]) == ["C-one"]
    assert found(masked, personal("one") + marks("two")) == []


def test_what_trust_is_refused_for_is_named_without_a_row_that_may_not_be_seen(
    callers: Callers, connection: psycopg.Connection[Any]
) -> None:
    connection.execute("update governance.publication set verdict = 'waived' where target in ('core.client')")
    connection.commit()
    query = "{ clients(requireTrust: CLEAN) { nodes { code name } totalCount } }"
    answer = callers.ask("analyst", "one", query)
    assert answer["errors"][0]["extensions"]["code"] == "NOT_TRUSTED"
    assert found(json.dumps(answer), personal("one") + personal("two") + marks("one") + marks("two")) == []
    assert callers.data("analyst", "one", '{ client(code: "C-two", requireTrust: CLEAN) { code } }') == {"client": None}
