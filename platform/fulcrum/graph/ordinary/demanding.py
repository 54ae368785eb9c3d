"""Holds what is demanded against everything that the ordinary path has answered, before any of it is sent.

What a demand means stands in `fulcrum.graph.demands`.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from fulcrum.graph.demands import falls_short, held, rests_on, untrusted
from fulcrum.graph.ordinary.listing import Lists
from fulcrum.graph.ordinary.rows import Item
from fulcrum.graph.ordinary.session import Session
from fulcrum.graph.ordinary.sql import Key, Parents, Sql, key_of, needed, where
from fulcrum.graph.sources import render


@dataclass
class Held:
    """The rows and whole lists of one operation."""

    session: Session
    demand: str | None
    _items: dict[str, list[Item]] = field(default_factory=lambda: defaultdict(list))
    _lists: list[tuple[Lists, Key]] = field(default_factory=list)

    def add(self, item: Item) -> None:
        """A row that is shown."""
        if self.demand is not None:
            self._items[item.kind].append(item)

    def add_list(self, lists: Lists, key: Key) -> None:
        """A list of which a number is shown."""
        if self.demand is not None:
            self._lists.append((lists, key))

    async def hold(self) -> None:
        """Nothing, or a refusal.

        Raises:
            NotTrustedError: something rests on what the caller does not want.
        """
        if self.demand is None:
            return
        for kind, items in self._items.items():
            await self._rows(kind, items, self.demand)
        for lists, key in self._lists:
            await self._list(lists, key, self.demand)

    async def _rows(self, kind: str, items: list[Item], demand: str) -> None:
        template = rests_on(self.session.graph.bindings, kind)
        if template is None:
            return
        sql, names = Sql(self.session.clock), needed([template])
        keys = list(dict.fromkeys(key_of(item, names) for item in items))
        parents = Parents(sql, names, items[0].types, keys)
        source = f"{parents.from_sql()}, unnest({render(template, parents.ref)}) p_"
        found = f"select array_agg(distinct p_) from {source} where {falls_short('p_')}"
        await self._refuse(sql, found, demand)

    async def _list(self, lists: Lists, key: Key, demand: str) -> None:
        template = rests_on(self.session.graph.bindings, lists.link.child)
        if template is None:
            return
        sql, parents, rows, conditions = lists.opened([key])
        each = render(template, rows.ref)
        short = where([*conditions, falls_short("p_")])
        inner = f"select p_ from {rows.from_sql()}, unnest({each}) p_{short}"
        found = f"select array_agg(distinct c.p_) from {parents.from_sql()} cross join lateral ({inner}) c"
        await self._refuse(sql, found, demand)

    async def _refuse(self, sql: Sql, found: str, demand: str) -> None:
        statement = sql.finished(f"select {held(f'({found})', demand)}", f", {untrusted(demand)}")
        await self.session.fetch(statement, sql.values)
