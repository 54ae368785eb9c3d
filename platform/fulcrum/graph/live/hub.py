"""What all subscriptions of one process share: the listener, events already fetched, and how many there may be.

The protocols that carry them stand in `websocket.py` and `sse.py`.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

import orjson

from fulcrum.entitlements.rights import Rights
from fulcrum.graph.compiler.operation import Plan
from fulcrum.graph.errors import TooManyRequestsError
from fulcrum.graph.live.following import Following, Recognise
from fulcrum.graph.live.listening import Listener
from fulcrum.graph.live.planning import Wanted, read_subscription
from fulcrum.graph.live.streams import PROTECTED, next_sql
from fulcrum.graph.plans import Plans, Recent
from fulcrum.graph.service import GraphService
from fulcrum.settings import Settings
from fulcrum.warehouse import server

_MOST_REMEMBERED = 1_000
_MOMENT_SECONDS = 5.0
Shown = tuple[bytes, bytes]


@dataclass(frozen=True)
class LiveLimits:
    """How much may be followed, per process, and how long is waited for a caller."""

    per_connection: int = 50
    per_principal: int = 200
    connections_per_principal: int = 50
    init_seconds: float = 10.0
    ping_seconds: float = 20.0
    send_seconds: float = 30.0
    """A caller that takes nothing for so long is disconnected; it can resume from its last event."""


class Hub:
    """Subscriptions of one process."""

    def __init__(
        self,
        settings: Settings,
        service: GraphService,
        *,
        role: str = server.API_ROLE,
        limits: LiveLimits | None = None,
    ) -> None:
        self.service = service
        self.limits = limits or LiveLimits()
        self.streams = service.graph.streams
        self.listener = Listener(
            lambda: server.ensure_running(settings).url(user=role), {each.channel for each in self.streams.values()}
        )
        self._next: dict[str, bytes] = {}
        self._shown: Recent[asyncio.Future[Shown]] = Recent(_MOST_REMEMBERED)
        self._counts: dict[str, Counter[str]] = {"subscriptions": Counter(), "connections": Counter()}

    @property
    def plans(self) -> Plans:
        """Where documents are parsed."""
        return self.service.plans

    async def __aenter__(self) -> Self:
        """Begin to listen."""
        (found,) = await self.service.wires.fetch_row(b"protected", PROTECTED, [])
        protected = orjson.loads(found or b"[]")
        self._next = {each.channel: next_sql(each, protected).encode() for each in self.streams.values()}
        await self.listener.__aenter__()
        return self

    async def __aexit__(self, *failure: object) -> None:
        """End."""
        await self.listener.__aexit__(*failure)

    async def follow(
        self,
        text: str,
        operation_name: str | None,
        variables: Mapping[str, Any],
        recognise: Recognise,
        last: int | None = None,
    ) -> Following | None:
        """A subscription that has started, after `last` if that is given; None if the document is a query.

        Raises:
            ApiError: it cannot be followed.
        """
        wanted = read_subscription(self.plans, self.streams, text, operation_name, variables)
        if wanted is None:
            return None
        following = Following(self, wanted, recognise, last)
        await following.start()
        self.service.record(await recognise(), text, operation_name, variables)
        return following

    def coming(self, wanted: Wanted) -> asyncio.Event:
        """The next time that something may have happened."""
        return self.listener.bells[wanted.stream.channel].coming()

    async def look(self, wanted: Wanted, last: int | None, rights: Rights) -> tuple[int, list[tuple[int, int]]]:
        """The last number there is, and the next events after `last` with their data versions."""
        channel = wanted.stream.channel
        filters = [None if value is None else value.encode() for value in wanted.filters]
        values = [None if last is None else b"%d" % last, *filters]
        row = await self.service.wires.fetch_row(
            f"next_{channel}".encode(), self._next[channel], values, scope=rights.scope_id
        )
        head, found = row
        return int(head or 0), [(number, version) for number, version in orjson.loads(found or b"[]")]

    async def show(self, plan: Plan, name: bytes, values: Sequence[bytes | None], rights: Rights) -> Shown:
        """The JSON of an event and its business date; fetched once for all who may see the same of it."""
        # Of one moment only: rows that a scope sees, and deliveries, change without a publication.
        key = (name, tuple(values), rights.scope_id, int(time.monotonic() / _MOMENT_SECONDS))
        known = self._shown.get(key)
        if known is None or (known.done() and (known.cancelled() or known.exception() is not None)):
            known = asyncio.ensure_future(self._fetch(plan, name, values, rights))
            self._shown.put(key, known)
        return await asyncio.shield(known)

    async def _fetch(self, plan: Plan, name: bytes, values: Sequence[bytes | None], rights: Rights) -> Shown:
        assert plan.sql is not None
        row = await self.service.wires.fetch_row(name, plan.sql.encode(), values, scope=rights.scope_id)
        _, _, as_of, data = (column or b"null" for column in row)
        return data, as_of

    @contextmanager
    def counted(self, what: str, principal: str) -> Iterator[None]:
        """Count a subscription or connection of a principal while it lasts.

        Raises:
            TooManyRequestsError: it would be one too many.
        """
        counts = self._counts[what]
        most = self.limits.per_principal if what == "subscriptions" else self.limits.connections_per_principal
        if counts[principal] >= most:
            raise TooManyRequestsError(f"You have {most} {what} open, which is the most.", remedy="Close some.")
        counts[principal] += 1
        try:
            yield
        finally:
            counts[principal] -= 1
            if not counts[principal]:
                del counts[principal]
