"""The columns of an export: the scalars of a selection, those of to-one relations beside them.

JSON and pages are `compiler/`'s, which also writes the SQL of every scalar here, masks included.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import FieldNode, GraphQLObjectType, get_nullable_type, is_list_type

from fulcrum.entitlements.rights import Mask
from fulcrum.graph.binding import BoundField, Cardinality, without_declaration
from fulcrum.graph.compiler.masking import mask_of, masked, refuse_without
from fulcrum.graph.compiler.objects import Compiler, Ref
from fulcrum.graph.compiler.parameters import with_arguments
from fulcrum.graph.compiler.values import arguments
from fulcrum.graph.declare import At, Column, GlobalId, Group, Relation
from fulcrum.graph.demands import rests_on
from fulcrum.graph.errors import BadUserInputError, LimitExceededError
from fulcrum.graph.sources import Rows, render

MOST_COLUMNS = 200


@dataclass(frozen=True)
class Join:
    """A to-one relation that is joined; `above` is the join that it hangs on."""

    rows: Rows
    conditions: tuple[str, ...]
    above: Join | None

    def sql(self) -> str:
        """To be asked after every column of the rows was."""
        joined = self.rows.from_sql()
        if " join " in joined:
            joined = f"({joined})"
        return f" left join {joined} on {' and '.join(self.conditions)}"


@dataclass(frozen=True)
class ExportColumn:
    """One column: response keys joined by dots, its SQL in its own type, and the join that it needs."""

    name: str
    sql: str
    sql_type: str
    description: str | None
    join: Join | None
    mask: Mask | None = None


@dataclass
class Flattening:
    """Collects the columns of one row's selection."""

    compiler: Compiler
    may_join: bool = True
    columns: list[ExportColumn] = field(default_factory=list)
    joins: list[Join] = field(default_factory=list)
    rests_on: list[str] = field(default_factory=list)
    """Where trust is demanded: the publications (arrays) that the objects of one row rest on."""

    def collect(
        self, type_name: str, asked: Sequence[FieldNode], ref: Ref, path: tuple[str, ...] = (), join: Join | None = None
    ) -> None:
        """Add everything asked of an object whose columns `ref` gives.

        Raises:
            BadUserInputError: a list is asked for.
        """
        kind = self.compiler.object_type(type_name)
        template = None if self.compiler.demand is None else rests_on(self.compiler.bindings, type_name)
        self.rests_on += [] if template is None else [f"({render(template, ref)})"]
        for key, nodes in self.compiler.selections.below(kind, asked).items():
            name = nodes[0].name.value
            if name == "__typename":
                self._add((*path, key), f"'{type_name}'::text", "text", None, join)
            else:
                self._field(kind, self.compiler.bindings.fields[type_name][name], nodes, ref, (*path, key), join)

    def _field(
        self,
        kind: GraphQLObjectType,
        bound: BoundField,
        nodes: list[FieldNode],
        ref: Ref,
        path: tuple[str, ...],
        join: Join | None,
    ) -> None:
        shown = kind.fields[nodes[0].name.value]
        declaration = bound.declaration
        if bound.cardinality in (Cardinality.LIST, Cardinality.CONNECTION) or is_list_type(
            get_nullable_type(shown.type)
        ):
            raise BadUserInputError(
                f"`{'.'.join(path)}` is a list, and an export has one row per {kind.name}.",
                remedy="Leave it out, or export that list itself.",
            )
        if isinstance(declaration, Column):
            refuse_without(declaration.needs, self.compiler.rights)
            mask = mask_of(bound, self.compiler.rights)
            self._add(path, self._shown(bound, declaration, ref), bound.sql_type, shown.description, join, mask)
        elif isinstance(declaration, GlobalId):
            self._add(path, self.compiler.node_id(kind.name, ref), "text", shown.description, join)
        elif isinstance(declaration, Group):
            self._group(bound, declaration, nodes, ref, path, join)
        else:
            assert isinstance(declaration, Relation)
            given = arguments(shown, nodes[0], self.compiler.selections.variables)
            self._relation(bound, declaration, given, nodes, ref, path, join)

    def _shown(self, bound: BoundField, declaration: Column, ref: Ref) -> str:
        """A column or template as the caller may see it, in its own type."""
        sql = f"({render(declaration.sql, ref)})" if declaration.sql else ref(declaration.name or bound.python_name)
        return masked(sql, bound, self.compiler.rights)

    def _add(
        self,
        path: tuple[str, ...],
        sql: str,
        sql_type: str,
        description: str | None,
        join: Join | None,
        mask: Mask | None = None,
    ) -> None:
        if len(self.columns) >= MOST_COLUMNS:
            raise LimitExceededError(f"The export has over {MOST_COLUMNS} columns.", remedy="Ask for fewer.")
        self.columns.append(ExportColumn(".".join(path), sql, sql_type, description, join, mask))

    def _group(
        self,
        bound: BoundField,
        declaration: Group,
        nodes: list[FieldNode],
        ref: Ref,
        path: tuple[str, ...],
        join: Join | None,
    ) -> None:
        assert bound.child is not None
        kind = self.compiler.object_type(bound.child)
        for key, asked in self.compiler.selections.below(kind, nodes).items():
            name = asked[0].name.value
            if name == "__typename":
                self._add((*path, key), f"'{kind.name}'::text", "text", None, join)
                continue
            inner = self.compiler.bindings.fields[kind.name][name]
            template = declaration.templates[inner.python_name]
            supplied = Column(sql=template) if inner.cardinality is Cardinality.SCALAR else Relation(rows=template)
            self._field(kind, without_declaration(inner, supplied), asked, ref, (*path, key), join)

    def _relation(
        self,
        bound: BoundField,
        declaration: Relation,
        given: Mapping[str, Any],
        nodes: list[FieldNode],
        ref: Ref,
        path: tuple[str, ...],
        join: Join | None,
    ) -> None:
        """Join what is provably one row; anything else is looked up per value, where a second row is an error."""
        assert bound.child is not None
        compiler = self.compiler
        refuse_without(declaration.needs, compiler.rights)
        if declaration.arguments:
            declaration, ref = with_arguments(declaration, given, ref, compiler.statement)
        rows = compiler.open(bound.child, declaration, ref, must_exist=False)
        if self._is_unique(bound.child, declaration) and not given.get("where"):
            joined = Join(rows, tuple(compiler.conditions(bound.child, declaration, rows, ref)), join)
            self.joins.append(joined)
            self.collect(bound.child, nodes, rows.ref, path, joined)
            return
        inside = Flattening(compiler, may_join=False)
        inside.collect(bound.child, nodes, rows.ref, path)
        filters = compiler.filters(bound.child, given.get("where"), rows.ref)
        tail = compiler.tail(bound.child, declaration, rows, filters, ref)
        self.rests_on += [f"(select {publications}{tail})" for publications in inside.rests_on]
        for found in inside.columns:
            self._add(
                tuple(found.name.split(".")),
                f"(select {found.sql}{tail})",
                found.sql_type,
                found.description,
                join,
                found.mask,
            )

    def _is_unique(self, child: str, declaration: Relation) -> bool:
        if not self.may_join or not declaration.is_joined or declaration.among:
            return False
        source = self.compiler.bindings.entities[child].source
        fixed = set(declaration.on)
        if source.is_fact and declaration.at is At.AS_OF:
            fixed.add("business_date")
        return fixed >= set(source.key)
