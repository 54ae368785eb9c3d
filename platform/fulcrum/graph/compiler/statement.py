"""The statement being written: aliases, parameters, and the one clock that all its parts share.

What is selected is written by the modules beside this one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

from fulcrum.graph.compiler.values import Slot, Variables, as_text
from fulcrum.graph.errors import BadUserInputError
from fulcrum.graph.relay import Cursor, read_cursor

Reader = Callable[[Variables], str | None]

# $1 version of a cursor, $2 knownAt, $3 asOf (or a cursor's). The default business date is the
# last one with published holdings, else the last published one at all, else today. `offset 0` lets
# PostgreSQL compute each once; three materialized CTEs took 20 us more.
CLOCK = """(select n, by_time, as_of, n || ':' || as_of as mark from (
  select n, by_time, coalesce(
    $3::date,
    (select business_date_to from governance.publication where publication_id <= n
       and target = 'core.holding' and business_date_to is not null order by business_date_to desc limit 1),
    (select business_date_to from governance.publication where publication_id <= n
       and business_date_to is not null order by business_date_to desc limit 1),
    current_date) as as_of
  from (
    select coalesce($1::bigint, by_time) as n, by_time from (
      select coalesce((select publication_id from governance.publication
        where known_at <= coalesce($2::timestamptz, 'infinity') order by known_at desc limit 1), 0) as by_time
      offset 0) known
    offset 0) pinned
  offset 0) dated
offset 0) clock"""
"""The row that every part of a statement may name: publication, that of `knownAt`, business date, and both as text."""


@dataclass
class Statement:
    """Parameters and aliases in the making; `readers[i]` gives the text of `$i+1` for a request."""

    as_of: list[Slot] = field(default_factory=list)
    known_at: list[Slot] = field(default_factory=list)
    cursors: list[tuple[Slot, str, tuple[str, ...]]] = field(default_factory=list)
    readers: list[Reader] = field(default_factory=list)
    _bound: dict[Hashable, str] = field(default_factory=dict)
    _aliases: int = 0

    def __post_init__(self) -> None:
        self.readers += [self._version, self._known_at, self._as_of]

    def finished(self) -> tuple[Reader, ...]:
        """The readers; what no request of this shape can give is not looked for (half of a point query's reading)."""
        first = (
            self._version if self.cursors else _absent,
            self._known_at if self.known_at else _absent,
            self._as_of if self.as_of or self.cursors else _absent,
        )
        return (*first, *self.readers[len(first) :])

    def alias(self) -> str:
        """A table alias that the statement does not use yet."""
        self._aliases += 1
        return f"t{self._aliases}"

    def bind(self, slot: Slot, sql_type: str) -> str:
        """The parameter that carries the value of `slot`."""
        key = (slot.variable, slot.path, sql_type)
        return self.read(
            lambda variables: as_text(slot.read(variables)), sql_type, key=None if slot.variable is None else key
        )

    def read(self, reader: Reader, sql_type: str, *, key: Hashable = None) -> str:
        """A parameter whose value `reader` takes from the variables; one for each `key`, if it has one."""
        if key is not None and key in self._bound:
            return self._bound[key]
        self.readers.append(reader)
        made = f"${len(self.readers)}::{sql_type}"
        if key is not None:
            self._bound[key] = made
        return made

    def cursor(self, slot: Slot, order_name: str, types: tuple[str, ...]) -> list[str]:
        """The parameters of a cursor's place; the operation then stays at the cursor's version."""
        self.cursors.append((slot, order_name, types))

        def part(position: int) -> Reader:
            return lambda variables: read_cursor(str(slot.read(variables)), order_name, types).place[position]

        return [self.read(part(position), sql_type) for position, sql_type in enumerate(types)]

    def _read_cursors(self, variables: Variables) -> list[Cursor]:
        return [read_cursor(str(slot.read(variables)), order, types) for slot, order, types in self.cursors]

    def _version(self, variables: Variables) -> str | None:
        versions = {cursor.version for cursor in self._read_cursors(variables)}
        if len(versions) > 1:
            raise BadUserInputError(
                "The cursors of this operation belong to different data versions.",
                remedy="Page lists of different answers in operations of their own.",
            )
        return str(versions.pop()) if versions else None

    def _known_at(self, variables: Variables) -> str | None:
        return _single({as_text(slot.read(variables)) for slot in self.known_at}, "knownAt")

    def _as_of(self, variables: Variables) -> str | None:
        days: set[dt.date] = {slot.read(variables) for slot in self.as_of}
        days |= {cursor.as_of for cursor in self._read_cursors(variables)}
        return _single({as_text(day) for day in days}, "asOf")


def _absent(_variables: Variables) -> None:
    return None


def _single(values: set[str], name: str) -> str | None:
    if len(values) > 1:
        raise BadUserInputError(
            f"One operation has one {name}, and this one has {', '.join(sorted(values))}.",
            remedy="Ask in two operations. (A cursor carries the asOf of its answer.)",
        )
    return values.pop() if values else None
