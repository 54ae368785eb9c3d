"""Connections of the API to PostgreSQL: libpq's pipeline mode on the event loop.

Many requests are in flight on one connection, each in its own implicit transaction with its own
sync, so a failure stays with the request that caused it. No SQL and no GraphQL stands here.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import psycopg
from psycopg import pq

from fulcrum.errors import WarehouseError
from fulcrum.graph.errors import BadUserInputError, InternalError, NotTrustedError, TimedOutError, UnavailableError

MOST_PREPARED = 1_000
"""Prepared statements per connection; beyond it a fresh connection takes its place."""

_SCOPE = b"scope"
_CANCELED = b"57014"
_REFUSED = b"FU001"
"""Raised by `governance.refuse`, whose words are written for the caller."""
_UNTRUSTED = b"FU002"
"""Raised by `governance.hold_trust`: an answer would rest on what the caller does not want."""
_SHUTDOWN = (b"57P01", b"57P02", b"57P03")

# As numbers: looking a member up in the enum and comparing it takes longer than asking libpq.
_SYNCED, _DONE, _ROWS, _FAILED = (
    int(status)
    for status in (
        pq.ExecStatus.PIPELINE_SYNC,
        pq.ExecStatus.COMMAND_OK,
        pq.ExecStatus.TUPLES_OK,
        pq.ExecStatus.FATAL_ERROR,
    )
)

Row = list[bytes | None]


class StatementFailedError(InternalError):
    """PostgreSQL refused a statement of ours; the text is for the log, never for the caller."""

    def __init__(self, state: bytes | None, text: str) -> None:
        super().__init__("The query could not be answered.", remedy="Tell the request id to the platform team.")
        self.state = state
        self.text = text

    @property
    def is_of_text(self) -> bool:
        """Whether PostgreSQL refused the statement as such (class 42), whatever the values and rows."""
        return self.state is not None and self.state.startswith(b"42")


@dataclass(slots=True)
class _Request:
    """What is waited for: the results of one sync. `preparing` is set until the prepare has worked."""

    future: asyncio.Future[Row]
    preparing: bytes | None = None
    row: Row | None = None
    error: Exception | None = None


class Wire:
    """One connection in pipeline mode; `is_retired` means that it takes no new requests."""

    def __init__(self, connection: psycopg.AsyncConnection[object]) -> None:
        self.waiting: deque[_Request] = deque()
        self.is_retired = False
        self._connection = connection  # it closes the socket when it is collected
        self._pgconn = connection.pgconn
        self._pgconn.nonblocking = 1
        self._pgconn.enter_pipeline_mode()
        self._loop = asyncio.get_running_loop()
        self._socket = self._pgconn.socket
        self._prepared: set[bytes] = set()
        self._has_scope_statement = False
        self._is_writing = False
        self._is_flush_due = False
        self._is_closed = False
        self._loop.add_reader(self._socket, self._read)

    def fetch_row(
        self, name: bytes, sql: bytes, parameters: Sequence[bytes | None], scope: bytes | None
    ) -> asyncio.Future[Row]:
        """Send a statement, prepared under `name` at its first use; its one row comes later.

        `scope` goes before it under the same sync, so both are one implicit transaction.
        """
        request = _Request(self._loop.create_future())
        self.waiting.append(request)
        try:
            if scope is not None:
                self._send_scope(scope)
            if name not in self._prepared:
                request.preparing = name
                self._pgconn.send_prepare(name, sql)
                self._prepared.add(name)
            self._pgconn.send_query_prepared(name, parameters)
            self._pgconn.pipeline_sync()
        except psycopg.Error:
            self.close()
        if len(self._prepared) > MOST_PREPARED:
            self.is_retired = True
        if not self._is_flush_due:  # one system call for all requests of this turn of the loop
            self._is_flush_due = True
            self._loop.call_soon(self._write)
        return request.future

    def _send_scope(self, scope: bytes) -> None:
        """Local to the transaction of this sync: a statement that is sent without one sees no protected row."""
        if not self._has_scope_statement:
            self._pgconn.send_prepare(_SCOPE, b"select set_config('fulcrum.scope', $1, true)")
            self._has_scope_statement = True
        self._pgconn.send_query_prepared(_SCOPE, [scope])

    def close(self) -> None:
        """Give up the connection; whoever waits on it is told."""
        if self._is_closed:
            return
        self._is_closed = self.is_retired = True
        self._loop.remove_reader(self._socket)
        if self._is_writing:
            self._loop.remove_writer(self._socket)
        while self.waiting:
            request = self.waiting.popleft()
            request.error = UnavailableError("The warehouse does not answer.", remedy="Try again in a few seconds.")
            _finish(request)
        self._pgconn.finish()

    def _flush(self) -> None:
        is_pending = self._pgconn.flush() == 1
        if is_pending and not self._is_writing:
            self._loop.add_writer(self._socket, self._write)
        elif not is_pending and self._is_writing:
            self._loop.remove_writer(self._socket)
        self._is_writing = is_pending

    def _write(self) -> None:
        self._is_flush_due = False
        try:
            if not self._is_closed:
                self._flush()
        except psycopg.Error:
            self.close()

    def _read(self) -> None:
        try:
            self._pgconn.consume_input()
            while self.waiting and not self._pgconn.is_busy():
                result = self._pgconn.get_result()
                if result is not None:
                    self._take(self.waiting[0], result)
            if self._is_writing:
                self._flush()
        except psycopg.Error:
            self.close()
        if self.is_retired and not self.waiting:
            self.close()

    def _take(self, request: _Request, result: pq.abc.PGresult) -> None:
        status = result.status
        if status == _ROWS:  # the row of the scope is replaced by the statement's, or by none
            is_one = result.ntuples == 1
            request.row = [result.get_value(0, column) for column in range(result.nfields)] if is_one else None
        elif status == _SYNCED:
            self.waiting.popleft()
            _finish(request)
        elif status == _DONE:
            request.preparing = None
        elif status == _FAILED and request.error is None:
            request.error = _translated(result)
            if request.preparing is not None:
                self._prepared.discard(request.preparing)


def _finish(request: _Request) -> None:
    if request.future.done():  # whoever asked has hung up
        return
    if request.row is not None and request.error is None:
        request.future.set_result(request.row)
    else:
        request.future.set_exception(request.error or StatementFailedError(None, "no row"))


def _translated(result: pq.abc.PGresult) -> Exception:
    state = result.error_field(pq.DiagnosticField.SQLSTATE)
    text = (result.error_field(pq.DiagnosticField.MESSAGE_PRIMARY) or b"").decode("utf-8", "replace")
    hint = (result.error_field(pq.DiagnosticField.MESSAGE_HINT) or b"").decode("utf-8", "replace")
    return translated(state, text, hint)


def is_ours(state: bytes) -> bool:
    """Whether a function of ours raised it, for the caller (psycopg takes such states for faults of the connection)."""
    return state in (_REFUSED, _UNTRUSTED)


def translated(state: bytes | None, text: str, hint: str | None) -> Exception:
    """What PostgreSQL's refusal of a statement is for a caller."""
    if state == _CANCELED:
        return TimedOutError("The query took too long.", remedy="Ask for less at once, or for a shorter period.")
    if state == _REFUSED:
        return BadUserInputError(text, remedy=hint or None)
    if state == _UNTRUSTED:
        return NotTrustedError.read(text)
    if state in _SHUTDOWN:
        return UnavailableError("The warehouse is restarting.", remedy="Try again in a few seconds.")
    return StatementFailedError(state, text)


class Wires:
    """A few connections; requests go to the one with the fewest waiting."""

    def __init__(self, connect: Callable[[], Awaitable[psycopg.AsyncConnection[object]]], size: int) -> None:
        self._connect = connect
        self._size = size
        self._wires: list[Wire] = []
        self._lock = asyncio.Lock()

    async def open(self) -> None:
        """Open the first connection, so that a wrong address is told at once."""
        self._wires.append(Wire(await self._connect()))

    async def fetch_row(
        self, name: bytes, sql: bytes, parameters: Sequence[bytes | None], *, scope: int | None = None
    ) -> Row:
        """Run a statement that gives one row; the row's values in text form.

        `scope` is the row scope of the caller; without one, tables with row policies look empty.

        Raises:
            TimedOutError: it took longer than the statement's limit.
            UnavailableError: the warehouse does not answer.
        """
        wire = self._idle() or await self._least_busy()
        return await wire.fetch_row(name, sql, parameters, None if scope is None else b"%d" % scope)

    def _idle(self) -> Wire | None:
        for wire in self._wires:
            if not wire.waiting and not wire.is_retired:
                return wire
        return None

    async def _least_busy(self) -> Wire:
        if sum(not wire.is_retired for wire in self._wires) < self._size:
            async with self._lock:  # one at a time: a crowd would open far more than `size`
                self._wires = [wire for wire in self._wires if not wire.is_retired]
                if len(self._wires) < self._size:
                    await self._add()
        return min(self._wires, key=lambda wire: len(wire.waiting))

    async def _add(self) -> None:
        try:
            self._wires.append(Wire(await self._connect()))
        except (psycopg.OperationalError, WarehouseError) as error:
            if not self._wires:
                raise UnavailableError(
                    "The warehouse does not answer.", remedy="Try again in a few seconds."
                ) from error

    def close(self) -> None:
        """Close all connections."""
        for wire in self._wires:
            wire.close()
        self._wires.clear()
