"""What groups are made by: columns of the list's rows, or of rows that to-one relations lead to.

Relations are joined, once each; a sub-select per row would take ten times as long.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphql import FieldNode

from fulcrum.graph.aggregates import Aggregates, Dimension
from fulcrum.graph.compiler.masking import refuse_without
from fulcrum.graph.declare import Column, Relation
from fulcrum.graph.errors import BadUserInputError
from fulcrum.graph.sources import Rows, Versioned, places

if TYPE_CHECKING:
    from fulcrum.graph.compiler.objects import Compiler

MOST_DIMENSIONS = 5


class Dimensions:
    """The dimensions of one grouping: `sql` of each, its column (`names`), and the `joins` they need.

    Raises:
        BadUserInputError: there are none, too many, or one comes twice.
    """

    def __init__(self, compiler: Compiler, known: Aggregates, by: list[str], base: Rows) -> None:
        if not 1 <= len(by) <= MOST_DIMENSIONS or len(by) != len(set(by)):
            raise BadUserInputError(
                f"Groups are made by 1 to {MOST_DIMENSIONS} different dimensions.", remedy="Correct `by`."
            )
        self.compiler, self.base = compiler, base
        self.joins: list[str] = []
        self._rows: dict[tuple[str, ...], Rows] = {}
        self._pending: list[tuple[tuple[str, ...], list[str]]] = []
        self.dimensions = [known.dimensions[value] for value in by]
        self.names = [f"d{place}" for place in range(1, len(by) + 1)]
        self.sql = [self._sql(dimension, known.entity) for dimension in self.dimensions]
        for path, conditions in self._pending:
            self.joins.append(f" left join {_enclosed(self._rows[path].from_sql())} on {' and '.join(conditions)}")

    def pairs(self, type_name: str, nodes: list[FieldNode]) -> list[tuple[str, str]]:
        """Response key and SQL (over `o`) of what is asked of a key."""
        kind = self.compiler.object_type(type_name)
        places = {found.field: f"o.{name}" for found, name in zip(self.dimensions, self.names, strict=True)}
        made = []
        for key, asked in self.compiler.selections.below(kind, nodes).items():
            name = asked[0].name.value
            if name == "__typename":
                made.append((key, f"'{type_name}'::text"))
            elif name in places:
                made.append((key, places[name]))
            else:
                raise BadUserInputError(f"The groups are not made by `{name}`.", remedy="Add it to `by`.")
        return made

    def _sql(self, dimension: Dimension, entity: str) -> str:
        rows = self._reached(dimension.path, entity)
        bound = self.compiler.bindings.by_python_name(dimension.entity, dimension.python_name)
        sql = self.compiler.scalar(bound, rows.ref)
        return sql if dimension.bucket is None else f"date_trunc('{dimension.bucket}', {sql}::timestamp)::date"

    def _reached(self, path: tuple[str, ...], entity: str) -> Rows:
        if not path:
            return self.base
        if path in self._rows:
            return self._rows[path]
        parent, owner = self._reached(path[:-1], entity), self._owner(path[:-1], entity)
        bound = self.compiler.bindings.by_python_name(owner, path[-1])
        assert isinstance(bound.declaration, Relation)
        assert bound.child is not None
        refuse_without(bound.declaration.needs, self.compiler.rights)
        rows = self._open(path, bound.child, bound.declaration, parent)
        self._rows[path] = rows
        self._pending.append((path, self.compiler.conditions(bound.child, bound.declaration, rows, parent.ref)))
        return rows

    def _open(self, path: tuple[str, ...], child: str, declaration: Relation, parent: Rows) -> Rows:
        """Rows to join; of identity and version the version alone if that will do (5.5 ms became 3.5 of 1,000 rows)."""
        source = self.compiler.bindings.entities[child].source
        if isinstance(source, Versioned) and {*self._needed(path, child), *declaration.on} <= {
            *source.version.c.keys()
        }:
            return source.stated(self.compiler.statement.alias())
        return self.compiler.open(child, declaration, parent.ref, must_exist=False)

    def _needed(self, path: tuple[str, ...], child: str) -> set[str]:
        """Columns of the rows at `path` that the dimensions are made from; templates name theirs in braces."""
        found: set[str] = set()
        for dimension in self.dimensions:
            if dimension.path[: len(path)] != path:
                continue
            is_here = dimension.path == path
            name = dimension.python_name if is_here else dimension.path[len(path)]
            bound = self.compiler.bindings.by_python_name(child, name)
            declared = bound.declaration
            if isinstance(declared, Relation):
                found |= {part for ours in declared.on.values() for part in (places(ours) or [ours])}
            elif isinstance(declared, Column):
                found |= {*places(declared.sql)} if declared.sql is not None else {declared.name or name}
        return found - {"version", "as_of"}

    def _owner(self, path: tuple[str, ...], entity: str) -> str:
        for relation in path:
            entity = self.compiler.bindings.by_python_name(entity, relation).child or ""
        return entity


def _enclosed(from_sql: str) -> str:
    """In brackets, if it is an entity joined with its version; PostgreSQL takes no brackets around one table."""
    return f"({from_sql})" if " join " in from_sql and not from_sql.startswith("(") else from_sql
