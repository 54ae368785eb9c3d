"""The SQL of `_entities`: references of any number and kind, resolved in the statement of the operation.

Each kind (entity and key) is one branch of a `case` over the array of references, so a row is found
by the same index as in a look-up. Reading a reference stands in `fulcrum.graph.references`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from graphql import FieldNode

from fulcrum.graph.compiler import json_sql
from fulcrum.graph.compiler.paging import MOST_ROWS
from fulcrum.graph.compiler.values import Slot, as_text
from fulcrum.graph.errors import BadUserInputError
from fulcrum.graph.references import ID, Reference, read_reference
from fulcrum.graph.relay import read_id
from fulcrum.graph.sources import render

if TYPE_CHECKING:
    from fulcrum.graph.binding import Bindings
    from fulcrum.graph.compiler.objects import Compiler

Kind = tuple[str, str]


def compile_references(
    compiler: Compiler,
    slot: Slot,
    asked: list[FieldNode],
    read: Callable[[Sequence[object]], list[Reference]] | None = None,
) -> str:
    """The SQL of the array of entities, in the order of their references; null where there is no such row.

    Raises:
        BadUserInputError: there are more than 1000 references, or one of them is wrong.
    """
    read = read or _representations

    def read_all(sent: Sequence[object]) -> list[Reference]:
        if len(sent) > MOST_ROWS:
            raise BadUserInputError(f"An operation resolves at most {MOST_ROWS} references.", remedy="Ask in parts.")
        return read(sent)

    kinds: dict[Kind, int] = {}
    for found in read_all(slot.now):
        kinds.setdefault(found.kind, len(kinds))
    if not kinds:
        return "array[]::json[]"
    order = {kind: place for place, kind in enumerate(sorted(kinds))}
    sent = compiler.statement.read(
        lambda variables: _as_json(read_all(slot.read(variables)), order, compiler.bindings), "json"
    )
    alias = compiler.statement.alias()
    with compiler.cost.times(slot):
        compiler.cost.add(1)
        branches = " ".join(f"when {place} then {_one(compiler, kind, alias, asked)}" for kind, place in order.items())
    return (
        f"array(select case ({alias}.value ->> 0)::int {branches} end"
        f" from json_array_elements({sent}) with ordinality {alias}(value, nth) order by {alias}.nth)"
    )


def _representations(sent: Sequence[object]) -> list[Reference]:
    return [read_reference(one) for one in sent]


def _one(compiler: Compiler, kind: Kind, alias: str, asked: list[FieldNode]) -> str:
    entity, key = kind
    found = compiler.bindings.entities[entity]
    rows = found.source.rows(compiler.statement.alias(), must_exist=False)
    pairs = compiler.pairs(entity, asked, rows.ref)
    if key == ID:
        types = [(name, found.source.columns[name].sql_type) for name in found.source.key]
        tied = [
            f"{rows.ref(name)} = ({alias}.value ->> {place})::{kind}" for place, (name, kind) in enumerate(types, 1)
        ]
    else:
        sent = f"({alias}.value ->> 1)"

        def ref(column: str) -> str:
            if column == "value":
                return sent
            compiler.refuse_masked_column(entity, column)
            return rows.ref(column)

        tied = [render(found.keys[key], ref)]
    return json_sql.one(pairs, f" from {rows.from_sql()} where {' and '.join([*tied, *rows.conditions()])}")


def _as_json(found: Sequence[Reference], order: Mapping[Kind, int], bindings: Bindings) -> str:
    """`[[place of the kind, parts of the key ...], ...]`."""
    return json.dumps([[order[one.kind], *_parts(one, bindings)] for one in found], ensure_ascii=False)


def _parts(one: Reference, bindings: Bindings) -> tuple[str | None, ...]:
    value = as_text(one.value)
    if one.key != ID:
        return (value,)
    source = bindings.entities[one.entity].source
    return read_id(value, one.entity, [source.columns[name].sql_type for name in source.key])
