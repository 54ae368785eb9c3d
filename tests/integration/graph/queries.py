"""Queries that hypothesis makes up on the schema, for the differential test.

What the naive evaluation cannot do (values, wealth, explanations, cursors) is left out; it has tests
with known answers.
"""

from __future__ import annotations

import json
from typing import Any

from fulcrum.graph.aggregates import Aggregates
from fulcrum.graph.binding import BoundField, Cardinality
from fulcrum.graph.declare import Column, GlobalId, Lookup, NodesLookup, Relation
from fulcrum.graph.schema import Graph
from fulcrum.graph.sources import Dated, Fact, Log, Versioned
from tests.factories.graph_random import DAYS
from tests.integration.graph.queries_of_lists import DEPTH_OF_WHERE, Chance, Leaf, Numbers, Wheres, plain

SOURCES = (Versioned, Fact, Dated, Log)

DEPTH = 3
LEFT_OUT = {"node", "instrument", "publication", "fxRates", "messages"}
TRUST = "Trust"
WITH_AMOUNTS = ("holdings", "valuations", "transactions", "navs")
"""Roots that are asked for as often as all others together: few lists have amounts in several currencies."""
PARTS = ("edges", "nodes", "totalCount", "pageInfo", "aggregate", "aggregate", "groups", "groups")
IDS = [f"{kind}:{number}" for kind in ("Portfolio", "Client", "Instrument", "Account") for number in (1, 3, 99)]


class Queries:
    """Makes up one query; `chance` decides."""

    def __init__(self, graph: Graph, chance: Chance) -> None:
        self.graph = graph
        self.chance = chance
        self.variables: dict[str, Any] = {}
        self.declared: list[str] = []
        self.aliases = 0

    def query(self, known_at: list[str]) -> tuple[str, dict[str, Any]]:
        """Text and variables."""
        fields = self.graph.bindings.fields["Query"]
        names = sorted(name for name, bound in fields.items() if name == "nodes" or self._is_usable(name, bound))
        chosen = self.chance.some(WITH_AMOUNTS if self.chance.flip() else names, least=1, most=2)
        time = self._time(known_at)
        roots = [self._field("Query", name, fields[name], DEPTH, time) for name in chosen]
        head = f"query Made({', '.join(self.declared)})" if self.declared else "query Made"
        return f"{head} {{ {' '.join(roots)} }}", self.variables

    def _is_usable(self, name: str, bound: BoundField) -> bool:
        """Whether the naive evaluation knows the field; what templates give is tested with known answers."""
        declaration = bound.declaration
        if name in LEFT_OUT:
            return False
        if isinstance(declaration, Column):
            return declaration.sql is None or (bound.python_name == "valid_from" and "nullif" in declaration.sql)
        if isinstance(declaration, Lookup):
            return bound.child != "Feed" and set(declaration.by) == {"code"}
        is_one = isinstance(declaration, GlobalId) or bound.child == TRUST
        return is_one or (isinstance(declaration, Relation) and self._is_plain(declaration, bound))

    def _is_plain(self, declaration: Relation, bound: BoundField) -> bool:
        known = self.graph.bindings.entities.get(bound.child or "")
        is_plain = declaration.rows is None and not declaration.choices and not declaration.arguments
        return known is not None and isinstance(known.source, SOURCES) and is_plain and not declaration.among

    def _time(self, known_at: list[str]) -> list[str]:
        made = []
        day = self.chance.one([None, *(day.isoformat() for day in DAYS)])
        if day is not None:
            made.append(f"asOf: {self._given('Date', day)}")
        moment = self.chance.one([None, *known_at])
        if moment is not None:
            made.append(f"knownAt: {self._given('DateTime', moment)}")
        return made

    def _given(self, kind: str, value: Any) -> str:
        """A value in place or as a variable."""
        if self.chance.flip():
            return json.dumps(value)
        name = f"v{len(self.declared)}"
        self.declared.append(f"${name}: {kind}")
        self.variables[name] = value
        return f"${name}"

    def _field(self, owner: str, name: str, bound: BoundField, depth: int, arguments: list[str]) -> str:
        made = list(arguments)
        if isinstance(bound.declaration, NodesLookup):
            ids = self.chance.some(IDS, most=4)
            made.append(f"ids: {self._given('[ID!]!', ids)}")
            return f"{self._alias()}nodes({', '.join(made)}) {self._of_nodes()}"
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
        if bound.child == TRUST and self._is_derived(owner):
            # It is the worst of what it was derived from, which a template finds.
            below = below.replace("verdict", "publication")
        return f"{self._alias()}{name}{given} {below}"

    def _is_derived(self, owner: str) -> bool:
        known = self.graph.bindings.entities.get(owner)
        table = getattr(known.source, "table", None) if known is not None else None
        return table is not None and table.schema == "mart"

    def _alias(self) -> str:
        self.aliases += 1
        return f"a{self.aliases}: "

    def _list_arguments(self, owner: str, name: str) -> list[str]:
        made = []
        ways = ["first", "last", "page"]  # three lists of the usual size inside each other cost too much
        way = self.chance.one([None, *ways] if owner == "Query" else ways)
        if way == "page":
            page = {name: Leaf("Int!", self.chance.integer(1, most)) for name, most in (("number", 3), ("size", 4))}
            made.append(f"page: {self._shown('PageInput', page)}")
        elif way is not None:
            made.append(f"{way}: {self._given('Int', self.chance.integer(0, 5))}")
        args = self.graph.schema.type_map[owner].fields[name].args  # type: ignore[attr-defined]
        if "orderBy" in args and self.chance.flip():
            made.append(f"orderBy: {self._orders(args['orderBy'].type)}")
        if "where" in args and self.chance.integer(0, 2) == 0:
            wheres = Wheres(self.chance)
            kind = args["where"].type
            made.append(f"where: {self._shown(kind.name, wheres.where(kind, DEPTH_OF_WHERE))}")
        return made

    def _orders(self, kind: Any) -> str:
        """Different fields, each one way."""
        values = self.chance.some(
            sorted(kind.of_type.of_type.values), least=1, most=3, by=lambda value: value.rpartition("_")[0]
        )
        return f"[{', '.join(values)}]" if len(values) > 1 or self.chance.flip() else values[0]

    def _shown(self, kind: str, value: Any) -> str:
        """An input in place, perhaps with variables in it, or as one variable."""
        if self.chance.flip():
            name = f"v{len(self.declared)}"
            self.declared.append(f"${name}: {kind}")
            self.variables[name] = plain(value)
            return f"${name}"
        return self._in_place(value)

    def _in_place(self, value: Any) -> str:
        if isinstance(value, Leaf):
            return self._given(value.kind, value.value)
        if isinstance(value, dict):
            return f"{{ {', '.join(f'{name}: {self._in_place(part)}' for name, part in value.items())} }}"
        if isinstance(value, list):
            return f"[{', '.join(map(self._in_place, value))}]"
        return json.dumps(value)

    def _connection(self, bound: BoundField, depth: int) -> str:
        parts = self.chance.some(PARTS, least=1, most=3, is_unique=True)
        known = self.graph.bindings.aggregates[bound.child or ""]
        made = []
        for part in parts:
            if part == "edges":
                made.append(f"edges {{ __typename node {self._selection(bound.child or '', depth)} }}")
            elif part == "nodes":
                made.append(f"nodes {self._selection(bound.child or '', depth)}")
            elif part == "pageInfo":
                made.append("pageInfo { hasNextPage hasPreviousPage pageNumber pageCount }")
            elif part == "aggregate":
                made.append(f"{self._alias()}aggregate{self._currency()} {Numbers(known, self.chance).aggregate()}")
            elif part == "groups" and known.dimensions:
                made.append(f"{self._alias()}{self._groups(known)}")
            else:
                made.append("totalCount")
        return f"{{ {' '.join(made)} }}"

    def _currency(self) -> str:
        wanted = self.chance.one([None, "EUR", "USD", "GBP"])
        return "" if wanted is None else f"(in: {self._given('String', wanted)})"

    def _groups(self, known: Aggregates) -> str:
        numbers = Numbers(known, self.chance)
        by = self.chance.some(sorted(known.dimensions), least=1, most=3, is_unique=True)
        made = [f"by: [{', '.join(by)}]"]
        if self.chance.flip():
            made.append(f"first: {self._given('Int', self.chance.integer(0, 4))}")
        if self.chance.flip():
            kind: Any = self.graph.schema.type_map[f"{known.entity}GroupOrder"]
            values = self.chance.some(sorted(kind.values), least=1, most=2, is_unique=True)
            made.append(f"orderBy: [{', '.join(values)}]")
        currency = self._currency()
        if currency:
            made.append(currency.strip("()"))
        keys = " ".join(known.dimensions[value].field for value in by)
        return f"groups({', '.join(made)}) {numbers.group(keys)}"

    def _of_nodes(self) -> str:
        parts = [f"... on {kind} {self._selection(kind, 0)}" for kind in ("Portfolio", "Client", "Instrument")]
        return f"{{ __typename id {' '.join(parts)} }}"

    def _selection(self, kind: str, depth: int) -> str:
        if kind == "Trust":
            return "{ verdict publication known: knownAt feed deliveryFile fileSha256 }"
        fields = self.graph.bindings.fields[kind]
        usable = sorted(
            name
            for name, bound in fields.items()
            if self._is_usable(name, bound) and (depth > 0 or not isinstance(bound.declaration, Relation))
        )
        made = []
        for name in self.chance.some(usable, least=1, most=4, is_unique=True):
            bound = fields[name]
            if isinstance(bound.declaration, Relation):
                made.append(self._field(kind, name, bound, depth - 1, []))
            else:
                made.append(self._wrapped(kind, name))
        return f"{{ {' '.join(made)} }}"

    def _wrapped(self, kind: str, name: str) -> str:
        match self.chance.integer(0, 7):
            case 0:
                return f"... on {kind} {{ {name} __typename }}"
            case 1:
                return f"{self._alias()}{name}"
            case 2:
                return f"{name} @include(if: {self._given('Boolean!', self.chance.flip())}) __typename"
            case 3:
                return f"{name} @skip(if: true) __typename"
            case _:
                return name
