"""Media types: which one an `Accept` header wants, and whether a `Content-Type` can be read.

GraphQL over HTTP, sections 4.1 and 6.1; the bodies themselves are read in `reading.py`.
"""

from __future__ import annotations

from functools import lru_cache

from fulcrum.graph.errors import BadRequestError

JSON = "application/json"
GRAPHQL_JSON = "application/graphql-response+json"

_WEIGHTLESS = 0.0
# What a range must name to mean one of ours, from the most exact to the least.
_RANGES = {
    GRAPHQL_JSON: (GRAPHQL_JSON,),
    JSON: (JSON, "application/*", "*/*"),
}


@lru_cache(maxsize=256)
def is_strict(accept: bytes | None) -> bool:
    """Whether the answer is `application/graphql-response+json`, whose status tells success; else plain JSON.

    Without a header, and for `*/*`, it is plain JSON; where both are wanted equally, the strict one.

    Raises:
        BadRequestError: neither is acceptable (406).
    """
    if not accept:
        return False
    weights = _weights(accept.decode("latin-1"))
    wanted = {kind: _weight(weights, ranges) for kind, ranges in _RANGES.items()}
    if max(wanted.values()) <= _WEIGHTLESS:
        raise BadRequestError(
            "The answer is JSON, which this request does not accept.",
            status=406,
            remedy=f"Send Accept: {GRAPHQL_JSON}, or {JSON}.",
        )
    return wanted[GRAPHQL_JSON] >= wanted[JSON]


def _weights(accept: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for part in accept.split(","):
        kind, *parameters = (word.strip().lower() for word in part.split(";"))
        found[kind] = next((_quality(word[2:]) for word in parameters if word.startswith("q=")), 1.0)
    return found


def _quality(text: str) -> float:
    try:
        return min(max(float(text), _WEIGHTLESS), 1.0)
    except ValueError:
        return _WEIGHTLESS


def _weight(weights: dict[str, float], ranges: tuple[str, ...]) -> float:
    return next((weights[named] for named in ranges if named in weights), _WEIGHTLESS)


@lru_cache(maxsize=256)
def check_content(content_type: bytes | None, encoding: bytes | None) -> None:
    """Refuse a body that is not JSON in UTF-8, or that is compressed.

    Raises:
        BadRequestError: it is (415).
    """
    kind, *parameters = (word.strip().lower() for word in (content_type or b"").decode("latin-1").split(";"))
    if kind != JSON:
        raise BadRequestError("The body is not JSON.", status=415, remedy=f"Send Content-Type: {JSON}.")
    charset = next((word[8:].strip('"') for word in parameters if word.startswith("charset=")), "utf-8")
    if charset not in ("utf-8", "utf8"):
        raise BadRequestError("The body is not in UTF-8.", status=415, remedy="Send it in UTF-8.")
    if encoding and encoding.strip().lower() != b"identity":
        raise BadRequestError("The body is compressed.", status=415, remedy="Send it as it is.")
