"""How often, and how many at once, one client may ask: a token bucket and a counter per principal.

Both are per worker process: with `api_workers` of 4, a client may get four times as much.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from fulcrum.graph.errors import RateLimitedError, TooManyRequestsError

_MOST_CLIENTS = 10_000


@dataclass(frozen=True)
class Allowance:
    """What one client may ask of one process; a `per_second` of 0 means as often as it likes."""

    per_second: float = 500.0
    burst: int = 1_000
    at_once: int = 64


@dataclass(slots=True)
class _Client:
    tokens: float
    filled_at: float
    running: int = 0


class Rates:
    """Counts the requests of clients."""

    def __init__(self, allowance: Allowance, *, now: Callable[[], float] = time.monotonic) -> None:
        self.allowance = allowance
        self._now = now
        self._clients: OrderedDict[str, _Client] = OrderedDict()
        window = allowance.burst / allowance.per_second if allowance.per_second else 0
        self._policy = f'"client";q={allowance.burst};w={max(1, round(window))}'.encode()

    def enter(self, principal: str) -> None:
        """Count a request that begins; `leave` must follow.

        Raises:
            RateLimitedError: too many in a short time.
            TooManyRequestsError: too many at once.
        """
        client = self._clients.get(principal) or self._meet(principal)
        if client.running >= self.allowance.at_once:
            raise TooManyRequestsError(
                f"You have {self.allowance.at_once} operations running, which is the most at once.",
                remedy="Wait for answers before you send more.",
            )
        if self.allowance.per_second:
            self._take(client)
        client.running += 1

    def leave(self, principal: str) -> None:
        """Count a request that has ended."""
        client = self._clients.get(principal)
        if client is not None and client.running:
            client.running -= 1

    def _take(self, client: _Client) -> None:
        now, per_second = self._now(), self.allowance.per_second
        tokens = min(client.tokens + (now - client.filled_at) * per_second, self.allowance.burst)
        client.filled_at = now
        client.tokens = tokens
        if tokens < 1:
            raise RateLimitedError(
                f"You send more than {per_second:g} requests a second.",
                wait=(1 - tokens) / per_second,
                policy=self._policy,
                remedy="Send fewer, or ask for more in one: a page may have 1000 rows.",
            )
        client.tokens = tokens - 1

    def _meet(self, principal: str) -> _Client:
        client = self._clients[principal] = _Client(self.allowance.burst, self._now())
        if len(self._clients) > _MOST_CLIENTS:
            self._forget()
        return client

    def _forget(self) -> None:
        """Let go of the client known for longest that runs nothing."""
        idle = next((name for name, client in self._clients.items() if not client.running), None)
        if idle is not None:
            del self._clients[idle]
