"""What resolving and publishing need to know of a contract and of a staged delivery.

Protocols, because `contracts` and `ingest` stand above `warehouse`; no behaviour stands here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Protocol


class IdentifierRule(Protocol):
    """One way to name the instrument: a scheme and the staging columns that hold its value."""

    @property
    def scheme(self) -> str:
        """Scheme, in which `{source}` stands for the feed's source."""
        ...

    @property
    def columns(self) -> tuple[str, ...]:
        """Staging columns; several are joined by `|`."""
        ...

    @property
    def market(self) -> str | None:
        """Fixed market of a ticker; None: staging's `exchange_code`."""
        ...


class PublishedFeed(Protocol):
    """The part of `FeedContract` that publishing reads."""

    @property
    def feed(self) -> str:
        """Name of the feed."""
        ...

    @property
    def version(self) -> str:
        """Version of the contract."""
        ...

    @property
    def source(self) -> str:
        """Short code of who sends it."""
        ...

    @property
    def target(self) -> str:
        """Name of the target, as in `core.holding`."""
        ...

    @property
    def identifiers(self) -> Sequence[IdentifierRule]:
        """Ways to name the instrument, strongest first."""
        ...

    @property
    def unknown_instruments(self) -> str:
        """`provisional` or `quarantine`."""
        ...

    @property
    def unknown_portfolios(self) -> str:
        """`provisional` or `quarantine`."""
        ...

    @property
    def position_columns(self) -> tuple[str, ...]:
        """Columns that, joined by `|`, make `position_code`."""
        ...

    @property
    def numbers_repeated_lines(self) -> bool:
        """Whether lines that repeat a key are numbered."""
        ...

    @property
    def mode(self) -> str:
        """`snapshot` or `delta`."""
        ...

    @property
    def scope(self) -> tuple[str, ...]:
        """Staging columns whose distinct values say what a snapshot covers."""
        ...


class StagedRows(Protocol):
    """The part of `Staged` that publishing reads."""

    @property
    def table(self) -> str:
        """`staging.delivery_<id>`."""
        ...

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the table without `source_row`."""
        ...

    @property
    def business_dates(self) -> tuple[dt.date, dt.date] | tuple[None, None]:
        """First and last business date."""
        ...
