"""Who asks: the API key or token of a request, recognised and remembered for a moment.

Keys are made and revoked in `fulcrum.entitlements.keys`; how a token is checked stands in `tokens.py`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from hashlib import sha256

import orjson

from fulcrum.entitlements import keys, principals
from fulcrum.entitlements.policy import Policy
from fulcrum.entitlements.rights import Rights
from fulcrum.graph.errors import ForbiddenError, UnauthenticatedError
from fulcrum.graph.plans import Recent
from fulcrum.graph.tokens import Tokens
from fulcrum.graph.wire import Wires

REMEMBERED_SECONDS = 15.0
"""So long a revoked key, or the token of an ended principal, may still work."""
_MOST_REMEMBERED = 10_000
_MOST_LETTERS_OF_KEY = 200
_MOST_LETTERS_OF_TOKEN = 8_192
_PARTS_OF_TOKEN = 3


@dataclass(frozen=True, slots=True)
class _Known:
    rights: Rights
    until: float
    """On the monotonic clock."""


class Doorkeeper:
    """Recognises API keys and, if an issuer is set, its tokens."""

    def __init__(self, wires: Wires, policy: Policy, tokens: Tokens | None = None) -> None:
        self._wires = wires
        self._policy = policy
        self._tokens = tokens
        self._remembered: Recent[_Known] = Recent(_MOST_REMEMBERED)

    def remembered(self, authorization: bytes | None, api_key: bytes | None) -> Rights | None:
        """The rights of whoever sent these headers a moment ago; None: `recognise` has to look."""
        known = self._remembered.get(_name(authorization, api_key))
        return known.rights if known is not None and time.monotonic() < known.until else None

    async def recognise(self, authorization: str | None, api_key: str | None) -> Rights:
        """The rights of whoever sent a request with these headers.

        Raises:
            UnauthenticatedError: no key or token, an unknown or revoked one, or one that has expired.
            ForbiddenError: the token holds, but names no active principal.
        """
        headers = [None if text is None else text.encode("utf-8", "surrogatepass") for text in (authorization, api_key)]
        remembered = self.remembered(*headers)
        if remembered is not None:
            return remembered
        credential = _credential(authorization, api_key)
        if credential.startswith(keys.PREFIX):
            rights, expires_at = await self._of_key(credential)
        else:
            rights, expires_at = await self._of_token(credential)
        seconds = min(REMEMBERED_SECONDS, expires_at - time.time())
        self._remembered.put(_name(*headers), _Known(rights, time.monotonic() + seconds))
        return rights

    async def _of_key(self, key: str) -> tuple[Rights, float]:
        if len(key) <= _MOST_LETTERS_OF_KEY:
            name, roles, scope, expires_at = await self._wires.fetch_row(
                b"recognise", keys.RECOGNISE.encode(), [keys.digest(key).encode()]
            )
            if name is not None and roles is not None and scope is not None and expires_at is not None:
                return self._policy.rights(name.decode(), orjson.loads(roles), int(scope)), float(expires_at)
        raise UnauthenticatedError(
            "This API key is unknown, revoked or expired.",
            remedy="Make one: fulcrum keys create NAME.",
            is_invalid=True,
        )

    async def _of_token(self, token: str) -> tuple[Rights, float]:
        if self._tokens is None or len(token) > _MOST_LETTERS_OF_TOKEN or token.count(".") != _PARTS_OF_TOKEN - 1:
            raise _without_credential(takes_tokens=self._tokens is not None)
        claims = await self._tokens.read(token)
        subject = claims.subject.encode("utf-8", "surrogatepass")
        name, roles, scope = await self._wires.fetch_row(b"principal", principals.RECOGNISE.encode(), [subject])
        if name is None or roles is None or scope is None:
            raise ForbiddenError(
                "Your token holds, but you are not registered here, or no longer.",
                remedy="Ask for it: fulcrum principals set NAME, with the name that your token carries.",
            )
        held = set(orjson.loads(roles))
        allowed = held if claims.roles is None else held & claims.roles
        return self._policy.rights(name.decode(), allowed, int(scope)), claims.expires_at


def _name(authorization: bytes | None, api_key: bytes | None) -> bytes:
    """Under what headers are remembered: secrets are not kept."""
    return sha256(b"%b\n%b" % (authorization or b"", api_key or b"")).digest()


def _credential(authorization: str | None, api_key: str | None) -> str:
    if authorization is None:
        credential = (api_key or "").strip()
        is_usable = credential.startswith(keys.PREFIX)
    else:
        scheme, _, credential = authorization.partition(" ")
        credential = credential.strip()
        is_usable = bool(credential) and scheme.lower() == "bearer"
    if not is_usable:
        raise _without_credential(takes_tokens=False)
    return credential


def _without_credential(*, takes_tokens: bool) -> UnauthenticatedError:
    more = " or a token of your issuer" if takes_tokens else ""
    return UnauthenticatedError(
        f"This request carries no API key{more}.",
        remedy="Send it as `Authorization: Bearer fk_...`; `fulcrum keys create NAME` makes one.",
    )
