"""Gateways of Apollo Federation get the schema with keys, and rows by reference in one statement."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from graphql import DocumentNode, ObjectTypeDefinitionNode, parse, print_ast

from fulcrum.graph.compiler.operation import compile_operation
from fulcrum.graph.schema import load_graph
from tests.factories.access import make_key
from tests.factories.graph_world import GraphWorld

ENTITIES = "query($refs: [_Any!]!) { _entities(representations: $refs) { __typename %s } }"


@pytest.fixture
def resolve(asked: Any, world: GraphWorld) -> Any:  # noqa: ARG001 - the world must be written
    def resolved(selection: str, *references: Any) -> Any:
        return asked.data(ENTITIES % selection, {"refs": list(references)})["_entities"]

    return resolved


def test_the_schema_for_gateways_has_a_key_on_every_node_and_none_of_the_gateways_own_fields(asked: Any) -> None:
    sdl = asked.data("{ _service { sdl } }")["_service"]["sdl"]
    assert sdl == load_graph().subgraph()
    document: DocumentNode = parse(sdl)
    keys = {
        found.name.value: [
            print_ast(used.arguments[0].value).strip('"') for used in found.directives if used.name.value == "key"
        ]
        for found in document.definitions
        if isinstance(found, ObjectTypeDefinitionNode)
    }
    assert {name for name, found in keys.items() if found} == load_graph().bindings.nodes
    assert keys["Instrument"] == ["id", "code", "isin"]
    assert keys["Holding"] == ["id"]
    assert "_entities" not in sdl
    assert "scalar _Any" not in sdl


def test_references_of_several_types_and_keys_come_back_in_their_order(resolve: Any, asked: Any) -> None:
    fund = asked.data('{ portfolio(code: "FUND") { id } }')["portfolio"]["id"]
    found = resolve(
        "... on Portfolio { name nav { navBase } } ... on Instrument { code } ... on Node { id }",
        {"__typename": "Portfolio", "id": fund},
        {"__typename": "Instrument", "isin": "GB00PENCE001"},
        {"__typename": "Portfolio", "code": "MANDATE"},
        {"__typename": "Instrument", "code": "ISIN:US00PLAIN001"},
        {"__typename": "Portfolio", "code": "FUND", "unknown": 1},
    )
    assert [one["__typename"] for one in found] == ["Portfolio", "Instrument", "Portfolio", "Instrument", "Portfolio"]
    assert (
        found[0]
        == found[4]
        == {
            "__typename": "Portfolio",
            "name": "World Fund",
            "nav": {"navBase": "635.7"},
            "id": fund,
        }
    )
    assert found[1]["code"] == "ISIN:GB00PENCE001"
    assert found[2]["nav"] == {"navBase": "1000.50"}


def test_an_unknown_reference_is_null_and_none_at_all_is_an_empty_list(resolve: Any) -> None:
    found = resolve(
        "... on Client { name }",
        {"__typename": "Client", "code": "nobody"},
        {"__typename": "Client", "code": "C-1"},
        {"__typename": "Client", "id": "Client:999999"},
        {"__typename": "Holding", "id": "Holding:1:2020-01-01:1:"},
    )
    assert found == [None, {"__typename": "Client", "name": "Ada Ltd"}, None, None]
    assert resolve("... on Client { name }") == []


def test_every_id_that_the_api_gives_resolves_to_its_row(resolve: Any, asked: Any) -> None:
    lists = ("holdings", "prices", "fxRates", "valuations", "navs", "unitHoldings", "publications", "deliveries")
    day = "2026-01-15"
    for name in lists:
        nodes = asked.data(f'{{ {name}(asOf: "{day}") {{ nodes {{ __typename id }} }} }}')[name]["nodes"]
        assert nodes
        assert resolve("... on Node { id }", *nodes) == nodes


@pytest.mark.parametrize(
    "reference",
    [
        "Client:1",
        None,
        {},
        {"__typename": "Nothing", "id": "Nothing:1"},
        {"__typename": "PageInfo", "id": "x"},
        {"__typename": ["Client"], "id": "Client:1"},
        {"__typename": "Client"},
        {"__typename": "Client", "code": 7},
        {"__typename": "Client", "id": "Portfolio:1"},
        {"__typename": "Client", "id": "Client:x"},
        {"__typename": "Client", "code": "a\x00b"},
    ],
)
def test_a_wrong_reference_is_the_callers_mistake(asked: Any, reference: Any) -> None:
    assert asked.code(ENTITIES % "", {"refs": [reference]}) == "BAD_USER_INPUT"


def test_more_than_a_thousand_references_are_refused(asked: Any) -> None:
    many = [{"__typename": "Client", "code": str(n)} for n in range(1001)]
    assert asked.data(ENTITIES % "", {"refs": many[:1000]})["_entities"] == [None] * 1000
    assert asked.code(ENTITIES % "", {"refs": many}) == "BAD_USER_INPUT"


def test_references_may_stand_in_the_text_or_in_single_variables(asked: Any, world: GraphWorld) -> None:  # noqa: ARG001
    written = '{ _entities(representations: [{__typename: "Client", code: "C-1"}]) { ... on Client { name } } }'
    assert asked.data(written)["_entities"] == [{"name": "Ada Ltd"}]
    single = "query($one: _Any!) { _entities(representations: [$one]) { ... on _Entity { ... on Client { name } } } }"
    for code, name in (("C-1", {"name": "Ada Ltd"}), ("C-2", None)):
        assert asked.data(single, {"one": {"__typename": "Client", "code": code}})["_entities"] == [name]
    portfolio = {"one": {"__typename": "Portfolio", "code": "FUND"}}
    assert asked.data(single, portfolio)["_entities"] == [{}]


def test_masks_and_permissions_hold_for_gateways(
    asked: Any,
    world: GraphWorld,  # noqa: ARG001
    connection: psycopg.Connection[Any],
) -> None:
    partner = make_key(connection, "partner", roles=["partner"])
    by_code = [{"__typename": "Client", "code": "C-1"}]
    body = {"query": ENTITIES % "... on Client { name kindCode }", "variables": {"refs": by_code}}
    answer = asked.request("POST", "/graphql", json=body, headers={"X-API-Key": partner}).json()
    assert answer["data"]["_entities"] == [{"__typename": "Client", "name": None, "kindCode": "INSTITUTION"}]
    sdl = asked.request("POST", "/graphql", json={"query": "{ _service { sdl } }"}, headers={"X-API-Key": partner})
    assert sdl.json()["errors"][0]["extensions"]["code"] == "FORBIDDEN"


def test_references_are_read_as_of_a_day_and_as_known_at_a_moment(asked: Any, world: GraphWorld) -> None:
    query = """query($refs: [_Any!]!, $asOf: Date, $knownAt: DateTime) {
      _entities(representations: $refs, asOf: $asOf, knownAt: $knownAt) {
        ... on Portfolio { holdings(first: 1) { nodes { quantity } } } } }"""
    variables = {"refs": [{"__typename": "Portfolio", "code": "FUND"}]}
    moment = world.known_at(9).isoformat()
    found = [
        asked.data(query, variables | more)["_entities"][0]["holdings"]["nodes"]
        for more in ({}, {"asOf": "2026-01-15", "knownAt": moment}, {"asOf": "2026-01-14"})
    ]
    assert found == [[{"quantity": "110"}], [{"quantity": "100"}], []]


def test_the_values_of_references_are_bound_never_written() -> None:
    graph = load_graph()
    document = parse('{ _entities(representations: [{__typename: "Client", code: "\'; drop"}]) { __typename } }')
    from fulcrum.entitlements.rights import EVERYTHING

    plan = compile_operation(graph.schema, graph.bindings, document.definitions[0], {}, {}, EVERYTHING)  # type: ignore[arg-type]
    assert plan.sql is not None
    assert "drop" not in plan.sql
    assert plan.parameters({})[-1] == '[[0, "\'; drop"]]'
