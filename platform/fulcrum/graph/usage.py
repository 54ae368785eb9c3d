"""Counts which client runs which operation and asks for which fields, and writes it to the warehouse.

A request costs one look-up and one addition; fields are counted when the counts are written. Who reads
it, and how, stands in `fulcrum.governance.usage`.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import orjson
import psycopg

from fulcrum.errors import WarehouseError
from fulcrum.governance.usage import ADD_UP
from fulcrum.graph.requested import Requested
from fulcrum.settings import Settings
from fulcrum.warehouse import server

FLUSH_SECONDS = 10.0
"""So much is lost if the process is killed."""
MOST_DOCUMENTS = 200
"""Documents of one client in one hour; what it sends beyond them is counted together, without a name."""
MOST_ROWS = 20_000
"""Kept in memory while the warehouse does not take them."""

_MOST_COUNTED = 10_000
_ROWS_PER_STATEMENT = 1_000
_WRITE_SECONDS = 5.0
_HOUR = 3600
_TROUBLE = (psycopg.Error, WarehouseError, OSError, TimeoutError)
_log = logging.getLogger("fulcrum.graph")

# In the order of the key, so that processes that write the same rows wait for each other and not in a ring.
_WRITE = (
    """
insert into governance.usage as held
  (used_hour, principal_name, operation_name, document_sha256, executions, field_counts, last_used_at)
select to_timestamp(hour), principal, operation, document, executions, fields, to_timestamp(last)
from jsonb_to_recordset(%s::jsonb) as counted(hour double precision, principal text, operation text,
  document text, executions bigint, fields jsonb, last double precision)
order by 1, 2, 3, 4
"""
    + ADD_UP
)

Connection = psycopg.AsyncConnection[Any]
Connect = Callable[[], Awaitable[Connection]]
Key = tuple[int, str, str, str]
"""Hour (seconds of Unix time), client, operation, document."""


@dataclass(slots=True)
class _Count:
    times: int = 0
    last: float = 0.0


@dataclass(slots=True)
class _Row:
    executions: int = 0
    last: float = 0.0
    fields: Counter[str] = field(default_factory=Counter)

    def add(self, times: int, last: float, fields: Counter[str]) -> None:
        self.executions += times
        self.last = max(self.last, last)
        self.fields.update(fields)


class Usage:
    """Counts in this process, written by `flush`; `connect` opens a connection that may write."""

    def __init__(
        self, connect: Connect, *, seconds: float = FLUSH_SECONDS, now: Callable[[], float] = time.time
    ) -> None:
        self.seconds = seconds
        self.lost = 0
        """Executions that were not recorded because `MOST_ROWS` were waiting."""
        self._connect = connect
        self._connection: Connection | None = None
        self._now = now
        self._hour = int(now()) // _HOUR * _HOUR
        self._counts: dict[tuple[str, Requested], _Count] = {}
        self._rows: dict[Key, _Row] = {}
        self._documents: dict[str, set[tuple[str, str]]] = {}

    def count(self, principal: str, asked: Requested) -> None:
        """Count one execution."""
        now = self._now()
        if now >= self._hour + _HOUR or len(self._counts) >= _MOST_COUNTED:
            self._fold(now)
        found = self._counts.get((principal, asked))
        if found is None:
            found = self._counts[principal, asked] = _Count()
        found.times += 1
        found.last = now

    async def flush(self) -> None:
        """Write what was counted; what cannot be written waits for the next time."""
        self._fold(self._now())
        waiting, self._rows = self._rows, {}
        try:
            for rows in _portions(waiting):
                async with asyncio.timeout(_WRITE_SECONDS):
                    await self._write(rows)
                for key in rows:
                    del waiting[key]
        except _TROUBLE as error:
            _log.warning("usage of %d operations waits to be written: %s", len(waiting), type(error).__name__)
            await self._hang_up()
        finally:
            for key, row in waiting.items():
                self._add(key, row.executions, row.last, row.fields)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Usage]:
        """Flush now and then, and at the end."""
        ended = asyncio.Event()
        task = asyncio.create_task(self._flush_until(ended))
        try:
            yield self
        finally:
            ended.set()  # a flush under way is let finish: cut short, it might be written twice
            await task
            await self._hang_up()
            if unwritten := self.lost + sum(row.executions for row in self._rows.values()):
                _log.error("%d executions were not recorded", unwritten)

    async def _flush_until(self, ended: asyncio.Event) -> None:
        while not ended.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(ended.wait(), self.seconds)
            try:
                await self.flush()
            except Exception:  # noqa: BLE001 - answers matter more than the record of them
                _log.exception("usage could not be recorded")

    def _fold(self, now: float) -> None:
        """Add the counts of this hour to the rows, and begin the hour of `now`."""
        counts, self._counts = self._counts, {}
        for (principal, asked), count in counts.items():
            named = (asked.operation_name, asked.document_sha256)
            known = self._documents.setdefault(principal, set())
            if named not in known and len(known) >= MOST_DOCUMENTS:
                named = ("", "")
            known.add(named)
            fields = Counter(dict.fromkeys(asked.fields, count.times))
            self._add((self._hour, principal, *named), count.times, count.last, fields)
        hour = int(now) // _HOUR * _HOUR
        if hour != self._hour:
            self._hour = hour
            self._documents = {}

    def _add(self, key: Key, times: int, last: float, fields: Counter[str]) -> None:
        row = self._rows.get(key)
        if row is None:
            if len(self._rows) >= MOST_ROWS:
                self.lost += times
                return
            row = self._rows[key] = _Row()
        row.add(times, last, fields)

    async def _write(self, rows: dict[Key, _Row]) -> None:
        if self._connection is None:
            self._connection = await self._connect()
        names = ("hour", "principal", "operation", "document")
        sent = [
            {**dict(zip(names, key, strict=True)), "executions": row.executions, "fields": row.fields, "last": row.last}
            for key, row in rows.items()
        ]
        await self._connection.execute(_WRITE, [orjson.dumps(sent).decode()])

    async def _hang_up(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()


def _portions(rows: dict[Key, _Row]) -> Iterator[dict[Key, _Row]]:
    keys = list(rows)
    for start in range(0, len(keys), _ROWS_PER_STATEMENT):
        yield {key: rows[key] for key in keys[start : start + _ROWS_PER_STATEMENT]}


def open_usage(settings: Settings, *, role: str = server.API_ROLE) -> Usage:
    """Counts for the API of one process, with a connection of their own: those that serve only read."""

    async def connect() -> Connection:
        address = await asyncio.to_thread(_address, settings)
        connection = await psycopg.AsyncConnection.connect(
            address.url(user=role), autocommit=True, application_name="fulcrum-usage", connect_timeout=5
        )
        for name, value in (("statement_timeout", f"{_WRITE_SECONDS:g}s"), ("synchronous_commit", "off")):
            await connection.execute("select set_config(%s, %s, false)", [name, value])
        return connection

    return Usage(connect)


def _address(settings: Settings) -> server.ServerAddress:
    if not server.inspect(settings).is_running:  # who stopped it does not want it back for a record
        raise WarehouseError("The warehouse does not run.")
    return server.ensure_running(settings)
