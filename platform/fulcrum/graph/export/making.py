"""One export while it is made: a read-only snapshot, COPY, and the bytes of the file piece by piece.

Who may make how many at once, and where files stay, is decided in `desk.py`.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import errors

from fulcrum.entitlements.rights import Rights
from fulcrum.errors import WarehouseError
from fulcrum.graph.errors import TimedOutError, UnavailableError
from fulcrum.graph.export.compiling import PARAMETER, ExportPlan
from fulcrum.graph.export.formats import Measured, Sink, open_writer, schema_of
from fulcrum.graph.wire import StatementFailedError, is_ours, translated

BATCH_ROWS = 65_536
BATCH_BYTES = 16_000_000
"""A batch ends at whichever comes first; memory is a few of these, whatever the number of rows."""
PIECE_BYTES = 64_000
"""CSV goes on in pieces of at least so many bytes."""

Connect = Callable[[], psycopg.Connection[Any]]


@dataclass(frozen=True)
class Order:
    """What is to be exported, for whom and how."""

    format: str
    document: str
    operation_name: str | None
    variables: Mapping[str, Any]
    rights: Rights


@dataclass(frozen=True)
class Facts:
    """What is known of an export before its first row."""

    data_version: int
    as_of: dt.date
    rows: int


class Export:
    """One export; `open` it, iterate over `pieces`, `close` it. All may take long: not for the event loop."""

    def __init__(self, connect: Connect, plan: ExportPlan, order: Order, *, seconds: int) -> None:
        self.plan, self.order = plan, order
        self.sink = Sink()
        self._connect, self._seconds = connect, seconds
        self._connection: psycopg.Connection[Any] | None = None
        self._facts: Facts | None = None
        self._measured: dict[str, Measured] = {}

    @property
    def facts(self) -> Facts:
        """What is known since `open`."""
        assert self._facts is not None
        return self._facts

    def open(self) -> None:
        """Take the snapshot, count the rows and measure the numbers.

        Raises:
            TimedOutError: it took longer than the limit.
            UnavailableError: the warehouse does not answer.
        """
        with _translated():
            self._connection = connection = self._connect()
            connection.execute("set transaction isolation level repeatable read, read only")
            settings = [
                ("fulcrum.scope", str(self.order.rights.scope_id)),
                ("statement_timeout", f"{self._seconds}s"),
                ("TimeZone", "UTC"),
                ("jit", "off"),
                ("work_mem", "64MB"),  # a million rows are sorted in files of this size
            ]
            settings += [
                (PARAMETER.format(n), value) for n, value in enumerate(self.plan.parameters, 1) if value is not None
            ]
            for name, value in settings:
                connection.execute("select set_config(%s, %s, true)", (name, value))
            version, as_of = self._row(self.plan.clock)
            # From here on both are fixed, whatever the clock's own rules would say.
            for n, pinned in ((1, str(version)), (3, as_of.isoformat())):
                connection.execute("select set_config(%s, %s, true)", (PARAMETER.format(n), pinned))
            rows, *numbers = self._row(self.plan.measure)
        numeric = [column.name for column in self.plan.columns if column.sql_type == "numeric"]
        pairs = zip(numbers[::2], numbers[1::2], strict=True)
        self._measured = {name: Measured(*pair) for name, pair in zip(numeric, pairs, strict=True)}
        self._facts = Facts(version, as_of, rows)

    def manifest(self) -> dict[str, Any]:
        """What is told with the file; the same for the same question, rights and data version."""
        rights = self.order.rights
        return {
            "document": self.order.document,
            "operationName": self.plan.name,
            "variables": dict(self.order.variables),
            "format": self.order.format,
            "dataVersion": self.facts.data_version,
            "asOf": self.facts.as_of.isoformat(),
            "rows": self.facts.rows,
            "entitlement": entitlement(rights, self.plan),
        }

    def pieces(self) -> Generator[bytes]:
        """The bytes of the file; ends early only by an error.

        Raises:
            TimedOutError: it took longer than the limit.
            UnavailableError: the warehouse does not answer any more.
        """
        schema = schema_of(self.plan.columns, self._measured, self.manifest())
        writer = open_writer(self.order.format, schema, self.sink)
        copied = 0
        with _translated():
            for rows, count in self._batches(PIECE_BYTES if self.order.format == "csv" else BATCH_BYTES):
                writer.write(rows)
                copied += count
                yield self.sink.take()
        if copied != self.facts.rows:
            raise StatementFailedError(None, f"{copied} rows were copied, {self.facts.rows} were counted")
        writer.finish(copied)
        yield self.sink.take()

    def _batches(self, enough: int) -> Iterator[tuple[bytes, int]]:
        """Whole rows in COPY's form, and how many."""
        assert self._connection is not None
        pending: list[Any] = []
        size = 0
        with (
            self._connection.cursor() as cursor,
            cursor.copy(f"copy ({self.plan.rows}) to stdout (format csv)") as copy,
        ):
            for row in copy:  # PostgreSQL sends one message per row, so a batch never ends inside one
                pending.append(row)
                size += len(row)
                if size >= enough or len(pending) >= BATCH_ROWS:
                    yield b"".join(pending), len(pending)
                    pending, size = [], 0
        if pending:
            yield b"".join(pending), len(pending)

    def _row(self, sql: str) -> Any:
        assert self._connection is not None
        row = self._connection.execute(sql.encode()).fetchone()
        assert row is not None
        return row

    def cancel(self) -> None:
        """Make what runs in another thread end soon."""
        if self._connection is not None and not self._connection.closed:
            self._connection.cancel_safe(timeout=5.0)

    def close(self) -> None:
        """Give the snapshot back."""
        if self._connection is not None:
            self._connection.close()


def write_file(export: Export, path: Path, part: Path, opened: Callable[[Facts], None]) -> None:
    """Write an export to `path`, which is there only when it is whole; `part` is its name until then.

    Raises:
        TimedOutError: it took longer than the limit.
        UnavailableError: the warehouse does not answer.
    """
    try:
        export.open()
        opened(export.facts)
        with part.open("wb") as file:
            for piece in export.pieces():
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        part.rename(path)
    finally:
        part.unlink(missing_ok=True)
        export.close()


def entitlement(rights: Rights, plan: ExportPlan) -> dict[str, Any]:
    """Under which rights a file is made: whose, and what of it is masked."""
    return {
        "principal": rights.principal,
        "roles": list(rights.roles),
        "masks": {name: str(mask) for name, mask in sorted(plan.masks.items())},
    }


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except errors.QueryCanceled:
        raise TimedOutError("The export took too long.", remedy="Export less at once, or fewer columns.") from None
    except psycopg.Error as error:
        state = (error.sqlstate or "").encode()
        if isinstance(error, psycopg.OperationalError) and not is_ours(state):
            raise UnavailableError("The warehouse does not answer.", remedy="Try again in a few seconds.") from error
        raise translated(state, error.diag.message_primary or str(error), error.diag.message_hint) from error
    except WarehouseError as error:
        raise UnavailableError("The warehouse does not answer.", remedy="Try again in a few seconds.") from error
