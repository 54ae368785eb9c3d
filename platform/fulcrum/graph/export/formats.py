"""Rows as CSV, Arrow stream or Parquet: types that lose nothing, and what is told in the file itself.

Numbers are decimals of 38 or 76 digits, never floats; where rows come from is not known here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.csv
import pyarrow.ipc
import pyarrow.parquet

from fulcrum.graph.export.flattening import ExportColumn

MEDIA_TYPES = {
    "parquet": "application/vnd.apache.parquet",
    "arrow": "application/vnd.apache.arrow.stream",
    "csv": "text/csv; charset=utf-8",
}
SCALE_STEP = 6
"""Scales are rounded up to 6, 12, 18 ..., so that files of different days mostly have one type."""
_DIGITS = (38, 76)
_TYPES = {
    "date": pa.date32(),
    "timestamptz": pa.timestamp("us", tz="UTC"),
    "boolean": pa.bool_(),
    "bigint": pa.int64(),
    "integer": pa.int64(),
}


@dataclass(frozen=True)
class Measured:
    """Of a numeric column: digits behind the point, and the largest amount; None without any value."""

    scale: int | None
    largest: Decimal | None


class Sink:
    """Takes the bytes of a file, counts and digests them, and gives them on piece by piece."""

    closed = False

    def __init__(self) -> None:
        self.size = 0
        self._sha256 = hashlib.sha256()
        self._pending: list[bytes] = []

    def write(self, data: Any) -> int:
        """Take some bytes."""
        taken = bytes(data)
        self._pending.append(taken)
        self._sha256.update(taken)
        self.size += len(taken)
        return len(taken)

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """Nothing is held open."""

    def tell(self) -> int:
        """How many bytes were taken."""
        return self.size

    def digest(self) -> str:
        """SHA-256 of all bytes so far, in hexadecimal."""
        return self._sha256.hexdigest()

    def take(self) -> bytes:
        """The bytes that came since the last time."""
        taken, self._pending = b"".join(self._pending), []
        return taken


class Writer(Protocol):
    """Writes one file into a sink."""

    def write(self, rows: bytes) -> None:
        """Write whole rows, in the form of PostgreSQL's COPY CSV."""

    def finish(self, rows: int) -> None:
        """Write what ends the file; without it the file can be told to be cut off."""


def arrow_type(column: ExportColumn, measured: Measured | None) -> pa.DataType:
    """The type that holds every value of a column; text for numbers that no decimal holds (NaN, 77 digits)."""
    if column.sql_type != "numeric":
        return _TYPES.get(column.sql_type, pa.string())
    if measured is None or measured.largest is None:
        return pa.decimal128(_DIGITS[0], SCALE_STEP)
    if measured.scale is None or not measured.largest.is_finite():
        return pa.string()
    whole = max(measured.largest.adjusted() + 1, 1)
    scale = -(-max(measured.scale, 1) // SCALE_STEP) * SCALE_STEP
    for digits, make in zip(_DIGITS, (pa.decimal128, pa.decimal256), strict=True):
        for wanted in (scale, measured.scale):
            if whole + wanted <= digits:
                return make(digits, wanted)
    return pa.string()


def schema_of(
    columns: Sequence[ExportColumn], measured: Mapping[str, Measured], manifest: Mapping[str, Any]
) -> pa.Schema:
    """The Arrow schema, with the manifest as its metadata under `fulcrum`."""
    fields = [
        pa.field(
            column.name,
            arrow_type(column, measured.get(column.name)),
            metadata={"description": column.description} if column.description else None,
        )
        for column in columns
    ]
    return pa.schema(fields, metadata={"fulcrum": json.dumps(manifest, sort_keys=True)})


def open_writer(kind: str, schema: pa.Schema, sink: Sink) -> Writer:
    """A writer of the format `kind`."""
    if kind == "csv":
        return _Csv(schema.names, sink)
    return _Arrow(schema, sink) if kind == "arrow" else _Parquet(schema, sink)


class _Csv:
    """RFC 4180 with LF; nothing between commas is null, `""` the empty text. The rows go on untouched."""

    def __init__(self, names: Sequence[str], sink: Sink) -> None:
        self._sink = sink
        sink.write((",".join(names) + "\n").encode())

    def write(self, rows: bytes) -> None:
        self._sink.write(rows)

    def finish(self, rows: int) -> None:
        """CSV has no end of its own."""


class _Arrow:
    """A stream whose last batch has no rows, but what was written before it: rows and SHA-256."""

    def __init__(self, schema: pa.Schema, sink: Sink) -> None:
        self._schema, self._sink = schema, sink
        self._writer = pa.ipc.new_stream(sink, schema)

    def write(self, rows: bytes) -> None:
        self._writer.write_table(_table(rows, self._schema))

    def finish(self, rows: int) -> None:
        empty = pa.RecordBatch.from_pylist([], schema=self._schema)
        self._writer.write_batch(empty, custom_metadata=_end(rows, self._sink))
        self._writer.close()


class _Parquet:
    """Row groups as they come; rows and SHA-256 of all before the footer are in the footer."""

    def __init__(self, schema: pa.Schema, sink: Sink) -> None:
        self._schema, self._sink = schema, sink
        self._writer = pa.parquet.ParquetWriter(sink, schema, compression="zstd")

    def write(self, rows: bytes) -> None:
        self._writer.write_table(_table(rows, self._schema))

    def finish(self, rows: int) -> None:
        self._writer.add_key_value_metadata(_end(rows, self._sink))
        self._writer.close()


def _end(rows: int, sink: Sink) -> dict[str, str]:
    return {"fulcrum.rows": str(rows), "fulcrum.sha256": sink.digest()}


def _table(rows: bytes, schema: pa.Schema) -> pa.Table:
    """Rows in Arrow's types; a value that does not fit its type is an error, never a rounded value."""
    # The CSV reader knows no decimals of 76 digits: those are read as text and cast.
    types = {found.name: pa.string() if pa.types.is_decimal256(found.type) else found.type for found in schema}
    read = pa.csv.read_csv(
        pa.BufferReader(rows),
        read_options=pa.csv.ReadOptions(use_threads=False, block_size=len(rows) + 1, column_names=schema.names),
        parse_options=pa.csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
        convert_options=pa.csv.ConvertOptions(
            column_types=types, null_values=[""], strings_can_be_null=True, quoted_strings_can_be_null=False
        ),
    )
    return read.cast(schema)
