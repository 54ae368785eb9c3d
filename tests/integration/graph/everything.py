"""Queries that ask for all there is: every field of every list, as deep as wanted, taken from the schema itself."""

from __future__ import annotations

from collections.abc import Iterator

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_leaf_type,
)
from strawberry.utils.str_converters import to_camel_case

SCALARS = {"Int": "1", "BigInt": '"1"', "DateTime": '"2026-01-05T09:00:00Z"', "String": '"EUR"'}
MADE_UP = SCALARS | {"ID": '"Waiver:1"', "Date": '"2026-01-05"', "Decimal": '"1"'}
PAGE = 5


def lists(schema: GraphQLSchema) -> list[str]:
    """The root fields that are connections."""
    assert schema.query_type is not None
    return [name for name, field in schema.query_type.fields.items() if _is_connection(field)]


def questions(schema: GraphQLSchema, depth: int) -> Iterator[str]:
    """For each list of the root and each field of its rows one query, which goes `depth` objects deeper."""
    assert schema.query_type is not None
    for name in lists(schema):
        connection = get_named_type(schema.query_type.fields[name].type)
        assert isinstance(connection, GraphQLObjectType)
        node = get_named_type(connection.fields["nodes"].type)
        assert isinstance(node, GraphQLObjectType)
        for inner, field in node.fields.items():
            asked = _asked(inner, field, depth)
            if asked:
                yield f"{{ {name}(first: {PAGE}) {{ edges {{ cursor node {{ {asked} }} }} }} }}"
        if "aggregate" in connection.fields:
            yield f"{{ {name} {{ {_asked('aggregate', connection.fields['aggregate'], depth)} }} }}"
        for dimension in _dimensions(connection):
            key = to_camel_case(dimension.lower())
            yield f"{{ {name} {{ groups(by: [{dimension}]) {{ key {{ {key} }} count }} }} }}"


def mutations(schema: GraphQLSchema) -> Iterator[tuple[str, str]]:
    """The name of every mutation, and a text that asks for it with a made-up input."""
    assert schema.mutation_type is not None
    for name, field in schema.mutation_type.fields.items():
        yield name, f"mutation {{ {name}(input: {_input(field.args['input'].type)}) {{ __typename }} }}"


def _input(kind: GraphQLInputType) -> str:
    """A value of an input type, with what it cannot do without."""
    if isinstance(kind, GraphQLNonNull):
        return _input(kind.of_type)
    if isinstance(kind, GraphQLList):
        return f"[{_input(kind.of_type)}]"
    if isinstance(kind, GraphQLEnumType):
        return next(iter(kind.values))
    if isinstance(kind, GraphQLInputObjectType):
        needed = {name: part.type for name, part in kind.fields.items() if isinstance(part.type, GraphQLNonNull)}
        chosen = needed or {name: part.type for name, part in list(kind.fields.items())[:1]}
        return f"{{ {', '.join(f'{name}: {_input(inner)}' for name, inner in chosen.items())} }}"
    return MADE_UP[get_named_type(kind).name]


def _dimensions(connection: GraphQLObjectType) -> list[str]:
    if "groups" not in connection.fields:
        return []
    kind = get_named_type(connection.fields["groups"].args["by"].type)
    assert isinstance(kind, GraphQLEnumType)
    return list(kind.values)


def _is_connection(field: GraphQLField) -> bool:
    return get_named_type(field.type).name.endswith("Connection")


def _asked(name: str, field: GraphQLField, depth: int) -> str:
    """The text that asks for a field; empty where it has to be told something that cannot be made up."""
    given = _given(field)
    if given is None:
        return ""
    kind = get_named_type(field.type)
    if is_leaf_type(kind):
        return f"{name}{given}"
    if depth == 0 or not isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
        return ""
    if _is_connection(field):
        assert isinstance(kind, GraphQLObjectType)
        below = _asked("nodes", kind.fields["nodes"], depth)
    else:
        below = " ".join(filter(None, (_asked(inner, each, depth - 1) for inner, each in kind.fields.items())))
    return f"{name}{given} {{ {below} }}" if below else ""


def _given(field: GraphQLField) -> str | None:
    told: list[str] = []
    if _is_connection(field):
        told.append(f"first: {PAGE}")
    for name, argument in field.args.items():
        if not isinstance(argument.type, GraphQLNonNull):
            continue
        value = _value(argument)
        if value is None:
            return None
        told.append(f"{name}: {value}")
    return f"({', '.join(told)})" if told else ""


def _value(argument: GraphQLArgument) -> str | None:
    kind = argument.type.of_type if isinstance(argument.type, GraphQLNonNull) else argument.type
    named = get_named_type(kind)
    if isinstance(named, GraphQLEnumType):
        first = next(iter(named.values))
        return f"[{first}]" if isinstance(kind, GraphQLList) else first
    return SCALARS.get(named.name)
