"""GraphQL evaluated the naive way: every row of every table in memory, one object after another.

It shares the declarations with the compiler, and nothing else: time, joins, filters, orders and
pages are done here by plain Python, so that the two can be held against each other.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from functools import cmp_to_key
from typing import Any, LiteralString

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
from fulcrum.graph.declare import At, Column, GlobalId, Lookup, NodesLookup, Relation
from fulcrum.graph.schema import Graph
from fulcrum.graph.sources import Dated, Fact, Log, Versioned
from tests.integration.graph.naive_aggregates import Aggregated
from tests.integration.graph.naive_conditions import holds

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
        self._answers: dict[Any, Any] = {}
        self.may_refuse = False
        self.as_of = dt.date.min

    def rows(self, table: str) -> list[Row]:
        """A whole table."""
        if table not in self.tables:
            self.tables[table] = list(self._cursor.execute(f"select * from {table}"))
        return self.tables[table]

    def visible(self, table: str) -> list[Row]:
        """Rows of a published table that are known."""
        return [row for row in self.rows(table) if self._visible(row)]

    def is_like(self, value: str | None, wanted: str) -> bool:
        """Whether a text has words like the wanted ones: PostgreSQL's business."""
        return value is not None and bool(self._asked("select %s::text %%> %s::text as answer", value, wanted))

    def divided(self, one: Decimal, two: Decimal) -> Decimal:
        """A quotient with the digits that PostgreSQL gives it."""
        return Decimal(self._asked("select (%s::numeric / %s::numeric)::text as answer", f"{one:f}", f"{two:f}"))

    def _asked(self, query: LiteralString, *values: str) -> Any:
        if (query, values) not in self._answers:
            found = self._cursor.execute(query, values).fetchone()
            assert found is not None
            self._answers[query, values] = found["answer"]
        return self._answers[query, values]

    def run(self, text: str, variables: Row) -> tuple[Row, int, dt.date]:
        """Data, data version and business date of a query."""
        document = parse(text)
        self.may_refuse = False
        operation = next(found for found in document.definitions if isinstance(found, OperationDefinitionNode))
        root = self.graph.schema.query_type
        assert root is not None
        self.variables = variables
        self.fragments = _fragments(document)
        fields = self.collect(root, [operation])
        self._set_time(root, fields)
        data = {key: self._root(root, nodes) for key, nodes in fields.items()}
        return data, self.version, self.as_of

    def _set_time(self, root: GraphQLObjectType, fields: dict[str, list[FieldNode]]) -> None:
        given = [self.arguments(root, nodes[0]) for nodes in fields.values() if nodes[0].name.value != "__typename"]
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
        arguments = self.arguments(root, nodes[0])
        assert bound.child is not None
        if isinstance(bound.declaration, NodesLookup):
            return [self._named(text, nodes) for text in arguments["ids"]]
        if isinstance(bound.declaration, Lookup):
            code = self.graph.bindings.entities[bound.child].source.order[0]
            found = [r for r in self._entity(bound.child, must_exist=False) if r[code] == arguments["code"]]
            return self._object(bound.child, nodes, found[0]) if found else None
        return self._related(bound, nodes, arguments, {})

    def _named(self, text: str, nodes: list[FieldNode]) -> Row | None:
        entity = text.partition(":")[0]
        found = [row for row in self._entity(entity, must_exist=False) if self._id(entity, row) == text]
        return self._object(entity, nodes, found[0]) if found else None

    def _id(self, entity: str, row: Row) -> str:
        parts = [row[part] for part in self.graph.bindings.entities[entity].source.key]
        return ":".join([entity, *map(_escaped, parts)])

    def _related(self, bound: BoundField, nodes: list[FieldNode], arguments: Row, parent: Row) -> Any:
        declaration, child = bound.declaration, bound.child
        assert isinstance(declaration, Relation)
        assert child is not None
        if declaration.rows is not None:
            return self._trust(nodes, parent)
        rows = self.joined(bound, parent)
        rows = [row for row in rows if holds(self, child, arguments.get("where") or {}, row)]
        source = self.graph.bindings.entities[child].source
        order = declaration.order or source.order
        if declaration.at is At.LATEST:
            order = ("-business_date", *(c for c in declaration.order or source.key if c != "business_date"))
        rows = self.sorted(rows, [(column.removeprefix("-"), column.startswith("-")) for column in order])
        if bound.cardinality is Cardinality.CONNECTION:
            return self._connection(child, nodes, arguments, rows)
        if bound.cardinality is Cardinality.LIST:
            return [self._object(child, nodes, row) for row in rows]
        return self._object(child, nodes, rows[0]) if rows else None

    def joined(self, bound: BoundField, parent: Row) -> list[Row]:
        """The rows that a relation leads to, in no order."""
        declaration, child = bound.declaration, bound.child
        assert isinstance(declaration, Relation)
        assert child is not None
        rows = self._entity(child, must_exist=bound.cardinality is not Cardinality.ONE)
        rows = [r for r in rows if all(r[c] == parent[o] and r[c] is not None for c, o in declaration.on.items())]
        source = self.graph.bindings.entities[child].source
        if source.is_fact and declaration.at is At.AS_OF:
            return [r for r in rows if r["business_date"] == self.as_of]
        if source.is_fact and declaration.at is not At.ANY:
            return [r for r in rows if r["business_date"] <= self.as_of]
        return rows

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

    def value(self, bound: BoundField, row: Row) -> Any:
        """The value of a column."""
        assert isinstance(bound.declaration, Column)
        if bound.declaration.sql is not None:
            assert bound.python_name == "valid_from"  # the only template that is generated
            return None if row["valid_from"] == dt.date.min else row["valid_from"]
        return row[bound.declaration.name or bound.python_name]

    @staticmethod
    def sorted(rows: list[Row], order: list[tuple[str, bool]]) -> list[Row]:
        """Rows by some columns (True: descending), those without a value last."""

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
        asked = []
        for order in arguments.get("orderBy") or []:
            name, _, way = name_of(order).lower().rpartition("_")
            bound = self.graph.bindings.by_python_name(entity, name)
            assert isinstance(bound.declaration, Column)
            asked.append((bound.declaration.name or name, way == "desc"))
        rows = self.sorted(rows, asked) if asked else rows
        page, info = _page(rows, arguments)
        kind = self.type(f"{entity}Connection")
        made: Row = {}
        for key, asked_nodes in self.collect(kind, nodes).items():
            match asked_nodes[0].name.value:
                case "totalCount":
                    made[key] = len(rows)
                case "nodes":
                    made[key] = [self._object(entity, asked_nodes, row) for row in page]
                case "edges":
                    made[key] = [self._edge(entity, asked_nodes, row) for row in page]
                case "pageInfo":
                    fields = self.collect(self.type("PageInfo"), asked_nodes)
                    made[key] = {k: info[v[0].name.value] for k, v in fields.items()}
                case "aggregate" | "groups" as name:
                    given = self.arguments(kind, asked_nodes[0])
                    made[key] = Aggregated(self, entity, given, kind).of(name, asked_nodes, rows)
                case _:
                    made[key] = kind.name
        return made

    def _edge(self, entity: str, nodes: list[FieldNode], row: Row) -> Row:
        fields = self.collect(self.type(f"{entity}Edge"), nodes)
        return {
            key: self._object(entity, asked, row) if asked[0].name.value == "node" else f"{entity}Edge"
            for key, asked in fields.items()
        }

    def _object(self, entity: str, nodes: list[FieldNode], row: Row) -> Row:
        kind = self.type(entity)
        made: Row = {}
        for key, asked in self.collect(kind, nodes).items():
            name = asked[0].name.value
            if name == "__typename":
                made[key] = entity
                continue
            bound = self.graph.bindings.fields[entity][name]
            if isinstance(bound.declaration, Column):
                made[key] = as_json(self.value(bound, row), is_text=bound.is_text_in_json)
            elif isinstance(bound.declaration, GlobalId):
                made[key] = self._id(entity, row)
            else:
                made[key] = self._related(bound, asked, self.arguments(kind, asked[0]), row)
        return made

    def _trust(self, nodes: list[FieldNode], row: Row) -> Row | None:
        number = row.get("published_in") or row.get("created_in") or row.get("publication_id")
        if number is None:
            return None
        publication = next(p for p in self.rows("governance.publication") if p["publication_id"] == number)
        delivery_id = row.get("delivery_id") or publication["delivery_id"]
        delivery = next((d for d in self.rows("governance.delivery") if d["delivery_id"] == delivery_id), {})
        known = {"file_name": None, "sha256": None} | delivery | publication
        fields = self.collect(self.type("Trust"), nodes)
        return {
            key: "Trust" if asked[0].name.value == "__typename" else as_json(known[TRUST[asked[0].name.value]])
            for key, asked in fields.items()
        }

    def type(self, name: str) -> GraphQLObjectType:
        """An object type of the schema."""
        found = self.graph.schema.type_map[name]
        assert isinstance(found, GraphQLObjectType)
        return found

    def arguments(self, kind: GraphQLObjectType, node: FieldNode) -> Row:
        """What a field is given."""
        return get_argument_values(kind.fields[node.name.value], node, self.variables)

    def collect(self, kind: GraphQLObjectType, nodes: list[Any]) -> dict[str, list[FieldNode]]:
        """The fields asked of an object, by response key."""
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
                    for key, more in self.collect(kind, [inner]).items():
                        found.setdefault(key, []).extend(more)
        return found


def _fragments(document: DocumentNode) -> dict[str, FragmentDefinitionNode]:
    return {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}


def _escaped(part: Any) -> str:
    return str(part).replace("~", "~~").replace(":", "~c")


def _page(rows: list[Row], arguments: Row) -> tuple[list[Row], Row]:
    """The rows of the page that is asked for, and what is known of it."""
    page = arguments.get("page")
    if page is not None:
        number, size = page["number"], page["size"]
        start = (number - 1) * size
        known = {"pageNumber": number, "pageCount": -(-len(rows) // size), "hasPreviousPage": number > 1}
        return rows[start : start + size], known | {"hasNextPage": len(rows) > start + size}
    first, last = arguments.get("first"), arguments.get("last")
    cut = rows[len(rows) - min(last, len(rows)) :] if last is not None else rows[: 100 if first is None else first]
    is_cut = len(cut) < len(rows)
    known = {"pageNumber": None, "pageCount": None}
    return cut, known | {"hasNextPage": is_cut and last is None, "hasPreviousPage": is_cut and last is not None}


def name_of(value: Any) -> str:
    """The name of an enum's value."""
    return str(getattr(value, "name", value))


def as_json(value: Any, *, is_text: bool = False) -> Any:
    """A value as the API writes it."""
    if isinstance(value, (dt.date, dt.datetime)):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    return str(value) if is_text and value is not None else value
