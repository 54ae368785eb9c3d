"""What can be published, derived from the models."""

from __future__ import annotations

import pytest

from fulcrum.errors import ContractError
from fulcrum.warehouse.models import Base
from fulcrum.warehouse.targets import Kind, target, target_names


@pytest.mark.parametrize("name", target_names())
def test_key_values_and_references_are_columns_of_the_table(name: str) -> None:
    wanted = target(name)
    columns = set(Base.metadata.tables[wanted.table].columns.keys())
    assert set(wanted.key) | set(wanted.values) <= columns
    assert not set(wanted.key) & set(wanted.values)
    assert {reference.column for reference in wanted.references} <= columns
    assert all(f"core.{reference.entity}" in Base.metadata.tables for reference in wanted.references)


@pytest.mark.parametrize("name", target_names())
def test_staging_speaks_codes_and_never_surrogate_keys(name: str) -> None:
    wanted = target(name)
    assert not [column for column in wanted.staging_types if column.endswith("_id")]
    assert {reference.code for reference in wanted.references} <= set(wanted.staging_types)
    assert wanted.staging_types["business_date"] == "date"


def test_kinds_say_how_time_is_kept() -> None:
    assert target("core.holding").kind is Kind.FACT
    assert target("core.client").kind is Kind.VERSIONED
    assert target("core.instrument_identifier").kind is Kind.IDENTIFIER
    assert target("core.client").table == "core.client_version"


def test_an_unknown_target_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ContractError, match=r"core\.holding"):
        target("core.holdings")
