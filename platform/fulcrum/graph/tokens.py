"""Tokens of an OpenID Connect issuer: signature, issuer, audience and times of a JWT, with the issuer's public keys.

What the named principal may see stands with the principal, never in the token.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import orjson
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from fulcrum.errors import SettingsError
from fulcrum.graph.errors import UnauthenticatedError, UnavailableError
from fulcrum.settings import Settings

ASYMMETRIC = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519", "Ed448"}
)
"""A shared secret (HS256) would let whoever can check a token make one."""

KEYS_SECONDS = 600.0
"""Keys are fetched again after so long, so that one the issuer took back ends."""
REFRESH_SECONDS = 10.0
"""Least time between two fetches for keys that are not known: tokens with made-up key ids cost the issuer no more."""
STALE_SECONDS = 86_400.0
"""So long known keys go on while the issuer does not answer."""

_TIMEOUT_SECONDS = 5.0
_MOST_BYTES = 200_000
_REMEDY = "Sign in again, and send the access token as `Authorization: Bearer ...`."


@dataclass(frozen=True)
class Claims:
    """What a valid token says: who, until when (Unix seconds), and with which roles at most (None: it says nothing)."""

    subject: str
    expires_at: float
    roles: frozenset[str] | None


@dataclass(frozen=True)
class Issuer:
    """Whose tokens are taken, and how they must look."""

    name: str
    audience: str
    jwks_url: str | None
    algorithms: frozenset[str]
    leeway_seconds: int
    subject_claim: str
    roles_claim: str | None


def issuer_of(settings: Settings) -> Issuer | None:
    """The issuer in the settings, if there is one.

    Raises:
        SettingsError: an algorithm is not an asymmetric signature.
    """
    if settings.oidc_issuer is None:
        return None
    algorithms = frozenset(name.strip() for name in settings.oidc_algorithms.split(",") if name.strip())
    if not algorithms or not algorithms <= ASYMMETRIC:
        unfit = ", ".join(sorted(algorithms - ASYMMETRIC)) or "nothing"
        raise SettingsError(
            f"FULCRUM_OIDC_ALGORITHMS names {unfit}, which is no asymmetric signature.",
            remedy=f"Choose from {', '.join(sorted(ASYMMETRIC))}.",
        )
    return Issuer(
        settings.oidc_issuer,
        settings.oidc_audience,
        settings.oidc_jwks_url,
        algorithms,
        settings.oidc_leeway_seconds,
        settings.oidc_subject_claim,
        settings.oidc_roles_claim,
    )


class Tokens:
    """Reads the tokens of one issuer."""

    def __init__(self, issuer: Issuer, *, now: Callable[[], float] = time.time) -> None:
        self._issuer = issuer
        self._keys = PublicKeys(issuer)
        self._now = now

    async def read(self, token: str) -> Claims:
        """The claims of a token that holds.

        Raises:
            UnauthenticatedError: it does not.
            UnavailableError: the issuer's keys cannot be had.
        """
        try:
            header = jws.extract_compact(token.encode("ascii")).headers()
        except (JoseError, ValueError):
            raise _refused("It is not a signed token.") from None
        if header.get("alg") not in self._issuer.algorithms:
            raise _refused("Its signature is of a kind that is not taken.")
        keys = await self._keys.having(header.get("kid"))
        if keys is None:
            raise _refused("The issuer has no such key.")
        try:
            claims: Mapping[str, Any] = jwt.decode(token, keys, algorithms=sorted(self._issuer.algorithms)).claims
        except (JoseError, ValueError, TypeError):
            raise _refused("Its signature does not hold.") from None
        return self._checked(claims)

    def _checked(self, claims: Mapping[str, Any]) -> Claims:
        issuer = self._issuer
        registry = jwt.JWTClaimsRegistry(
            now=int(self._now()),
            leeway=issuer.leeway_seconds,
            iss={"essential": True, "value": issuer.name},
            aud={"essential": True, "value": issuer.audience},
            exp={"essential": True},
        )
        try:
            registry.validate(dict(claims))
        except JoseError as error:
            claim = getattr(error, "claim", None)
            raise _refused(f"Its `{claim}` does not hold." if claim else "It has expired.") from None
        subject = claims.get(issuer.subject_claim)
        if not isinstance(subject, str) or not subject:
            raise _refused(f"It has no `{issuer.subject_claim}`.")
        return Claims(subject, float(claims["exp"]) + issuer.leeway_seconds, self._roles(claims))

    def _roles(self, claims: Mapping[str, Any]) -> frozenset[str] | None:
        if self._issuer.roles_claim is None:
            return None
        said: Any = claims
        for part in self._issuer.roles_claim.split("."):  # Keycloak nests: realm_access.roles
            said = said.get(part) if isinstance(said, Mapping) else None
        named = said.split() if isinstance(said, str) else said
        return frozenset(role for role in named if isinstance(role, str)) if isinstance(named, list) else frozenset()


class PublicKeys:
    """The issuer's keys, fetched when they are needed, and again when they are old or one is missing."""

    def __init__(self, issuer: Issuer) -> None:
        self._issuer = issuer
        self._keys: KeySet | None = None
        self._fetched_at = -STALE_SECONDS
        self._tried_at = -STALE_SECONDS
        self._lock = asyncio.Lock()

    async def having(self, kid: object) -> KeySet | None:
        """The keys, if they hold one of this id; a token without an id fits if there is one key only.

        Raises:
            UnavailableError: there are no keys, and the issuer does not answer.
        """
        if self._fits(kid) and time.monotonic() - self._fetched_at < KEYS_SECONDS:
            return self._keys
        async with self._lock:
            is_fresh = time.monotonic() - self._fetched_at < KEYS_SECONDS
            if not (self._fits(kid) and is_fresh) and time.monotonic() - self._tried_at >= REFRESH_SECONDS:
                await self._refresh()
        if self._keys is None or time.monotonic() - self._fetched_at > STALE_SECONDS:
            raise UnavailableError("The issuer of tokens does not answer.", remedy="Try again in a few seconds.")
        return self._keys if self._fits(kid) else None

    def _fits(self, kid: object) -> bool:
        if self._keys is None:
            return False
        if kid is None:
            return len(self._keys.keys) == 1
        return any(key.kid == kid for key in self._keys.keys)

    async def _refresh(self) -> None:
        self._tried_at = time.monotonic()
        try:
            async with httpx.AsyncClient(timeout=_TIMEOUT_SECONDS, follow_redirects=False, trust_env=False) as client:
                url = self._issuer.jwks_url or await self._discovered(client)
                found = await _fetched(client, url)
            usable = [key for key in found["keys"] if key.get("kty") != "oct" and key.get("use", "sig") == "sig"]
            self._keys = KeySet.import_key_set({"keys": usable})
        except (httpx.HTTPError, JoseError, ValueError, KeyError, TypeError, AttributeError):
            return  # what is known goes on; `having` tells if there is nothing
        self._fetched_at = time.monotonic()

    async def _discovered(self, client: httpx.AsyncClient) -> str:
        document = await _fetched(client, self._issuer.name.rstrip("/") + "/.well-known/openid-configuration")
        if document["issuer"] != self._issuer.name:
            raise ValueError(document["issuer"])
        return str(document["jwks_uri"])


async def _fetched(client: httpx.AsyncClient, url: str) -> Any:
    async with client.stream("GET", url, headers={"Accept": "application/json"}) as answer:
        answer.raise_for_status()
        received = bytearray()
        async for chunk in answer.aiter_bytes():
            received += chunk
            if len(received) > _MOST_BYTES:
                raise ValueError(url)
    return orjson.loads(received)


def _refused(reason: str) -> UnauthenticatedError:
    return UnauthenticatedError(f"This token is not taken. {reason}", remedy=_REMEDY, is_invalid=True)
