"""Types one row by the contract: cells in the dialect of the file in, staging columns out.

Parsing of a single cell is `cells.py`; where the rows come from and go to is none of this module's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from fulcrum.contracts.model import Dialect, FeedContract, FeedField, LogicalType
from fulcrum.ingest import cells
from fulcrum.ingest.cells import CellError, CellParser
from fulcrum.ingest.facts import FIRST_BUSINESS_DATE, last_business_date

Texts = list[str | None]
"""Values of the staging columns of one row, as PostgreSQL reads them."""


class BadCellError(ValueError):
    """A cell of a row does not parse; the row goes to quarantine."""

    def __init__(self, column: str, value: str | None, message: str) -> None:
        super().__init__(message)
        self.column, self.value, self.message = column, value, message


def is_simple(entry: FeedField) -> bool:
    """Whether PostgreSQL can read the field's cells as they are."""
    return not (
        entry.values is not None
        or entry.routes
        or entry.extract
        or entry.null_tokens
        or entry.date_formats
        or entry.scale
        or entry.is_ignored
    )


def parser_of(entry: FeedField, dialect: Dialect) -> CellParser:
    """The parser of one field's cells that are not null."""
    number = cells.number_parser(dialect.decimal_mark, dialect.thousands_mark, dialect.strip, entry.scale)
    match entry.logical_type:
        case LogicalType.NUMBER:
            return number
        case LogicalType.INTEGER:
            return cells.integer_parser(number)
        case LogicalType.BOOLEAN:
            return cells.boolean_parser()
        case LogicalType.DATE:
            formats = entry.date_formats or dialect.date_formats
            if entry.name == "business_date":
                return cells.date_parser(formats, FIRST_BUSINESS_DATE, last_business_date())
            return cells.date_parser(formats)
        case _:
            return cells.text_parser(entry.extract)


@dataclass
class RowTyper:
    """Types rows of one delivery; `columns` are what `texts` returns, in order.

    `facts` hold for every row; those that the contract tells by portfolio are taken from them first,
    because who delivers a fund that the contract does not list says them on the command line.
    """

    contract: FeedContract
    headers: frozenset[str]
    facts: Mapping[str, str] = field(default_factory=dict)
    columns: tuple[str, ...] = ()
    unlisted: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(column, cell) -> rows in which an enumeration did not list it."""

    def __post_init__(self) -> None:
        fields = [entry for entry in self.contract.fields if not entry.is_ignored and entry.header in self.headers]
        names = [name for entry in fields for name in entry.staged_as]
        names += [copy for copy, source in self.contract.copies.items() if source in names]
        self._by_portfolio = tuple({name: None for facts in self.contract.by_portfolio.values() for name in facts})
        names += self._by_portfolio
        self.columns = tuple(dict.fromkeys(names))
        self._index = {name: index for index, name in enumerate(self.columns)}
        self._steps = [self._step(entry) for entry in fields]
        self._copies = [
            (self._index[copy], self._index[source])
            for copy, source in self.contract.copies.items()
            if copy in self._index
        ]
        self._defaults = [
            (self._index[name], value) for name, value in self.contract.defaults.items() if name in self._index
        ]
        self._nulls = [self._index[name] for name in self.contract.row_filter_nulls if name in self._index]

    def texts(self, row: Mapping[str, str | None]) -> Texts | None:
        """The row's values by column; None if it is a spacer and no data.

        Raises:
            BadCellError: a cell does not parse, or a required one is empty.
        """
        values: Texts = [None] * len(self.columns)
        missing: FeedField | None = None
        for header, step, entry in self._steps:
            cell = row.get(header)
            text = cell.strip() if cell is not None else ""
            if not step(text, values) and entry.is_required and missing is None:
                missing = entry
        if self._nulls and all(values[index] is None for index in self._nulls):
            return None
        if missing is not None:
            raise BadCellError(missing.name, row.get(missing.header), "is empty, but every row must have it")
        for copy, source in self._copies:
            if values[copy] is None:
                values[copy] = values[source]
        for index, value in self._defaults:
            if values[index] is None:
                values[index] = value
        if self.contract.by_portfolio:
            self._add_portfolio_facts(values)
        return values

    def _add_portfolio_facts(self, values: Texts) -> None:
        code = self.facts.get("portfolio_code")
        if code is None and "portfolio_code" in self._index:
            code = values[self._index["portfolio_code"]]
        listed = self.contract.by_portfolio.get(code or "", {})
        for name in self._by_portfolio:
            if values[self._index[name]] is None:
                values[self._index[name]] = self.facts.get(name, listed.get(name))

    def _step(self, entry: FeedField) -> tuple[str, Callable[[str, Texts], bool], FeedField]:
        dialect = self.contract.dialect
        nulls = frozenset(token.strip() for token in (*dialect.null_tokens, *entry.null_tokens, ""))
        if entry.routes:
            return entry.header, self._routing_step(entry, nulls), entry
        if entry.values is not None:
            return entry.header, self._listing_step(entry, nulls), entry
        parse, index, name = parser_of(entry, dialect), self._index[entry.name], entry.name

        def step(text: str, values: Texts) -> bool:
            if text in nulls:
                return False
            try:
                values[index] = value = parse(text)
            except CellError as error:
                raise BadCellError(name, text, str(error)) from error
            return value is not None

        return entry.header, step, entry

    def _listing_step(self, entry: FeedField, nulls: frozenset[str]) -> Callable[[str, Texts], bool]:
        listed = {_folded(text): value for text, value in (entry.values or {}).items()}
        index, otherwise, parse = self._index[entry.name], entry.values_otherwise, cells.text_parser(entry.extract)

        def step(text: str, values: Texts) -> bool:
            if text in nulls and _folded(text) not in listed:
                return False
            found = listed.get(_folded(parse(text) or ""))
            if found is None:
                if otherwise is None:
                    raise BadCellError(entry.name, text, "is none of the values that the contract lists")
                self.unlisted[entry.name, text] += 1
                found = otherwise
            values[index] = found or None
            return bool(found)

        return step

    def _routing_step(self, entry: FeedField, nulls: frozenset[str]) -> Callable[[str, Texts], bool]:
        routes = dict(entry.routes or {})
        rest = routes.pop("otherwise", None)
        parse = cells.text_parser(entry.extract)

        def step(text: str, values: Texts) -> bool:
            if text in nulls or (value := parse(text)) is None:
                return False
            column = next((column for form, column in routes.items() if cells.has_form(form, value)), rest)
            if column is None:
                raise BadCellError(entry.name, text, f"is none of: {', '.join(routes)}")
            if values[self._index[column]] is None:
                values[self._index[column]] = value
            return True

        return step

    def notes(self) -> Iterable[str]:
        """One sentence for each column that had cells which its enumeration does not list."""
        by_column: dict[str, Counter[str]] = {}
        for (column, cell), count in self.unlisted.items():
            by_column.setdefault(column, Counter())[cell] += count
        otherwise = {entry.name: entry.values_otherwise for entry in self.contract.fields}
        for column, counts in by_column.items():
            shown = ", ".join(f"{cell!r} ({count})" for cell, count in counts.most_common(5))
            more = f" and {len(counts) - 5} more" if len(counts) > 5 else ""  # noqa: PLR2004
            yield (
                f"{column}: the contract does not list {shown}{more}; "
                f"{sum(counts.values())} rows have {otherwise[column] or 'no value'} instead."
            )


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())
