"""The one resolver of the ordinary path: it reads what a field is bound to, and asks loaders for it.

What the caller may ask at all has been checked before (`checking.py`); nothing is refused here for rights.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLResolveInfo

from fulcrum.entitlements.rights import Mask
from fulcrum.graph.binding import BoundField, Cardinality, without_declaration
from fulcrum.graph.compiler.masking import mask_of
from fulcrum.graph.declare import At, Column, GlobalId, Group, Lookup, NodeLookup, NodesLookup, Relation
from fulcrum.graph.ordinary.aggregation import Aggregation, Amount
from fulcrum.graph.ordinary.aggregation import Group as Counted
from fulcrum.graph.ordinary.listing import Given, Lists, Page, paging_of
from fulcrum.graph.ordinary.rows import ROOT, ROW, Item, as_json, as_object, as_part
from fulcrum.graph.ordinary.session import Session
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
from fulcrum.graph.references import FIELD, ID, SERVICE, Reference, read_reference
from fulcrum.graph.relay import read_id
from fulcrum.graph.sources import render

_HASHED_LETTERS = 16


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

    def __init__(self, session: Session) -> None:
        self.session = session
        self.bindings = session.graph.bindings

    def resolve(self, following: Callable[..., Any], source: Any, info: GraphQLResolveInfo, **given: Any) -> Any:
        """The value of a field, or what can be awaited for it."""
        name = info.field_name
        if name.startswith("__") or info.parent_type.name.startswith("__") or name == SERVICE:
            return following(source, info, **given)
        match source:
            case None:
                return self._root(name, given)
            case Grouped():
                return self._of_group(source, name, given)
            case Listed():
                return self._of_list(source, name, given)
            case Edge():
                return source.cursor if name == "cursor" else self._object(source.item)
            case Counted():
                return self._of_numbers(source, name, given)
            case Computed():
                return self._number(source, name)
            case Mapping():
                found = source[name]
                return found() if callable(found) else found  # counted only when asked for
        item: Item | None = getattr(source, "__dict__", {}).get(ROW)
        if item is None:  # what Strawberry resolved itself
            return following(source, info, **given)
        return self._field(item, self.bindings.fields[item.kind][name], f"{item.kind}.{name}", given)

    def _object(self, item: Item | None) -> Any:
        if item is None:
            return None
        kind: Any = self.session.graph.schema.type_map[item.kind]
        return as_object(item, kind.extensions["strawberry-definition"].origin)

    def _root(self, name: str, given: Given) -> Any:
        if name == FIELD:
            return self._named([read_reference(one) for one in given["representations"]])
        bound = self.bindings.fields["Query"][name]
        if isinstance(bound.declaration, NodeLookup):
            return self._one_named(given["id"])
        if isinstance(bound.declaration, NodesLookup):
            return self._named([Reference(one.partition(":")[0], ID, one) for one in given["ids"]])
        if isinstance(bound.declaration, Lookup):
            return self._looked_up(bound, bound.declaration, given)
        return self._field(ROOT, bound, f"Query.{name}", given)

    async def _one_named(self, text: str) -> Any:
        return (await self._named([Reference(text.partition(":")[0], ID, text)]))[0]

    async def _named(self, references: Sequence[Reference]) -> list[Any]:
        made = []
        for one in references:
            source = self.bindings.entities[one.entity].source
            if one.key == ID:
                key = read_id(one.value, one.entity, [source.columns[name].sql_type for name in source.key])
                templates = {f"{{{name}}} = {{value}}": value for name, value in zip(source.key, key, strict=True)}
                typed = {
                    template: (value, source.columns[name].sql_type)
                    for (template, value), name in zip(templates.items(), source.key, strict=True)
                }
            else:
                typed = {self.bindings.entities[one.entity].keys[one.key]: (one.value, "text")}
            made.append(self._object(await self._found(one.entity, typed)))
        return made

    async def _looked_up(self, bound: BoundField, declaration: Lookup, given: Given) -> Any:
        named = {**given, **(given.get("by") or {})}
        way, value = next((name, value) for name, value in named.items() if name in declaration.by)
        typed = {declaration.by[way]: (value, "bigint" if way == "number" else "text")}
        return self._object(await self._found(bound.child or "", typed))

    async def _found(self, entity: str, templates: Mapping[str, tuple[Any, str]]) -> Item | None:
        """The row for which all templates hold with their values."""
        sql = Sql(self.session.clock)
        source = self.bindings.entities[entity].source
        rows = source.rows(sql.alias(), must_exist=False)
        conditions = []
        for template, (value, sql_type) in templates.items():

            def ref(column: str, value: Any = value, sql_type: str = sql_type) -> str:
                if column == "value":
                    return sql.bind(value, sql_type)
                if column.startswith("value_"):
                    return sql.bind(value[column.removeprefix("value_")], "text")
                return rows.ref(column)

            conditions.append(render(template, ref))
        taken = ", ".join(f'{rows.ref(name)} as "{name}"' for name in source.columns)
        conditions += rows.conditions()
        select = f"select 0, {taken} from {rows.from_sql()}{where(conditions)}"
        (found,) = await self.session.fetch_items(sql.finished(select), sql.values, entity, 1)
        return found[0] if found else None

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
            return self._hashed(value)
        return _shown(value, bound, mask)

    async def _computed(self, item: Item, bound: BoundField, template: str, place: str, mask: Mask | None) -> Any:
        names = needed([template])

        async def load(keys: list[Key]) -> list[Any]:
            sql = Sql(self.session.clock)
            parents = Parents(sql, names, item.types, keys)
            made = scalar(bound, parents.ref)
            select = f"select {made} from {parents.from_sql()} order by parent_.nth"
            return [value for (value,) in await self.session.fetch(sql.finished(select), sql.values)]

        value = await self.session.loader((place, "value"), load).load(key_of(item, names))
        if mask is Mask.HASH and bound.sql_type == "text" and value is not None:
            return await self._hashed(value)
        return _shown(value, bound, mask)

    async def _hashed(self, value: str) -> str:
        async def load(keys: list[str]) -> list[str]:
            ((key,),) = await self.session.fetch("select key from governance.hash_key", [])
            return [hashlib.sha256(f"{key}{one}".encode()).hexdigest() for one in keys]

        found: str = await self.session.loader("hash", load).load(value)
        return f"sha256:{found[:_HASHED_LETTERS]}"

    def _related(self, item: Item, bound: BoundField, declaration: Relation, place: str, given: Given) -> Any:
        link = linked(bound, declaration, given)
        name, key = (place, repr(given)), key_of(item, link.needed)
        if bound.cardinality is Cardinality.CONNECTION:
            return Listed(name, Lists(self.session, link, given, item.types), key)
        return self._rows(name, link, bound, given, item.types, key)

    async def _rows(
        self,
        name: tuple[str, str],
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
        from fulcrum.graph.ordinary.conditions import Conditions

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

    def _of_list(self, source: Listed, name: str, given: Given) -> Any:
        if name in ("aggregate", "groups"):
            return self._aggregated(source, name, given)
        return {
            "nodes": self._nodes,
            "edges": self._edges,
            "pageInfo": self._page_info,
            "totalCount": Listed.count,
        }[name](source)

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
            return -(-(await source.count()) // paging.size)

        return {
            "hasNextPage": is_from_cursor if paging.is_backward else page.is_beyond,
            "hasPreviousPage": page.is_beyond if paging.is_backward else is_behind,
            "startCursor": page.cursors[0] if page.cursors else None,
            "endCursor": page.cursors[-1] if page.cursors else None,
            "pageNumber": paging.number,
            "pageCount": None if paging.number is None else pages,
        }

    async def _aggregated(self, source: Listed, name: str, given: Given) -> Any:
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

    async def _number(self, source: Computed, name: str) -> Any:
        number = source.group.of.known.numbers[name]
        found = await source.group.value(source.function, number)
        return _amount(found) if number.currency else as_json(found.value, is_text=number.is_summable)

    async def _weighted(self, source: Counted, given: Given) -> Any:
        value, weight = (source.of.known.number(name_of(given[part])) for part in ("value", "weight"))
        return _amount(await source.weighted(value, weight))


def _amount(found: Amount) -> Mapping[str, Any] | None:
    return None if found.value is None else {"amount": as_json(found.value), "currencyCode": found.currency}


def _shown(value: Any, bound: BoundField, mask: Mask | None) -> Any:
    """A value as the caller may see it; hashes are made elsewhere."""
    if mask is None:
        return as_json(value, is_text=bound.is_text_in_json)
    if bound.sql_type == "text":
        if mask is Mask.NULL and bound.is_nullable:
            return None
        if mask is Mask.PARTIAL or mask is Mask.HASH:
            return None if value is None else f"{value[:1]}***"
        return "***"
    if bound.sql_type == "date" and mask is Mask.PARTIAL and value is not None:
        return value.replace(month=1, day=1).isoformat()
    return None
