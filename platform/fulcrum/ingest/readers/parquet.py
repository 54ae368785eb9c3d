"""Reads a Parquet file in batches: as CSV blocks for COPY, or as rows where a value needs a closer look.

House feeds take Parquet with the columns of their CSV; decimals stay exact, a batch at a time is held.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

from fulcrum.contracts.delivery import Landed
from fulcrum.contracts.layout import layout
from fulcrum.contracts.model import FeedContract
from fulcrum.errors import DeliveryRefusedError
from fulcrum.ingest.bulk import Block, Body
from fulcrum.ingest.readers.header import layout_refusal
from fulcrum.ingest.readers.interface import Reading
from fulcrum.ingest.readers.tabular import CutMark, read_table

BATCH = 50_000


def open_parquet(landed: Landed, contract: FeedContract) -> Body:
    """The file as blocks of CSV, one per batch.

    Raises:
        DeliveryRefusedError: it is damaged, has other columns, or no rows.
    """
    file, headers = _open(landed, contract)

    def blocks() -> Iterator[Block]:
        import polars as pl

        for batch in _batches(landed, file):
            frame = pl.from_arrow(batch)
            assert isinstance(frame, pl.DataFrame)
            yield Block(frame.write_csv(include_header=False).encode(), len(frame), has_row_per_line=False)

    return Body(headers, 1, blocks())


def read(landed: Landed, contract: FeedContract, parameters: Mapping[str, str]) -> Reading:
    """Read the file row by row; `source_row` counts its rows from 1.

    Raises:
        DeliveryRefusedError: as `open_parquet`.
    """
    file, headers = _open(landed, contract)

    def cell_rows() -> Iterator[tuple[int, list[str]]]:
        yield 0, list(headers)
        number = 0
        for batch in _batches(landed, file):
            for values in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                number += 1
                yield number, [_text(value) for value in values]

    return read_table(landed, contract, parameters, cell_rows(), CutMark())


def _open(landed: Landed, contract: FeedContract) -> tuple[Any, tuple[str, ...]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not contract.accepts_parquet:
        raise DeliveryRefusedError(
            f"The file is a Parquet file; feed {contract.feed} does not take them.",
            file=landed.file_name,
            remedy="Deliver it as CSV.",
        )
    try:
        file = pq.ParquetFile(landed.path)
    except (pa.ArrowException, OSError) as error:
        raise _damaged(landed, error) from error
    found = layout(contract, file.schema_arrow.names)
    if not found.fits:
        raise layout_refusal(landed, contract, [(0, file.schema_arrow.names)], None)
    if not file.metadata.num_rows:
        raise DeliveryRefusedError(
            "The file has columns and no rows.",
            file=landed.file_name,
            remedy="Fetch it again: an empty delivery would close every position.",
        )
    return file, tuple(header for header in found.headers if header)


def _batches(landed: Landed, file: Any) -> Iterator[Any]:
    import pyarrow as pa

    try:
        yield from file.iter_batches(BATCH)
    except (pa.ArrowException, OSError) as error:
        raise _damaged(landed, error) from error


def _damaged(landed: Landed, error: Exception) -> DeliveryRefusedError:
    return DeliveryRefusedError(
        f"The Parquet file is damaged or half-written: {str(error).splitlines()[0]}",
        file=landed.file_name,
        remedy="Fetch it again from its source; nothing of it was used.",
    )


def _text(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float():
            return repr(value)
        case dt.datetime() if value.time() == dt.time():
            return value.date().isoformat()
        case dt.date():
            return value.isoformat()
        case _:
            return str(value)
