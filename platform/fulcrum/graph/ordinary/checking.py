"""Everything that is refused before anything runs, whatever the rows are; and what the operation may cost.

It walks the selection once with the values of the request, and finds its time and cursors on the way.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import FieldNode, GraphQLObjectType
from graphql.execution.values import get_argument_values

from fulcrum.entitlements.rights import Mask, Permission, Rights
from fulcrum.graph.binding import BoundField, Cardinality, without_declaration
from fulcrum.graph.compiler.cost import LISTED, WHOLE_LIST
from fulcrum.graph.compiler.dimensions import MOST_DIMENSIONS
from fulcrum.graph.compiler.masking import mask_of, refuse_hidden, refuse_masked, refuse_without
from fulcrum.graph.compiler.operation import INTROSPECTION
from fulcrum.graph.compiler.paging import MOST_ROWS, USUAL_ROWS
from fulcrum.graph.compiler.values import as_text
from fulcrum.graph.declare import Column, Group, Lookup, NodeLookup, NodesLookup, Relation
from fulcrum.graph.demands import ARGUMENT, demanded, refuse_conversion, rests_on
from fulcrum.graph.errors import BadUserInputError, ForbiddenError
from fulcrum.graph.ordinary.conditions import Conditions
from fulcrum.graph.ordinary.listing import Given, cursor_of, paging_of, terms_of
from fulcrum.graph.ordinary.session import Clock
from fulcrum.graph.ordinary.sql import Link, Sql, linked, name_of
from fulcrum.graph.references import FIELD, ID, SERVICE, Reference, read_reference
from fulcrum.graph.relay import Cursor, read_id
from fulcrum.graph.schema import Graph
from fulcrum.graph.sources import places

Collect = Callable[[GraphQLObjectType, list[FieldNode]], dict[str, list[FieldNode]]]
_NEVER = Clock(0, 0, dt.date.min)


def _column(name: str) -> str:
    return f'checked."{name}"'


@dataclass
class Checked:
    """What the walk finds."""

    cost: int = 0
    roots: tuple[FieldNode, ...] = ()
    cursors: list[Cursor] = field(default_factory=list)
    known_at: set[str] = field(default_factory=set)
    demands: set[str] = field(default_factory=set)
    as_of: set[str] = field(default_factory=set)

    @property
    def version(self) -> str | None:
        """The publication that cursors hold the operation to.

        Raises:
            BadUserInputError: there are several.
        """
        found = {cursor.version for cursor in self.cursors}
        if len(found) > 1:
            raise BadUserInputError(
                "The cursors of this operation belong to different data versions.",
                remedy="Page lists of different answers in operations of their own.",
            )
        return str(found.pop()) if found else None

    @property
    def day(self) -> str | None:
        """The business date that is asked for, or that cursors carry."""
        return _only({*self.as_of, *(cursor.as_of.isoformat() for cursor in self.cursors)}, "asOf")

    @property
    def demand(self) -> str | None:
        """What all that is answered must rest on."""
        return demanded(self.demands)

    @property
    def moment(self) -> str | None:
        """The knowledge time that is asked for."""
        return _only(self.known_at, "knownAt")


def _only(found: set[str], name: str) -> str | None:
    if len(found) > 1:
        raise BadUserInputError(
            f"One operation has one {name}, and this one has {', '.join(sorted(found))}.",
            remedy="Ask in two operations. (A cursor carries the asOf of its answer.)",
        )
    return next(iter(found), None)


class Check:
    """One walk."""

    def __init__(self, graph: Graph, rights: Rights, variables: dict[str, Any], collect: Collect) -> None:
        self.graph, self.bindings, self.rights = graph, graph.bindings, rights
        self.variables, self.collect = variables, collect
        self.found = Checked()
        self.demand: str | None = None
        self.filters = Conditions(graph.bindings, rights, Sql(_NEVER))

    def root(self, kind: GraphQLObjectType, fields: Mapping[str, list[FieldNode]]) -> Checked:
        """Walk an operation.

        Raises:
            ApiError: it asks for what cannot be, or may not be, answered.
        """
        self.found.roots = tuple(nodes[0] for nodes in fields.values())
        asked: list[tuple[str, Given, list[FieldNode]]] = []
        for nodes in fields.values():
            name = nodes[0].name.value
            if name in INTROSPECTION and not self.rights.may(Permission.INTROSPECT):
                raise ForbiddenError("Your roles may not ask for the schema.", remedy="Read the committed one.")
            if name.startswith("__") or name == SERVICE:
                continue
            given = self._given(kind, nodes)
            asked.append((name, given, nodes))
            if given.get("asOf") is not None:
                self.found.as_of.add(as_text(given["asOf"]))
            if given.get("knownAt") is not None:
                self.found.known_at.add(as_text(given["knownAt"]))
            if given.get(ARGUMENT) is not None:
                self.found.demands.add(name_of(given[ARGUMENT]))
        self.demand = self.found.demand
        for each in asked:
            self._root(*each)
        return self.found

    def _root(self, name: str, given: Given, nodes: list[FieldNode]) -> None:
        if name == FIELD:
            sent = given["representations"]
            self._references(sent, lambda: [read_reference(one) for one in sent], nodes)
            return
        bound = self.bindings.fields["Query"][name]
        declaration = bound.declaration
        if isinstance(declaration, Relation):
            self._relation(bound, declaration, given, nodes, 1)
        elif isinstance(declaration, NodeLookup):
            self._reference(self._identified(given["id"]))
            self._object(given["id"].partition(":")[0], nodes, 1)
        elif isinstance(declaration, NodesLookup):
            self._references(given["ids"], lambda: [self._identified(one) for one in given["ids"]], nodes)
        else:
            assert isinstance(declaration, Lookup)
            self._look_up(bound.child or "", declaration, given)
            self._object(bound.child or "", nodes, 1)

    def _identified(self, text: str) -> Reference:
        entity = text.partition(":")[0]
        if entity not in self.bindings.nodes:
            raise BadUserInputError("This is not an id.", remedy="Use an id that the API gave.")
        return Reference(entity, ID, text)

    def _reference(self, one: Reference) -> None:
        found = self.bindings.entities[one.entity]
        if one.key == ID:
            as_text(one.value)
            read_id(one.value, one.entity, [found.source.columns[name].sql_type for name in found.source.key])
        else:
            self._columns_of(found.keys[one.key], one.entity)
            as_text(one.value)

    def _references(self, sent: list[Any], read: Callable[[], list[Reference]], nodes: list[FieldNode]) -> None:
        if len(sent) > MOST_ROWS:
            raise BadUserInputError(f"An operation resolves at most {MOST_ROWS} references.", remedy="Ask in parts.")
        found = read()
        for one in found:
            self._reference(one)
        self.found.cost += len(found)
        for entity in dict.fromkeys((one.entity, one.key) for one in found):
            self._object(entity[0], nodes, len(found))

    def _look_up(self, entity: str, declaration: Lookup, given: Given) -> None:
        named = [*given.items(), *(given.get("by") or {}).items()]
        ways = [(name, value) for name, value in named if name in declaration.by]
        if len(ways) != 1 or ways[0][1] is None:
            raise BadUserInputError(f"Name one way to find it, out of {', '.join(declaration.by)}.")
        ((way, value),) = ways
        if self.rights.mask(declaration.reads.get(way)) is not None:
            raise ForbiddenError(f"`{way}` is masked for your roles: nothing can be found by it.")
        for part in value.values() if isinstance(value, Mapping) else (value,):
            self._value(part)
        self._columns_of(declaration.by[way], entity)

    def _columns_of(self, template: str, entity: str) -> None:
        for column in places(template):
            self._readable(entity, column)

    def _readable(self, entity: str, column: str) -> None:
        facts = self.bindings.entities[entity].source.columns.get(column)
        if facts is not None and self.rights.mask(facts.path) is not None:
            raise ForbiddenError(f"`{column}` is masked for your roles: nothing can be found by it.")

    def _value(self, value: Any) -> None:
        Sql(_NEVER).bind(value, "text")

    def _given(self, kind: GraphQLObjectType, nodes: list[FieldNode]) -> Given:
        return get_argument_values(kind.fields[nodes[0].name.value], nodes[0], self.variables)

    def _type(self, name: str) -> GraphQLObjectType:
        found = self.graph.schema.type_map[name]
        assert isinstance(found, GraphQLObjectType)
        return found

    def _below(self, name: str, nodes: list[FieldNode]) -> Iterable[tuple[GraphQLObjectType, str, list[FieldNode]]]:
        kind = self._type(name)
        for asked in self.collect(kind, nodes).values():
            if not asked[0].name.value.startswith("__"):
                yield kind, asked[0].name.value, asked

    def _entity(self, name: str) -> None:
        known = self.bindings.entities.get(name)
        if known is not None:
            refuse_without(known.needs, self.rights)

    def _object(self, name: str, nodes: list[FieldNode], times: int) -> None:
        self._entity(name)
        self._tells_trust(name)
        for kind, field_name, asked in self._below(name, nodes):
            self._field(kind, self.bindings.fields[name][field_name], asked, times)

    def _tells_trust(self, name: str) -> None:
        if self.demand is not None:
            rests_on(self.bindings, name)

    def _field(self, kind: GraphQLObjectType, bound: BoundField, nodes: list[FieldNode], times: int) -> None:
        declaration = bound.declaration
        if isinstance(declaration, Column):
            refuse_without(declaration.needs, self.rights)
            self._shown(bound)
        elif isinstance(declaration, Group):
            refuse_hidden(bound, self.rights)
            for below, name, asked in self._below(bound.child or "", nodes):
                inner = self.bindings.fields[below.name][name]
                template = declaration.templates[inner.python_name]
                is_scalar = inner.cardinality is Cardinality.SCALAR
                supplied = Column(sql=template) if is_scalar else Relation(rows=template)
                self._field(below, without_declaration(inner, supplied), asked, times)
        elif isinstance(declaration, Relation):
            refuse_without(declaration.needs, self.rights)
            self._relation(bound, declaration, self._given(kind, nodes), nodes, times)

    def _shown(self, bound: BoundField) -> None:
        mask = mask_of(bound, self.rights)
        if mask is None or bound.sql_type == "text" or bound.is_nullable:
            return
        if not (bound.sql_type == "date" and mask is Mask.PARTIAL):
            raise ForbiddenError(f"`{bound.python_name}` is not shown to your roles.", remedy="Leave it out.")

    def _relation(
        self, bound: BoundField, declaration: Relation, given: Given, nodes: list[FieldNode], times: int
    ) -> None:
        refuse_hidden(bound, self.rights)
        self._entity(bound.child or "")
        link = linked(bound, declaration, given)
        for value, _ in link.given.values():
            self._value(value)
        if bound.cardinality is Cardinality.CONNECTION:
            self._connection(link, given, nodes, times)
            return
        inner = times * (LISTED if bound.cardinality is Cardinality.LIST else 1)
        self.found.cost += inner
        self._object(link.child, nodes, inner)
        self._where(link, given)

    def _where(self, link: Link, given: Given) -> None:
        self.filters.of(link.child, given.get("where") or {}, _column)

    def _connection(self, link: Link, given: Given, nodes: list[FieldNode], times: int) -> None:
        paging = paging_of(given)
        orders = [name_of(value) for value in given.get("orderBy") or []]
        terms = terms_of(self.bindings, self.rights, link, orders, _column)
        page = given.get("page")
        size = given.get("last") if paging.is_backward else given.get("first")
        rows = page["size"] if page is not None else USUAL_ROWS if size is None else size
        is_paged = False
        for kind, name, asked in self._below(f"{link.child}Connection", nodes):
            match name:
                case "totalCount":
                    self._whole(link, given, times)
                case "aggregate" | "groups":
                    self._whole(link, given, times)
                    self._aggregate(link, name, self._given(kind, asked), asked, times)
                case "pageInfo":
                    is_paged = True
                    names = [below for _, below, _ in self._below("PageInfo", asked)]
                    for _ in (below for below in names if below == "pageCount" and page is not None):
                        self._whole(link, given, times)
                case _:
                    is_paged = True
                    self.found.cost += times * rows
                    self._rows(link, name, asked, times * rows)
        if is_paged:
            self._where(link, given)
            if paging.cursor is not None:
                self.found.cursors.append(cursor_of(paging.cursor, orders, terms))

    def _whole(self, link: Link, given: Given, times: int) -> None:
        self.found.cost += times * WHOLE_LIST
        self._tells_trust(link.child)
        self._where(link, given)

    def _rows(self, link: Link, name: str, nodes: list[FieldNode], times: int) -> None:
        if name == "nodes":
            self._object(link.child, nodes, times)
            return
        for _, below, asked in self._below(f"{link.child}Edge", nodes):
            if below == "node":
                self._object(link.child, asked, times)

    def _aggregate(self, link: Link, name: str, given: Given, nodes: list[FieldNode], times: int) -> None:
        from fulcrum.graph.ordinary.checking_numbers import check_numbers

        known = self.bindings.aggregates[link.child]
        refuse_conversion(given, self.demand)
        if name == "groups":
            by = [name_of(value) for value in given["by"]]
            if not 1 <= len(by) <= MOST_DIMENSIONS or len(by) != len(set(by)):
                raise BadUserInputError(
                    f"Groups are made by 1 to {MOST_DIMENSIONS} different dimensions.", remedy="Correct `by`."
                )
            for value in by:
                self._dimension(link.child, known.dimensions[value])
            first = given.get("first")
            self.found.cost += times * (USUAL_ROWS if first is None else first)
            if first is not None:
                paging_of({"first": first})
        check_numbers(self, known, name, given, nodes)

    def _dimension(self, entity: str, dimension: Any) -> None:
        for step in dimension.path:
            bound = self.bindings.by_python_name(entity, step)
            assert isinstance(bound.declaration, Relation)
            refuse_without(bound.declaration.needs, self.rights)
            entity = bound.child or ""
            self._entity(entity)
        self.usable(entity, dimension.python_name)

    def usable(self, entity: str, python_name: str) -> None:
        """Refuse to compute with a field that the caller may not read."""
        bound = self.bindings.by_python_name(entity, python_name)
        assert isinstance(bound.declaration, Column)
        refuse_without(bound.declaration.needs, self.rights)
        refuse_masked(bound, self.rights)

    def readable(self, entity: str, column: str) -> None:
        """Refuse a column that the caller may not read."""
        self._readable(entity, column)

    def below(self, name: str, nodes: list[FieldNode]) -> Iterable[tuple[GraphQLObjectType, str, list[FieldNode]]]:
        """The fields asked of an object type: the type, the field's name and its nodes."""
        return self._below(name, nodes)

    def given(self, kind: GraphQLObjectType, nodes: list[FieldNode]) -> Given:
        """The arguments of a field."""
        return self._given(kind, nodes)
