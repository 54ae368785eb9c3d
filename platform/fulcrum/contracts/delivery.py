"""Shapes that one step of a delivery hands to the next: what landed, what was staged.

No behaviour stands here; landing and staging are `fulcrum.ingest`, publishing `fulcrum.warehouse`.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Landed:
    """A file in the landing zone: `path` is named by its hash, `file_name` as it arrived."""

    sha256: str
    size_bytes: int
    path: Path
    file_name: str


@dataclass(frozen=True)
class Staged:
    """One delivery's rows in `table` (`staging.delivery_<id>`).

    `columns` are those of the table without `source_row`; `rows_in` counts the rows that the file
    holds, `rows_refused` those of them that went to quarantine instead (a cell did not parse).
    `metadata` holds the facts about the whole delivery, `control_rows` and the like among them.
    """

    table: str
    columns: tuple[str, ...]
    rows_in: int
    rows_refused: int
    business_dates: tuple[dt.date, dt.date] | tuple[None, None]
    metadata: dict[str, str] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)
