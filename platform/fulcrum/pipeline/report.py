"""What one delivery came to, in the words that `fulcrum ingest --json` prints."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Outcome(StrEnum):
    """How a delivery ended."""

    PUBLISHED = "published"
    RESTATED = "restated"
    NO_OP = "no_op"
    BLOCKED = "blocked"
    REFUSED = "refused"

    @property
    def is_good(self) -> bool:
        """Whether `fulcrum ingest` may exit 0 after it."""
        return self not in (Outcome.BLOCKED, Outcome.REFUSED)


@dataclass(frozen=True)
class DeliveryReport:
    """One entry of the list `deliveries`; counts are rows of the file or of the warehouse.

    `business_date` is the last one that the file holds; `business_date_from` the first.
    """

    feed: str
    file: str
    sha256: str
    outcome: Outcome
    business_date: dt.date | None = None
    rows_in: int = 0
    rows_quarantined: int = 0
    rows_published: int = 0
    rows_superseded: int = 0
    publication_id: int | None = None
    messages: tuple[str, ...] = ()
    business_date_from: dt.date | None = None
    delivery_id: int | None = None
    verdict: str | None = None
    target: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain values, dates as ISO 8601."""
        plain = asdict(self)
        for name in ("business_date", "business_date_from"):
            plain[name] = plain[name].isoformat() if plain[name] else None
        plain["outcome"] = str(self.outcome)
        plain["messages"] = list(self.messages)
        return plain
