"""The SQL of `where`: comparisons, and/or/not, and conditions on what relations lead to.

Conditions have two values: what cannot be compared (null) does not hold, so `not` gives exactly the
rows that its condition leaves out. Types of filters stand in `fulcrum.graph.filters`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from fulcrum.graph.binding import Cardinality
from fulcrum.graph.compiler.masking import refuse_without
from fulcrum.graph.compiler.values import Slot, Variables, as_text
from fulcrum.graph.declare import Relation
from fulcrum.graph.errors import BadUserInputError, LimitExceededError

if TYPE_CHECKING:
    from fulcrum.graph.compiler.objects import Compiler, Ref

MOST_LEVELS = 8
"""Of and/or/not and relations inside each other."""
MOST_CONDITIONS = 300
"""In one operation; those of a list count again for its aggregates."""

_COMPARISONS = {"eq": "=", "ne": "is distinct from", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
_JOINED = {"and": " and ", "or": " or "}


def compile_where(compiler: Compiler, entity: str, where: Mapping[str, Any], ref: Ref, *, level: int = 1) -> list[str]:
    """The SQL conditions of a `where` on `entity`; all must hold.

    Raises:
        BadUserInputError: a comparison says nothing, or its value is out of bounds.
        LimitExceededError: it is nested too deeply, or has too many conditions.
    """
    if level > MOST_LEVELS:
        raise LimitExceededError(f"A `where` is over {MOST_LEVELS} levels deep.", remedy="Say it with fewer levels.")
    made: list[str] = []
    for name, wanted in where.items():
        if wanted is None:
            continue
        if name in _JOINED:
            _spend(compiler, len(wanted))
            parts = [_all_of(compile_where(compiler, entity, part, ref, level=level + 1)) for part in wanted]
            made.append(_any_or_all(name, parts))
        elif name == "not":
            made.append(negated(_all_of(compile_where(compiler, entity, wanted, ref, level=level + 1))))
        else:
            made += _of_field(compiler, entity, name, wanted, ref, level)
    return made


def _of_field(compiler: Compiler, entity: str, name: str, wanted: Any, ref: Ref, level: int) -> list[str]:
    bound = compiler.bindings.fields[entity][name]
    if not isinstance(bound.declaration, Relation):
        sql = compiler.scalar(bound, ref)
        _spend(compiler, len(wanted))
        return [compare(sql, bound.sql_type, operator, value, compiler) for operator, value in wanted.items()]
    assert bound.child is not None
    _spend(compiler, 1)
    refuse_without(bound.declaration.needs, compiler.rights)
    declaration, child = bound.declaration, bound.child

    def exists(condition: Mapping[str, Any], *, is_failing: bool = False) -> str:
        rows = compiler.open(child, declaration, ref, must_exist=bound.cardinality is not Cardinality.ONE)
        tested = compile_where(compiler, child, condition, rows.ref, level=level + 1)
        tied = compiler.conditions(child, declaration, rows, ref)
        if is_failing:
            tested = [negated(_all_of(tested))]
        return f"exists (select from {rows.from_sql()} where {_all_of([*tied, *tested])})"

    if bound.cardinality is Cardinality.ONE:
        return [exists(wanted)]
    made = []
    for operator, condition in wanted.items():
        if condition is None:
            continue
        found = exists(condition, is_failing=operator == "every")
        made.append(found if operator == "some" else f"not {found}")
    return made


def _spend(compiler: Compiler, conditions: int) -> None:
    compiler.conditions_met += conditions
    if compiler.conditions_met > MOST_CONDITIONS:
        raise LimitExceededError(f"A query has over {MOST_CONDITIONS} conditions.", remedy="Use `in`, or ask twice.")


def negated(condition: str) -> str:
    """What holds exactly where the condition does not, null included."""
    return f"({condition}) is not true"


def _all_of(conditions: Iterable[str]) -> str:
    return " and ".join(conditions) or "true"


def _any_or_all(operator: str, parts: list[str]) -> str:
    if not parts:
        raise BadUserInputError(f"`{operator}: []` says nothing.", remedy="Leave it out.")
    return f"({_JOINED[operator].join(f'({part})' for part in parts)})"


def compare(sql: str, sql_type: str, operator: str, value: Any, compiler: Compiler) -> str:
    """One comparison of an expression of `sql_type` with a value of the request."""
    if value is None:
        if operator in ("eq", "ne"):
            return f"{sql} is {'not ' if operator == 'ne' else ''}null"
        raise BadUserInputError(f"`{operator}: null` says nothing.", remedy="Leave it out, or use `isNull: true`.")
    if operator == "isNull":
        return f"{sql} is {'' if value else 'not '}null"
    if isinstance(value, bool):
        return f"{sql} {_COMPARISONS[operator]} {'true' if value else 'false'}"
    if operator in _TEXTS:
        compared, made = _TEXTS[operator]
        return f"{sql} {compared} {_text(compiler, value, operator, made)}"
    if operator in ("in", "notIn"):
        among = f"{sql} = any({compiler.statement.bind(value, sql_type + '[]')})"
        return among if operator == "in" else negated(among)
    return f"{sql} {_COMPARISONS[operator]} {compiler.statement.bind(value, sql_type)}"


def _text(compiler: Compiler, slot: Slot, use: str, made: Callable[[str], str]) -> str:
    def read(variables: Variables) -> str:
        text = as_text(slot.read(variables))
        if not text.strip():
            raise BadUserInputError("A text to look for is empty.", remedy="Leave it out.")
        return made(text)

    key = None if slot.variable is None else (use, slot.variable, slot.path)
    return compiler.statement.read(read, "text", key=key)


def _pattern(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


_TEXTS: Mapping[str, tuple[str, Callable[[str], str]]] = {
    "startsWith": ("^@", str),
    "contains": ("ilike", _pattern),
    "search": ("%>", str),
}
