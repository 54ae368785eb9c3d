"""GraphQL evaluated the naive way: every row of every table in memory, one object after another.

It shares the declarations with the compiler, and nothing else: time, joins, filters, orders and
pages are done here by plain Python, so that the two can be held against each other.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from functools import cmp_to_key
from typing import Any

import psycopg
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLObjectType,
    InlineFragmentNode,
    OperationDefinitionNode,
    parse,
)
from graphql.execution.values import get_argument_values, get_directive_values
from graphql.type import GraphQLIncludeDirective, GraphQLSkipDirective
from psycopg.rows import dict_row

from fulcrum.graph.binding import BoundField, Cardinality
from fulcrum.graph.declare import At, Column, GlobalId, Lookup, Relation
from fulcrum.graph.schema import Graph
from fulcrum.graph.sources import Dated, Fact, Log, Versioned

Row = dict[str, Any]
TRUST = {
    "verdict": "verdict",
    "publication": "publication_id",
    "knownAt": "known_at",
    "feed": "feed",
    "deliveryFile": "file_name",
    "fileSha256": "sha256",
}


class Naive:
    """One warehouse, read whole."""

    def __init__(self, graph: Graph, connection: psycopg.Connection[Any]) -> None:
        self.graph = graph
        self.tables: dict[str, list[Row]] = {}
        self._cursor = connection.cursor(row_factory=dict_row)
        self.version = 0
        self.as_of = dt.date.min

    def rows(self, table: str) -> list[Row]:
        """A whole table."""
        if table not in self.tables:
            self.tables[table] = list(self._cursor.execute(f"select * from {table}"))
        return self.tables[table]

    def run(self, text: str, variables: Row) -> tuple[Row, int, dt.date]:
        """Data, data version and business date of a query."""
        document = parse(text)
        operation = next(found for found in document.definitions if isinstance(found, OperationDefinitionNode))
        root = self.graph.schema.query_type
        assert root is not None
        self.variables = variables
        self.fragments = _fragments(document)
        fields = self._collect(root, [operation])
        self._set_time(root, fields)
        data = {key: self._root(root, nodes) for key, nodes in fields.items()}
        return data, self.version, self.as_of

    def _set_time(self, root: GraphQLObjectType, fields: dict[str, list[FieldNode]]) -> None:
        given = [self._arguments(root, nodes[0]) for nodes in fields.values() if nodes[0].name.value != "__typename"]
        known = next((arguments["knownAt"] for arguments in given if arguments.get("knownAt")), None)
        publications = self.rows("governance.publication")
        numbers = [p["publication_id"] for p in publications if known is None or p["known_at"] <= known]
        self.version = max(numbers, default=0)
        seen = [p for p in publications if p["publication_id"] <= self.version and p["business_date_to"]]
        held = [p["business_date_to"] for p in seen if p["target"] == "core.holding"]
        default = max(held or [p["business_date_to"] for p in seen])
        self.as_of = next((arguments["asOf"] for arguments in given if arguments.get("asOf")), default)

    def _root(self, root: GraphQLObjectType, nodes: list[FieldNode]) -> Any:
        name = nodes[0].name.value
        if name == "__typename":
            return root.name
        bound = self.graph.bindings.fields[root.name][name]
        arguments = self._arguments(root, nodes[0])
        assert bound.child is not None
        if isinstance(bound.declaration, Lookup):
            code = self.graph.bindings.entities[bound.child].source.order[0]
            found = [r for r in self._entity(bound.child, must_exist=False) if r[code] == arguments["code"]]
            return self._object(bound.child, nodes, found[0]) if found else None
        return self._related(bound, nodes, arguments, {})

    def _related(self, bound: BoundField, nodes: list[FieldNode], arguments: Row, parent: Row) -> Any:
        declaration, child = bound.declaration, bound.child
        assert isinstance(declaration, Relation)
        assert child is not None
        if declaration.rows is not None:
            return self._trust(nodes, parent)
        rows = self._entity(child, must_exist=bound.cardinality is not Cardinality.ONE)
        rows = [r for r in rows if all(r[c] == parent[o] and r[c] is not None for c, o in declaration.on.items())]
        source = self.graph.bindings.entities[child].source
        if source.is_fact and declaration.at is At.AS_OF:
            rows = [r for r in rows if r["business_date"] == self.as_of]
        elif source.is_fact and declaration.at is not At.ANY:
            rows = [r for r in rows if r["business_date"] <= self.as_of]
        rows = [r for r in rows if self._holds(child, arguments.get("where") or {}, r)]
        order = declaration.order or source.order
        if declaration.at is At.LATEST:
            order = ("-business_date", *(c for c in declaration.order or source.key if c != "business_date"))
        rows = self._sorted(rows, [(column.removeprefix("-"), column.startswith("-")) for column in order])
        if bound.cardinality is Cardinality.CONNECTION:
            return self._connection(child, nodes, arguments, rows)
        if bound.cardinality is Cardinality.LIST:
            return [self._object(child, nodes, row) for row in rows]
        return self._object(child, nodes, rows[0]) if rows else None

    def _entity(self, name: str, *, must_exist: bool) -> list[Row]:
        source = self.graph.bindings.entities[name].source
        if isinstance(source, Versioned):
            made = []
            for identity in self.rows(source.identity.fullname):
                if identity["created_in"] > self.version:
                    continue
                key = source.id_column
                versions = [
                    v
                    for v in self.rows(source.version.fullname)
                    if v[key] == identity[key] and self._visible(v) and self._valid(v)
                ]
                assert len(versions) < 2
                empty = dict.fromkeys(source.columns)
                if versions or not must_exist:
                    made.append(empty | (versions[0] if versions else {}) | identity)
            return made
        if isinstance(source, (Fact, Dated)):
            rows = [r for r in self.rows(source.table.fullname) if self._visible(r)]
            return [r for r in rows if self._valid(r)] if isinstance(source, Dated) else rows
        assert isinstance(source, Log)
        return [
            r
            for r in self.rows(source.table.fullname)
            if r["publication_id"] is None or r["publication_id"] <= self.version
        ]

    def _visible(self, row: Row) -> bool:
        ended = row["superseded_in"]
        return bool(row["published_in"] <= self.version and (ended is None or ended > self.version))

    def _valid(self, row: Row) -> bool:
        return bool(row["valid_from"] <= self.as_of and (row["valid_to"] is None or self.as_of < row["valid_to"]))

    def _value(self, bound: BoundField, row: Row) -> Any:
        assert isinstance(bound.declaration, Column)
        if bound.declaration.sql is not None:
            assert bound.python_name == "valid_from"  # the only template that is generated
            return None if row["valid_from"] == dt.date.min else row["valid_from"]
        return row[bound.declaration.name or bound.python_name]

    def _holds(self, entity: str, where: Row, row: Row) -> bool:
        tests: dict[str, Callable[[Any, Any], bool]] = {
            "eq": lambda a, b: a == b,
            "in": lambda a, b: a in b,
            "gt": lambda a, b: a is not None and a > b,
            "gte": lambda a, b: a is not None and a >= b,
            "lt": lambda a, b: a is not None and a < b,
            "lte": lambda a, b: a is not None and a <= b,
        }
        return all(
            tests[operator](self._value(self.graph.bindings.fields[entity][name], row), wanted)
            for name, condition in where.items()
            for operator, wanted in (condition or {}).items()
        )

    @staticmethod
    def _sorted(rows: list[Row], order: list[tuple[str, bool]]) -> list[Row]:
        def compare(a: Row, b: Row) -> int:
            for column, is_descending in order:
                one, two = a[column], b[column]
                if one == two:
                    continue
                if one is None or two is None:
                    return 1 if one is None else -1
                return (1 if one > two else -1) * (-1 if is_descending else 1)
            return 0

        return sorted(rows, key=cmp_to_key(compare))

    def _connection(self, entity: str, nodes: list[FieldNode], arguments: Row, rows: list[Row]) -> Row:
        order = arguments.get("orderBy")
        if order is not None:
            name, _, way = str(getattr(order, "name", order)).lower().rpartition("_")
            bound = self.graph.bindings.by_python_name(entity, name)
            assert isinstance(bound.declaration, Column)
            rows = self._sorted(rows, [(bound.declaration.name or name, way == "desc")])
        first, last = arguments.get("first"), arguments.get("last")
        page = rows[len(rows) - min(last, len(rows)) :] if last is not None else rows[: 100 if first is None else first]
        kind = self._type(f"{entity}Connection")
        made: Row = {}
        for key, asked in self._collect(kind, nodes).items():
            match asked[0].name.value:
                case "totalCount":
                    made[key] = len(rows)
                case "nodes":
                    made[key] = [self._object(entity, asked, row) for row in page]
                case "edges":
                    made[key] = [self._edge(entity, asked, row) for row in page]
                case "pageInfo":
                    after, before = len(page) < len(rows) and last is None, len(page) < len(rows) and last is not None
                    known = {"hasNextPage": after, "hasPreviousPage": before}
                    info = self._collect(self._type("PageInfo"), asked)
                    made[key] = {k: known[v[0].name.value] for k, v in info.items()}
                case _:
                    made[key] = kind.name
        return made

    def _edge(self, entity: str, nodes: list[FieldNode], row: Row) -> Row:
        fields = self._collect(self._type(f"{entity}Edge"), nodes)
        return {
            key: self._object(entity, asked, row) if asked[0].name.value == "node" else f"{entity}Edge"
            for key, asked in fields.items()
        }

    def _object(self, entity: str, nodes: list[FieldNode], row: Row) -> Row:
        kind = self._type(entity)
        made: Row = {}
        for key, asked in self._collect(kind, nodes).items():
            name = asked[0].name.value
            if name == "__typename":
                made[key] = entity
                continue
            bound = self.graph.bindings.fields[entity][name]
            if isinstance(bound.declaration, Column):
                made[key] = _json(self._value(bound, row), is_text=bound.is_text_in_json)
            elif isinstance(bound.declaration, GlobalId):
                parts = [row[part] for part in self.graph.bindings.entities[entity].source.key]
                made[key] = ":".join([entity, *map(_escaped, parts)])
            else:
                made[key] = self._related(bound, asked, self._arguments(kind, asked[0]), row)
        return made

    def _trust(self, nodes: list[FieldNode], row: Row) -> Row | None:
        number = row.get("published_in") or row.get("created_in") or row.get("publication_id")
        if number is None:
            return None
        publication = next(p for p in self.rows("governance.publication") if p["publication_id"] == number)
        delivery_id = row.get("delivery_id") or publication["delivery_id"]
        delivery = next((d for d in self.rows("governance.delivery") if d["delivery_id"] == delivery_id), {})
        known = {"file_name": None, "sha256": None} | delivery | publication
        fields = self._collect(self._type("Trust"), nodes)
        return {
            key: "Trust" if asked[0].name.value == "__typename" else _json(known[TRUST[asked[0].name.value]])
            for key, asked in fields.items()
        }

    def _type(self, name: str) -> GraphQLObjectType:
        found = self.graph.schema.type_map[name]
        assert isinstance(found, GraphQLObjectType)
        return found

    def _arguments(self, kind: GraphQLObjectType, node: FieldNode) -> Row:
        return get_argument_values(kind.fields[node.name.value], node, self.variables)

    def _collect(self, kind: GraphQLObjectType, nodes: list[Any]) -> dict[str, list[FieldNode]]:
        found: dict[str, list[FieldNode]] = {}
        for node in nodes:
            for chosen in node.selection_set.selections if node.selection_set else ():
                skip = get_directive_values(GraphQLSkipDirective, chosen, self.variables)
                include = get_directive_values(GraphQLIncludeDirective, chosen, self.variables)
                if (skip and skip["if"]) or (include and not include["if"]):
                    continue
                if isinstance(chosen, FieldNode):
                    key = chosen.alias.value if chosen.alias else chosen.name.value
                    found.setdefault(key, []).append(chosen)
                    continue
                is_inline = isinstance(chosen, InlineFragmentNode)
                inner: Any = chosen if is_inline else self.fragments[chosen.name.value]
                if inner.type_condition is None or inner.type_condition.name.value in (kind.name, "Node"):
                    for key, more in self._collect(kind, [inner]).items():
                        found.setdefault(key, []).extend(more)
        return found


def _fragments(document: DocumentNode) -> dict[str, FragmentDefinitionNode]:
    return {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}


def _escaped(part: Any) -> str:
    return str(part).replace("~", "~~").replace(":", "~c")


def _json(value: Any, *, is_text: bool = False) -> Any:
    if isinstance(value, (dt.date, dt.datetime)):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    return str(value) if is_text and value is not None else value
