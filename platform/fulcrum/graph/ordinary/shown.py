"""Values as a caller may see them: whole, or as the mask of his roles leaves them."""

from __future__ import annotations

import hashlib
from typing import Any

from fulcrum.entitlements.rights import Mask
from fulcrum.graph.binding import BoundField
from fulcrum.graph.ordinary.rows import as_json
from fulcrum.graph.ordinary.session import Session

_HASHED_LETTERS = 16


def shown(value: Any, bound: BoundField, mask: Mask | None) -> Any:
    """A value under a mask, as it is written in JSON; hashes are made by `hashed`."""
    if mask is None:
        return as_json(value, is_text=bound.is_text_in_json)
    if bound.sql_type == "text":
        return _text(value, bound, mask)
    if bound.sql_type == "date" and mask is Mask.PARTIAL and value is not None:
        return value.replace(month=1, day=1).isoformat()
    return None


def _text(value: str | None, bound: BoundField, mask: Mask) -> str | None:
    if mask in (Mask.PARTIAL, Mask.HASH):
        return None if value is None else f"{value[:1]}***"
    return None if mask is Mask.NULL and bound.is_nullable else "***"


async def hashed(session: Session, value: str) -> str:
    """The keyed hash of a text, the same for the same text within one installation."""

    async def load(keys: list[str]) -> list[str]:
        ((key,),) = await session.fetch("select key from governance.hash_key", [])
        return [hashlib.sha256(f"{key}{one}".encode()).hexdigest() for one in keys]

    found: str = await session.loader("hash", load).load(value)
    return f"sha256:{found[:_HASHED_LETTERS]}"
