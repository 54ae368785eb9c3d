"""One operation's transaction: read-only, repeatable, under the caller's row scope, with one clock; and its loaders.

What is selected stands in the other modules; the connections are few, because this path is rare.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import AsyncRawCursor, IsolationLevel
from strawberry.dataloader import DataLoader

from fulcrum.entitlements.rights import Rights
from fulcrum.errors import WarehouseError
from fulcrum.graph.errors import InternalError, UnavailableError
from fulcrum.graph.ordinary.rows import Item, type_name
from fulcrum.graph.schema import Graph
from fulcrum.graph.wire import translated

Connect = Callable[[], Awaitable[psycopg.AsyncConnection[object]]]
AT_ONCE = 8
_SECONDS_TO_STOP = 5.0

_VERSION = """
select coalesce($1::bigint, found.n), found.n from (
  select coalesce(max(publication_id), 0) as n from governance.publication
  where $2::timestamptz is null or known_at <= $2::timestamptz) found
"""
_DAY = """
select coalesce($2::date,
  max(business_date_to) filter (where target = 'core.holding'), max(business_date_to), current_date)
from governance.publication where publication_id <= $1::bigint
"""


@dataclass(frozen=True)
class Clock:
    """The publication and business date that an operation sees; `by_time` is the publication of its `knownAt`."""

    version: int
    by_time: int
    as_of: dt.date


class Session:
    """Statements and loaders of one operation."""

    clock: Clock

    def __init__(self, connection: psycopg.AsyncConnection[object], graph: Graph, rights: Rights) -> None:
        self.graph, self.rights = graph, rights
        self._cursor = AsyncRawCursor(connection)
        self._lock = asyncio.Lock()
        self._is_over = False
        self._loaders: dict[Hashable, DataLoader[Any, Any]] = {}

    async def set_clock(self, version: str | None, known_at: str | None, as_of: str | None) -> None:
        """Find the publication (of a cursor, or of `knownAt`) and the business date."""
        ((chosen, by_time),) = await self.fetch(_VERSION, [version, known_at])
        ((day,),) = await self.fetch(_DAY, [str(chosen), as_of])
        self.clock = Clock(chosen, by_time, day)

    async def fetch(self, sql: str, values: Sequence[str | None]) -> list[Any]:
        """The rows of a statement with `$n` for its values, which are in PostgreSQL's text form.

        Raises:
            ApiError: the statement was refused, took too long or failed.
        """
        rows, _, _ = await self._run(sql, values)
        return rows

    async def fetch_items(self, sql: str, values: Sequence[str | None], kind: str, parents: int) -> list[list[Item]]:
        """The rows of a statement whose first column is the number of their parent, by parent."""
        rows, names, types = await self._run(sql, values)
        known = dict(zip(names[1:], types[1:], strict=True))
        found: list[list[Item]] = [[] for _ in range(parents)]
        for nth, *row in rows:
            found[nth].append(Item(kind, dict(zip(names[1:], row, strict=True)), known))
        return found

    async def _run(self, sql: str, values: Sequence[str | None]) -> tuple[list[Any], list[str], list[str]]:
        async with self._lock:  # one cursor, and resolvers run side by side
            if self._is_over:  # resolvers beside one that failed still run
                raise InternalError("The operation is over.")
            try:
                await self._cursor.execute(sql, values)
                rows = await self._cursor.fetchall()
            except psycopg.Error as error:
                if self._cursor.connection.closed:
                    raise _unavailable() from error
                state = None if error.sqlstate is None else error.sqlstate.encode()
                raise translated(state, error.diag.message_primary or "", error.diag.message_hint) from error
            described = self._cursor.description or ()
            return rows, [one.name for one in described], [type_name(one.type_code) for one in described]

    async def stop(self) -> None:
        """Run nothing more, and make the statement that runs fail soon."""
        self._is_over = True
        if self._lock.locked():
            with suppress(psycopg.Error):
                await self._cursor.connection.cancel_safe(timeout=_SECONDS_TO_STOP)

    async def end(self) -> None:
        """Run nothing more, so that the connection can serve others."""
        async with self._lock:
            self._is_over = True

    def loader(self, name: Hashable, load: Callable[[list[Any]], Awaitable[Sequence[Any]]]) -> DataLoader[Any, Any]:
        """The loader called `name`; equal keys are loaded once."""
        if name not in self._loaders:
            self._loaders[name] = DataLoader(load_fn=load)
        return self._loaders[name]


class Sessions:
    """Opens sessions over a few connections of its own."""

    def __init__(self, connect: Connect, graph: Graph) -> None:
        self._connect, self._graph = connect, graph
        self._free: list[psycopg.AsyncConnection[object]] = []
        self._places = asyncio.Semaphore(AT_ONCE)
        self._is_closed = False

    @asynccontextmanager
    async def open(self, rights: Rights) -> AsyncIterator[Session]:
        """A session; everything in it reads one snapshot of the warehouse.

        Raises:
            UnavailableError: the warehouse does not answer.
        """
        async with self._places:
            connection = await self._taken()
            try:
                async with connection.transaction():
                    session = Session(connection, self._graph, rights)
                    await session.fetch("select set_config('fulcrum.scope', $1, true)", [str(rights.scope_id)])
                    try:
                        yield session
                    finally:
                        await session.end()
            except psycopg.OperationalError as error:  # of begin and commit; others are translated
                raise _unavailable() from error
            finally:
                if self._is_closed:
                    await connection.close()
                elif not connection.closed:
                    self._free.append(connection)

    async def _taken(self) -> psycopg.AsyncConnection[object]:
        while self._free:
            connection = self._free.pop()
            if not connection.closed:
                return connection
        try:
            connection = await self._connect()
        except (psycopg.OperationalError, WarehouseError) as error:
            raise _unavailable() from error
        await connection.set_isolation_level(IsolationLevel.REPEATABLE_READ)
        await connection.set_read_only(True)
        return connection

    async def close(self) -> None:
        """Close all connections; those in use when their sessions end."""
        self._is_closed = True
        while self._free:
            await self._free.pop().close()


def _unavailable() -> UnavailableError:
    return UnavailableError("The warehouse does not answer.", remedy="Try again in a few seconds.")
