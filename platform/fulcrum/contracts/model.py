"""A feed contract as Fulcrum reads it: the ODCS v3 document plus its `fulcrum` custom property.

Only shapes and their checks stand here; finding and reading the YAML files is `catalog.py`.
"""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from fulcrum.warehouse.targets import target


class Strict(BaseModel):
    """Frozen, and refuses words that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class LogicalType(StrEnum):
    """ODCS logical types that a cell can have."""

    STRING = "string"
    NUMBER = "number"
    INTEGER = "integer"
    DATE = "date"
    BOOLEAN = "boolean"


class FeedField(Strict):
    """One fact that a row of the file tells.

    `name` is the staging column, in the words of the target; `header` what the file calls it, with
    `aliases` for other editions of the same layout. An `ignored` column is known and not staged.
    Two fields may read one header (an exchange's name as written, and its code).
    """

    name: str
    header: str
    aliases: tuple[str, ...] = ()
    logical_type: LogicalType = LogicalType.STRING
    is_required: bool = False
    may_be_absent: bool = False
    is_ignored: bool = False
    classification: str = "internal"
    description: str = ""
    values: dict[str, str] | None = None
    """Enumeration: what the file writes -> what is staged; letter case and outer blanks do not count."""
    values_otherwise: str | None = None
    """Staged, with a message, for a cell that `values` does not list (`""`: null); unset: the row is refused."""
    routes: dict[str, str] | None = None
    """Identifier form (`isin`, `cusip`, `sedol`, `figi`, `lei`, `us_ticker`) -> staging column: the first
    form whose shape and check digits the cell has takes it, `otherwise` takes the rest; `name` itself
    is then not staged."""
    extract: str | None = None
    """Pattern whose group `value` replaces a cell that it matches (`RKLB UQ` -> `RKLB`)."""
    null_tokens: tuple[str, ...] = ()
    """Further texts that mean null in this column only."""
    date_formats: tuple[str, ...] | None = None
    scale: str | None = None
    """Decimal factor from the file's unit to the target's (`1000` for values in thousands)."""

    @property
    def staged_as(self) -> tuple[str, ...]:
        """The staging columns that this field may fill."""
        if self.is_ignored:
            return ()
        return tuple(dict.fromkeys(self.routes.values())) if self.routes else (self.name,)


class Dialect(Strict):
    """How the bytes of a delimited or Excel file are cut into cells."""

    encodings: tuple[str, ...] = ("utf-8-sig",)
    delimiter: str = ","
    quote: str = '"'
    decimal_mark: str = "."
    thousands_mark: str | None = None
    strip: tuple[str, ...] = ()
    """Texts removed from numbers before they are read, such as `$` and `%`."""
    null_tokens: tuple[str, ...] = ("",)
    date_formats: tuple[str, ...] = ("%Y-%m-%d",)
    header_within: int = 1
    """The header row is looked for in the first so many rows; what is above is preamble."""
    footer: Literal["none", "blank_row", "short_row", "trailer"] = "none"
    """`blank_row`: rows end at the first empty row; `short_row`: at the first row with fewer cells;
    `trailer`: the last line begins with `trailer_mark`."""
    footer_required: bool = False
    """A file without its footer was cut off, and is refused (unless `--set complete=yes`)."""
    trailer_mark: str = "#END"
    """Begins the last line of house files: `#END,rows=<n>,<column>=<total>`; becomes `control_rows`,
    `control_column` and `control_total`, which the gate compares."""
    sheet: str | None = None


class Found(Strict):
    """Where a fact about the whole delivery comes from; the first source that tells it wins.

    `preamble`: a row whose first cell is `label`, value in the second; `preamble_line`: the first
    cell of row `line`; `file_name`: the pattern's named group; `document`: the reader of the format;
    `constant`: the contract itself; `command`: only `--set`. `pattern`, where given, cuts the value
    out of what was found (its group called `name`). What `--date` and `--set` say is used where none
    of these tells, and may not contradict them.
    """

    name: str
    origin: Literal["preamble", "preamble_line", "file_name", "document", "constant", "command"]
    label: str | None = None
    line: int | None = None
    pattern: str | None = None
    value: str | None = None
    date_formats: tuple[str, ...] = ("%Y-%m-%d",)
    values: dict[str, str] | None = None
    """What was found -> what it means; a word that is not listed tells nothing."""
    is_required: bool = True
    """Refuse the file when nothing tells it; business_date and portfolio_code mostly are."""


class Identifier(Strict):
    """One way to name the instrument, strongest first.

    `scheme` may hold `{source}`; for `TICKER` the market is taken from staging's `exchange_code`
    (`TICKER@XLON`, and `TICKER@US` for every exchange of the United States) or from `market`.
    Several `columns` are joined by `|`.
    """

    scheme: str
    columns: tuple[str, ...]
    market: str | None = None


class Sla(Strict):
    """When the feed is due: by `due_time` (HH:MM, `time_zone`), `lag_days` after the business date.

    `calendar` is the exchange (ISO 10383 MIC) on each of whose trading days a file is expected; unset: the
    feed comes when it comes, and cannot be missing. It is missed from the business date `first_date` on; unset: from
    that of the first file that came.
    """

    due_time: str = "08:00"
    time_zone: str = "UTC"
    lag_days: int = 1
    calendar: str | None = None
    first_date: dt.date | None = None


class Place(Strict):
    """Where contracts are read from: a file that no layout fits is compared with the siblings there."""

    folders: tuple[Path, ...] = ()
    vocabulary: Path | None = None
    """Folder of shared enumerations, one YAML map per file."""


class FeedContract(Strict):
    """Everything that Fulcrum needs to know of one feed."""

    feed: str
    title: str
    purpose: str = ""
    domain: str = ""
    usage: str = ""
    limitations: str = ""
    support: str = ""
    """Where to ask: a mailbox or channel of the owner."""
    version: str = "1.0.0"
    status: str = "active"
    owner: str
    source: str
    """Short code of who sends it; becomes `source_code` and `{source}`."""
    target: str
    reader: Literal["delimited", "excel", "nport", "form13f", "ecb", "gleif"] = "delimited"
    reader_options: dict[str, Any] = Field(default_factory=dict)
    accepts_parquet: bool = False
    """The same columns also come as Parquet, told by the file's first bytes."""
    dialect: Dialect = Dialect()
    fields: tuple[FeedField, ...]
    constants: dict[str, str] = Field(default_factory=dict)
    """Staging columns with one value for every row."""
    defaults: dict[str, str] = Field(default_factory=dict)
    """Staged where the file has no such column, or an empty cell in it."""
    copies: dict[str, str] = Field(default_factory=dict)
    """Staging column <- another staging column, where the file says it once."""
    found: tuple[Found, ...] = ()
    by_portfolio: dict[str, dict[str, str]] = Field(default_factory=dict)
    """Facts that the file does not state, by portfolio code (`{EUNL: {currency_code: USD}}`)."""
    row_filter_nulls: tuple[str, ...] = ()
    """A row in which all these columns are null is not data (spacer rows); it is counted, not staged."""
    identifiers: tuple[Identifier, ...] = ()
    unknown_instruments: Literal["provisional", "quarantine"] = "quarantine"
    unknown_portfolios: Literal["provisional", "quarantine"] = "quarantine"
    position_columns: tuple[str, ...] = ()
    """Columns that, joined by `|`, make `position_code`."""
    numbers_repeated_lines: bool = False
    """Lines that repeat a key are told apart by `#2`, `#3` ... in `position_code`, not refused."""
    mode: Literal["snapshot", "delta"] = "snapshot"
    """`snapshot`: within the scope, what the file no longer lists is superseded; `delta`: it stays."""
    scope: tuple[str, ...] = ("business_date",)
    """Staging columns whose distinct values say what a snapshot covers."""
    suite: str | None = None
    """Suite of rules, `core/holding`; unset: the target's."""
    sla: Sla = Sla()
    place: Place = Place()
    file_pattern: str | None = None
    """File names that the drop folder and `fulcrum ingest` expect; informs, never refuses."""

    @property
    def staged_fields(self) -> tuple[FeedField, ...]:
        """The fields that become staging columns."""
        return tuple(field for field in self.fields if not field.is_ignored)

    @property
    def staging_columns(self) -> tuple[str, ...]:
        """Every staging column that this feed fills, in order, without `source_row`.

        Facts about the whole delivery are staged on every row if the target has a word for them; the
        business date always is.
        """
        known = target(self.target).staging_types
        names = [name for field in self.fields for name in field.staged_as]
        names += [*self.constants, *self.defaults, *self.copies]
        names += [fact.name for fact in self.found if fact.name in known]
        names += [name for facts in self.by_portfolio.values() for name in facts]
        return tuple(dict.fromkeys([*names, "business_date"]))
