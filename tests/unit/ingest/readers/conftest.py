"""Small files of our own, and how a reader is asked for their rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from fulcrum.contracts.catalog import contract_for
from fulcrum.contracts.delivery import Landed
from fulcrum.ingest.readers.interface import Reading, RefusedRow, Row, reader_called
from fulcrum.settings import read_settings

Read = Callable[..., tuple[Reading, list[Row], list[RefusedRow]]]


@pytest.fixture(scope="session")
def filings() -> Path:
    """The folder of made-up filings."""
    return Path(__file__).parents[3] / "fixtures" / "filings"


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """`read(feed, content or path, name=..., **parameters)` -> reading, its rows, its refused rows."""

    def run(
        feed: str, content: bytes | Path, *, name: str = "file", parameters: Mapping[str, str] | None = None
    ) -> tuple[Reading, list[Row], list[RefusedRow]]:
        file_name = content.name if isinstance(content, Path) and name == "file" else name
        stored = tmp_path / "landed"
        stored.write_bytes(content.read_bytes() if isinstance(content, Path) else content)
        landed = Landed("0" * 64, stored.stat().st_size, stored, file_name)
        contract = contract_for(read_settings(), feed)
        reading = reader_called(contract.reader)(landed, contract, parameters or {})
        found = list(reading.rows)
        rows = [row for row in found if isinstance(row, Row)]
        return reading, rows, [row for row in found if isinstance(row, RefusedRow)]

    return run
