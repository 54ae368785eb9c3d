"""Stages one landed file: chooses the way in, fills the table, and tells what became of its rows.

Judging the rows is the gate's; a refusal leaves nothing staged, and the file landed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fulcrum.contracts.delivery import Landed, Staged
from fulcrum.contracts.model import FeedContract
from fulcrum.errors import DeliveryRefusedError
from fulcrum.ingest import tables
from fulcrum.ingest.bulk import Body, BulkCopy, NotCanonicalError, column_names, is_canonical, open_body
from fulcrum.ingest.facts import FIRST_BUSINESS_DATE, SWITCHES, delivery_facts, last_business_date
from fulcrum.ingest.fields import RowTyper
from fulcrum.ingest.readers.interface import Reading, reader_called
from fulcrum.ingest.rows import RowCopy, refuse_all
from fulcrum.ingest.tables import Connection, Refusal, Summary
from fulcrum.ingest.unpacking import Kind, unpack
from fulcrum.warehouse.targets import IDENTIFIER_COLUMNS, target

__all__ = ["Staged", "stage"]

_OMITTED_WHEN_ABSENT = frozenset((*IDENTIFIER_COLUMNS, "lei", "exchange_code"))
"""Ways to name an instrument that a file does not use would only widen the look-up of instruments."""


_NOT_FINITE = "The cell is not a number (1234.56)."


def stage(
    connection: Connection,
    contract: FeedContract,
    landed: Landed,
    delivery_id: int,
    parameters: Mapping[str, str],
) -> Staged:
    """Fill `staging.delivery_<id>` from the landed file, in one transaction that is committed.

    Rows with a cell that does not parse go to `quality.quarantined_row` (rule `cell.parse`) instead.
    Staging again what a crash interrupted starts afresh.

    Raises:
        DeliveryRefusedError: the file cannot be read at all; nothing of it stays but its landed bytes.
    """
    work = _Staging(connection, contract, landed, delivery_id, dict(parameters))
    with connection.transaction():
        work.fill()
        staged = work.finish()
    if not connection.autocommit:
        connection.commit()
    return staged


@dataclass
class _Staging:
    """The state of one `stage`."""

    connection: Connection
    contract: FeedContract
    landed: Landed
    delivery_id: int
    parameters: dict[str, str]
    metadata: dict[str, str] = field(default_factory=dict)
    columns: dict[str, str] = field(default_factory=dict)
    in_rows: frozenset[str] = frozenset()
    refusals: list[Refusal] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    needs_trim: bool = False
    may_hold_nan: bool = False

    @property
    def table(self) -> str:
        return f"staging.delivery_{self.delivery_id}"

    def fill(self) -> None:
        """Copy every row that parses, by the fast way if it is open."""
        kind = unpack_kind(self.landed) if self.contract.reader == "delimited" else None
        try:
            if kind is Kind.PARQUET and self.contract.accepts_parquet:
                from fulcrum.ingest.readers.parquet import open_parquet

                with self.connection.transaction():
                    self._fill_in_bulk(open_parquet(self.landed, self.contract))
                return
            if kind is Kind.TEXT and is_canonical(self.contract):
                with self.connection.transaction(), open_body(self.landed, self.contract) as body:
                    self._fill_in_bulk(body)
                return
        except NotCanonicalError:
            self.refusals, self.messages, self.needs_trim = [], [], False
        is_parquet = kind is Kind.PARQUET and self.contract.accepts_parquet
        reader = reader_called("parquet" if is_parquet else self.contract.reader)
        reading = reader(self.landed, self.contract, self.parameters)
        try:
            self._fill_by_row(reading)
        finally:
            reading.close()

    def _fill_in_bulk(self, body: Body) -> None:
        names = column_names(self.contract, body.headers)
        facts = self._prepare({}, frozenset(names), body.first_row)
        copy = BulkCopy(self.connection, self.table, self.contract, body.headers, body.first_row)
        copy.run(body.blocks)
        if body.is_unended:
            if copy.refusals and copy.refusals[-1].source_row == copy.row - 1:
                raise NotCanonicalError("cut off")
            self.messages.append("The last line has no line end; it was taken as whole.")
        if copy.row == body.first_row:
            raise NotCanonicalError("no rows")
        self.refusals, self.needs_trim, self.may_hold_nan = copy.refusals, copy.needs_trim, copy.may_hold_nan
        self.metadata = {**facts, **body.trailer}

    def _fill_by_row(self, reading: Reading) -> None:
        headers = reading.headers
        if headers is None:
            headers = frozenset(entry.header for entry in self.contract.fields)
        typer = RowTyper(self.contract, headers)
        told = frozenset(name for entry in self.contract.fields if entry.header in headers for name in entry.staged_as)
        facts = self._prepare(reading.metadata, told, 1)
        typer.facts = facts
        copy = RowCopy(self.connection, self.table, self.landed, typer)
        copy.run(reading)
        self.refusals = copy.refusals
        self.metadata = {**reading.metadata, **facts}
        self.messages += [*reading.messages, *typer.notes()]
        if copy.spacers:
            self.messages.append(
                f"{copy.spacers} rows hold nothing in {', '.join(self.contract.row_filter_nulls)} and are no data."
            )

    def _prepare(self, content: Mapping[str, str], in_rows: frozenset[str], first_row: int) -> dict[str, str]:
        """Settle the facts and create the table; returns the facts."""
        facts = delivery_facts(self.contract, self.landed, content, self.parameters, in_rows, self.messages)
        types = target(self.contract.target).staging_types
        absent = set(self.contract.staging_columns) - in_rows
        defaults = {name: value for name, value in self.contract.defaults.items() if name not in in_rows}
        defaults |= {name: value for name, value in facts.items() if name in types}
        defaults |= self.contract.constants
        copied = {copy for copy, source in self.contract.copies.items() if source in in_rows}
        by_portfolio = {name for named in self.contract.by_portfolio.values() for name in named}
        wanted = dict.fromkeys((*self.contract.staging_columns, *defaults, "business_date"))
        self.columns = {
            name: types[name]
            for name in wanted
            if name in in_rows
            or name in defaults
            or name in copied
            or name in by_portfolio
            or (name in absent and name not in _OMITTED_WHEN_ABSENT)
        }
        self.in_rows = in_rows
        tables.clear(self.connection, self.table, self.delivery_id)
        tables.create(self.connection, self.table, self.columns, defaults, first_row)
        return facts

    def finish(self) -> Staged:
        """Check what needs all rows at once, write the quarantine, and count."""
        self._tidy()
        tables.quarantine(self.connection, self.delivery_id, self.refusals)
        found, moved = self._check_rows()
        refused = len(self.refusals) + moved
        if not found.rows:
            self._refuse_all(refused)
        self._refuse_contradictions()
        if refused:
            self.messages.append(f"{refused:,} of {found.rows + refused:,} rows do not parse and are in quarantine.")
        dates = (found.first, found.last) if found.first and found.last else (None, None)
        return Staged(
            table=self.table,
            columns=tuple(self.columns),
            rows_in=found.rows + refused,
            rows_refused=refused,
            business_dates=dates,
            metadata=self.metadata,
            messages=self.messages,
        )

    def _tidy(self) -> None:
        """What the fast way leaves to do: blanks around texts, defaults for empty cells."""
        if self.needs_trim:
            texts = [name for name in self.columns if name in self.in_rows and self.columns[name] == "text"]
            tables.trim(self.connection, self.table, texts)
        defaults = {name: value for name, value in self.contract.defaults.items() if name in self.in_rows}
        tables.fill_nulls(self.connection, self.table, defaults)

    def _check_rows(self) -> tuple[Summary, int]:
        """Move rows that lack what every row must have, or hold no believable value, to quarantine."""
        needed = dict.fromkeys(
            name
            for entry in self.contract.fields
            if entry.is_required or entry.name in ("business_date", "portfolio_code")
            for name in entry.staged_as
            if name in self.in_rows and not entry.routes
        )
        numbers = [name for name in self.columns if name in self.in_rows and self.columns[name] == "numeric"]
        found = tables.summary(self.connection, self.table, tuple(needed), numbers if self.may_hold_nan else ())
        first, last = FIRST_BUSINESS_DATE, last_business_date()
        bad: list[tuple[str, str, str, str]] = [
            (name, "{} is null", tables.REQUIRED_RULE, "The cell is empty, but every row must have it.")
            for name in found.lacking
        ]
        bad += [
            (name, "scale({}) is null and {} is not null", tables.PARSE_RULE, _NOT_FINITE) for name in found.endless
        ]
        if found.first and found.last and not first <= found.first <= found.last <= last:
            condition = f"{{}} not between '{first}' and '{last}'"
            bad.append(("business_date", condition, tables.PARSE_RULE, f"The date is outside {first} to {last}."))
        if not bad:
            return found, 0
        moved = sum(tables.move_to_quarantine(self.connection, self.table, self.delivery_id, *each) for each in bad)
        return tables.summary(self.connection, self.table, (), ()), moved

    def _refuse_all(self, refused: int) -> None:
        if self.refusals:
            raise refuse_all(self.landed, self.refusals, f"None of {refused:,} rows can be read, first this one")
        raise DeliveryRefusedError(
            f"None of {refused:,} rows has what every row must have." if refused else "The file has no rows of data.",
            file=self.landed.file_name,
            remedy="Check that this is the right file; an empty delivery would close every position.",
        )

    def _refuse_contradictions(self) -> None:
        """What the command says of a column must be what every row says."""
        for name, value in self.parameters.items():
            if name in SWITCHES or name not in self.in_rows:
                continue
            if other := tables.first_other(self.connection, self.table, name, value):
                row, told = other
                raise DeliveryRefusedError(
                    f"The file says another {name} than the command, which says {value}.",
                    file=self.landed.file_name,
                    row=row,
                    column=name,
                    value=told,
                    remedy="Leave the option out, or deliver the right file.",
                )


def unpack_kind(landed: Landed) -> Kind:
    """What kind of file it is.

    Raises:
        DeliveryRefusedError: none that Fulcrum opens.
    """
    opened = unpack(landed)
    opened.stream.close()
    return opened.kind
