"""Who has signed in on the pages: a signed cookie that names an API key by its digest.

It never opens `/graphql`, which takes keys and tokens only. A session ends with its key, at once, or
after `LIFETIME`; nothing about it is kept on the server. Why so: decision 0027.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from collections.abc import Callable

import orjson

from fulcrum.entitlements.keys import PREFIX, RECOGNISE, digest
from fulcrum.entitlements.policy import Policy
from fulcrum.entitlements.rights import Rights
from fulcrum.graph.errors import UnavailableError
from fulcrum.graph.wire import Wires

COOKIE = "fulcrum_session"
LIFETIME = 8 * 3600
"""Seconds: a working day."""

_SECRET = b"select key from governance.hash_key"
_PURPOSE = b"fulcrum pages session 1"  # another key than that of the mask `hash`, made from the same secret
_VALUE = re.compile(r"1\.([0-9a-f]{64})\.([0-9]{1,12})\.([0-9a-f]{64})", re.ASCII)
_MOST_LETTERS = 200


class Sessions:
    """Makes and reads sessions."""

    def __init__(self, wires: Wires, policy: Policy, *, now: Callable[[], float] = time.time) -> None:
        self._wires = wires
        self._policy = policy
        self._now = now
        self._signing_key: bytes | None = None

    async def begin(self, key: str) -> tuple[Rights, str] | None:
        """The rights of an API key and the cookie's value for it; None if the key opens nothing."""
        if not key.startswith(PREFIX) or len(key) > _MOST_LETTERS:
            return None
        hashed = digest(key)
        rights = await self._recognise(hashed)
        if rights is None:
            return None
        begun = int(self._now())
        return rights, f"1.{hashed}.{begun}.{await self._signature(hashed, begun)}"

    async def rights(self, cookie: str | None) -> Rights | None:
        """The rights of whoever sent this cookie; None for one that is not ours, or has ended."""
        found = _VALUE.fullmatch(cookie or "")
        if found is None:
            return None
        hashed, begun, signature = found[1], int(found[2]), found[3]
        if not hmac.compare_digest(signature, await self._signature(hashed, begun)):
            return None
        if not begun <= self._now() < begun + LIFETIME:
            return None
        return await self._recognise(hashed)

    async def _recognise(self, hashed: str) -> Rights | None:
        row = await self._wires.fetch_row(b"recognise", RECOGNISE.encode(), [hashed.encode()])
        name, roles, scope, expires_at = row
        if name is None or roles is None or scope is None or expires_at is None or float(expires_at) <= self._now():
            return None
        return self._policy.rights(name.decode(), orjson.loads(roles), int(scope))

    async def _signature(self, hashed: str, begun: int) -> str:
        if self._signing_key is None:
            (secret,) = await self._wires.fetch_row(b"secret", _SECRET, [])
            if not secret:
                raise UnavailableError("Nobody can sign in: the warehouse has no secret.", remedy="fulcrum migrate")
            self._signing_key = hmac.digest(secret, _PURPOSE, hashlib.sha256)
        return hmac.digest(self._signing_key, f"{hashed}.{begun}".encode(), hashlib.sha256).hex()
