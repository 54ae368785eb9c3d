"""Staging house files: what lands in the table, what in quarantine, and by which way in."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import io
import zipfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from fulcrum.contracts.catalog import contract_for
from fulcrum.contracts.model import FeedContract
from fulcrum.ingest import bulk
from fulcrum.settings import read_settings

DAY = dt.date(2026, 1, 5)
HEADER = "portfolio_code,isin,quantity,price,market_value,currency_code,cost,business_date\n"
ROW = "P1,US0378331005,10.50,1.1,11.55,USD,9,2026-01-05\n"


def by_rows(contract: FeedContract) -> FeedContract:
    """The same contract with a null token that no file has: it is then read row by row."""
    dialect = contract.dialect.model_copy(update={"null_tokens": ("", "\x07")})
    slow = contract.model_copy(update={"dialect": dialect})
    assert bulk.is_canonical(contract)
    assert not bulk.is_canonical(slow)
    return slow


def test_a_canonical_file_is_staged_with_types_and_physical_rows(staging: Any) -> None:
    staged = staging(HEADER + ROW + "P1,,-3,,,EUR,,2026-01-05\n")
    assert (staged.rows_in, staged.rows_refused, staged.messages) == (2, 0, [])
    assert staged.business_dates == (DAY, DAY)
    assert staging.rows(staged, "source_row, isin, quantity, cost, business_date, position_code") == [
        (2, "US0378331005", Decimal("10.50"), Decimal(9), DAY, None),
        (3, None, Decimal(-3), None, DAY, None),
    ]


@pytest.mark.parametrize("way", ["bulk", "rows"])
def test_a_cell_that_does_not_parse_quarantines_its_row_and_the_rest_goes_on(staging: Any, way: str) -> None:
    contract = contract_for(staging.settings, "house_holdings")
    lines = [f"P1,,{number},1,1,USD,1,2026-01-05\n" for number in range(2, 12)]
    lines[3] = "P1,,five,1,1,USD,1,2026-01-05\n"
    lines[4] = "P1,,6,1,1,USD,1,05.01.2026\n"
    lines[7] = ",,9,1,1,USD,1,2026-01-05\n"
    lines[8] = "P1,,NaN,1,1,USD,1,2026-01-05\n"
    lines[9] = "P1,,11,1,1,USD,1,2206-01-05\n"
    staged = staging(HEADER + "".join(lines), contract if way == "bulk" else by_rows(contract))
    assert (staged.rows_in, staged.rows_refused) == (10, 5)
    assert staging.rows(staged, "source_row, quantity::int") == [(n, n) for n in (2, 3, 4, 7, 8)]
    assert [(row, column) for row, column, _ in staging.quarantined()] == [
        (5, "quantity"), (6, "business_date"), (9, "portfolio_code"), (10, "quantity"), (11, "business_date"),
    ]  # fmt: skip
    assert [value for _, _, value in staging.quarantined()][:2] == ["five", "05.01.2026"]
    assert staged.messages == ["5 of 10 rows do not parse and are in quarantine."]


def test_source_rows_stay_true_over_blocks_with_bad_rows(staging: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "BLOCK", 300)  # many blocks from a small file
    bad = {2, 3, 57, 58, 59, 120, 301}
    lines = [f"P1,,{'x' if n in bad else n},1,1,USD,1,2026-01-05\n" for n in range(2, 302)]
    staged = staging(HEADER + "".join(lines))
    assert (staged.rows_in, staged.rows_refused) == (300, len(bad))
    assert staging.rows(staged, "source_row, quantity::int") == [(n, n) for n in range(2, 302) if n not in bad]
    assert [row for row, _, _ in staging.quarantined()] == sorted(bad)


QUICK = (Phase.explicit, Phase.reuse, Phase.generate)
"""Every example stages two tables: shrinking a failure would take minutes, and examples are small."""

FIXTURES = [HealthCheck.function_scoped_fixture]  # each staging is a delivery of its own

TEXTS = st.text(
    st.characters(codec="utf-8", exclude_characters="\x00\r\n\x07=+-@\t", exclude_categories=("Cc", "Cs")), max_size=8
)
NUMBERS = st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**12), max_value=10**12).map(str)
BAD = st.sampled_from(["x", "1,2", "NaN", "--", "2026-01-05", "1.2.3", "Infinity"])
ROWS = st.lists(
    st.tuples(
        st.sampled_from(["P1", " P2 ", "Ä,1", 'a"b', ""]),
        TEXTS,
        st.one_of(NUMBERS, NUMBERS, NUMBERS, BAD, st.just("")),
        st.sampled_from(["2026-01-05", "2026-01-06", "2025-02-30", "", "9999-01-01"]),
    ),
    min_size=1,
    max_size=12,
)


@given(rows=ROWS, end=st.sampled_from(["\n", "\r\n"]), trailer=st.booleans())
@hypothesis_settings(
    max_examples=20, deadline=None, phases=QUICK, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_both_ways_in_give_the_same_staging(
    staging: Any,
    rows: list[tuple[str, ...]],
    end: str,
    trailer: bool,  # noqa: FBT001
) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator=end)
    writer.writerow(("portfolio_code", "isin", "quantity", "business_date"))
    writer.writerows([("P1", "", "1", "2026-01-05"), *rows])
    content = text.getvalue() + (f"#END,rows={len(rows) + 1}{end}" if trailer else "")
    contract = contract_for(staging.settings, "house_holdings")
    seen = []
    for each in (contract, by_rows(contract)):
        staged = staging(content, each)
        table = staging.rows(staged, "source_row, portfolio_code, isin, quantity, business_date")
        refused = [row for row, _, _ in staging.quarantined()]  # of two bad cells each names one
        seen.append((table, refused, staged.rows_in, staged.rows_refused, staged.business_dates, staged.metadata))
    assert seen[0] == seen[1]
    assert seen[0][2] == len(rows) + 1


def test_a_trailer_gives_control_totals_and_is_no_row(staging: Any) -> None:
    staged = staging(HEADER + ROW + "#END,rows=1,market_value=11.55\n")
    assert staged.rows_in == 1
    assert staged.metadata == {"control_rows": "1", "control_column": "market_value", "control_total": "11.55"}


def test_dates_come_from_the_file_name_or_the_command(staging: Any) -> None:
    text = "portfolio_code,isin,quantity\nP1,US0378331005,1\n"
    assert staging(text, name="holdings_2026-01-05.csv").business_dates == (DAY, DAY)
    assert staging(text, business_date="2026-01-05").business_dates == (DAY, DAY)


def test_many_dates_in_one_file_are_fine(staging: Any) -> None:
    staged = staging(HEADER + ROW + ROW.replace("2026-01-05", "2026-01-09"))
    assert staged.business_dates == (DAY, dt.date(2026, 1, 9))


def test_defaults_fill_absent_columns_and_empty_cells(staging: Any) -> None:
    staged = staging("isin,price,business_date,source_code\nX,1,2026-01-05,\nX,1,2026-01-05,BANK\n", "house_prices")
    assert staging.rows(staged, "price_type_code, source_code") == [("CLOSE", "HOUSE"), ("CLOSE", "BANK")]


@pytest.mark.parametrize("pack", ["gz", "zip"])
def test_packed_files_are_unpacked_on_the_way(staging: Any, pack: str) -> None:
    content = (HEADER + ROW).encode()
    if pack == "zip":
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("holdings.csv", content)
        content = buffer.getvalue()
    else:
        content = gzip.compress(content)
    assert staging(content, name=f"holdings.csv.{pack}").rows_in == 1


def test_parquet_is_the_same_feed_with_exact_decimals(staging: Any, tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {
            "portfolio_code": ["P1", "P1", "P, 2"],
            "isin": ["US0378331005", None, "line\nbreak"],
            "quantity": [Decimal("12345678901234567890.123456"), Decimal("0.000001"), None],
            "business_date": [DAY, DAY, DAY],
        },
        schema_overrides={"quantity": pl.Decimal(38, 6)},
    )
    frame.write_parquet(tmp_path / "holdings.parquet")
    staged = staging.file(tmp_path / "holdings.parquet", "house_holdings")
    assert staging.rows(staged, "source_row, portfolio_code, isin, quantity, business_date") == [
        (number, *row) for number, row in enumerate(frame.rows(), 1)
    ]


def test_clients_in_gbk_are_read_and_the_delivery_says_so(staging: Any) -> None:
    text = "client_code,client_name,business_date\nC1,王小明,2026-01-05\nC2,Société,2026-01-05\n"
    staged = staging(text.encode("gb18030"), "house_clients", "clients.csv")
    assert staging.rows(staged, "client_name") == [("王小明",), ("Société",)]
    assert staged.messages == ["Read as GB18030; it is no UTF-8-SIG."]


def test_staging_again_after_a_crash_starts_afresh(staging: Any) -> None:
    first = staging(HEADER + ROW + ROW.replace("10.50", "x"))
    landed = staging.settings.landing
    from fulcrum.contracts.delivery import Landed
    from fulcrum.ingest.staging import stage

    file = next(path for path in landed.rglob("*") if path.is_file())
    again = stage(
        staging.connection,
        contract_for(staging.settings, "house_holdings"),
        Landed(file.name, file.stat().st_size, file, "holdings.csv"),
        staging.delivery_id,
        {},
    )
    assert (again.table, again.rows_in, again.rows_refused) == (first.table, 2, 1)
    assert len(staging.quarantined()) == 1


def test_a_new_feed_is_a_contract_and_no_python(staging: Any, tmp_path: Path) -> None:
    """A German broker's file, added at run time through FULCRUM_CONTRACTS_EXTRA."""
    number = {"logicalType": "number"}
    document = {
        "apiVersion": "v3.1.0",
        "kind": "DataContract",
        "id": "raw.broker_holdings",
        "name": "broker_holdings",
        "version": "1.0.0",
        "status": "active",
        "team": {"name": "operations"},
        "schema": [
            {
                "name": "holding",
                "properties": [
                    {"name": "isin", "physicalName": "ISIN", "logicalType": "string"},
                    {"name": "instrument_name", "physicalName": "Bezeichnung", "logicalType": "string"},
                    {"name": "quantity", "physicalName": "Stück", **number},
                    {"name": "market_value", "physicalName": "Kurswert", **number},
                    {"name": "currency_code", "physicalName": "Währung", "logicalType": "string"},
                ],
            }
        ],
        "customProperties": [
            {
                "property": "fulcrum",
                "value": {
                    "source": "BROKER",
                    "target": "core.holding",
                    "dialect": {
                        "encodings": ["cp1252"],
                        "delimiter": ";",
                        "decimal_mark": ",",
                        "thousands_mark": ".",
                        "header_within": 5,
                        "footer": "short_row",
                    },
                    "found": [
                        {"name": "business_date", "origin": "preamble", "label": "Stand", "date_formats": ["%d.%m.%Y"]},
                        {"name": "portfolio_code", "origin": "file_name", "pattern": r"Depot_(?P<portfolio_code>\d+)"},
                    ],
                    "identifiers": [{"scheme": "ISIN", "columns": ["isin"]}],
                },
            }
        ],
    }
    folder = tmp_path / "contracts"
    folder.mkdir()
    (folder / "broker_holdings.yaml").write_text(yaml.safe_dump(document, allow_unicode=True), "utf-8")
    contract = contract_for(read_settings(contracts_extra=folder), "broker_holdings")
    text = (
        "Depotauszug\nStand;05.01.2026\n\nISIN;Bezeichnung;Stück;Kurswert;Währung\n"
        "DE0007164600;SAP SE;1.250,5;312.625,00;EUR\nDE0008404005;Allianz;-10;-3.100,25;EUR\nSumme;309.524,75\n"
    )
    staged = staging(text.encode("cp1252"), contract, "Depot_4711.csv")
    assert staging.rows(staged, "source_row, portfolio_code, business_date, isin, quantity, market_value") == [
        (5, "4711", DAY, "DE0007164600", Decimal("1250.5"), Decimal("312625.00")),
        (6, "4711", DAY, "DE0008404005", Decimal(-10), Decimal("-3100.25")),
    ]
