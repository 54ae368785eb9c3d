"""What every reader takes and gives, and how a contract names its reader.

A reader of a new format is a module here with a function `read` of type `Reader`, and its name in
`_MODULES`; what a row means belongs in the contract, not here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import NamedTuple

from fulcrum.contracts.delivery import Landed
from fulcrum.contracts.model import FeedContract
from fulcrum.errors import ContractError


class Row(NamedTuple):
    """One row of the file.

    `source_row` is its first physical line (1-based, preamble and header included; for documents the
    ordinal of the element). `cells` maps `FeedField.header` of the contract to the text as the file
    has it; a header that is missing or `None` is null. Texts are parsed by the contract's dialect
    (numbers, dates, null tokens, enumerations, scale), so a reader yields them untouched.
    """

    source_row: int
    cells: Mapping[str, str | None]


class RefusedRow(NamedTuple):
    """A row that the reader itself cannot turn into cells; it goes to quarantine."""

    source_row: int
    column: str | None
    value: str | None
    message: str


@dataclass
class Reading:
    """An opened file: what it says of itself, and its rows.

    `metadata` (facts about the whole delivery by `Found.name`, as the text of the file; those a
    contract marks with origin `document`) must be complete when the reader returns; `rows` streams.
    `headers` are the `FeedField.header`s that this file has (None: all of the contract's).
    `messages` may grow while rows are read (counts of spacer rows and the like). A reader that finds
    the file unreadable raises DeliveryRefusedError, also in the middle of `rows`.
    """

    metadata: dict[str, str]
    rows: Iterator[Row | RefusedRow]
    messages: list[str] = field(default_factory=list)
    headers: frozenset[str] | None = None
    is_unended: bool = False
    """Known at the end of `rows`: the last line has no end, so a bad cell in it was cut off."""
    close: Callable[[], None] = lambda: None
    """Gives the file back; called when no more rows are wanted."""


Reader = Callable[[Landed, FeedContract, Mapping[str, str]], Reading]
"""`read(landed, contract, parameters)`; `parameters` are those of the command (`--date`, `--set`)."""

_MODULES = {
    "delimited": "fulcrum.ingest.readers.delimited",
    "excel": "fulcrum.ingest.readers.excel",
    "parquet": "fulcrum.ingest.readers.parquet",
    "nport": "fulcrum.ingest.readers.nport",
    "form13f": "fulcrum.ingest.readers.form13f",
    "gleif": "fulcrum.ingest.readers.gleif",
    "ecb": "fulcrum.ingest.readers.ecb",
}


def reader_called(name: str) -> Reader:
    """The function `read` of that reader's module.

    Raises:
        ContractError: there is no such reader.
    """
    if name not in _MODULES:
        raise ContractError(f"Unknown reader {name!r}.", remedy=f"Use one of: {', '.join(sorted(_MODULES))}.")
    reader: Reader = import_module(_MODULES[name]).read
    return reader
