"""How exports are run: so many at once, files under a temporary name until they are whole, kept for a day.

HTTP stands in `endpoints.py`; one export's bytes are made in `making.py`.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Self, TypeVar

from fulcrum.entitlements.rights import Permission
from fulcrum.graph.errors import ApiError, ForbiddenError, InternalError, TooManyRequestsError
from fulcrum.graph.export.compiling import ExportPlan, plan_export
from fulcrum.graph.export.ledger import Done, Ledger
from fulcrum.graph.export.making import Connect, Export, Order, entitlement, write_file
from fulcrum.graph.plans import Plans
from fulcrum.graph.wire import StatementFailedError
from fulcrum.settings import Settings
from fulcrum.warehouse import engine, server

T = TypeVar("T")

PART = ".part"
_SWEEP_SECONDS = 600.0
_log = logging.getLogger("fulcrum.graph")


@dataclass(frozen=True)
class ExportLimits:
    """How much may be exported; all per process."""

    running: int = 2
    waiting: int = 20
    per_principal: int = 4
    seconds: int = 900
    """For the whole export, a slow download included."""
    keep_hours: float = 24.0


class Desk:
    """Makes downloads and jobs for the API of one process."""

    def __init__(
        self, settings: Settings, plans: Plans, *, role: str = server.API_ROLE, limits: ExportLimits | None = None
    ) -> None:
        self.folder = settings.home / "exports"
        self.limits = limits or ExportLimits()
        self._plans = plans
        self._connect: Connect = lambda: engine.connect(settings, role=role, application_name="fulcrum-export")
        self.ledger = Ledger(self._connect)
        self._threads = ThreadPoolExecutor(self.limits.running + 2, thread_name_prefix="export")
        self._slots = asyncio.Semaphore(self.limits.running)
        self._open: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()
        self._exports: set[Export] = set()

    async def __aenter__(self) -> Self:
        """Clear what dead processes left, and go on clearing what is kept no longer."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        await self.off_loop(self.ledger.open)
        await self.sweep()
        self._task(self._sweep_for_ever())
        return self

    async def __aexit__(self, *_failure: object) -> None:
        """Stop everything; jobs that were not done are marked as failed."""
        for task in self._tasks:
            task.cancel()
        for export in list(self._exports):
            with suppress(Exception):
                await self.off_loop(export.cancel)
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._threads.shutdown(wait=True)
        self.ledger.close()

    async def off_loop(self, work: Callable[..., T], *arguments: Any) -> T:
        """Run what waits for PostgreSQL or a disk in a thread."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)

    def plan(self, order: Order) -> ExportPlan:
        """Compile an order.

        Raises:
            ForbiddenError: its caller may not export.
            ApiError: the document is no export.
        """
        if not order.rights.may(Permission.EXPORT):
            raise ForbiddenError("Your roles may not export.", remedy="Page through the list, or ask for the right.")
        return plan_export(self._plans, order.document, order.operation_name, order.variables, order.rights)

    async def download(self, order: Order) -> Download:
        """Begin an export that is sent while it is made; it must be closed.

        Raises:
            ApiError: it cannot be made, or too many are.
        """
        plan = self.plan(order)
        self._admit(order)
        download = Download(self, Export(self._connect, plan, order, seconds=self.limits.seconds))
        try:
            await download.open()
        except BaseException:
            await download.close()
            raise
        return download

    async def submit(self, order: Order) -> str:
        """Queue a job; its public id.

        Raises:
            ApiError: it cannot be made, or too many are.
        """
        plan = self.plan(order)
        self._admit(order)
        try:
            await self.off_loop(self.ledger.stay_alive)
            public_id = await self.off_loop(self.begin(order, plan, is_download=False))
        except BaseException:
            self.leave(order)
            raise
        self._task(self._run(public_id, plan, order))
        return public_id

    def begin(self, order: Order, plan: ExportPlan, *, is_download: bool) -> Callable[[], str]:
        """What writes a new row of the ledger."""
        entitled = entitlement(order.rights, plan)
        return partial(self.ledger.begin, replace(order, operation_name=plan.name), entitled, is_download=is_download)

    def _admit(self, order: Order) -> None:
        mine = self._open[order.rights.principal]
        if mine >= self.limits.per_principal or self._open.total() >= self.limits.running + self.limits.waiting:
            raise TooManyRequestsError(
                f"You have {mine} exports open, and {self.limits.per_principal} are the most at once.",
                remedy="Wait until one is done.",
            )
        self._open[order.rights.principal] += 1

    def leave(self, order: Order) -> None:
        """Count an export that ended."""
        self._open[order.rights.principal] -= 1
        self._open += Counter()

    async def take_slot(self, export: Export) -> None:
        """Wait for one's turn."""
        await self._slots.acquire()
        self._exports.add(export)

    def give_slot(self, export: Export) -> None:
        """Let the next one go."""
        if export in self._exports:
            self._exports.discard(export)
            self._slots.release()

    async def _run(self, public_id: str, plan: ExportPlan, order: Order) -> None:
        export = Export(self._connect, plan, order, seconds=self.limits.seconds)
        try:
            await self.take_slot(export)
            await self.off_loop(self._make, public_id, export)
        except asyncio.CancelledError:
            with suppress(Exception):
                await self.off_loop(self.ledger.fail, public_id, "INTERRUPTED", "The server was stopped; ask again.")
            raise
        except Exception as error:  # noqa: BLE001 - the ledger gets a code, the log the cause
            await self.failed(public_id, error)
        finally:
            self.give_slot(export)
            self.leave(order)

    def _make(self, public_id: str, export: Export) -> None:
        """Write the file; in a thread."""
        if not self.ledger.start(public_id):
            return
        path = self.path(public_id, export.order.format)
        part = self.folder / f"{public_id}{PART}"
        write_file(export, path, part, lambda facts: self.ledger.know(public_id, facts))
        if not self.ledger.finish(public_id, Done(export.sink.size, export.sink.digest()), self.limits.keep_hours):
            path.unlink(missing_ok=True)

    async def failed(self, public_id: str, error: Exception) -> None:
        """Write an export's failure: to the caller a code, to the log the cause."""
        if isinstance(error, StatementFailedError):
            _log.error("export %s failed in PostgreSQL: %s %s", public_id, error.state, error.text)
        elif not isinstance(error, ApiError):
            _log.error("export %s failed", public_id, exc_info=error)
        told = error if isinstance(error, ApiError) else InternalError("The export could not be made.")
        with suppress(ApiError):
            await self.off_loop(self.ledger.fail, public_id, told.code, str(told))

    def path(self, public_id: str, file_format: str) -> Path:
        """Where a whole file lies."""
        return self.folder / f"{public_id}.{file_format}"

    async def sweep(self) -> None:
        """Delete files that are kept no longer, and what crashed processes left."""
        await self.off_loop(self._sweep)

    def _sweep(self) -> None:
        self.ledger.expire()
        found = list(self.folder.iterdir())  # before the ledger is read: a row is written before its file
        kept = self.ledger.kept()
        for path in found:
            if path.name.partition(".")[0] not in kept:
                path.unlink(missing_ok=True)

    async def _sweep_for_ever(self) -> None:
        while True:
            await asyncio.sleep(_SWEEP_SECONDS)
            with suppress(ApiError, OSError):
                await self.sweep()

    def _task(self, work: Any) -> None:
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class Download:
    """An export that is sent while it is made."""

    def __init__(self, desk: Desk, export: Export) -> None:
        self.export = export
        self.public_id = ""
        self._desk = desk
        self._is_closed = False

    async def open(self) -> None:
        """Wait for a turn, take the snapshot and write the ledger."""
        desk, export = self._desk, self.export
        await desk.take_slot(export)
        await desk.off_loop(desk.ledger.stay_alive)
        self.public_id = await desk.off_loop(desk.begin(export.order, export.plan, is_download=True))
        try:
            await self._abortable(export.open)
            await desk.off_loop(desk.ledger.know, self.public_id, export.facts)
        except Exception as error:
            await desk.failed(self.public_id, error)
            raise

    async def pieces(self) -> AsyncGenerator[bytes]:
        """The bytes; if it fails, the error is written and raised, so that the answer is cut off."""
        made = self.export.pieces()
        try:
            while (piece := await self._abortable(next, made, None)) is not None:
                yield piece
        except Exception as error:
            await self._desk.failed(self.public_id, error)
            raise
        finally:
            await self._desk.off_loop(made.close)
        sink = self.export.sink
        await self._desk.off_loop(self._desk.ledger.finish, self.public_id, Done(sink.size, sink.digest()), None)

    async def _abortable(self, work: Callable[..., T], *arguments: Any) -> T:
        """Work in a thread that is made to end when the caller hangs up."""
        running = asyncio.ensure_future(self._desk.off_loop(work, *arguments))
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            with suppress(Exception):
                await self._desk.off_loop(self.export.cancel)
            with suppress(Exception):
                await running
            raise

    async def close(self) -> None:
        """Give everything back; what was not sent to its end is marked as failed."""
        if self._is_closed:
            return
        self._is_closed = True
        desk = self._desk
        try:
            await desk.off_loop(self.export.close)
            if self.public_id:
                await desk.off_loop(desk.ledger.fail, self.public_id, "CUT_OFF", "The caller hung up before the end.")
        finally:
            desk.give_slot(self.export)
            desk.leave(self.export.order)
