"""A whole operation: root fields, one business date, one publication, one statement.

Introspection cannot be compiled; its root fields are left in the plan for Strawberry.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import FieldNode, FragmentDefinitionNode, GraphQLSchema, OperationDefinitionNode, SelectionSetNode

from fulcrum.entitlements.rights import Rights
from fulcrum.graph.binding import Bindings, BoundField
from fulcrum.graph.compiler import json_sql
from fulcrum.graph.compiler.cost import Cost
from fulcrum.graph.compiler.demanding import clock, find_demand
from fulcrum.graph.compiler.objects import Compiler
from fulcrum.graph.compiler.references import compile_references
from fulcrum.graph.compiler.selection import Selections
from fulcrum.graph.compiler.statement import Reader, Statement
from fulcrum.graph.compiler.values import Slot, Variables, arguments
from fulcrum.graph.declare import Lookup, NodeLookup, NodesLookup, Relation
from fulcrum.graph.errors import BadUserInputError, ForbiddenError
from fulcrum.graph.references import FIELD, ID, SERVICE, Reference
from fulcrum.graph.relay import read_id
from fulcrum.graph.sources import Rows, render

INTROSPECTION = ("__schema", "__type", SERVICE)


@dataclass(frozen=True)
class Plan:
    """A compiled operation; `sql` is None when nothing of it is data.

    The statement gives one row: publication used, publication of `knownAt`, business date, JSON.
    `introspection` holds the root fields that Strawberry answers, `keys` the order of all.
    """

    sql: str | None
    readers: tuple[Reader, ...]
    introspection: tuple[FieldNode, ...]
    keys: tuple[str, ...]
    is_pinned_and_dated: bool
    """Whether a cursor and a `knownAt` may contradict each other."""

    cost: Cost
    """What a request may return at most."""

    def parameters(self, variables: Variables) -> list[str | None]:
        """The values for a request of this plan's shape.

        Raises:
            BadUserInputError: one of them is out of bounds, or they contradict each other.
        """
        return [reader(variables) for reader in self.readers]


def compile_operation(
    schema: GraphQLSchema,
    bindings: Bindings,
    operation: OperationDefinitionNode,
    fragments: Mapping[str, FragmentDefinitionNode],
    variables: Variables,
    rights: Rights,
) -> Plan:
    """Compile a validated query for all requests whose variables have the shape of these, by callers of one profile.

    Raises:
        BadUserInputError: its arguments contradict each other.
    """
    root = schema.query_type
    assert root is not None
    selections = Selections(fragments, variables)
    statement = Statement()
    fields = selections.fields(root, [operation.selection_set])
    demand = find_demand(root, fields, variables)
    compiler = Compiler(schema, bindings, selections, statement, rights, demand=demand)
    pairs: list[tuple[str, str]] = []
    introspection: list[FieldNode] = []
    for key, asked in fields.items():
        name = asked[0].name.value
        if name in INTROSPECTION:
            introspection += asked
        elif name == "__typename":
            pairs.append((key, f"'{root.name}'::text"))
        elif name == FIELD:
            given = _timed(compiler, arguments(root.fields[name], asked[0], variables))
            pairs.append((key, compile_references(compiler, given["representations"], asked)))
        else:
            pairs.append((key, _root_field(compiler, bindings.fields[root.name][name], asked)))
    sql = None
    if any(not sql.startswith("'") for _, sql in pairs) or (pairs and not introspection):
        sql = f"select n, by_time, as_of, {json_sql.one(pairs)} from {clock(demand)}"
    return Plan(
        sql,
        statement.finished(),
        tuple(introspection),
        tuple(fields),
        is_pinned_and_dated=bool(statement.cursors and statement.known_at),
        cost=compiler.cost,
    )


def _no_parent(column: str) -> str:
    raise LookupError(f"A root field has no surrounding row with {column}.")


def _root_field(compiler: Compiler, bound: BoundField, asked: list[FieldNode]) -> str:
    kind = compiler.schema.query_type
    assert kind is not None
    given = _timed(compiler, arguments(kind.fields[asked[0].name.value], asked[0], compiler.selections.variables))
    declaration = bound.declaration
    if isinstance(declaration, Relation):
        return compiler.relation(bound, declaration, given, asked, _no_parent)
    if isinstance(declaration, NodeLookup):
        return _node(compiler, given["id"], asked)
    if isinstance(declaration, NodesLookup):
        return compile_references(compiler, given["ids"], asked, _identified(compiler.bindings.nodes))
    assert isinstance(declaration, Lookup)
    assert bound.child is not None
    return _found(compiler, bound.child, declaration, given, asked)


def _timed(compiler: Compiler, given: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a root field, of which `asOf` and `knownAt` are the statement's."""
    for name, slots in (("asOf", compiler.statement.as_of), ("knownAt", compiler.statement.known_at)):
        if given.get(name) is not None:
            slots.append(given[name])
    return given


def _found(
    compiler: Compiler, entity: str, declaration: Lookup, given: Mapping[str, Any], asked: list[FieldNode]
) -> str:
    named = [*given.items(), *(given.get("by") or {}).items()]
    ways = [(name, value) for name, value in named if name in declaration.by]
    if len(ways) != 1 or ways[0][1] is None:
        raise BadUserInputError(f"Name one way to find it, out of {', '.join(declaration.by)}.")
    ((way, value),) = ways
    if compiler.rights.mask(declaration.reads.get(way)) is not None:
        raise ForbiddenError(f"`{way}` is masked for your roles: nothing can be found by it.")
    rows = _rows(compiler, entity)

    def ref(column: str) -> str:
        if column == "value":
            return compiler.statement.bind(value, "bigint" if way == "number" else "text")
        if column.startswith("value_"):
            return compiler.statement.bind(value[column.removeprefix("value_")], "text")
        compiler.refuse_masked_column(entity, column)
        return rows.ref(column)

    return _single(compiler, entity, rows, [render(declaration.by[way], ref)], asked)


def _node(compiler: Compiler, slot: Slot, asked: list[FieldNode]) -> str:
    entity = str(slot.now).partition(":")[0]
    if entity not in compiler.bindings.nodes:
        raise BadUserInputError("This is not an id.", remedy="Use an id that the API gave.")
    rows = _rows(compiler, entity)
    source = compiler.bindings.entities[entity].source
    types = [source.columns[key].sql_type for key in source.key]

    def part(position: int) -> Reader:
        return lambda variables: read_id(str(slot.read(variables)), entity, types)[position]

    places = [compiler.statement.read(part(position), types[position]) for position in range(len(types))]
    conditions = [f"{rows.ref(key)} = {place}" for key, place in zip(source.key, places, strict=True)]
    return _single(compiler, entity, rows, conditions, asked)


def _rows(compiler: Compiler, entity: str) -> Rows:
    return compiler.bindings.entities[entity].source.rows(compiler.statement.alias(), must_exist=False)


def _identified(known: frozenset[str]) -> Callable[[Sequence[object]], list[Reference]]:
    """Reads ids of nodes as the references that gateways send."""

    def read(ids: Sequence[object]) -> list[Reference]:
        found = [Reference(str(one).partition(":")[0], ID, str(one)) for one in ids]
        if any(one.entity not in known for one in found):
            raise BadUserInputError("This is not an id.", remedy="Use ids that the API gave.")
        return found

    return read


def _single(compiler: Compiler, entity: str, rows: Rows, conditions: list[str], asked: list[FieldNode]) -> str:
    pairs = compiler.pairs(entity, asked, rows.ref)
    tail = f" from {rows.from_sql()} where {' and '.join([*conditions, *rows.conditions()])}"
    return json_sql.one(pairs, tail)


def only_introspection(operation: OperationDefinitionNode, plan: Plan) -> OperationDefinitionNode:
    """The operation reduced to what Strawberry answers."""
    reduced = {name: getattr(operation, name) for name in operation.keys}
    reduced["selection_set"] = SelectionSetNode(selections=plan.introspection)
    return OperationDefinitionNode(**reduced)
