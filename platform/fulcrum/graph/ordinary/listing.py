"""Connections of the ordinary path: the order of a list, the page that is asked for, its cursors and its count.

Numbers of whole lists stand in `aggregation.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fulcrum.entitlements.rights import Rights
from fulcrum.graph.binding import Bindings
from fulcrum.graph.compiler.connections import MOST_ORDERS
from fulcrum.graph.compiler.masking import refuse_masked, refuse_without
from fulcrum.graph.compiler.paging import MOST_PAGED, MOST_ROWS, USUAL_ROWS
from fulcrum.graph.declare import At, Column
from fulcrum.graph.errors import BadUserInputError
from fulcrum.graph.ordinary.conditions import Conditions
from fulcrum.graph.ordinary.rows import Item, as_part
from fulcrum.graph.ordinary.session import Session
from fulcrum.graph.ordinary.sql import (
    Key,
    Link,
    Parents,
    Ref,
    Sql,
    every_parent,
    listed,
    name_of,
    opened,
    scalar,
    where,
)
from fulcrum.graph.relay import Cursor, read_cursor
from fulcrum.graph.sources import Rows

Given = Mapping[str, Any]


@dataclass(frozen=True)
class Paging:
    """`size` rows from the start, the end or behind a cursor, or the page called `number`."""

    size: int
    cursor: str | None = None
    is_backward: bool = False
    number: int | None = None


def paging_of(given: Given) -> Paging:
    """What the arguments of a connection ask for.

    Raises:
        BadUserInputError: they contradict each other, or are out of bounds.
    """
    ways = [[given.get(name) for name in pair] for pair in (("first", "after"), ("last", "before"), ("page", "page"))]
    if sum(any(value is not None for value in way) for way in ways) > 1:
        raise BadUserInputError(
            "A page goes one way.", remedy="Use first with after, or last with before, or page alone."
        )
    page = given.get("page")
    if page is not None:
        return _numbered(page["number"], page["size"])
    is_backward = any(value is not None for value in ways[1])
    size, cursor = ways[1] if is_backward else ways[0]
    return Paging(USUAL_ROWS if size is None else _size(size, 0), cursor, is_backward)


def _numbered(number: int, size: int) -> Paging:
    _size(size, 1)
    if number < 1:
        raise BadUserInputError("Pages are counted from 1.", remedy="Correct `page.number`.")
    if number * size > MOST_PAGED:
        raise BadUserInputError(
            f"Numbered pages end at row {MOST_PAGED}.", remedy="Page with `after`, or ask for less by `where`."
        )
    return Paging(size, number=number)


def _size(size: int, least: int) -> int:
    if not least <= size <= MOST_ROWS:
        raise BadUserInputError(f"A page has {least} to {MOST_ROWS} rows, not {size}.", remedy="Page with `after`.")
    return size


@dataclass(frozen=True)
class Term:
    """One part of an order: the column of the page that holds it, and its SQL."""

    name: str
    sql: str
    sql_type: str
    is_descending: bool


def terms_of(bindings: Bindings, rights: Rights, link: Link, orders: Sequence[str], ref: Ref) -> list[Term]:
    """The order of a list: what is asked for, then its own.

    Raises:
        ApiError: an order is masked, comes twice, or there are too many.
    """
    if len(orders) > MOST_ORDERS:
        raise BadUserInputError(f"A list has {MOST_ORDERS} orders at most.", remedy="Leave out the last ones.")
    made: list[Term] = []
    for asked in orders:
        name, _, way = asked.lower().rpartition("_")
        bound = bindings.by_python_name(link.child, name)
        assert isinstance(bound.declaration, Column)
        refuse_without(bound.declaration.needs, rights)
        refuse_masked(bound, rights)
        if any(term.name == f"asked_{name}" for term in made):
            raise BadUserInputError(f"`orderBy` names {name} twice.", remedy="Leave out the later one.")
        made.append(Term(f"asked_{name}", scalar(bound, ref), bound.sql_type, way == "desc"))
    return made + [
        Term(bare, ref(bare), bindings.entities[link.child].source.columns[bare].sql_type, column.startswith("-"))
        for column in _own_order(bindings, rights, link)
        for bare in [column.removeprefix("-")]
    ]


def _own_order(bindings: Bindings, rights: Rights, link: Link) -> list[str]:
    """Without what is the same in every row of the list, and without what the caller may not read."""
    source, declaration = bindings.entities[link.child].source, link.declaration
    same = {*declaration.on} | ({"business_date"} if source.is_fact and declaration.at is At.AS_OF else set())
    order = declaration.order or source.order
    if any(rights.mask(source.columns[name.removeprefix("-")].path) is not None for name in order):
        order = source.key
    return [name for name in order if name.removeprefix("-") not in same]


def _order(terms: Sequence[Term], *, is_backward: bool) -> str:
    """Empty values are last, or first of a list that is read from its end."""
    end = "first" if is_backward else "last"
    return ", ".join(
        f"{term.sql} {'desc' if term.is_descending != is_backward else 'asc'} nulls {end}" for term in terms
    )


def _behind(terms: Sequence[Term], place: Sequence[str | None], sql: Sql, *, is_backward: bool) -> str:
    """The condition of rows behind a place: the same in some terms, and beyond it in the next one."""
    ways: list[str] = []
    same: list[str] = []
    for term, value in zip(terms, place, strict=True):
        compared = "<" if term.is_descending != is_backward else ">"
        if value is None:
            beyond, equal = (f"{term.sql} is not null" if is_backward else "false"), f"{term.sql} is null"
        else:
            bound = sql.bind(value, term.sql_type)
            beyond, equal = f"{term.sql} {compared} {bound}", f"{term.sql} = {bound}"
            if not is_backward:
                beyond = f"({beyond} or {term.sql} is null)"
        ways.append(" and ".join([*same, beyond]))
        same.append(equal)
    return f"({' or '.join(f'({way})' for way in ways)})"


@dataclass(frozen=True)
class Page:
    """The rows of a page and their cursors, in the order of the list; `is_beyond`: there are more on its way."""

    items: list[Item]
    cursors: list[str]
    is_beyond: bool


@dataclass(frozen=True)
class Lists:
    """One connection for a batch of surrounding rows."""

    session: Session
    link: Link
    given: Given
    types: Mapping[str, str]
    """SQL types of the columns of the surrounding rows."""

    def opened(self, keys: list[Key]) -> tuple[Sql, Parents, Rows, list[str]]:
        """A statement over the whole list: rows, and what makes them its."""
        bindings, link = self.session.graph.bindings, self.link
        sql = Sql(self.session.clock)
        parents = Parents(sql, link.needed, self.types, keys, link.given)
        rows, conditions = opened(bindings.entities[link.child].source, link, parents, must_exist=True)
        filters = Conditions(bindings, self.session.rights, sql)
        conditions += filters.of(link.child, self.given.get("where") or {}, rows.ref)
        return sql, parents, rows, conditions

    @property
    def orders(self) -> list[str]:
        """The names of the orders that are asked for."""
        return [name_of(value) for value in self.given.get("orderBy") or []]

    async def pages(self, keys: list[Key]) -> list[Page]:
        """The page of each list."""
        bindings, paging = self.session.graph.bindings, paging_of(self.given)
        sql, parents, rows, conditions = self.opened(keys)
        terms = terms_of(bindings, self.session.rights, self.link, self.orders, rows.ref)
        if paging.cursor is not None:
            place = cursor_of(paging.cursor, self.orders, terms).place
            conditions.append(_behind(terms, place, sql, is_backward=paging.is_backward))
        taken = listed(bindings.entities[self.link.child].source, self.link, rows)
        taken += "".join(f', {term.sql} as "{term.name}"' for term in terms if term.name.startswith("asked_"))
        skipped = 0 if paging.number is None else (paging.number - 1) * paging.size
        select = (
            f"select {taken} from {rows.from_sql()}{where(conditions)}"
            f" order by {_order(terms, is_backward=paging.is_backward)} limit {paging.size + 1} offset {skipped}"
        )
        found = await self.session.fetch_items(every_parent(parents, select), sql.values, self.link.child, len(keys))
        return [self._page(items, terms, paging) for items in found]

    def _page(self, items: list[Item], terms: Sequence[Term], paging: Paging) -> Page:
        shown = items[: paging.size]
        if paging.is_backward:
            shown.reverse()
        clock, order = self.session.clock, ",".join(self.orders)
        mark = f"{clock.version}:{clock.as_of.isoformat()}:{order}"
        cursors = [":".join([mark, *(as_part(item.values[term.name]) for term in terms)]) for item in shown]
        return Page(shown, cursors, len(items) > paging.size)

    async def counts(self, keys: list[Key]) -> list[int]:
        """The rows of each whole list."""
        sql, parents, rows, conditions = self.opened(keys)
        counted = f"(select count(*) from {rows.from_sql()}{where(conditions)})"
        found = await self.session.fetch(
            sql.finished(f"select {counted} from {parents.from_sql()} order by parent_.nth"), sql.values
        )
        return [count for (count,) in found]


def cursor_of(text: str, orders: Sequence[str], terms: Sequence[Term]) -> Cursor:
    """A cursor of a list in this order.

    Raises:
        BadUserInputError: it is not one.
    """
    return read_cursor(text, ",".join(orders), tuple(term.sql_type for term in terms))
