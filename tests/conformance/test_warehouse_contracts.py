"""The contracts of the published tables and the models say the same, in both directions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import Table
from sqlalchemy.dialects import postgresql

from fulcrum.warehouse.models import Base

CONTRACTS = Path(__file__).parents[2] / "schemas" / "contracts"
PUBLISHED = {name: table for name, table in Base.metadata.tables.items() if name.partition(".")[0] in ("core", "mart")}
LOGICAL = {
    "bigint": "integer",
    "numeric": "number",
    "text": "string",
    "date": "date",
    "boolean": "boolean",
    "bigint[]": "array",
}
CLASSIFICATIONS = {"public", "internal", "confidential", "restricted"}


def document(name: str) -> dict[str, Any]:
    schema, _, table = name.partition(".")
    loaded: dict[str, Any] = yaml.safe_load((CONTRACTS / schema / f"{table}.yaml").read_text(encoding="utf-8"))
    return loaded


def test_every_published_table_has_a_contract_and_every_contract_a_table() -> None:
    written = {
        f"{path.parent.name}.{path.stem}" for layer in ("core", "mart") for path in (CONTRACTS / layer).iterdir()
    }
    assert {
        "tables without a contract": set(PUBLISHED) - written,
        "contracts without a table": written - set(PUBLISHED),
    } == {"tables without a contract": set(), "contracts without a table": set()}


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_columns_agree(name: str) -> None:
    properties = document(name)["schema"][0]["properties"]
    assert {each["name"]: shape(each) for each in properties} == columns(PUBLISHED[name])


def shape(column: dict[str, Any]) -> tuple[str, bool, int | None]:
    assert column["logicalType"] == LOGICAL[column["physicalType"]], column["name"]
    return column["physicalType"], column.get("required", False), column.get("primaryKeyPosition")


def columns(table: Table) -> dict[str, tuple[str, bool, int | None]]:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    key = [column.name for column in table.primary_key.columns]
    return {
        column.name: (
            column.type.compile(dialect).lower(),
            not column.nullable,
            key.index(column.name) + 1 if column.name in key else None,
        )
        for column in table.columns
    }


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_everything_is_described_owned_and_classified(name: str) -> None:
    contract = document(name)
    assert (contract["id"], contract["name"]) == (name, name.partition(".")[2])
    assert contract["schema"][0]["physicalName"] == name
    assert contract["team"]["name"]
    assert contract["description"]["purpose"]
    for column in contract["schema"][0]["properties"]:
        assert len(column["description"]) > 5, column["name"]
        assert column["classification"] in CLASSIFICATIONS, column["name"]


def test_every_column_has_a_standard_name_in_both_languages_and_no_name_is_for_nothing() -> None:
    vocabulary = CONTRACTS.parent / "vocabulary"
    names = yaml.safe_load((vocabulary / "standard_names.yaml").read_text(encoding="utf-8"))
    columns = {column.name for table in PUBLISHED.values() for column in table.columns}
    assert {"without a name": columns - set(names), "of no column": set(names) - columns} == {
        "without a name": set(),
        "of no column": set(),
    }
    assert [name for name, words in names.items() if not {"en", "zh"} <= set(words) <= {"en", "zh", "standard"}] == []
    others = yaml.safe_load((vocabulary / "other_names.yaml").read_text(encoding="utf-8"))
    assert set(others.values()) - set(PUBLISHED) == set()


@pytest.mark.parametrize("column", ["given_name", "family_name", "birth_date", "email", "city_name", "client_name"])
def test_personal_data_is_restricted(column: str) -> None:
    (found,) = (each for each in document("core.client_version")["schema"][0]["properties"] if each["name"] == column)
    assert found["classification"] == "restricted"


@pytest.mark.parametrize("name", ["mart.position_valuation", "mart.portfolio_nav", "core.holding", "core.client"])
def test_the_official_tool_finds_them_valid(name: str) -> None:
    from datacontract.data_contract import DataContract

    schema, _, table = name.partition(".")
    run = DataContract(data_contract_file=str(CONTRACTS / schema / f"{table}.yaml")).lint()
    assert run.result == "passed", [check.reason for check in run.checks or []]
