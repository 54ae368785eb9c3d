"""ETags: when an answer that a caller holds is still the answer, if possible without computing it again.

Bytes depend on statement, parameters, row scope and what was published last. Plans that also read
what changes between publications (deliveries that arrive) are compared by their bytes instead.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b

from fulcrum.entitlements.rights import Rights

# The label may be older than the bytes it is given to (the statement runs after it), never newer:
# publication numbers only grow, so an older label is never met again.
STATE = b"""
select coalesce((select max(publication_id) from governance.publication), 0)::text,
  (select refreshed_at::text from governance.row_scope where scope_id = $1::bigint),
  current_date::text
"""
"""One row: last publication, when the row scope changed last, and today, in case nothing gives a business date."""
STATE_NAME = b"state"

_UNPUBLISHED = re.compile(r"\b(?:governance|quality|staging)\.(?!(?:publication|hash_key)\b)\w")
_SIZE = 16


@lru_cache(maxsize=2_000)
def is_published_only(sql: str) -> bool:
    """Whether a statement reads nothing that changes without a publication."""
    return _UNPUBLISHED.search(sql) is None


def tag_of_version(
    statement: bytes, parameters: Sequence[bytes | None], rights: Rights, state: Sequence[bytes | None]
) -> bytes:
    """The ETag of whatever a statement answers in this state of the warehouse."""
    hashed = blake2b(b"%d" % len(state), digest_size=_SIZE)
    for part in (statement, repr(rights.profile).encode(), b"%d" % rights.scope_id, *state, *parameters):
        # With its length before it, so that no two lists of parts read the same.
        hashed.update(b"-" if part is None else b"%d:" % len(part) + part)
    return b'"' + hashed.hexdigest().encode() + b'"'


def tag_of_bytes(body: bytes) -> bytes:
    """The ETag of finished bytes."""
    return b'"' + blake2b(body, digest_size=_SIZE).hexdigest().encode() + b'"'


def is_held(etag: bytes, if_none_match: bytes | None) -> bool:
    """Whether `If-None-Match` names this ETag; weakly, as RFC 9110 wants (proxies weaken tags that they compress)."""
    if if_none_match is None:
        return False
    held = [tag.strip().removeprefix(b"W/") for tag in if_none_match.split(b",")]
    return etag in held or held == [b"*"]
