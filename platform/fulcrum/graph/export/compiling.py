"""From an export's document to two statements: what the numbers need, and the rows themselves.

COPY takes no parameters, so values travel as settings of the transaction (`set_config` binds them)
and the statement reads them there: nothing of a request is ever written into SQL.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import FieldNode

from fulcrum.entitlements.rights import Mask, Rights
from fulcrum.graph.binding import BoundField, Cardinality
from fulcrum.graph.compiler.connections import ListInMaking
from fulcrum.graph.compiler.demanding import clock, find_demand
from fulcrum.graph.compiler.keysets import order_by
from fulcrum.graph.compiler.objects import Compiler
from fulcrum.graph.compiler.selection import Selections
from fulcrum.graph.compiler.statement import CLOCK, Statement
from fulcrum.graph.compiler.values import arguments
from fulcrum.graph.declare import Relation
from fulcrum.graph.demands import falls_short, held
from fulcrum.graph.errors import BadUserInputError
from fulcrum.graph.export.flattening import ExportColumn, Flattening, Join
from fulcrum.graph.plans import Plans

PARAMETER = "fulcrum.export_p{}"
_PAGING = ("first", "after", "last", "before", "page")
_PLACEHOLDER = re.compile(r"\$(\d+)")


@dataclass(frozen=True)
class ExportPlan:
    """What to run: `clock` gives publication and business date, `measure` counts, `rows` is what is copied.

    `name` is that of the operation. `measure` gives the number of rows, and for every numeric column
    its scale and its largest amount.
    `parameters` are the texts of the settings `fulcrum.export_p1` and on; None stays unset.
    """

    name: str | None
    columns: tuple[ExportColumn, ...]
    clock: str
    measure: str
    rows: str
    parameters: tuple[str | None, ...]
    masks: Mapping[str, Mask]


def plan_export(
    plans: Plans, text: str, operation_name: str | None, variables: Mapping[str, Any], rights: Rights
) -> ExportPlan:
    """Compile the document of an export for one caller.

    Raises:
        ApiError: it is wrong, or is not exactly one connection of scalars and to-one relations.
    """
    parsed = plans.parsed(text)
    operation = parsed.operation(operation_name)
    coerced, _ = plans.coerced(parsed, operation, variables)
    selections = Selections(parsed.fragments, coerced)
    graph = plans.graph
    root = graph.schema.query_type
    assert root is not None
    named = selections.fields(root, [operation.selection_set])
    demand = find_demand(root, named, coerced) if operation.operation.value == "query" else None
    compiler = Compiler(graph.schema, graph.bindings, selections, Statement(), rights, demand=demand)
    fields = list(named.values())
    bound = graph.bindings.fields[root.name].get(fields[0][0].name.value) if len(fields) == 1 else None
    if operation.operation.value != "query" or bound is None or bound.cardinality is not Cardinality.CONNECTION:
        raise BadUserInputError(
            "An export is one query with one list at its root.",
            remedy="Such as: query { holdings { nodes { businessDate quantity } } }.",
        )
    given = arguments(root.fields[fields[0][0].name.value], fields[0][0], coerced)
    name = operation.name.value if operation.name else None
    return _plan(compiler, bound, given, fields[0], name)


def _plan(
    compiler: Compiler,
    bound: BoundField,
    given: Mapping[str, Any],
    asked: list[FieldNode],
    called: str | None,
) -> ExportPlan:
    assert bound.child is not None
    assert isinstance(bound.declaration, Relation)
    for name in _PAGING:
        if given.get(name) is not None:
            raise BadUserInputError("An export has no pages.", remedy=f"Leave out `{name}`; use `where`.")
    for name, slots in (("asOf", compiler.statement.as_of), ("knownAt", compiler.statement.known_at)):
        if given.get(name) is not None:
            slots.append(given[name])
    connection = ListInMaking(compiler, bound.child, bound.declaration, given, _no_parent)
    base = connection.page.base
    flat = Flattening(compiler)
    flat.collect(bound.child, _rows_of(compiler, bound.child, asked), base.ref)
    if not flat.columns:
        raise BadUserInputError("The export has no columns.", remedy="Ask for fields of `nodes`.")
    conditions = connection.conditions(base)
    where = f" where {' and '.join(conditions)}" if conditions else ""
    order = order_by(connection.terms, None)
    listed = ", ".join(f"{_as_written(column)} as c{n}" for n, column in enumerate(flat.columns, 1))
    joins = "".join(join.sql() for join in flat.joins)
    told = f"select n, as_of from {clock(compiler.demand)}"
    told += _held(compiler.demand, flat, f"{base.from_sql()}{joins}", conditions)
    rows = f"select {listed} from {base.from_sql()}{joins}{where} order by {order}"
    measured = _measured(flat.columns, flat.joins)
    measure = f"select {measured[0]} from {base.from_sql()}{measured[1]}{where}"
    return ExportPlan(
        called,
        tuple(flat.columns),
        _settings_for_parameters(told),
        _settings_for_parameters(f"select o.* from {CLOCK}, lateral ({measure}) o"),
        _settings_for_parameters(f"select o.* from {CLOCK}, lateral ({rows}) o"),
        tuple(reader(compiler.selections.variables) for reader in compiler.statement.readers),
        {column.name: column.mask for column in flat.columns if column.mask is not None},
    )


def _held(demand: str | None, flat: Flattening, tables: str, conditions: list[str]) -> str:
    """What ends the first statement, before a byte is sent, if a row rests on what is not wanted."""
    if demand is None or not flat.rests_on:
        return ""
    where = " and ".join([*conditions, falls_short("p$")])
    short = f"(select array_agg(distinct p$) from {tables}, unnest({' || '.join(flat.rests_on)}) p$ where {where})"
    return f" where {held(short, demand)}"


def _rows_of(compiler: Compiler, entity: str, asked: list[FieldNode]) -> list[FieldNode]:
    """The fields whose selection is that of a row: `nodes`, or the `node` of `edges`."""
    found: list[FieldNode] = []
    for nodes in compiler.selections.below(compiler.object_type(f"{entity}Connection"), asked).values():
        match nodes[0].name.value:
            case "nodes":
                found += nodes
            case "edges":
                inner = compiler.selections.below(compiler.object_type(f"{entity}Edge"), nodes)
                found += [node for below in inner.values() for node in below if node.name.value == "node"]
            case other:
                raise BadUserInputError(
                    f"`{other}` is no part of an export.", remedy="Ask for `nodes { ... }` only; rows are counted."
                )
    return found


def _measured(columns: Sequence[ExportColumn], joins: Sequence[Join]) -> tuple[str, str]:
    """Select list and joins that count the rows and measure the numbers; other joins are left out."""
    needed: set[int] = set()
    listed = ["count(*)"]
    for column in columns:
        if column.sql_type != "numeric":
            continue
        listed.append(f"max(min_scale({column.sql})), max(abs({column.sql}))")
        join = column.join
        while join is not None:
            needed.add(id(join))
            join = join.above
    return ", ".join(listed), "".join(join.sql() for join in joins if id(join) in needed)


def _as_written(column: ExportColumn) -> str:
    """Booleans and moments as JSON writes them, so that CSV says what the API says."""
    if column.sql_type == "boolean":
        return f"({column.sql})::text"
    return f"to_json({column.sql}) #>> '{{}}'" if column.sql_type == "timestamptz" else column.sql


def _settings_for_parameters(sql: str) -> str:
    return _PLACEHOLDER.sub(lambda found: f"current_setting('{PARAMETER.format(found[1])}', true)", sql)


def _no_parent(column: str) -> str:
    raise LookupError(f"A root field has no surrounding row with {column}.")
