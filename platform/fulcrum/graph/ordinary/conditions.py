"""The `where` of the ordinary path: conditions that are true or false, never null, so that `not` needs no care.

Types of filters stand in `fulcrum.graph.filters`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fulcrum.entitlements.rights import Rights
from fulcrum.graph.binding import Bindings, BoundField, Cardinality
from fulcrum.graph.compiler.conditions import MOST_CONDITIONS, MOST_LEVELS
from fulcrum.graph.compiler.masking import refuse_masked, refuse_without
from fulcrum.graph.declare import Relation
from fulcrum.graph.errors import BadUserInputError, LimitExceededError
from fulcrum.graph.ordinary.sql import Ref, Sql, scalar, tied

_OPERATORS: Mapping[str, Callable[[str, str], str]] = {
    "eq": lambda a, b: f"{a} = {b}",
    "ne": lambda a, b: f"{a} is distinct from {b}",
    "gt": lambda a, b: f"{a} > {b}",
    "gte": lambda a, b: f"{a} >= {b}",
    "lt": lambda a, b: f"{a} < {b}",
    "lte": lambda a, b: f"{a} <= {b}",
    "in": lambda a, b: f"{a} = any({b})",
    "notIn": lambda a, b: f"({a} = any({b})) is not true",
    "startsWith": lambda a, b: f"starts_with({a}, {b})",
    "contains": lambda a, b: f"strpos(lower({a}), lower({b})) > 0",
    "search": lambda a, b: f"{a} %> {b}",
}
_TEXTS = ("startsWith", "contains", "search")


@dataclass
class Conditions:
    """Makes the conditions of one statement; `met` counts comparisons."""

    bindings: Bindings
    rights: Rights
    sql: Sql
    met: int = 0

    def of(self, entity: str, where: Mapping[str, Any], ref: Ref, *, level: int = 1) -> list[str]:
        """What must hold, all of it.

        Raises:
            ApiError: a condition says nothing, is on what the caller may not read, or is one too many.
        """
        if level > MOST_LEVELS:
            raise LimitExceededError(
                f"A `where` is over {MOST_LEVELS} levels deep.", remedy="Say it with fewer levels."
            )
        made = []
        for name, wanted in where.items():
            if wanted is not None:
                made.append(self._one(entity, name, wanted, ref, level))
        return made

    def _whole(self, entity: str, where: Mapping[str, Any], ref: Ref, level: int) -> str:
        found = self.of(entity, where, ref, level=level + 1)
        return f"(({' and '.join(found)}) is true)" if found else "true"

    def _one(self, entity: str, name: str, wanted: Any, ref: Ref, level: int) -> str:
        if name == "not":
            return f"not {self._whole(entity, wanted, ref, level)}"
        if name in ("and", "or"):
            self._spend(len(wanted))
            if not wanted:
                raise BadUserInputError(f"`{name}: []` says nothing.", remedy="Leave it out.")
            return "(" + f" {name} ".join(self._whole(entity, part, ref, level) for part in wanted) + ")"
        bound = self.bindings.fields[entity][name]
        if isinstance(bound.declaration, Relation):
            return self._related(bound, bound.declaration, wanted, ref, level)
        refuse_without(getattr(bound.declaration, "needs", None), self.rights)
        refuse_masked(bound, self.rights)
        self._spend(len(wanted))
        compared = [self._compared(scalar(bound, ref), bound.sql_type, *part) for part in wanted.items()]
        return " and ".join(compared) or "true"

    def _compared(self, sql: str, sql_type: str, operator: str, value: Any) -> str:
        if operator == "isNull" and value is not None:
            return f"{sql} is null" if value else f"{sql} is not null"
        if value is None:
            if operator not in ("eq", "ne"):
                raise BadUserInputError(
                    f"`{operator}: null` says nothing.", remedy="Leave it out, or use `isNull: true`."
                )
            return f"{sql} is null" if operator == "eq" else f"{sql} is not null"
        if operator in _TEXTS and not value.strip():
            raise BadUserInputError("A text to look for is empty.", remedy="Leave it out.")
        many = "[]" if operator in ("in", "notIn") else ""
        shown = str(value).lower() if isinstance(value, bool) else value
        return _OPERATORS[operator](sql, self.sql.bind(shown, sql_type + many))

    def _related(self, bound: BoundField, declaration: Relation, wanted: Any, ref: Ref, level: int) -> str:
        refuse_without(declaration.needs, self.rights)
        self._spend(1)
        if bound.cardinality is Cardinality.ONE:
            return self._exists(bound, declaration, wanted, ref, level)
        made = []
        for quantifier, condition in wanted.items():
            if condition is None:
                continue
            found = self._exists(bound, declaration, condition, ref, level, is_failing=quantifier == "every")
            made.append(found if quantifier == "some" else f"not {found}")
        return " and ".join(made) or "true"

    def _exists(
        self,
        bound: BoundField,
        declaration: Relation,
        wanted: Mapping[str, Any],
        ref: Ref,
        level: int,
        *,
        is_failing: bool = False,
    ) -> str:
        entity = self.bindings.entities[bound.child or ""]
        refuse_without(entity.needs, self.rights)
        rows = entity.source.rows(self.sql.alias(), must_exist=bound.cardinality is not Cardinality.ONE)
        inner = self._whole(entity.name, wanted, rows.ref, level)
        conditions = [*tied(entity.source, declaration, rows, ref), f"not {inner}" if is_failing else inner]
        return f"exists (select 1 from {rows.from_sql()} where {' and '.join(conditions)})"

    def _spend(self, conditions: int) -> None:
        self.met += conditions
        if self.met > MOST_CONDITIONS:
            raise LimitExceededError(
                f"A query has over {MOST_CONDITIONS} conditions.", remedy="Use `in`, or ask twice."
            )
