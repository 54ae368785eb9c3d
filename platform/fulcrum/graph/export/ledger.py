"""The rows of `governance.export_job`: who took what, in which state it is, and which process makes it.

Every statement on them is here; files and limits are `desk.py`'s.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from fulcrum.errors import WarehouseError
from fulcrum.graph.errors import UnavailableError
from fulcrum.graph.export.making import Connect, Facts, Order

INTERRUPTED = "The process that made it ended; ask again."

Job = dict[str, Any]
"""A row of the ledger, by column."""


@dataclass(frozen=True)
class Done:
    """What is known of a finished file."""

    size_bytes: int
    sha256: str


class Ledger:
    """Writes the ledger as one process, which a lock of its session proves to be alive."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self.process_id = secrets.randbits(62)
        self._keeper: psycopg.Connection[Any] | None = None

    def open(self) -> list[str]:
        """Say that this process lives, and mark what dead ones left as failed; the public ids of those."""
        self.stay_alive()
        return self._bury()

    def stay_alive(self) -> None:
        """Take the lock (again, if the server restarted meanwhile)."""
        if self._keeper is not None and not self._keeper.closed and not self._keeper.broken:
            try:
                self._keeper.execute("select 1")
            except psycopg.OperationalError:
                self._keeper.close()
            else:
                return
        self._keeper = self._connect()
        self._keeper.autocommit = True
        self._keeper.execute("select pg_advisory_lock(%s)", [self.process_id])

    def close(self) -> None:
        """End: what is still open is left for the next process to mark."""
        if self._keeper is not None:
            self._keeper.close()

    def _bury(self) -> list[str]:
        buried: list[str] = []
        with self._cursor() as cursor:
            cursor.execute(
                "select distinct process_id from governance.export_job"
                " where state in ('queued', 'running') and process_id <> %s",
                [self.process_id],
            )
            for found in cursor.fetchall():
                cursor.execute("select pg_try_advisory_lock(%(process_id)s) as is_dead", found)
                if not (cursor.fetchone() or {}).get("is_dead"):
                    continue
                cursor.execute(
                    "update governance.export_job set state = 'failed', finished_at = clock_timestamp(),"
                    " error_code = 'INTERRUPTED', error_message = %s"
                    " where process_id = %s and state in ('queued', 'running') returning public_id",
                    [INTERRUPTED, found["process_id"]],
                )
                buried += [row["public_id"] for row in cursor.fetchall()]
                cursor.execute("select pg_advisory_unlock(%(process_id)s)", found)
        return buried

    def begin(self, order: Order, entitled: dict[str, Any], *, is_download: bool) -> str:
        """Write a new export, running if it is a download, else queued; its public id."""
        public_id = secrets.token_urlsafe(18)
        with self._cursor() as cursor:
            cursor.execute(
                """
                insert into governance.export_job (public_id, principal_name, entitlement, scope_id, is_download,
                    format, document, operation_name, variables, state, process_id, started_at)
                values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, case when %s then clock_timestamp() end)
                """,
                (
                    public_id,
                    order.rights.principal,
                    Jsonb(entitled),
                    order.rights.scope_id,
                    is_download,
                    order.format,
                    order.document,
                    order.operation_name,
                    Jsonb(dict(order.variables)),
                    "running" if is_download else "queued",
                    self.process_id,
                    is_download,
                ),
            )
        return public_id

    def start(self, public_id: str) -> bool:
        """Let a queued job run; whether it still may."""
        with self._cursor() as cursor:
            cursor.execute(
                "update governance.export_job set state = 'running', started_at = clock_timestamp()"
                " where public_id = %s and state = 'queued'",
                [public_id],
            )
            return cursor.rowcount == 1

    def know(self, public_id: str, facts: Facts) -> None:
        """Write what is known before the first row."""
        with self._cursor() as cursor:
            cursor.execute(
                "update governance.export_job set data_version = %s, business_date = %s, rows_exported = %s"
                " where public_id = %s",
                [facts.data_version, facts.as_of, facts.rows, public_id],
            )

    def finish(self, public_id: str, done: Done, keep_hours: float | None) -> bool:
        """Write that the file is whole (and until when it is kept); whether it was still wanted."""
        with self._cursor() as cursor:
            cursor.execute(
                "update governance.export_job set state = 'done', finished_at = clock_timestamp(), size_bytes = %s,"
                " sha256 = %s, expires_at = clock_timestamp() + make_interval(secs => %s * 3600.0)"
                " where public_id = %s and state = 'running'",
                [done.size_bytes, done.sha256, keep_hours, public_id],
            )
            return cursor.rowcount == 1

    def fail(self, public_id: str, code: str, message: str) -> None:
        """Write that there will be no file."""
        with self._cursor() as cursor:
            cursor.execute(
                "update governance.export_job set state = 'failed', finished_at = clock_timestamp(),"
                " error_code = %s, error_message = %s where public_id = %s and state in ('queued', 'running')",
                [code, message, public_id],
            )

    def find(self, public_id: str, principal: str) -> Job | None:
        """An export of this principal."""
        with self._cursor() as cursor:
            cursor.execute(
                "select * from governance.export_job where public_id = %s and principal_name = %s",
                [public_id, principal],
            )
            return cursor.fetchone()

    def recent(self, principal: str, most: int) -> list[Job]:
        """The last exports of a principal, latest first."""
        with self._cursor() as cursor:
            cursor.execute(
                "select * from governance.export_job where principal_name = %s order by export_job_id desc limit %s",
                [principal, most],
            )
            return cursor.fetchall()

    def expire(self) -> list[str]:
        """Mark jobs whose files have been kept long enough; their public ids."""
        with self._cursor() as cursor:
            cursor.execute(
                "update governance.export_job set state = 'expired'"
                " where state = 'done' and expires_at < clock_timestamp() returning public_id"
            )
            return [row["public_id"] for row in cursor.fetchall()]

    def kept(self) -> set[str]:
        """Public ids whose files, whole or in the making, belong into the folder."""
        with self._cursor() as cursor:
            cursor.execute(
                "select public_id from governance.export_job where not is_download"
                " and (state in ('queued', 'running') or (state = 'done' and expires_at >= clock_timestamp()))"
            )
            return {row["public_id"] for row in cursor.fetchall()}

    @contextmanager
    def _cursor(self) -> Iterator[psycopg.Cursor[Job]]:
        try:
            with self._connect() as connection, connection.cursor(row_factory=dict_row) as cursor:
                yield cursor
        except (psycopg.OperationalError, WarehouseError) as error:
            raise UnavailableError("The warehouse does not answer.", remedy="Try again in a few seconds.") from error
