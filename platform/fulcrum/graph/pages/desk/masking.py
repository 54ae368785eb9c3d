"""How a role sees values of rows of a file: by the mask of the published column and by the feed's own classification.

The stricter of the two holds, and what cannot be told by a column is shown as the strictest of its feed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fulcrum.contracts.model import FeedContract
from fulcrum.entitlements.classification import CLASSIFICATIONS
from fulcrum.entitlements.policy import Policy
from fulcrum.entitlements.rights import Mask, Rights

_STRICTEST_LAST = (Mask.PARTIAL, Mask.HASH, Mask.FULL, Mask.NULL)
_HASHED_LETTERS = 16  # as in fulcrum.graph.compiler.masking: equal values stay equal to what queries show


@dataclass(frozen=True)
class Veil:
    """The masks of one feed's columns for one caller; `key` is the installation's secret of `hash`."""

    masks: Mapping[str, Mask | None]
    otherwise: Mask | None
    key: str = field(default="", repr=False)

    @property
    def hides(self) -> bool:
        """Whether anything may be hidden."""
        return self.otherwise is not None

    def mask(self, column: str | None) -> Mask | None:
        """How values of a column are shown; None: as they are."""
        return self.masks.get(column, self.otherwise) if column is not None else self.otherwise

    def value(self, column: str | None, value: str | None) -> str | None:
        """A value as the caller may see it."""
        mask = self.mask(column)
        return value if value is None or mask is None else self._masked(mask, value)

    def _masked(self, mask: Mask, value: str) -> str | None:
        if mask is Mask.PARTIAL:
            return f"{value[:1]}***"
        if mask is Mask.HASH:
            return f"sha256:{hashlib.sha256(f'{self.key}{value}'.encode()).hexdigest()[:_HASHED_LETTERS]}"
        return "***" if mask is Mask.FULL else None

    def published(self, column: str, mask: Mask | None) -> Mask | None:
        """How a published value is shown that has a `mask` of its own and may have come from a column of the feed."""
        return _strictest([mask, self.masks.get(column)])

    def told(self, mask: Mask | None, sql_type: str, value: str | None) -> str | None:
        """A published value as text, as queries show it: of dates the year, of numbers nothing."""
        if value is None or mask is None:
            return value
        if sql_type == "text":
            return self._masked(mask, value)
        return f"{value[:4]}-01-01" if sql_type == "date" and mask is Mask.PARTIAL else None

    def row(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """A refused row as the caller may see it; a message that quotes a masked value is not shown."""
        value, hidden = row["value"], self.mask(row["column_name"]) is not None
        keys = {name: self.value(name, str(said)) for name, said in row["row_key"].items()}
        quoted = hidden and (row["rule_id"] == "cell.parse" or (value is not None and value in row["message"]))
        return {
            **row,
            "value": self.value(row["column_name"], value),
            "row_key": keys,
            "message": None if quoted else row["message"],
            "is_masked": hidden and value is not None,
        }


def veil(policy: Policy, rights: Rights, contract: FeedContract | None, key: str = "") -> Veil:
    """What a caller may see of a feed; of a feed without a contract nothing that is restricted."""
    by_class = {name: _of_class(policy, rights, name) for name in CLASSIFICATIONS}
    if contract is None:
        return Veil({}, by_class["restricted"], key)
    masks: dict[str, Mask | None] = {}
    for one in contract.fields:
        for name in (one.name, one.header, *one.staged_as):
            published = [rights.mask(f"{contract.target}{end}.{name}") for end in ("", "_version")]
            masks[name] = _strictest([masks.get(name), by_class.get(one.classification), *published])
    return Veil(masks, _strictest(list(masks.values())), key)


def _of_class(policy: Policy, rights: Rights, classification: str) -> Mask | None:
    masks = [policy.roles[name].masks.get(classification) for name in rights.roles if name in policy.roles]
    if not masks:
        return Mask.NULL
    known = [mask for mask in masks if mask is not None]
    return None if len(known) < len(masks) else min(known, key=_STRICTEST_LAST.index)


def _strictest(masks: list[Mask | None]) -> Mask | None:
    return max((mask for mask in masks if mask is not None), key=_STRICTEST_LAST.index, default=None)
