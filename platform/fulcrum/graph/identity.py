"""Who asks: the API key of a request, recognised in the warehouse and remembered for a moment.

Keys are made and revoked in `fulcrum.entitlements.keys`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import orjson

from fulcrum.entitlements.keys import PREFIX, RECOGNISE, digest
from fulcrum.entitlements.policy import Policy
from fulcrum.entitlements.rights import Rights
from fulcrum.graph.errors import UnauthenticatedError
from fulcrum.graph.plans import Recent
from fulcrum.graph.wire import Wires

REMEMBERED_SECONDS = 15.0
"""So long a revoked key may still work."""
_MOST_REMEMBERED = 10_000
_MOST_LETTERS = 200


@dataclass(frozen=True)
class _Known:
    rights: Rights
    known_until: float
    expires_at: float


class Doorkeeper:
    """Recognises API keys."""

    def __init__(self, wires: Wires, policy: Policy) -> None:
        self._wires = wires
        self._policy = policy
        self._remembered: Recent[_Known] = Recent(_MOST_REMEMBERED)

    async def recognise(self, authorization: str | None, api_key: str | None) -> Rights:
        """The rights of whoever sent a request with these headers.

        Raises:
            UnauthenticatedError: no key, an unknown or revoked one, or one that has expired.
        """
        hashed = digest(_key(authorization, api_key))
        known = self._remembered.get(hashed)
        if known is not None and time.monotonic() < known.known_until and time.time() < known.expires_at:
            return known.rights
        name, roles, scope, expires_at = await self._wires.fetch_row(
            b"recognise", RECOGNISE.encode(), [hashed.encode()]
        )
        if name is None or roles is None or scope is None or expires_at is None:
            raise UnauthenticatedError(
                "This API key is unknown, revoked or expired.", remedy="Make one: fulcrum keys create NAME."
            )
        rights = self._policy.rights(name.decode(), orjson.loads(roles), int(scope))
        self._remembered.put(hashed, _Known(rights, time.monotonic() + REMEMBERED_SECONDS, float(expires_at)))
        return rights


def _key(authorization: str | None, api_key: str | None) -> str:
    scheme, _, token = (authorization or "").partition(" ")
    key = token.strip() if scheme.lower() == "bearer" else (api_key or "").strip()
    if not key.startswith(PREFIX) or len(key) > _MOST_LETTERS:
        raise UnauthenticatedError(
            "This request carries no API key.",
            remedy="Send it as `Authorization: Bearer fk_...`; `fulcrum keys create NAME` makes one.",
        )
    return key
