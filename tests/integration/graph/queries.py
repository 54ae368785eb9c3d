"""Queries that hypothesis makes up on the schema, for the differential test.

What the naive evaluation cannot do (values, wealth, explanations, cursors) is left out; it has tests
with known answers.
"""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

from fulcrum.graph.binding import BoundField, Cardinality
from fulcrum.graph.declare import Column, GlobalId, Lookup, Relation
from fulcrum.graph.schema import Graph
from tests.factories.graph_random import DAYS

DEPTH = 3
LEFT_OUT = {"wealth", "value", "explain", "messages", "node", "instrument", "publication", "fxRates", "isin"}
VALUES: dict[str, list[str]] = {
    "StringFilter": ["EUR", "FUND", "MANDATE", "PORTFOLIO1", "CLIENT2", "C1", "EQUITY", "CLOSE", "VALUED", "nobody"],
    "DateFilter": [day.isoformat() for day in DAYS],
    "DecimalFilter": ["0", "10", "-3.14", "1000000.000001"],
}
OPERATORS = {
    "StringFilter": ["eq", "in"],
    "DateFilter": ["eq", "gte", "lte"],
    "DecimalFilter": ["eq", "gt", "gte", "lt", "lte"],
    "BooleanFilter": ["eq"],
}


class Queries:
    """Makes up one query; `draw` is hypothesis'."""

    def __init__(self, graph: Graph, draw: Any) -> None:
        self.graph = graph
        self.draw = draw
        self.variables: dict[str, Any] = {}
        self.declared: list[str] = []
        self.aliases = 0

    def query(self, known_at: list[str]) -> tuple[str, dict[str, Any]]:
        """Text and variables."""
        fields = self.graph.bindings.fields["Query"]
        names = sorted(name for name in fields if name not in LEFT_OUT)
        chosen = self.draw(st.lists(st.sampled_from(names), min_size=1, max_size=2))
        time = self._time(known_at)
        roots = [self._field("Query", name, fields[name], DEPTH, time) for name in chosen]
        head = f"query Made({', '.join(self.declared)})" if self.declared else "query Made"
        return f"{head} {{ {' '.join(roots)} }}", self.variables

    def _time(self, known_at: list[str]) -> list[str]:
        made = []
        day = self.draw(st.sampled_from([None, *(day.isoformat() for day in DAYS)]))
        if day is not None:
            made.append(f"asOf: {self._given('Date', day)}")
        moment = self.draw(st.sampled_from([None, *known_at]))
        if moment is not None:
            made.append(f"knownAt: {self._given('DateTime', moment)}")
        return made

    def _given(self, kind: str, value: Any) -> str:
        """A value in place or as a variable."""
        if self.draw(st.booleans()):
            return json.dumps(value)
        name = f"v{len(self.declared)}"
        self.declared.append(f"${name}: {kind}")
        self.variables[name] = value
        return f"${name}"

    def _field(self, owner: str, name: str, bound: BoundField, depth: int, arguments: list[str]) -> str:
        made = list(arguments)
        if isinstance(bound.declaration, Lookup):
            code = {"ShareClass": "SHARE_CLASS"}.get(bound.child or "", (bound.child or "").upper())
            made.append(f"code: {self._given('String!', code + '1')}")
        if bound.cardinality is Cardinality.CONNECTION:
            made += self._list_arguments(owner, name)
        given = f"({', '.join(made)})" if made else ""
        below = (
            self._connection(bound, depth)
            if bound.cardinality is Cardinality.CONNECTION
            else self._selection(bound.child or "", depth)
        )
        return f"{self._alias()}{name}{given} {below}"

    def _alias(self) -> str:
        self.aliases += 1
        return f"a{self.aliases}: "

    def _list_arguments(self, owner: str, name: str) -> list[str]:
        made = []
        way = self.draw(st.sampled_from([None, "first", "last"]))
        if way is not None:
            made.append(f"{way}: {self._given('Int', self.draw(st.integers(0, 5)))}")
        args = self.graph.schema.type_map[owner].fields[name].args  # type: ignore[attr-defined]
        if "orderBy" in args and self.draw(st.booleans()):
            made.append(f"orderBy: {self.draw(st.sampled_from(sorted(args['orderBy'].type.values)))}")
        if "where" in args and self.draw(st.integers(0, 2)) == 0:
            made.append(f"where: {self._where(args['where'].type)}")
        return made

    def _where(self, kind: Any) -> str:
        name = self.draw(st.sampled_from(sorted(kind.fields)))
        filter_name = kind.fields[name].type.name
        operator = self.draw(st.sampled_from(OPERATORS[filter_name]))
        if filter_name == "BooleanFilter":
            return f"{{ {name}: {{ eq: {self.draw(st.sampled_from(['true', 'false']))} }} }}"
        values = VALUES[filter_name]
        if operator == "in":
            some = self.draw(st.lists(st.sampled_from(values), max_size=3))
            return f"{{ {name}: {{ in: {self._given('[String!]', some)} }} }}"
        if operator == "eq" and self.draw(st.integers(0, 3)) == 0:
            return f"{{ {name}: {{ eq: null }} }}"
        scalar = {"StringFilter": "String", "DateFilter": "Date", "DecimalFilter": "Decimal"}[filter_name]
        return f"{{ {name}: {{ {operator}: {self._given(scalar, self.draw(st.sampled_from(values)))} }} }}"

    def _connection(self, bound: BoundField, depth: int) -> str:
        parts = self.draw(
            st.lists(st.sampled_from(["edges", "nodes", "totalCount", "pageInfo"]), min_size=1, max_size=3, unique=True)
        )
        made = []
        for part in parts:
            if part == "edges":
                made.append(f"edges {{ __typename node {self._selection(bound.child or '', depth)} }}")
            elif part == "nodes":
                made.append(f"nodes {self._selection(bound.child or '', depth)}")
            else:
                made.append(part if part == "totalCount" else "pageInfo { hasNextPage hasPreviousPage }")
        return f"{{ {' '.join(made)} }}"

    def _selection(self, kind: str, depth: int) -> str:
        if kind == "Trust":
            return "{ verdict publication known: knownAt feed deliveryFile fileSha256 }"
        fields = self.graph.bindings.fields[kind]
        usable = sorted(
            name
            for name, bound in fields.items()
            if name not in LEFT_OUT
            and (
                isinstance(bound.declaration, (Column, GlobalId))
                or (depth > 0 and isinstance(bound.declaration, Relation))
            )
        )
        made = []
        for name in self.draw(st.lists(st.sampled_from(usable), min_size=1, max_size=4, unique=True)):
            bound = fields[name]
            if isinstance(bound.declaration, Relation):
                made.append(self._field(kind, name, bound, depth - 1, []))
            else:
                made.append(self._wrapped(kind, name))
        return f"{{ {' '.join(made)} }}"

    def _wrapped(self, kind: str, name: str) -> str:
        match self.draw(st.integers(0, 7)):
            case 0:
                return f"... on {kind} {{ {name} __typename }}"
            case 1:
                return f"{self._alias()}{name}"
            case 2:
                return f"{name} @include(if: {self._given('Boolean!', self.draw(st.booleans()))}) __typename"
            case 3:
                return f"{name} @skip(if: true) __typename"
            case _:
                return name
