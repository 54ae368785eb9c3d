"""Trusted documents as the API finds them: a registered text by its id, for the clients it is registered for.

Ids are `sha256:` and 64 hexadecimal digits, as in the draft of GraphQL over HTTP, appendix A.
Registering, listing and retiring stand in `registration.py`.
"""

from __future__ import annotations

import hashlib
import re
import time
from dataclasses import dataclass

import orjson

from fulcrum.entitlements.rights import Permission, Rights
from fulcrum.graph.errors import DocumentNotFoundError, DocumentRequiredError
from fulcrum.graph.plans import Recent
from fulcrum.graph.wire import Wires

PREFIX = "sha256:"
EVERYBODY = "*"
"""Client name of documents that every client may use."""
REMEMBERED_SECONDS = 15.0
"""So long a retired document may still be answered."""

_ID = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)
_MOST_REMEMBERED = 2_000
_FIND = b"""
select min(d.document_text), coalesce(jsonb_agg(d.client_name) filter (where d.sha256 is not null), '[]')::text
from (select $1::text as sha256) asked
left join governance.trusted_document d on d.sha256 = asked.sha256 and d.is_active
"""


@dataclass(frozen=True)
class _Found:
    text: str
    clients: frozenset[str]
    until: float


def document_id(text: str) -> str:
    """The id of a text: the SHA-256 of its UTF-8 bytes, to the last blank."""
    return PREFIX + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


class Documents:
    """Finds registered documents; with `is_exclusive`, nothing else is answered."""

    def __init__(self, wires: Wires, *, is_exclusive: bool = False) -> None:
        self._wires = wires
        self.is_exclusive = is_exclusive
        self._found: Recent[_Found] = Recent(_MOST_REMEMBERED)

    async def text(self, query: str | None, wanted: str | None, rights: Rights) -> str:
        """The text to execute: `query` as it was sent, or the document whose id is `wanted`.

        Where only registered documents are answered, a registered text may still be sent in full,
        and whoever may register documents may try out others.

        Raises:
            DocumentNotFoundError: no such document is registered for this client.
            DocumentRequiredError: the text is not registered, and must be.
        """
        if query is not None:
            if self.is_exclusive and not rights.may(Permission.REGISTER):
                await self._demand(query, rights)
            return query
        text = await self._find(wanted or "", rights)
        if text is None:
            raise DocumentNotFoundError(
                "No document of this id is registered for you.",
                remedy="Send the SHA-256 of a registered text as sha256:<hex>; `fulcrum documents register` registers.",
            )
        return text

    async def _demand(self, query: str, rights: Rights) -> None:
        if await self._find(document_id(query), rights) is None:
            raise DocumentRequiredError(
                "This installation answers registered documents only.",
                remedy="Have it registered (`fulcrum documents register`), then send its documentId.",
            )

    async def _find(self, wanted: str, rights: Rights) -> str | None:
        if not _ID.fullmatch(wanted):
            return None
        found = self._found.get(wanted)
        if found is None or found.until < time.monotonic():
            found = await self._load(wanted)
        if found is None:
            return None
        is_for_caller = rights.principal in found.clients or EVERYBODY in found.clients
        return found.text if is_for_caller or rights.may(Permission.REGISTER) else None

    async def _load(self, wanted: str) -> _Found | None:
        text, clients = await self._wires.fetch_row(b"document", _FIND, [wanted.removeprefix(PREFIX).encode()])
        if text is None:
            return None
        found = _Found(text.decode(), frozenset(orjson.loads(clients or b"[]")), time.monotonic() + REMEMBERED_SECONDS)
        self._found.put(wanted, found)
        return found
