"""One connection that listens, and the bells that it rings; a notification says only "look again".

After every connect all bells ring, so whatever was published while nobody listened is found too.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Self

import psycopg
from psycopg import sql

from fulcrum.errors import WarehouseError

LOOK_SECONDS = 30.0
"""So often it is looked without any notification; a connection may be dead without telling."""
_RETRY_SECONDS = (0.2, 5.0)

_log = logging.getLogger("fulcrum.graph")


class Bell:
    """Rings for everybody who waits; whoever looks first and waits then misses no ring in between."""

    def __init__(self) -> None:
        self._next = asyncio.Event()

    def ring(self) -> None:
        """Wake everybody."""
        self._next.set()
        self._next = asyncio.Event()

    def coming(self) -> asyncio.Event:
        """The next ring; ask for it before looking."""
        return self._next


class Listener:
    """Listens on some channels for as long as it is entered."""

    def __init__(self, url: Callable[[], str], channels: Collection[str]) -> None:
        self.bells = {channel: Bell() for channel in channels}
        self.connects = 0
        self._url = url
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Begin."""
        self._task = asyncio.get_running_loop().create_task(self._listen_for_ever())
        return self

    async def __aexit__(self, *_failure: object) -> None:
        """End."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _listen_for_ever(self) -> None:
        wait = _RETRY_SECONDS[0]
        while True:
            before = self.connects
            try:
                await self._listen()
            except (psycopg.Error, WarehouseError, OSError) as error:
                _log.warning("listening for publications broke off, trying again: %s", type(error).__name__)
            wait = _RETRY_SECONDS[0] if self.connects > before else min(wait * 2, _RETRY_SECONDS[1])
            await asyncio.sleep(wait)

    async def _listen(self) -> None:
        url = await asyncio.to_thread(self._url)
        async with await psycopg.AsyncConnection.connect(
            url, autocommit=True, application_name="fulcrum-live", connect_timeout=15
        ) as connection:
            for channel in self.bells:
                await connection.execute(sql.SQL("listen {}").format(sql.Identifier(channel)))
            self.connects += 1
            while True:
                for bell in self.bells.values():
                    bell.ring()
                async for heard in connection.notifies(timeout=LOOK_SECONDS):
                    self.bells[heard.channel].ring()
                await connection.execute("select 1")
