"""Arguments as the compiler sees them: the shape is known when compiling, the values are bound later.

A plan holds for every request with the same shape: which variables and input fields are present,
null or set, and the values of enums, booleans and type prefixes of ids; never other values.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Any

from graphql import (
    EnumValueNode,
    FieldNode,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLScalarType,
    ListValueNode,
    NullValueNode,
    ObjectValueNode,
    ValueNode,
    VariableNode,
    value_from_ast,
)

from fulcrum.graph.errors import BadUserInputError
from fulcrum.graph.references import ANY, read_reference

Variables = Mapping[str, Any]
Path = tuple[str | int, ...]
ABSENT: Any = object()
MOST_LISTED = 1_000
"""Values in one list: `in` with more is a join that belongs into the warehouse."""
MOST_DIGITS = 1_000
"""Digits before or behind the point; PostgreSQL's numeric ends at 131,072."""


@dataclass(frozen=True)
class Slot:
    """A scalar value, or list of them: a constant, parts, or a path of names and places into the variables.

    `now` is the value in the request that is being compiled; only its shape may be looked at.
    """

    now: Any
    variable: str | None = None
    path: Path = ()
    parts: tuple[Slot, ...] | None = None

    @property
    def is_constant(self) -> bool:
        """Whether the query's text holds the value."""
        return self.variable is None and self.parts is None

    def read(self, variables: Variables) -> Any:
        """The value in a request of the same shape."""
        if self.parts is not None:
            return [part.read(variables) for part in self.parts]
        if self.variable is None:
            return self.now
        value = variables[self.variable]
        for step in self.path:
            value = value[step]
        return value


def arguments(field: GraphQLField, node: FieldNode, variables: Variables) -> dict[str, Any]:
    """The arguments given to a field: absent ones are left out, null is None.

    Scalars and lists of them are `Slot`; enums are their names, booleans themselves, input objects
    dictionaries; lists of enums and of input objects are lists.
    """
    given: dict[str, Any] = {}
    for argument in node.arguments:
        name = argument.name.value
        value = _of_node(field.args[name].type, argument.value, variables)
        if value is not ABSENT:
            given[name] = value
    return given


def shape(kind: GraphQLInputType, value: Any) -> Any:
    """What of a variable's value a plan depends on; hashable."""
    if value is None:
        return None
    inner = _bare(kind)
    if isinstance(inner, GraphQLInputObjectType):
        return tuple((name, shape(inner.fields[name].type, part)) for name, part in sorted(value.items()))
    if isinstance(inner, GraphQLList):
        bare = _bare(inner.of_type)
        if bare.name == ANY:
            return tuple(sorted({read_reference(part).kind for part in value}))
        if bare.name == "ID":
            return tuple(sorted({_id_type(part) for part in value}))
        return "set" if isinstance(bare, GraphQLScalarType) else tuple(shape(inner.of_type, part) for part in value)
    return _enum_name(inner, value) if isinstance(inner, GraphQLEnumType) else _scalar_shape(inner, value)


def _scalar_shape(kind: GraphQLScalarType, value: Any) -> Any:
    if kind.name == ANY:
        return read_reference(value).kind
    if kind.name == "ID":
        return _id_type(value)
    return value if isinstance(value, bool) else "set"


def _id_type(value: Any) -> str:
    return str(value).partition(":")[0][:64]


def as_text(value: Any) -> str:
    """A value in PostgreSQL's text form.

    Raises:
        BadUserInputError: PostgreSQL has no such text or number.
    """
    if isinstance(value, list):
        if len(value) > MOST_LISTED:
            raise BadUserInputError(f"A list holds over {MOST_LISTED} values.", remedy="Ask in parts.")
        return "{" + ",".join(_array_item(item) for item in value) + "}"
    if isinstance(value, dt.datetime):
        return (value if value.tzinfo else value.replace(tzinfo=dt.UTC)).isoformat()
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, Decimal) and (not value.is_finite() or abs(value.adjusted()) > MOST_DIGITS):
        raise BadUserInputError("A decimal is no number of reasonable size.", remedy="Correct it.")
    text = str(value)
    if "\x00" in text:
        raise BadUserInputError("A text holds the character NUL.", remedy="Remove it.")
    return text


def _array_item(value: Any) -> str:
    escaped = as_text(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _bare(kind: GraphQLInputType) -> Any:
    return kind.of_type if isinstance(kind, GraphQLNonNull) else kind


def _of_node(kind: GraphQLInputType, node: ValueNode, variables: Variables) -> Any:
    if isinstance(node, VariableNode):
        name = node.name.value
        return _of_value(kind, variables[name], name, ()) if name in variables else ABSENT
    if isinstance(node, NullValueNode):
        return None
    inner = _bare(kind)
    if isinstance(inner, GraphQLInputObjectType) and isinstance(node, ObjectValueNode):
        parts = {
            part.name.value: _of_node(inner.fields[part.name.value].type, part.value, variables) for part in node.fields
        }
        return {name: part for name, part in parts.items() if part is not ABSENT}
    if isinstance(inner, GraphQLEnumType) and isinstance(node, EnumValueNode):
        return node.value
    if isinstance(inner, GraphQLList):
        return _of_list(inner, node, variables)
    value = value_from_ast(node, inner)
    return value if isinstance(value, bool) else Slot(value)


def _of_list(kind: GraphQLList[Any], node: ValueNode, variables: Variables) -> Any:
    items = node.values if isinstance(node, ListValueNode) else (node,)
    found = [_of_node(kind.of_type, item, variables) for item in items]
    parts = [part for part in found if part is not ABSENT]
    if not isinstance(_bare(kind.of_type), GraphQLScalarType):
        return parts
    return Slot([part.now for part in parts], parts=tuple(parts))


def _of_value(kind: GraphQLInputType, value: Any, variable: str, path: Path) -> Any:
    if value is None:
        return None
    inner = _bare(kind)
    if isinstance(inner, GraphQLInputObjectType):
        return {name: _of_value(inner.fields[name].type, part, variable, (*path, name)) for name, part in value.items()}
    if isinstance(inner, GraphQLEnumType):
        return _enum_name(inner, value)
    if isinstance(inner, GraphQLList) and not isinstance(_bare(inner.of_type), GraphQLScalarType):
        return [_of_value(inner.of_type, part, variable, (*path, place)) for place, part in enumerate(value)]
    return value if isinstance(value, bool) else Slot(value, variable, path)


def _enum_name(kind: GraphQLEnumType, value: Any) -> str:
    if isinstance(value, Enum):
        return value.name
    if value in kind.values:
        return str(value)
    return next(name for name, known in kind.values.items() if known.value == value)
