"""Pages of connections: keyset conditions, the page itself, and what is asked about it.

The page is cut in an inner select before any JSON is made (building it for skipped rows made a page
of 20 take 627 ms instead of 20); it is materialized only if more than one thing is asked of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from graphql import FieldNode

from fulcrum.graph.binding import BoundField
from fulcrum.graph.compiler import json_sql
from fulcrum.graph.compiler.aggregates import compile_aggregate
from fulcrum.graph.compiler.cost import WHOLE_LIST
from fulcrum.graph.compiler.demanding import hold_list
from fulcrum.graph.compiler.keysets import Term, after, order_by
from fulcrum.graph.compiler.paging import Paging
from fulcrum.graph.compiler.values import arguments
from fulcrum.graph.declare import At, Relation
from fulcrum.graph.demands import refuse_conversion
from fulcrum.graph.errors import BadUserInputError
from fulcrum.graph.relay import sql_part
from fulcrum.graph.sources import Rows

if TYPE_CHECKING:
    from fulcrum.graph.compiler.objects import Compiler, Ref

MOST_ORDERS = 5
MARK = "clock.mark"


@dataclass
class Page:
    """The rows of a page; asking for a column takes it through the inner select."""

    alias: str
    base: Rows
    columns: dict[str, str] = field(default_factory=dict)

    def ref(self, column: str) -> str:
        """The SQL of a column of the page."""
        if column not in self.columns:
            self.columns[column] = self.base.ref(column)
        return f"{self.alias}.{column}"

    def select_list(self) -> str:
        """What the inner select gives."""
        return ", ".join(f"{sql} as {name}" for name, sql in self.columns.items())


@dataclass
class ListInMaking:
    """One connection being compiled: its terms of order, its page, and the conditions on its rows."""

    compiler: Compiler
    entity: str
    declaration: Relation
    given: Mapping[str, Any]
    parent: Ref

    def __post_init__(self) -> None:
        self.paging = Paging.of(self.given)
        self.orders: list[str] = self.given.get("orderBy") or []
        self.order_name = ",".join(self.orders)
        self.page = Page(self.compiler.statement.alias(), self._base())
        self.terms = self._terms()
        self.is_shared = False

    def compile(self, asked: list[FieldNode]) -> str:
        """The connection's object."""
        kind_name = f"{self.entity}Connection"
        fields = self.compiler.selections.below(self.compiler.object_type(kind_name), asked)
        names = [nodes[0].name.value for nodes in fields.values()]
        paged = [name for name in names if name in ("edges", "nodes", "pageInfo")]
        self.is_shared = len(paged) > 1 or "pageInfo" in paged
        made = [(key, nodes, self._contents(kind_name, nodes)) for key, nodes in fields.items()]
        inner = self._inner(with_one_more=self.is_shared) if paged else ""
        pairs = [(key, self._value(nodes[0].name.value, contents, inner)) for key, nodes, contents in made]
        if not self.is_shared:
            return json_sql.one(pairs)
        alias = self.page.alias
        numbered = f"row_number() over (order by {order_by(self.terms, alias, is_flipped=self.paging.is_backward)})"
        cte = f"with {alias}p as materialized (select {alias}.*, {numbered} as nth from ({inner}) {alias})"
        return f"({cte} {json_sql.select_one(pairs)})"

    def _contents(self, kind_name: str, nodes: list[FieldNode]) -> Any:
        """The select list of edges, nodes or page info; of others their SQL."""
        name = nodes[0].name.value
        if name == "__typename":
            return f"'{kind_name}'::text"
        if name in ("totalCount", "aggregate", "groups"):
            self.compiler.cost.add(WHOLE_LIST)
            return self._count() if name == "totalCount" else self._aggregated(kind_name, nodes)
        if name == "pageInfo":
            return self._page_info(nodes)
        with self.compiler.cost.times(self.paging.rows):
            self.compiler.cost.add(1)
            if name == "nodes":
                return self.compiler.pairs(self.entity, nodes, self.page.ref)
            return self._edges(nodes)

    def _aggregated(self, kind_name: str, nodes: list[FieldNode]) -> str:
        kind = self.compiler.object_type(kind_name)
        given = arguments(kind.fields[nodes[0].name.value], nodes[0], self.compiler.selections.variables)
        dated = self.declaration.at is At.AS_OF
        base = self._base()
        conditions = self.conditions(base)
        refuse_conversion(given, self.compiler.demand)
        made = compile_aggregate(self.compiler, self.entity, given, nodes, base, conditions, is_of_one_day=dated)
        return self._held(made)

    def _edges(self, nodes: list[FieldNode]) -> list[tuple[str, str]]:
        kind = self.compiler.object_type(f"{self.entity}Edge")
        made = []
        for key, asked in self.compiler.selections.below(kind, nodes).items():
            match asked[0].name.value:
                case "__typename":
                    made.append((key, f"'{kind.name}'::text"))
                case "cursor":
                    made.append((key, self._cursor()))
                case _:
                    made.append((key, json_sql.one(self.compiler.pairs(self.entity, asked, self.page.ref))))
        return made

    def _page_info(self, nodes: list[FieldNode]) -> list[tuple[str, str]]:
        kind = self.compiler.object_type("PageInfo")
        alias, is_backward = self.page.alias, self.paging.is_backward
        limit = self.paging.limit(self.compiler.statement, with_one_more=False)
        rows = f"from {alias}p {alias}"
        is_beyond = f"exists (select {rows} where {alias}.nth > {limit})"
        came_from = "true" if self.paging.cursor is not None else "false"
        first = f"(select {self._cursor()} {rows} where {alias}.nth <= {limit} order by {alias}.nth limit 1)"
        last = f"(select {self._cursor()} {rows} where {alias}.nth <= {limit} order by {alias}.nth desc limit 1)"
        known = {
            "__typename": "'PageInfo'::text",
            "hasNextPage": came_from if is_backward else is_beyond,
            "hasPreviousPage": is_beyond if is_backward else came_from,
            "startCursor": last if is_backward else first,
            "endCursor": first if is_backward else last,
        }
        if self.paging.number is not None:
            del known["hasPreviousPage"]
        below = self.compiler.selections.below(kind, nodes)
        return [(key, known.get(name) or self._numbered(name)) for key, name in _names(below)]

    def _numbered(self, name: str) -> str:
        """What only a page with a number knows; parameters come into being for what is asked only."""
        statement = self.compiler.statement
        if name != "pageCount":
            number = self.paging.shown_number(statement)
            return number if name == "pageNumber" else f"{number} > 1"
        if self.paging.number is None:
            return "null::integer"
        self.compiler.cost.add(WHOLE_LIST)
        return self.paging.count(statement, self._count())

    def _value(self, name: str, contents: Any, inner: str) -> str:
        if name in ("__typename", "totalCount", "aggregate", "groups"):
            return str(contents)
        if name == "pageInfo":
            return json_sql.one(contents)
        alias = self.page.alias
        if not self.is_shared:
            return json_sql.many(contents, f" from ({inner}) {alias} order by {order_by(self.terms, alias)}")
        limit = self.paging.limit(self.compiler.statement, with_one_more=False)
        way = " desc" if self.paging.is_backward else ""
        return json_sql.many(contents, f" from {alias}p {alias} where {alias}.nth <= {limit} order by {alias}.nth{way}")

    def _cursor(self) -> str:
        parts = [sql_part(f"{self.page.alias}.{term.name}", term.sql_type, is_nullable=True) for term in self.terms]
        return " || ':' || ".join([MARK, f"'{self.order_name}'", *parts])

    def _inner(self, *, with_one_more: bool) -> str:
        conditions = self.conditions(self.page.base)
        if self.paging.cursor is not None:
            types = tuple(term.sql_type for term in self.terms)
            place = self.compiler.statement.cursor(self.paging.cursor, self.order_name, types)
            conditions.append(after(self.terms, place, is_flipped=self.paging.is_backward))
        order = order_by(self.terms, None, is_flipped=self.paging.is_backward)
        statement = self.compiler.statement
        limit = self.paging.limit(statement, with_one_more=with_one_more) + self.paging.offset(statement)
        taken = {term.name: term.sql for term in self.terms} | self.page.columns
        listed = ", ".join(f"{sql} as {name}" for name, sql in taken.items())
        return f"select {listed} from {self.page.base.from_sql()}{_where(conditions)} order by {order} limit {limit}"

    def _count(self) -> str:
        base = self._base()
        conditions = self.conditions(base)
        return self._held(f"(select count(*) from {base.from_sql()}{_where(conditions)})")

    def _held(self, number: str) -> str:
        """A number over the whole list, held against what the operation demands."""
        if self.compiler.demand is None:
            return number
        base = self._base()
        return hold_list(self.compiler, self.entity, number, base, lambda: self.conditions(base))

    def _base(self) -> Rows:
        return self.compiler.open(self.entity, self.declaration, self.parent, must_exist=True)

    def conditions(self, base: Rows) -> list[str]:
        """What makes a row of `base` one of the list, its filters included."""
        made = self.compiler.conditions(self.entity, self.declaration, base, self.parent)
        return made + self.compiler.filters(self.entity, self.given.get("where"), base.ref)

    def _terms(self) -> list[Term]:
        source = self.compiler.bindings.entities[self.entity].source
        base = self.page.base
        made: list[Term] = []
        if len(self.orders) > MOST_ORDERS:
            raise BadUserInputError(f"A list has {MOST_ORDERS} orders at most.", remedy="Leave out the last ones.")
        for asked in self.orders:
            name, _, way = asked.lower().rpartition("_")
            bound = self.compiler.bindings.by_python_name(self.entity, name)
            term = _asked_term(self.compiler, bound, base, is_descending=way == "desc")
            if any(before.name == term.name for before in made):
                raise BadUserInputError(f"`orderBy` names {name} twice.", remedy="Leave out the later one.")
            made.append(term)
        same = set(self.declaration.on)  # in every row of this list; without them the index gives the order
        if source.is_fact and self.declaration.at is At.AS_OF:
            same.add("business_date")
        order = self.declaration.order or source.order
        if any(self.compiler.rights.mask(source.columns[name.removeprefix("-")].path) for name in order):
            order = source.key  # a cursor must not carry what the caller may not read
        for column in order:
            bare = column.removeprefix("-")
            if bare in same:
                continue
            made.append(Term(bare, base.ref(bare), source.columns[bare].sql_type, is_descending=column.startswith("-")))
        return made


def _asked_term(compiler: Compiler, bound: BoundField, base: Rows, *, is_descending: bool) -> Term:
    sql = compiler.scalar(bound, base.ref)
    return Term(f"asked_{bound.python_name}", sql, bound.sql_type, is_descending, is_nullable=True)


def _names(below: Mapping[str, list[FieldNode]]) -> list[tuple[str, str]]:
    return [(key, asked[0].name.value) for key, asked in below.items()]


def _where(conditions: list[str]) -> str:
    return f" where {' and '.join(conditions)}" if conditions else ""


def compile_connection(
    compiler: Compiler,
    entity: str,
    declaration: Relation,
    given: Mapping[str, Any],
    asked: list[FieldNode],
    parent: Ref,
) -> str:
    """The SQL of a connection to `entity`.

    Raises:
        BadUserInputError: its arguments contradict each other or exceed the cap.
    """
    return ListInMaking(compiler, entity, declaration, given, parent).compile(asked)
