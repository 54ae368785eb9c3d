"""`where` the naive way: each condition is true or false of a row in memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fulcrum.graph.binding import Cardinality
from fulcrum.graph.declare import Relation

if TYPE_CHECKING:
    from tests.integration.graph.naive import Naive, Row

TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "in": lambda a, b: a in b,
    "notIn": lambda a, b: a not in b,
    "gt": lambda a, b: a is not None and a > b,
    "gte": lambda a, b: a is not None and a >= b,
    "lt": lambda a, b: a is not None and a < b,
    "lte": lambda a, b: a is not None and a <= b,
    "isNull": lambda a, b: (a is None) is b,
    "startsWith": lambda a, b: a is not None and a.startswith(b),
    "contains": lambda a, b: a is not None and b.lower() in a.lower(),
}


def holds(naive: Naive, entity: str, where: Row, row: Row) -> bool:
    """Whether a row fulfils a `where`."""
    return all(_part(naive, entity, name, wanted, row) for name, wanted in where.items() if wanted is not None)


def _part(naive: Naive, entity: str, name: str, wanted: Any, row: Row) -> bool:
    if name == "and":
        return all(holds(naive, entity, part, row) for part in wanted)
    if name == "or":
        return any(holds(naive, entity, part, row) for part in wanted)
    if name == "not":
        return not holds(naive, entity, wanted, row)
    bound = naive.graph.bindings.fields[entity][name]
    if not isinstance(bound.declaration, Relation):
        value = naive.value(bound, row)
        return all(
            naive.is_like(value, given) if operator == "search" else TESTS[operator](value, given)
            for operator, given in wanted.items()
        )
    assert bound.child is not None
    child, rows = bound.child, naive.joined(bound, row)
    if bound.cardinality is Cardinality.ONE:
        return any(holds(naive, child, wanted, one) for one in rows)
    quantified: dict[str, Callable[[list[bool]], bool]] = {
        "some": any,
        "every": all,
        "none": lambda found: not any(found),
    }
    return all(
        quantified[operator]([holds(naive, child, condition, one) for one in rows])
        for operator, condition in wanted.items()
        if condition is not None
    )
