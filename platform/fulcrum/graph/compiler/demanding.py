"""Holds what is demanded against objects and whole lists, inside the statement that answers.

Without a demand nothing here writes a letter of SQL.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from graphql import FieldNode, GraphQLObjectType

from fulcrum.graph.compiler.statement import CLOCK
from fulcrum.graph.compiler.values import Variables, arguments
from fulcrum.graph.demands import ARGUMENT, demanded, falls_short, held, rests_on, untrusted
from fulcrum.graph.sources import Rows, render

if TYPE_CHECKING:
    from fulcrum.graph.compiler.objects import Compiler


def clock(demand: str | None) -> str:
    """What a statement selects from; with a demand it also finds what falls short of it."""
    return CLOCK if demand is None else f"{CLOCK}, {untrusted(demand)}"


def find_demand(root: GraphQLObjectType, fields: Mapping[str, Sequence[FieldNode]], variables: Variables) -> str | None:
    """What an operation demands in any of its root fields; it holds for all of them.

    Raises:
        BadUserInputError: they demand different things.
    """
    found = []
    for asked in fields.values():
        known = root.fields.get(asked[0].name.value)
        if known is not None and ARGUMENT in known.args:
            demand = arguments(known, asked[0], variables).get(ARGUMENT)
            found += [] if demand is None else [demand]
    return demanded(found)


def hold_object(
    compiler: Compiler, type_name: str, pairs: list[tuple[str, str]], ref: Callable[[str], str]
) -> list[tuple[str, str]]:
    """The pairs of an object, of which the first is only given if what the object rests on will do."""
    template = rests_on(compiler.bindings, type_name)
    if template is None or not pairs or compiler.demand is None:
        return pairs
    (key, sql), *others = pairs
    return [(key, f"case when {held(render(template, ref), compiler.demand)} then {sql} end"), *others]


def hold_list(compiler: Compiler, entity: str, sql: str, rows: Rows, conditions: Callable[[], list[str]]) -> str:
    """A number over a whole list, which is only given if what all of its rows rest on will do."""
    template = rests_on(compiler.bindings, entity)
    if template is None or compiler.demand is None:
        return sql
    each = render(template, rows.ref)
    where = " and ".join([*conditions(), falls_short("p$")])
    short = f"(select array_agg(distinct p$) from {rows.from_sql()}, unnest({each}) p$ where {where})"
    return f"case when {held(short, compiler.demand)} then {sql} end"
