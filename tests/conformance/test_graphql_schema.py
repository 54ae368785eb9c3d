"""The committed GraphQL schema is the one that the entities make, and it is documented to the last field."""

from __future__ import annotations

from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLInterfaceType, GraphQLObjectType

from fulcrum.entitlements.rights import Permission
from fulcrum.graph.schema import load_graph
from fulcrum.settings import PROJECT_ROOT

COMMITTED = PROJECT_ROOT / "schemas" / "graphql" / "schema.graphql"
RENEW = "fulcrum schema print --output schemas/graphql/schema.graphql"


def test_the_printed_schema_equals_the_committed_one() -> None:
    assert load_graph().printed() == COMMITTED.read_text("utf-8"), f"If the change is meant, run: {RENEW}"


def test_every_type_field_and_argument_is_documented() -> None:
    bare = []
    for name, kind in load_graph().schema.type_map.items():
        if name.startswith("__"):
            continue
        if not kind.description:
            bare.append(name)
        if isinstance(kind, GraphQLEnumType):
            bare += [f"{name}.{value}" for value, known in kind.values.items() if not known.description]
        elif isinstance(kind, (GraphQLObjectType, GraphQLInterfaceType)):
            bare += [f"{name}.{field}" for field, known in kind.fields.items() if not known.description]
            bare += [
                f"{name}.{field}({argument}:)"
                for field, known in kind.fields.items()
                for argument, taken in known.args.items()
                if not taken.description
            ]
        elif isinstance(kind, GraphQLInputObjectType):
            bare += [f"{name}.{field}" for field, known in kind.fields.items() if not known.description]
    assert bare == []


def test_amounts_are_never_floats_and_every_node_tells_its_trust() -> None:
    graph = load_graph()
    assert "Float" not in graph.schema.type_map
    entities = graph.bindings.entities
    served = [name for name in graph.bindings.nodes if entities[name].needs is not Permission.QUALITY]
    assert len(served) > len(graph.bindings.nodes) / 2, "what the desk writes itself has no trust of its own"
    without = [name for name in served if "trust" not in graph.bindings.fields[name]]
    assert without == []
