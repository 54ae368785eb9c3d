"""Holds the header of a file against contracts: which field reads which column, and what differs.

Finding the header row inside a file is the readers' work.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fulcrum.contracts.model import FeedContract


def normalised(text: str) -> str:
    """Header text with case, kind and number of blanks and the byte order mark taken out."""
    return " ".join(unicodedata.normalize("NFKC", text).replace("\ufeff", "").casefold().split())


@dataclass(frozen=True)
class Layout:
    """How a header fits a contract.

    `headers` has for each cell of the header the `FeedField.header` that it stands for, or None.
    `missing` are headers that the contract needs, `unknown` cells that it does not know, `repeated`
    cells that stand there twice.
    """

    feed: str
    headers: tuple[str | None, ...]
    missing: tuple[str, ...]
    unknown: tuple[str, ...]
    repeated: tuple[str, ...]

    @property
    def fits(self) -> bool:
        """Whether the file can be read by the contract."""
        return not (self.missing or self.unknown or self.repeated)

    @property
    def known(self) -> int:
        """How many cells the contract knows."""
        return sum(header is not None for header in self.headers)

    @property
    def difference(self) -> str:
        """What differs, for people: `lacks 'Currency'; has 'Price' twice`; empty if nothing."""
        parts = [
            f"{words} {', '.join(map(repr, names[:8]))}{' ...' if len(names) > 8 else ''}"  # noqa: PLR2004
            for words, names in (("lacks", self.missing), ("does not know", self.unknown), ("twice:", self.repeated))
            if names
        ]
        return "; ".join(parts)


def layout(contract: FeedContract, cells: Sequence[str]) -> Layout:
    """How the header row `cells` fits `contract`; empty cells at the end do not count."""
    names = {normalised(text): entry.header for entry in contract.fields for text in (entry.header, *entry.aliases)}
    found = [normalised(cell) for cell in cells]
    while found and not found[-1]:
        found.pop()
    headers = tuple(names.get(cell) for cell in found)
    needed = dict.fromkeys(
        entry.header for entry in contract.fields if not entry.may_be_absent and not entry.is_ignored
    )
    counts = Counter(header or cell for header, cell in zip(headers, found, strict=True))
    return Layout(
        feed=contract.feed,
        headers=headers,
        missing=tuple(header for header in needed if header not in headers),
        unknown=tuple(
            cells[i].strip() or f"column {i + 1} without a name" for i, header in enumerate(headers) if header is None
        ),
        repeated=tuple(name for name, count in counts.items() if count > 1 and name),
    )


def nearest_feed(cells: Sequence[str], contracts: Iterable[FeedContract]) -> Layout | None:
    """The layout of the feed that shares most with the header `cells`; None if none shares half of it."""
    candidates = [layout(contract, cells) for contract in contracts]
    best = max(candidates, key=_nearness, default=None)
    return best if best is not None and best.known * 2 >= len(best.headers) and best.known else None


def _nearness(candidate: Layout) -> tuple[bool, float]:
    total = len(candidate.headers) + len(candidate.missing)
    return candidate.fits, candidate.known / total if total else 0.0
