"""No null stands where the schema promises a value: every field of every list is asked for, on random data."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from graphql import GraphQLInterfaceType, GraphQLList, GraphQLNonNull, GraphQLObjectType, get_named_type, is_leaf_type
from graphql.type import is_required_argument

from fulcrum.graph.schema import load_graph
from tests.factories.graph_random import RandomWorld

GRAPH = load_graph()
DEPTH = 2


def selection(kind: Any, depth: int) -> str:
    """Everything of an object that needs no argument: scalars, made objects, and entities one step further."""
    made = []
    for name, field in kind.fields.items():
        inner = get_named_type(field.type)
        if any(is_required_argument(argument) for argument in field.args.values()):
            continue
        if is_leaf_type(inner):
            made.append(name)
        elif isinstance(inner, (GraphQLObjectType, GraphQLInterfaceType)) and depth > 0:
            is_page = inner.name.endswith("Connection")
            if not is_page and not (inner.name in GRAPH.bindings.entities and depth < DEPTH):
                made.append(f"{name} {selection(inner, depth - 1)}")
    return f"{{ {' '.join(made) or '__typename'} }}"


def check(kind: Any, value: Any, place: str) -> int:
    """Hold a value against its type; how many values were met."""
    if isinstance(kind, GraphQLNonNull):
        assert value is not None, place
        return check(kind.of_type, value, place)
    if value is None:
        return 0
    if isinstance(kind, GraphQLList):
        return sum(check(kind.of_type, item, place) for item in value)
    if isinstance(kind, GraphQLObjectType):
        return sum(
            check(kind.fields[name].type, part, f"{place}.{name}")
            for name, part in value.items()
            if name in kind.fields
        )
    return 1


@pytest.mark.slow
def test_promised_values_are_there_in_every_list(connection: psycopg.Connection[Any], asked: Any) -> None:
    RandomWorld(connection, 7).write()
    root = GRAPH.schema.query_type
    assert root is not None
    met: dict[str, int] = {}
    for name, field in root.fields.items():
        kind: Any = get_named_type(field.type)
        if not kind.name.endswith("Connection") or any(is_required_argument(a) for a in field.args.values()):
            continue
        node = get_named_type(kind.fields["nodes"].type)
        query = f"{{ {name}(first: 50) {{ totalCount nodes {selection(node, DEPTH)} }} }}"
        found = asked.data(query)
        met[name] = check(root, found, "")
    assert len(met) >= 12
    assert sum(met.values()) > 1_000
    assert met["holdings"] > 10
