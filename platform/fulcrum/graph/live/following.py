"""One subscription under way: the next event after the last, waited for as long as it takes.

Nothing is queued: a slow caller is asked for later, and finds everything that came meanwhile.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable
from typing import TYPE_CHECKING

from fulcrum.entitlements.rights import Permission, Rights
from fulcrum.graph.compiler.operation import Plan
from fulcrum.graph.errors import BadUserInputError, ForbiddenError, UnavailableError
from fulcrum.graph.live.planning import Wanted
from fulcrum.graph.service import encode

if TYPE_CHECKING:
    from fulcrum.graph.live.hub import Hub

Recognise = Callable[[], Awaitable[Rights]]

_RETRY_SECONDS = 1.0


class Following:
    """Gives events in order; `last` is the number of the last one that was given or passed over."""

    def __init__(self, hub: Hub, wanted: Wanted, recognise: Recognise, last: int | None) -> None:
        self.wanted = wanted
        self.last = last if last is not None else wanted.since
        self._hub = hub
        self._recognise = recognise
        self._plans: dict[Hashable, tuple[Plan, bytes]] = {}
        self._found: deque[tuple[int, int]] = deque()

    async def start(self) -> None:
        """See that it may be followed, and from where.

        Raises:
            ApiError: it may not.
        """
        rights = await self._rights()
        self._plan(rights)
        head, _ = await self._hub.look(self.wanted, None, rights)
        if self.last is None:
            self.last = head
        elif self.last > head:
            raise BadUserInputError(
                f"There is no number {self.last} yet; the last one is {head}.", remedy="Begin after one you have seen."
            )

    async def next(self) -> tuple[int, bytes]:
        """The number of the next event that the caller may see, and its answer.

        A restart of the warehouse is waited out.

        Raises:
            ApiError: the caller may follow no longer.
        """
        while True:
            try:
                if self._found:
                    number, version = self._found[0]
                    payload = await self._show(number, version)
                    self._found.popleft()
                    self.last = number
                    if payload is not None:
                        return number, payload
                else:
                    await self._look()
            except UnavailableError:
                await asyncio.sleep(_RETRY_SECONDS)

    async def _look(self) -> None:
        """Find what came after the last; if nothing did, wait until something may have."""
        ring = self._hub.coming(self.wanted)
        rights = await self._rights()
        head, found = await self._hub.look(self.wanted, self.last, rights)
        self._found.extend(found)
        if found:
            return
        self.last = max(self.last or 0, head)
        await ring.wait()

    async def _show(self, number: int, version: int) -> bytes | None:
        """The answer for an event, at the version that it made; None if the caller may not see it."""
        rights = await self._rights()
        plan, name = self._plan(rights)
        values = encode(plan.parameters(self.wanted.variables_of(number)))
        values[0] = b"%d" % version
        data, as_of = await self._hub.show(plan, name, values, rights)
        if data == b'{"%b":null}' % self.wanted.key.encode():
            return None
        told = b'"dataVersion":%d,"asOf":"%b","event":%d' % (version, as_of, number)
        return b'{"data":%b,"extensions":{%b}}' % (data, told)

    def _plan(self, rights: Rights) -> tuple[Plan, bytes]:
        found = self._plans.get(rights.profile)
        if found is None:
            found = self._plans[rights.profile] = self.wanted.plan(self._hub.plans, rights)
        return found

    async def _rights(self) -> Rights:
        """The rights of now: a key may have been revoked, or a role changed, since the last event."""
        rights = await self._recognise()
        if not rights.may(Permission.SUBSCRIBE):
            raise ForbiddenError("Your roles may not subscribe.", remedy="Ask for a role that may.")
        return rights
