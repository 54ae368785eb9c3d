"""The one resolver of the ordinary path: it reads what a field is bound to, and asks loaders for it.

What the caller may ask at all has been checked before (`checking.py`); nothing is refused here for rights.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any

from graphql import GraphQLResolveInfo

from fulcrum.entitlements.rights import Mask
from fulcrum.graph.binding import BoundField, Cardinality, without_declaration
from fulcrum.graph.compiler.masking import mask_of
from fulcrum.graph.declare import At, Column, GlobalId, Group, Lookup, NodeLookup, NodesLookup, Relation
from fulcrum.graph.ordinary.aggregation import Aggregation, Amount
from fulcrum.graph.ordinary.aggregation import Group as Counted
from fulcrum.graph.ordinary.conditions import Conditions
from fulcrum.graph.ordinary.demanding import Held
from fulcrum.graph.ordinary.finding import find_reference, identified, look_up
from fulcrum.graph.ordinary.listing import Given, Lists, Page, paging_of
from fulcrum.graph.ordinary.rows import ROOT, ROW, Item, as_json, as_object, as_part
from fulcrum.graph.ordinary.session import Session
from fulcrum.graph.ordinary.shown import hashed, shown
from fulcrum.graph.ordinary.sql import (
    Key,
    Link,
    Parents,
    Sql,
    every_parent,
    key_of,
    latest,
    linked,
    listed,
    name_of,
    needed,
    opened,
    ordered,
    scalar,
    where,
)
from fulcrum.graph.references import FIELD, SERVICE, Reference, read_reference


@dataclass(frozen=True)
class Grouped:
    """An object whose fields are templates over the row `item`; `place` names the group."""

    item: Item
    declaration: Group
    child: str
    place: str


@dataclass(frozen=True)
class Listed:
    """A connection of one surrounding row."""

    name: tuple[Any, ...]
    lists: Lists
    key: Key

    async def page(self) -> Page:
        """Its page."""
        found: Page = await self.lists.session.loader((*self.name, "page"), self.lists.pages).load(self.key)
        return found

    async def count(self) -> int:
        """Its number of rows."""
        found: int = await self.lists.session.loader((*self.name, "count"), self.lists.counts).load(self.key)
        return found


@dataclass(frozen=True)
class Edge:
    """One row of a page."""

    cursor: str
    item: Item


@dataclass(frozen=True)
class Computed:
    """The numbers of one function over a group."""

    group: Counted
    function: str


class Resolver:
    """Resolves every field of one operation; graphql-core knows it as its middleware."""

    def __init__(self, session: Session, held: Held) -> None:
        self.session, self.held = session, held
        self.bindings = session.graph.bindings
        self._ways: Mapping[type, Callable[[Any, str, Given], Any]] = {
            Grouped: self._of_group,
            Listed: self._of_list,
            Edge: self._of_edge,
            Counted: self._of_numbers,
            Computed: self._number,
            dict: _of_known,
        }

    def resolve(self, following: Callable[..., Any], source: Any, info: GraphQLResolveInfo, **given: Any) -> Any:
        """The value of a field, or what can be awaited for it."""
        name = info.field_name
        if name.startswith("__") or info.parent_type.name.startswith("__") or name == SERVICE:
            return following(source, info, **given)
        if source is None:
            return self._root(name, given)
        known = self._ways.get(type(source))
        if known is not None:
            return known(source, name, given)
        item: Item | None = getattr(source, "__dict__", {}).get(ROW)
        if item is None:  # what Strawberry resolved itself
            return following(source, info, **given)
        return self._field(item, self.bindings.fields[item.kind][name], f"{item.kind}.{name}", given)

    def _object(self, item: Item | None) -> Any:
        if item is None:
            return None
        self.held.add(item)
        kind: Any = self.session.graph.schema.type_map[item.kind]
        return as_object(item, kind.extensions["strawberry-definition"].origin)

    async def _root(self, name: str, given: Given) -> Any:
        if name == FIELD:
            return await self._named([read_reference(one) for one in given["representations"]])
        bound = self.bindings.fields["Query"][name]
        if isinstance(bound.declaration, NodeLookup):
            return (await self._named([identified(given["id"])]))[0]
        if isinstance(bound.declaration, NodesLookup):
            return await self._named([identified(one) for one in given["ids"]])
        if isinstance(bound.declaration, Lookup):
            return self._object(await look_up(self.session, bound.child or "", bound.declaration, given))
        found = self._field(ROOT, bound, f"Query.{name}", given)
        return await found if isawaitable(found) else found

    async def _named(self, references: Sequence[Reference]) -> list[Any]:
        return [self._object(await find_reference(self.session, one)) for one in references]

    def _field(self, item: Item, bound: BoundField, place: str, given: Given) -> Any:
        declaration = bound.declaration
        if isinstance(declaration, Column):
            return self._scalar(item, bound, declaration, place)
        if isinstance(declaration, GlobalId):
            key = self.bindings.entities[item.kind].source.key
            return ":".join([item.kind, *(as_part(item.values[name]) for name in key)])
        if isinstance(declaration, Group):
            return Grouped(item, declaration, bound.child or "", place)
        assert isinstance(declaration, Relation)
        return self._related(item, bound, declaration, place, given)

    def _of_group(self, source: Grouped, name: str, given: Given) -> Any:
        bound = self.bindings.fields[source.child][name]
        template = source.declaration.templates[bound.python_name]
        is_scalar = bound.cardinality is Cardinality.SCALAR
        supplied = without_declaration(bound, Column(sql=template) if is_scalar else Relation(rows=template))
        return self._field(source.item, supplied, f"{source.place}.{name}", given)

    def _scalar(self, item: Item, bound: BoundField, declaration: Column, place: str) -> Any:
        mask = mask_of(bound, self.session.rights)
        if declaration.sql is not None:
            return self._computed(item, bound, declaration.sql, place, mask)
        value = item.values[declaration.name or bound.python_name]
        if mask is Mask.HASH and bound.sql_type == "text" and value is not None:
            return hashed(self.session, value)
        return shown(value, bound, mask)

    async def _computed(self, item: Item, bound: BoundField, template: str, place: str, mask: Mask | None) -> Any:
        names = needed([template])

        async def load(keys: list[Key]) -> list[Any]:
            sql = Sql(self.session.clock)
            parents = Parents(sql, names, item.types, keys)
            made = scalar(bound, parents.ref)
            select = f"select {made} from {parents.from_sql()} order by parent_.nth"
            return [value for (value,) in await self.session.fetch(sql.finished(select), sql.values)]

        value = await self.session.loader((place, "value", *(item.types[name] for name in names)), load).load(
            key_of(item, names)
        )
        if mask is Mask.HASH and bound.sql_type == "text" and value is not None:
            return await hashed(self.session, value)
        return shown(value, bound, mask)

    def _related(self, item: Item, bound: BoundField, declaration: Relation, place: str, given: Given) -> Any:
        link = linked(bound, declaration, given)
        types = tuple(item.types[column] for column in link.needed)
        name, key = (place, repr(given), types), key_of(item, link.needed)
        if bound.cardinality is Cardinality.CONNECTION:
            return Listed(name, Lists(self.session, link, given, item.types), key)
        return self._rows(name, link, bound, given, item.types, key)

    async def _rows(
        self,
        name: tuple[Any, ...],
        link: Link,
        bound: BoundField,
        given: Given,
        types: Mapping[str, str],
        key: Key,
    ) -> Any:
        async def load(keys: list[Key]) -> list[list[Item]]:
            return await self._load(link, bound, given, types, keys)

        found: list[Item] = await self.session.loader(name, load).load(key)
        if bound.cardinality is Cardinality.LIST:
            return [self._object(one) for one in found]
        return self._object(found[0]) if found else None

    async def _load(
        self, link: Link, bound: BoundField, given: Given, types: Mapping[str, str], keys: list[Key]
    ) -> list[list[Item]]:
        sql = Sql(self.session.clock)
        parents = Parents(sql, link.needed, types, keys, link.given)
        known = self.bindings.entities.get(link.child)
        source = None if known is None else known.source
        rows, conditions = opened(source, link, parents, must_exist=bound.cardinality is Cardinality.LIST)
        filters = Conditions(self.bindings, self.session.rights, sql)
        conditions += filters.of(link.child, given.get("where") or {}, rows.ref)
        end = ""
        if link.declaration.at is At.LATEST:
            assert source is not None
            end = f" order by {latest(source, link.declaration, rows.ref)} limit 1"
        elif link.declaration.order:
            end = f" order by {ordered(link.declaration.order, rows.ref)}"
        taken = listed(source, link, rows)
        select = f"select {taken} from {rows.from_sql()}{where(conditions)}{end}"
        return await self.session.fetch_items(every_parent(parents, select), sql.values, link.child, len(keys))

    def _of_edge(self, source: Edge, name: str, _given: Given) -> Any:
        return source.cursor if name == "cursor" else self._object(source.item)

    def _of_list(self, source: Listed, name: str, given: Given) -> Any:
        if name in ("aggregate", "groups"):
            return self._aggregated(source, name, given)
        return {
            "nodes": self._nodes,
            "edges": self._edges,
            "pageInfo": self._page_info,
            "totalCount": self._counted,
        }[name](source)

    async def _counted(self, source: Listed) -> int:
        self.held.add_list(source.lists, source.key)
        return await source.count()

    async def _nodes(self, source: Listed) -> list[Any]:
        return [self._object(item) for item in (await source.page()).items]

    async def _edges(self, source: Listed) -> list[Edge]:
        page = await source.page()
        return [Edge(cursor, item) for cursor, item in zip(page.cursors, page.items, strict=True)]

    async def _page_info(self, source: Listed) -> Mapping[str, Any]:
        page, paging = await source.page(), paging_of(source.lists.given)
        is_from_cursor = paging.cursor is not None

        is_behind = is_from_cursor if paging.number is None else paging.number > 1

        async def pages() -> int:
            return -(-(await self._counted(source)) // paging.size)

        return {
            "hasNextPage": is_from_cursor if paging.is_backward else page.is_beyond,
            "hasPreviousPage": page.is_beyond if paging.is_backward else is_behind,
            "startCursor": page.cursors[0] if page.cursors else None,
            "endCursor": page.cursors[-1] if page.cursors else None,
            "pageNumber": paging.number,
            "pageCount": None if paging.number is None else pages,
        }

    async def _aggregated(self, source: Listed, name: str, given: Given) -> Any:
        self.held.add_list(source.lists, source.key)
        made = Aggregation((*source.name, name, repr(given)), source.lists, given)
        return await (made.groups(source.key) if name == "groups" else made.whole(source.key))

    def _of_numbers(self, source: Counted, name: str, given: Given) -> Any:
        match name:
            case "count":
                return source.count
            case "key":
                return source.shown_key()
            case "weightedAverage":
                return self._weighted(source, given)
        return Computed(source, name)

    async def _number(self, source: Computed, name: str, _given: Given) -> Any:
        number = source.group.of.known.numbers[name]
        found = await source.group.value(source.function, number)
        return _amount(found) if number.currency else as_json(found.value, is_text=number.is_summable)

    async def _weighted(self, source: Counted, given: Given) -> Any:
        value, weight = (source.of.known.number(name_of(given[part])) for part in ("value", "weight"))
        return _amount(await source.weighted(value, weight))


def _of_known(source: Mapping[str, Any], name: str, _given: Given) -> Any:
    found = source[name]
    return found() if callable(found) else found  # pages are counted only when asked for


def _amount(found: Amount) -> Mapping[str, Any] | None:
    return None if found.value is None else {"amount": as_json(found.value), "currencyCode": found.currency}
