"""Joins the declarations of all entities into one table of bindings, and gives fields their arguments.

Run once, before the Strawberry schema is made; a declaration that contradicts the models fails here.
"""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import Any

import strawberry
from strawberry.annotation import StrawberryAnnotation
from strawberry.types.arguments import StrawberryArgument
from strawberry.types.base import StrawberryList, StrawberryObjectDefinition, StrawberryOptional
from strawberry.types.field import StrawberryField
from strawberry.utils.str_converters import to_camel_case

from fulcrum.errors import SettingsError
from fulcrum.graph.declare import (
    METADATA,
    Column,
    Declaration,
    Entity,
    GlobalId,
    Lookup,
    NodeLookup,
    Relation,
    entities,
)
from fulcrum.graph.filters import FILTERS, order_type, where_type
from fulcrum.graph.relay import Connection
from fulcrum.graph.scalars import BigInt

SQL_TYPES: Mapping[object, str] = {
    str: "text",
    Decimal: "numeric",
    dt.date: "date",
    dt.datetime: "timestamptz",
    bool: "boolean",
    int: "bigint",
    BigInt: "bigint",
    strawberry.ID: "text",
}
TEXT_IN_JSON = (Decimal, BigInt)


class Cardinality(StrEnum):
    """How many objects a field gives."""

    SCALAR = "scalar"
    ONE = "one"
    LIST = "list"
    CONNECTION = "connection"


@dataclass(frozen=True)
class BoundField:
    """One GraphQL field: its declaration (None: supplied by a group) and its resolved type."""

    python_name: str
    declaration: Declaration | None
    cardinality: Cardinality
    child: str | None
    sql_type: str
    is_nullable: bool
    is_text_in_json: bool = False


@dataclass(frozen=True)
class Bindings:
    """Type name -> GraphQL field name -> bound field; and the entities by name."""

    fields: Mapping[str, Mapping[str, BoundField]]
    entities: Mapping[str, Entity]
    nodes: frozenset[str]

    def by_python_name(self, entity: str, name: str) -> BoundField:
        """The field of `entity` called `name` in Python."""
        return next(found for found in self.fields[entity].values() if found.python_name == name)


def bind(query: type) -> Bindings:
    """Resolve every type that `query` reaches and attach the arguments of its fields.

    Raises:
        SettingsError: a declaration names an absent column, or promises a value that may be null.
    """
    known = entities()
    _share_names(known.values())
    fields: dict[str, dict[str, BoundField]] = {}
    owners: list[StrawberryObjectDefinition] = []
    pending: list[Any] = [query, *(found.type for found in known.values())]
    while pending:
        definition: StrawberryObjectDefinition = pending.pop().__strawberry_definition__
        if definition.name in fields:
            continue
        owners.append(definition)
        fields[definition.name] = {}
        for found in definition.fields:
            bound, child = _bound(found)
            fields[definition.name][found.graphql_name or to_camel_case(found.python_name)] = bound
            if child is not None:
                pending.append(child)
    nodes = frozenset(name for name in known if any(_is_id(found) for found in fields[name].values()))
    bindings = Bindings(fields, known, nodes)
    for declared in known.values():
        _check(declared, bindings)
    _attach_arguments(query, owners, bindings)
    return bindings


def _is_id(found: BoundField) -> bool:
    return isinstance(found.declaration, GlobalId)


def _share_names(known: Iterable[Entity]) -> None:
    """Let annotations name entities of other modules, which would import each other in circles."""
    listed = list(known)
    for found in listed:
        namespace = vars(sys.modules[found.type.__module__])
        for other in listed:
            namespace.setdefault(other.name, other.type)


def _bound(found: StrawberryField) -> tuple[BoundField, type | None]:
    inner: Any = found.type
    is_nullable = isinstance(inner, StrawberryOptional)
    if is_nullable:
        inner = inner.of_type
    cardinality, item = Cardinality.ONE, inner
    if isinstance(inner, StrawberryList):
        cardinality, item = Cardinality.LIST, inner.of_type
    definition = getattr(item, "__strawberry_definition__", None)
    declaration = found.metadata.get(METADATA)
    if definition is None:
        bound = BoundField(
            found.python_name, declaration, Cardinality.SCALAR, None, SQL_TYPES[item], is_nullable, item in TEXT_IN_JSON
        )
        return bound, None
    if definition.origin is Connection or definition.concrete_of is not None:
        cardinality, item = Cardinality.CONNECTION, definition.type_var_map["T"]
    name = item.__strawberry_definition__.name
    return BoundField(found.python_name, declaration, cardinality, name, "json", is_nullable=is_nullable), item


def _check(found: Entity, bindings: Bindings) -> None:
    columns = found.source.columns
    definition: StrawberryObjectDefinition = found.type.__strawberry_definition__  # type: ignore[attr-defined]
    for field in definition.fields:
        bound = bindings.by_python_name(found.name, field.python_name)
        if not isinstance(bound.declaration, Column) or bound.declaration.sql:
            continue
        name = bound.declaration.name or field.python_name
        if name not in columns:
            raise SettingsError(f"{found.name}.{field.python_name}: its table has no column {name!r}.")
        if columns[name].is_nullable and not bound.is_nullable:
            raise SettingsError(f"{found.name}.{field.python_name}: {name!r} may be null, so must the field.")
        if field.description is None:
            field.description = columns[name].comment


def _attach_arguments(query: type, owners: Iterable[StrawberryObjectDefinition], bindings: Bindings) -> None:
    filters = {name: _where(name, found, bindings) for name, found in bindings.entities.items()}
    orders = {name: order_type(name, _sortable(name, bindings)) for name in bindings.entities}
    for definition in owners:
        for field in definition.fields:
            bound = bindings.by_python_name(definition.name, field.python_name)
            made: list[StrawberryArgument] = []
            if isinstance(bound.declaration, Lookup):
                made += _lookup_arguments(bound.declaration)
            if isinstance(bound.declaration, NodeLookup):
                made.append(_argument("id", strawberry.ID, "An id that the API gave."))
            if isinstance(bound.declaration, Relation):
                made += _own_arguments(bound.declaration)
            if bound.cardinality is Cardinality.CONNECTION:
                made += _paging(filters[bound.child or ""], orders[bound.child or ""])
            elif isinstance(bound.declaration, Relation) and bound.declaration.is_narrow:
                made.append(_optional("where", filters[bound.child or ""], "Only rows for which this holds."))
            if definition.origin is query and not isinstance(bound.declaration, NodeLookup):  # Relay's has one argument
                made += _TIME
            field.arguments = made


def _where(name: str, found: Entity, bindings: Bindings) -> type | None:
    definition: StrawberryObjectDefinition = found.type.__strawberry_definition__  # type: ignore[attr-defined]
    wanted: dict[str, tuple[StrawberryField, str]] = {}
    for field in definition.fields:
        bound = bindings.by_python_name(name, field.python_name)
        if isinstance(bound.declaration, Column) and bound.declaration.is_filterable and bound.sql_type in FILTERS:
            wanted[field.python_name] = (field, bound.sql_type)
    return where_type(name, wanted)


def _sortable(name: str, bindings: Bindings) -> list[str]:
    return [
        found.python_name
        for found in bindings.fields[name].values()
        if isinstance(found.declaration, Column) and found.declaration.is_sortable
    ]


def _argument(name: str, annotation: object, description: str, **options: Any) -> StrawberryArgument:
    return StrawberryArgument(name, None, StrawberryAnnotation(annotation), description=description, **options)


def _optional(name: str, annotation: Any, description: str) -> StrawberryArgument:
    return _argument(name, annotation | None, description, default=strawberry.UNSET)


def _lookup_arguments(declaration: Lookup) -> list[StrawberryArgument]:
    if declaration.argument is not None:
        if not declaration.short:
            return [_argument("by", declaration.argument, "Exactly one way to name it.")]
        short = [_optional(name, str, f"The {name} of the one that is looked for.") for name in declaration.short]
        return [*short, _optional("by", declaration.argument, "Any one way to name it.")]
    return [
        _argument(name, int if name == "number" else str, f"The {name} of the one that is looked for.")
        for name in declaration.by
    ]


def _own_arguments(declaration: Relation) -> list[StrawberryArgument]:
    return [
        (_argument if found.is_required else _optional)(name, found.kind, found.description)
        for name, found in declaration.arguments.items()
    ]


def _paging(where: type | None, order: type | None) -> list[StrawberryArgument]:
    made = [
        _optional("first", int, "So many from the start, or after `after`; 100 if not given, 1000 at most."),
        _optional("after", str, "Cursor of the edge before the first wanted."),
        _optional("last", int, "So many from the end, or before `before`; 1000 at most."),
        _optional("before", str, "Cursor of the edge after the last wanted."),
    ]
    if where is not None:
        made.append(_optional("where", where, "Only rows for which this holds."))
    if order is not None:
        made.append(_optional("order_by", order, "Order of the list; ties are broken by its own order."))
    return made


_TIME = [
    _optional("as_of", dt.date, "Business date of the whole operation; the latest, if not given."),
    _optional("known_at", dt.datetime, "As Fulcrum knew it then, for the whole operation; now, if not given."),
]


def without_declaration(found: BoundField, declaration: Declaration) -> BoundField:
    """The field of a grouped object with the declaration that the group supplies."""
    return replace(found, declaration=declaration)
