"""Joins the declarations of all entities into one table of bindings, and gives fields their arguments.

Run once, before the Strawberry schema is made; a declaration that contradicts the models fails here.
"""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from dataclasses import field as dataclass_field
from decimal import Decimal
from enum import StrEnum
from typing import Any

import strawberry
from strawberry.annotation import StrawberryAnnotation
from strawberry.types.arguments import StrawberryArgument
from strawberry.types.base import StrawberryList, StrawberryObjectDefinition, StrawberryOptional
from strawberry.types.field import StrawberryField
from strawberry.utils.str_converters import to_camel_case

from fulcrum.analytics.policy import ValuationPolicy
from fulcrum.errors import SettingsError
from fulcrum.graph.aggregates import Aggregates, Dimension, Number, make_types, periods, reached
from fulcrum.graph.declare import (
    METADATA,
    Column,
    Declaration,
    Entity,
    GlobalId,
    Group,
    Lookup,
    NodeLookup,
    NodesLookup,
    Relation,
    entities,
)
from fulcrum.graph.demands import RequireTrust
from fulcrum.graph.filters import FILTERS, SearchFilter, Wanted, order_type, where_types
from fulcrum.graph.lists import Lists, argument, connection_type, listed_entity, optional
from fulcrum.graph.relay import Connection
from fulcrum.graph.scalars import BigInt
from fulcrum.graph.sources import Source, places

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
    paths: tuple[str, ...] = ()
    """The columns (schema.table.column) that a scalar is made from."""


@dataclass(frozen=True)
class Bindings:
    """Type name -> GraphQL field name -> bound field; and the entities by name."""

    fields: Mapping[str, Mapping[str, BoundField]]
    entities: Mapping[str, Entity]
    nodes: frozenset[str]
    policy: ValuationPolicy
    """Which exchange rates convert amounts."""
    aggregates: dict[str, Aggregates] = dataclass_field(default_factory=dict)

    def by_python_name(self, entity: str, name: str) -> BoundField:
        """The field of `entity` called `name` in Python."""
        return next(found for found in self.fields[entity].values() if found.python_name == name)


def bind(query: type, policy: ValuationPolicy) -> Bindings:
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
            bound, child = _bound(found, policy)
            fields[definition.name][found.graphql_name or to_camel_case(found.python_name)] = bound
            if child is not None:
                pending.append(child)
    nodes = frozenset(name for name in known if any(_is_id(found) for found in fields[name].values()))
    bindings = Bindings(fields, known, nodes, policy)
    for declared in known.values():
        _check(declared, bindings)
    for name, bound_fields in fields.items():
        source = known[name].source if name in known else None
        fields[name] = {key: replace(bound, paths=_paths(bound, source)) for key, bound in bound_fields.items()}
    bindings.aggregates.update({name: _aggregates(name, bindings) for name in known})
    _attach(query, owners, bindings, _lists(bindings))
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


def _bound(found: StrawberryField, policy: ValuationPolicy) -> tuple[BoundField, type | None]:
    inner: Any = found.type
    is_nullable = isinstance(inner, StrawberryOptional)
    if is_nullable:
        inner = inner.of_type
    cardinality, item = Cardinality.ONE, inner
    if isinstance(inner, StrawberryList):
        cardinality, item = Cardinality.LIST, inner.of_type
        if isinstance(item, StrawberryOptional):
            item = item.of_type
    definition = getattr(item, "__strawberry_definition__", None)
    declaration = found.metadata.get(METADATA)
    if isinstance(declaration, Relation) and declaration.under is not None:
        declaration = replace(declaration, rows=declaration.under(policy))
    if definition is None:
        bound = BoundField(
            found.python_name, declaration, Cardinality.SCALAR, None, SQL_TYPES[item], is_nullable, item in TEXT_IN_JSON
        )
        return bound, None
    listed = listed_entity(definition.origin)
    if listed is not None or definition.origin is Connection or definition.concrete_of is not None:
        cardinality, item = Cardinality.CONNECTION, listed or definition.type_var_map["T"]
    name = item.__strawberry_definition__.name
    return BoundField(found.python_name, declaration, cardinality, name, "json", is_nullable=is_nullable), item


def _check(found: Entity, bindings: Bindings) -> None:
    columns = found.source.columns
    for field, bound in _declared(found.name, bindings):
        place, declaration = f"{found.name}.{field.python_name}", bound.declaration
        if isinstance(declaration, Relation):
            _check_relation(place, declaration, bound)
        if not isinstance(declaration, Column):
            continue
        if declaration.currency is not None and declaration.currency not in columns:
            raise SettingsError(f"{place}: its table has no column {declaration.currency!r}.")
        if declaration.sql:
            continue
        name = declaration.name or field.python_name
        if name not in columns:
            raise SettingsError(f"{place}: its table has no column {name!r}.")
        if columns[name].is_nullable and not bound.is_nullable:
            raise SettingsError(f"{place}: {name!r} may be null, so must the field.")
        if field.description is None:
            field.description = columns[name].comment


def _paths(bound: BoundField, source: Source | None) -> tuple[str, ...]:
    if isinstance(bound.declaration, Group):
        used = {name for template in bound.declaration.templates.values() for name in places(template)}
        own = [source.columns[name].path for name in sorted(used) if source is not None and name in source.columns]
        return (*own, *bound.declaration.shows)
    if isinstance(bound.declaration, Relation):
        return bound.declaration.shows
    if not isinstance(bound.declaration, Column):
        return ()
    if bound.declaration.shows is not None:
        return (bound.declaration.shows,)
    if source is None:
        return ()
    template = bound.declaration.sql
    names = places(template) if template else [bound.declaration.name or bound.python_name]
    return tuple(source.columns[name].path for name in names if name in source.columns)


def _check_relation(place: str, declaration: Relation, bound: BoundField) -> None:
    """No null may stand where the schema promises a value, so that none has to be propagated."""
    if declaration.rows is None and bound.cardinality is Cardinality.ONE and not bound.is_nullable:
        raise SettingsError(f"{place}: row-level security may hide the other row, so the field must be nullable.")
    if declaration.is_filterable and not declaration.is_joined:
        raise SettingsError(f"{place}: only rows that are joined by columns can be filtered by.")
    if declaration.is_dimension and not (declaration.is_joined and bound.cardinality is Cardinality.ONE):
        raise SettingsError(f"{place}: only a to-one that is joined by columns leads to dimensions.")


def _where_types(bindings: Bindings) -> dict[str, type]:
    wanted: dict[str, dict[str, Wanted]] = {}
    for name in bindings.entities:
        wanted[name] = {}
        for field, bound in _declared(name, bindings):
            declaration, text = bound.declaration, field.description or ""
            if isinstance(declaration, Column) and declaration.is_filterable and bound.sql_type in FILTERS:
                kind = SearchFilter if declaration.is_searchable else FILTERS[bound.sql_type]
                wanted[name][field.python_name] = Wanted(text, filter=kind)
            elif isinstance(declaration, Relation) and declaration.is_filterable:
                is_many = bound.cardinality is not Cardinality.ONE
                wanted[name][field.python_name] = Wanted(text, child=bound.child, is_many=is_many)
    return where_types(wanted)


def _aggregates(name: str, bindings: Bindings) -> Aggregates:
    numbers = {}
    for field, bound in _declared(name, bindings):
        if isinstance(bound.declaration, Column) and bound.declaration.is_aggregatable:
            shown, currency = to_camel_case(field.python_name), bound.declaration.currency
            numbers[shown] = Number(shown, field.python_name, field.description or "", bound.sql_type, currency)

    def own(entity: str) -> list[Dimension]:
        marked = [
            Dimension(f.python_name, entity, f.python_name, bound.sql_type, description=f.description or "")
            for f, bound in _declared(entity, bindings)
            if isinstance(bound.declaration, Column) and bound.declaration.is_dimension
        ]
        return [made for dimension in marked for made in periods(dimension)]

    def through(entity: str) -> dict[str, str]:
        return {
            bound.python_name: bound.child or ""
            for _, bound in _declared(entity, bindings)
            if isinstance(bound.declaration, Relation) and bound.declaration.is_dimension
        }

    found = Aggregates(name, numbers, {dimension.value: dimension for dimension in reached(name, own, through)})
    make_types(found)
    return found


def _declared(name: str, bindings: Bindings) -> list[tuple[StrawberryField, BoundField]]:
    definition: StrawberryObjectDefinition = bindings.entities[name].type.__strawberry_definition__  # type: ignore[attr-defined]
    return [(field, bindings.by_python_name(name, field.python_name)) for field in definition.fields]


def _lists(bindings: Bindings) -> dict[str, Lists]:
    wheres = _where_types(bindings)
    return {
        name: Lists(
            connection_type(found.type, bindings.aggregates[name]),
            wheres.get(name),
            order_type(name, _sortable(name, bindings)),
        )
        for name, found in bindings.entities.items()
    }


def _attach(
    query: type, owners: Iterable[StrawberryObjectDefinition], bindings: Bindings, lists: Mapping[str, Lists]
) -> None:
    for definition in owners:
        for field in definition.fields:
            bound = bindings.by_python_name(definition.name, field.python_name)
            made = _own_arguments(bound, lists)
            if bound.cardinality is Cardinality.CONNECTION:
                made += lists[bound.child or ""].arguments()
                field.type_annotation = StrawberryAnnotation(lists[bound.child or ""].connection)
            if definition.origin is query and not isinstance(bound.declaration, NodeLookup):  # Relay's has one argument
                made += TIME
            field.arguments = made


def _own_arguments(bound: BoundField, lists: Mapping[str, Lists]) -> list[StrawberryArgument]:
    declaration = bound.declaration
    if isinstance(declaration, Lookup):
        return _lookup_arguments(declaration)
    if isinstance(declaration, NodeLookup):
        return [argument("id", strawberry.ID, "An id that the API gave.")]
    if isinstance(declaration, NodesLookup):
        return [argument("ids", list[strawberry.ID], "Ids that the API gave, 1000 at most.")]
    if not isinstance(declaration, Relation):
        return []
    made = [
        (argument if found.is_required else optional)(name, found.kind, found.description)
        for name, found in declaration.arguments.items()
    ]
    if declaration.is_narrow:
        made.append(optional("where", lists[bound.child or ""].where, "Only rows for which this holds."))
    return made


def _sortable(name: str, bindings: Bindings) -> list[str]:
    return [
        found.python_name
        for found in bindings.fields[name].values()
        if isinstance(found.declaration, Column) and found.declaration.is_sortable
    ]


def _lookup_arguments(declaration: Lookup) -> list[StrawberryArgument]:
    if declaration.argument is not None:
        if not declaration.short:
            return [argument("by", declaration.argument, "Exactly one way to name it.")]
        short = [optional(name, str, f"The {name} of the one that is looked for.") for name in declaration.short]
        return [*short, optional("by", declaration.argument, "Any one way to name it.")]
    return [
        argument(name, int if name == "number" else str, f"The {name} of the one that is looked for.")
        for name in declaration.by
    ]


TIME = [
    optional("as_of", dt.date, "Business date of the whole operation; the latest, if not given."),
    optional("known_at", dt.datetime, "As Fulcrum knew it then, for the whole operation; now, if not given."),
    optional("require_trust", RequireTrust, "What the whole operation must rest on; on anything, if not given."),
]


def without_declaration(found: BoundField, declaration: Declaration) -> BoundField:
    """The field of a grouped object with the declaration that the group supplies."""
    return replace(found, declaration=declaration)
