"""Every feed contract is valid ODCS v3, and its words and its target's agree in both directions."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fulcrum.contracts.catalog import load_contracts
from fulcrum.contracts.model import FeedContract
from fulcrum.settings import PROJECT_ROOT, read_settings
from fulcrum.warehouse.targets import Kind, target

RAW = PROJECT_ROOT / "schemas" / "contracts" / "raw"
CONTRACTS = load_contracts(read_settings())
HOUSE_TABLES = {
    "accounts", "benchmark_weights", "benchmarks", "clients", "fx_rates", "holdings", "identifiers", "instruments",
    "issuers", "portfolios", "prices", "share_classes", "transactions", "unit_holdings",
}  # fmt: skip


@pytest.mark.parametrize("file", sorted(RAW.glob("*.yaml")), ids=lambda file: file.stem)
def test_the_official_tool_finds_every_contract_valid(file: Path) -> None:
    datacontract = pytest.importorskip("datacontract.data_contract", reason="datacontract-cli is not installed")
    run = datacontract.DataContract(data_contract_file=str(file)).lint()
    assert [(check.result.value, check.reason) for check in run.checks] == [("passed", None)]


def test_every_house_table_has_a_feed() -> None:
    assert {feed.removeprefix("house_") for feed in CONTRACTS if feed.startswith("house_")} == HOUSE_TABLES


@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=lambda contract: contract.feed)
def test_a_contract_fills_only_columns_that_its_target_has_and_all_that_name_its_rows(contract: FeedContract) -> None:
    known = target(contract.target)
    staged = {*contract.staging_columns, "business_date"}
    assert staged - set(known.staging_types) == set()
    codes = {reference.column: reference.code for reference in known.references}
    if known.kind is Kind.VERSIONED:
        needed = {f"{known.entity}_code"} if known.entity != "instrument" else set()
    else:
        needed = {codes.get(column, column) for column in known.key} - {"instrument_id", "position_code"}
    assert needed - staged == set(), "nothing fills a part of the key"
    if known.has_instrument:
        assert contract.identifiers, "nothing names the instrument"


@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=lambda contract: contract.feed)
def test_a_contract_says_who_owns_it_and_what_its_columns_mean(contract: FeedContract) -> None:
    assert contract.owner
    assert contract.purpose.endswith(".")
    assert [field.name for field in contract.fields if not field.description] == []
    assert {field.classification for field in contract.fields} <= {"public", "internal", "confidential", "restricted"}


def test_personal_data_is_classified_restricted_in_every_feed() -> None:
    personal = {"client_name", "given_name", "family_name", "birth_date", "email"}
    found = [
        (contract.feed, field.name)
        for contract in CONTRACTS.values()
        for field in contract.fields
        if field.name in personal and field.classification != "restricted"
    ]
    assert found == []


def test_every_column_of_the_core_can_be_filled_by_a_house_feed() -> None:
    house = [contract for feed, contract in CONTRACTS.items() if feed.startswith("house_")]
    staged: dict[str, set[str]] = {}
    for contract in house:
        staged.setdefault(contract.target, set()).update(contract.staging_columns)
    unreachable = {
        (name, column)
        for name, columns in staged.items()
        for column in target(name).values
        if not column.endswith("_id") and column not in columns
    }
    assert unreachable <= NOT_FROM_HOUSE_FILES


NOT_FROM_HOUSE_FILES = {
    ("core.instrument", "is_provisional"),
    ("core.portfolio", "is_provisional"),
    ("core.instrument", "country_name"),
    ("core.instrument", "exchange_name"),
}
"""Set by publishing, or words of sources that do not know the code."""


def test_contracts_name_no_machine_and_no_person() -> None:
    for file in RAW.glob("*.yaml"):
        assert not re.search(r"/(work|root|tmp|home)/|https?://", file.read_text("utf-8")), file.name
