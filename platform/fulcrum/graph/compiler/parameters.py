"""Arguments of a relation's own: bound into its templates, or choosing among them.

Paging, filters and orders are the business of `connections.py` and `filters.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from strawberry.types.base import StrawberryOptional
from strawberry.utils.str_converters import to_camel_case

from fulcrum.graph.binding import SQL_TYPES
from fulcrum.graph.compiler.statement import Statement
from fulcrum.graph.compiler.values import Slot
from fulcrum.graph.declare import Relation

PREFIX = "argument_"
Ref = Callable[[str], str]


def with_arguments(
    declaration: Relation, given: Mapping[str, Any], ref: Ref, statement: Statement
) -> tuple[Relation, Ref]:
    """The relation with its `choices` made, and `ref` that also knows `argument_...`."""
    values, types = _values(given, declaration), _types(declaration)

    def known(column: str) -> str:
        if not column.startswith(PREFIX):
            return ref(column)
        name = to_camel_case(column.removeprefix(PREFIX))
        slot = values.get(name)
        return statement.bind(slot, types[name]) if isinstance(slot, Slot) else f"null::{types[name]}"

    if declaration.choices:
        chosen = next(value for value in values.values() if value in declaration.choices)
        declaration = replace(declaration, rows=declaration.choices[chosen])
    return declaration, known


def _values(given: Mapping[str, Any], declaration: Relation) -> dict[str, Any]:
    """Values by the camel-case names of their places; those of an input carry its name in front."""
    found: dict[str, Any] = {}
    for name in map(to_camel_case, declaration.arguments):
        value = given.get(name)
        if isinstance(value, Mapping):
            found |= {name + part[0].upper() + part[1:]: inner for part, inner in value.items()}
        else:
            found[name] = value
    return found


def _types(declaration: Relation) -> dict[str, str]:
    """SQL types of the places, named as in `_values`; enums have none."""
    found: dict[str, str] = {}
    for name, argument in declaration.arguments.items():
        if argument.kind in SQL_TYPES:
            found[to_camel_case(name)] = SQL_TYPES[argument.kind]
            continue
        definition = getattr(argument.kind, "__strawberry_definition__", None)
        for part in getattr(definition, "fields", ()):
            inner: Any = part.type.of_type if isinstance(part.type, StrawberryOptional) else part.type
            found[to_camel_case(f"{name}_{part.python_name}")] = SQL_TYPES[inner]
    return found
