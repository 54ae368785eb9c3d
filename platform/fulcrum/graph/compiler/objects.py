"""Objects and relations: the select list of each, and the correlated sub-select that finds its rows.

Pages of connections stand in `connections.py`, the root and the clock in `operation.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import FieldNode, GraphQLObjectType, GraphQLSchema, get_named_type

from fulcrum.entitlements.rights import Rights
from fulcrum.graph.binding import Bindings, BoundField, Cardinality, without_declaration
from fulcrum.graph.compiler import json_sql
from fulcrum.graph.compiler.conditions import compile_where
from fulcrum.graph.compiler.cost import LISTED, Cost
from fulcrum.graph.compiler.demanding import hold_object
from fulcrum.graph.compiler.masking import masked, refuse_hidden, refuse_masked, refuse_without
from fulcrum.graph.compiler.parameters import with_arguments
from fulcrum.graph.compiler.selection import Selections
from fulcrum.graph.compiler.statement import Statement
from fulcrum.graph.compiler.values import arguments
from fulcrum.graph.declare import At, Column, GlobalId, Group, Relation
from fulcrum.graph.errors import ForbiddenError
from fulcrum.graph.relay import sql_part
from fulcrum.graph.sources import AS_OF, QueryRows, Rows, Source, render

Ref = Callable[[str], str]


@dataclass
class Compiler:
    """One operation being compiled."""

    schema: GraphQLSchema
    bindings: Bindings
    selections: Selections
    statement: Statement
    rights: Rights
    cost: Cost = field(default_factory=Cost)
    conditions_met: int = 0
    """Comparisons of all filters so far."""
    demand: str | None = None
    """What all objects and numbers must rest on."""

    def object_type(self, name: str) -> GraphQLObjectType:
        """The GraphQL object type called `name`."""
        found = self.schema.type_map[name]
        assert isinstance(found, GraphQLObjectType)
        return found

    def refuse_entity(self, name: str) -> None:
        """Refuse an entity that the caller may not see at all.

        Raises:
            ForbiddenError: it needs a permission that the caller lacks.
        """
        found = self.bindings.entities.get(name)
        if found is not None:
            refuse_without(found.needs, self.rights)

    def pairs(self, type_name: str, nodes: Sequence[FieldNode], ref: Ref) -> list[tuple[str, str]]:
        """Response key and SQL of everything asked of an object whose columns `ref` gives."""
        kind = self.object_type(type_name)
        self.refuse_entity(type_name)
        made = []
        for key, asked in self.selections.below(kind, nodes).items():
            name = asked[0].name.value
            if name == "__typename":
                made.append((key, f"'{type_name}'::text"))
                continue
            bound = self.bindings.fields[type_name][name]
            made.append((key, self.field(kind, bound, asked, ref)))
        return made if self.demand is None else hold_object(self, type_name, made, ref)

    def field(self, kind: GraphQLObjectType, bound: BoundField, asked: list[FieldNode], ref: Ref) -> str:
        """The SQL of one field of an object of type `kind`."""
        declaration = bound.declaration
        if isinstance(declaration, Column):
            refuse_without(declaration.needs, self.rights)
            sql = masked(self._value(bound, ref), bound, self.rights)
            return f"{sql}::text" if bound.is_text_in_json else sql
        if isinstance(declaration, GlobalId):
            return self.node_id(kind.name, ref)
        if isinstance(declaration, Group):
            refuse_hidden(bound, self.rights)
            return json_sql.one(self._grouped(bound, declaration, asked, ref))
        assert isinstance(declaration, Relation)
        refuse_without(declaration.needs, self.rights)
        given = arguments(kind.fields[asked[0].name.value], asked[0], self.selections.variables)
        return self.relation(bound, declaration, given, asked, ref)

    def scalar(self, bound: BoundField, ref: Ref) -> str:
        """The SQL of a column or template, in its own type, to filter, order or compute with.

        Raises:
            ForbiddenError: it is masked for the caller.
        """
        assert isinstance(bound.declaration, Column)
        refuse_without(bound.declaration.needs, self.rights)
        refuse_masked(bound, self.rights)
        return self._value(bound, ref)

    def _value(self, bound: BoundField, ref: Ref) -> str:
        assert isinstance(bound.declaration, Column)
        if bound.declaration.sql is not None:
            return f"({render(bound.declaration.sql, ref)})"
        return ref(bound.declaration.name or bound.python_name)

    def refuse_masked_column(self, entity: str, column: str) -> None:
        """Refuse to find rows by a column that the caller may not read.

        Raises:
            ForbiddenError: it is masked.
        """
        facts = self.bindings.entities[entity].source.columns.get(column)
        if facts is not None and self.rights.mask(facts.path) is not None:
            raise ForbiddenError(f"`{column}` is masked for your roles: nothing can be found by it.")

    def node_id(self, entity: str, ref: Ref) -> str:
        """The SQL of a row's global identifier."""
        source = self.bindings.entities[entity].source
        parts = [sql_part(ref(key), source.columns[key].sql_type, is_nullable=False) for key in source.key]
        return f"'{entity}:' || " + " || ':' || ".join(parts)

    def relation(
        self, bound: BoundField, declaration: Relation, given: Mapping[str, Any], asked: list[FieldNode], ref: Ref
    ) -> str:
        """The SQL of a relation: one object, an array, or a page."""
        assert bound.child is not None
        refuse_hidden(bound, self.rights)
        if declaration.arguments:
            declaration, ref = with_arguments(declaration, given, ref, self.statement)
        if bound.cardinality is Cardinality.CONNECTION:
            from fulcrum.graph.compiler.connections import compile_connection

            return compile_connection(self, bound.child, declaration, given, asked, ref)
        rows = self.open(bound.child, declaration, ref, must_exist=bound.cardinality is Cardinality.LIST)
        with self.cost.times(LISTED if bound.cardinality is Cardinality.LIST else 1):
            self.cost.add(1)
            pairs = self.pairs(bound.child, asked, rows.ref)
        filters = self.filters(bound.child, given.get("where"), rows.ref)
        tail = self.tail(bound.child, declaration, rows, filters, ref)
        return json_sql.one(pairs, tail) if bound.cardinality is Cardinality.ONE else json_sql.many(pairs, tail)

    def open(self, child: str, declaration: Relation, ref: Ref, *, must_exist: bool) -> Rows:
        """A new occurrence of the rows that a relation leads to."""
        self.refuse_entity(child)
        alias = self.statement.alias()
        if declaration.rows is not None:
            return QueryRows(declaration.rows, alias, ref)
        return self.bindings.entities[child].source.rows(alias, must_exist=must_exist)

    def filters(self, entity: str, where: Mapping[str, Any] | None, ref: Ref) -> list[str]:
        """The SQL conditions of a `where` on `entity`."""
        return compile_where(self, entity, where or {}, ref)

    def conditions(self, child: str, declaration: Relation, rows: Rows, parent: Ref) -> list[str]:
        """What ties rows to their parent, to the business date and to the publication."""
        if declaration.rows is not None:
            return []
        made = [
            f"{rows.ref(column)} = {render(ours, parent) if '{' in ours else parent(ours)}"
            for column, ours in declaration.on.items()
        ]
        made += [
            f"{rows.ref(column)} = any(array({render(ours, parent)}))" for column, ours in declaration.among.items()
        ]
        source = self.bindings.entities[child].source
        if source.is_fact and declaration.at is not At.ANY:
            compared = "=" if declaration.at is At.AS_OF else "<="
            made.append(f"{rows.ref('business_date')} {compared} {AS_OF}")
        return made + rows.conditions()

    def tail(self, child: str, declaration: Relation, rows: Rows, filters: list[str], parent: Ref) -> str:
        """From, where, order and limit of a relation that is not a connection."""
        found = [*self.conditions(child, declaration, rows, parent), *filters]
        order = ""
        if declaration.at is At.LATEST:
            source = self.bindings.entities[child].source
            order = f" order by {latest_first(declaration, source, rows)} limit 1"
        elif declaration.order:
            order = " order by " + ", ".join(direction(column, rows.ref) for column in declaration.order)
        where = f" where {' and '.join(found)}" if found else ""
        return f" from {rows.from_sql()}{where}{order}"

    def _grouped(
        self, bound: BoundField, declaration: Group, asked: list[FieldNode], ref: Ref
    ) -> list[tuple[str, str]]:
        assert bound.child is not None
        kind = self.object_type(bound.child)
        made = []
        for key, nodes in self.selections.below(kind, asked).items():
            name = nodes[0].name.value
            if name == "__typename":
                made.append((key, f"'{kind.name}'::text"))
                continue
            field = self.bindings.fields[kind.name][name]
            template = declaration.templates[field.python_name]
            is_scalar = field.cardinality is Cardinality.SCALAR
            supplied = Column(sql=template) if is_scalar else Relation(rows=template)
            made.append((key, self.field(kind, without_declaration(field, supplied), nodes, ref)))
        return made


def direction(column: str, ref: Ref) -> str:
    """An `order by` item; `-` in front means descending."""
    return f"{ref(column[1:])} desc" if column.startswith("-") else ref(column)


def latest_first(declaration: Relation, source: Source, rows: Rows) -> str:
    """The order that puts the wanted row of `At.LATEST` first."""
    rest = declaration.order or tuple(key for key in source.key if key != "business_date")
    joined = [column for column in rest if column not in declaration.on]
    return ", ".join([f"{rows.ref('business_date')} desc", *(direction(column, rows.ref) for column in joined)])


def named(kind: Any) -> str:
    """The name of a GraphQL type without its wrappers."""
    return str(get_named_type(kind).name)
