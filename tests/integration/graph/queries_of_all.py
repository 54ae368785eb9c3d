"""Made-up queries on all of the schema: templates, explanations, histories, arguments of relations' own, cursors.

`queries.py` makes those that the naive evaluation knows, too.
"""

from __future__ import annotations

from typing import Any

from fulcrum.graph.binding import BoundField, Cardinality
from fulcrum.graph.declare import Column, GlobalId, Group, Lookup, Relation
from tests.factories.graph_random import DAYS
from tests.integration.graph.everything import SCALARS
from tests.integration.graph.queries import Queries

MOMENT = '"2026-01-05T21:00:00Z"'


class Anything(Queries):
    """Makes up one query on whatever there is."""

    _is_demanding = False

    def _is_usable(self, name: str, bound: BoundField) -> bool:  # noqa: ARG002 - the narrower one needs it
        declaration = bound.declaration
        if isinstance(declaration, Lookup):
            return "code" in declaration.by and (not declaration.argument or "code" in declaration.short)
        return declaration is None or isinstance(declaration, Column | Relation | Group | GlobalId)

    def _time(self, known_at: list[str]) -> list[str]:
        demand = self.chance.one([None, "CLEAN", "WAIVED"])
        self._is_demanding = demand is not None
        return [*super()._time(known_at), *([] if demand is None else [f"requireTrust: {demand}"])]

    def _currency(self) -> str:
        """None where trust is demanded: that is refused, and tested on its own."""
        return "" if self._is_demanding else super()._currency()

    def _field(self, owner: str, name: str, bound: BoundField, depth: int, arguments: list[str]) -> str:
        kind: Any = self.graph.schema.type_map[owner]
        own = getattr(bound.declaration, "arguments", {})
        made = [f"{given}: {self._made_up(kind.fields[name].args[given].type)}" for given in own]
        return super()._field(owner, name, bound, depth, [*arguments, *made])

    def _made_up(self, kind: Any) -> str:
        inner = getattr(kind, "of_type", kind)
        if hasattr(inner, "values"):
            return str(self.chance.one(sorted(inner.values)))
        if hasattr(inner, "fields"):
            name = self.chance.one(sorted(inner.fields))
            return f"{{ {name}: {self._made_up(inner.fields[name].type)} }}"
        if inner.name == "DateTime":
            return self.chance.one([MOMENT, '"2026-01-06T09:00:00+02:00"'])
        if inner.name == "Date":
            return f'"{self.chance.one(DAYS).isoformat()}"'
        return self.chance.one(['"EUR"', '"USD"', '"GBP"']) if inner.name == "String" else SCALARS[inner.name]

    def _connection(self, bound: BoundField, depth: int) -> str:
        made = super()._connection(bound, depth)
        if self.chance.flip():
            made = made.replace("edges { __typename", "edges { cursor", 1)
        return made.replace("pageInfo {", "pageInfo { startCursor endCursor", 1)

    def _selection(self, kind: str, depth: int) -> str:
        fields = self.graph.bindings.fields[kind]
        plain = kind not in self.graph.bindings.entities
        usable = sorted(
            name
            for name, bound in fields.items()
            if self._is_usable(name, bound)
            and (bound.cardinality is Cardinality.SCALAR or depth > 0 or (plain and depth > -2))
        )
        made = []
        for name in self.chance.some(usable, least=1, most=4, is_unique=True):
            bound = fields[name]
            if bound.cardinality is Cardinality.SCALAR:
                made.append(self._wrapped(kind, name))
            else:
                made.append(self._field(kind, name, bound, depth - 1, []))
        return f"{{ {' '.join(made) or '__typename'} }}"
