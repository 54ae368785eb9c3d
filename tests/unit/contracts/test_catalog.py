"""Reading contracts: errors name the file and the place in the YAML."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
import yaml

from fulcrum.contracts.catalog import contract_for, load_contracts
from fulcrum.errors import ContractError
from fulcrum.settings import Settings, read_settings


def document(**changes: Any) -> dict[str, Any]:
    """A small, right contract."""
    return {
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
                    {"name": "portfolio_code", "physicalName": "Depot", "logicalType": "string"},
                    {"name": "quantity", "physicalName": "Stück", "logicalType": "number"},
                ],
            }
        ],
        "customProperties": [
            {
                "property": "fulcrum",
                "value": {
                    "source": "BROKER",
                    "target": "core.holding",
                    "identifiers": [{"scheme": "ISIN", "columns": ["isin"]}],
                },
            }
        ],
    } | changes


def fulcrum(**changes: Any) -> list[dict[str, Any]]:
    """The custom properties, with changes to Fulcrum's own."""
    own = document()["customProperties"][0]["value"] | changes
    return [{"property": "fulcrum", "value": own}]


def write(folder: Path, contract: dict[str, Any], name: str = "broker_holdings") -> Settings:
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(contract, allow_unicode=True), "utf-8")
    return read_settings(contracts_extra=folder)


def test_a_contract_of_the_extra_folder_stands_beside_the_shipped_ones(tmp_path: Path) -> None:
    contracts = load_contracts(write(tmp_path / "more", document()))
    assert {"broker_holdings", "house_holdings"} <= set(contracts)
    assert contracts["broker_holdings"].staging_columns == (
        "isin",
        "portfolio_code",
        "quantity",
        "business_date",
    )
    assert contracts["broker_holdings"].owner == "operations"


def test_a_contract_states_when_and_from_which_date_on_its_files_are_due(tmp_path: Path) -> None:
    stated = [
        {"property": "latency", "value": 2, "unit": "d"},
        {"property": "timeOfAvailability", "value": "07:30 Europe/Zurich"},
        {"property": "frequency", "value": 1, "unit": "d", "scheduler": "exchange", "schedule": "XSWX"},
        {"property": "generalAvailability", "value": "2026-12-01"},
    ]
    sla = load_contracts(write(tmp_path / "more", document(slaProperties=stated)))["broker_holdings"].sla
    assert (sla.lag_days, sla.due_time, sla.time_zone, sla.calendar) == (2, "07:30", "Europe/Zurich", "XSWX")
    assert sla.first_date == dt.date(2026, 12, 1)


def properties(**changes: Any) -> list[dict[str, Any]]:
    table = document()["schema"][0]
    table["properties"][2] |= changes
    return [table]


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"schema": properties(name="colour")}, r"schema\[0\].properties\[2\] \(colour\): core.holding has no column"),
        ({"schema": properties(logicalType="string")}, r"properties\[2\] \(quantity\): is a string.*numeric"),
        ({"schema": properties(logicalType="float")}, r"properties\[2\] \(quantity\).logical_type: "),
        ({"schema": properties(tint="red")}, r"properties\[2\]: unknown words \['tint'\]"),
        ({"customProperties": fulcrum(colour="red")}, r"customProperties\[fulcrum\].colour: "),
        ({"customProperties": fulcrum(target="core.nothing")}, r"fulcrum\].target: 'core.nothing' is none of"),
        ({"customProperties": fulcrum(dialect={"decimal": ","})}, r"customProperties\[fulcrum\].dialect.decimal: "),
        ({"customProperties": fulcrum(scope=["account_code"])}, r"fulcrum\].scope: core.holding has no column"),
        ({"customProperties": fulcrum(constants={"tint": "x"})}, r"fulcrum\].constants: core.holding has no column"),
        ({"customProperties": []}, r"customProperties: has no property `fulcrum`"),
        ({"apiVersion": "v2.0"}, r"apiVersion: is not an ODCS v3 data contract"),
        ({"team": {}}, r"team.name: "),
        ({"slaProperties": [{"property": "generalAvailability", "value": "soon"}]}, r"slaProperties: .*valid date"),
        ({"name": "other"}, r"name: is 'other', but the file is called 'broker_holdings'"),
    ],
)
def test_a_wrong_contract_is_refused_with_file_and_place(tmp_path: Path, changes: dict[str, Any], place: str) -> None:
    settings = write(tmp_path / "more", document(**changes))
    with pytest.raises(ContractError, match=place) as refusal:
        load_contracts(settings)
    assert "broker_holdings.yaml" in str(refusal.value)


def test_an_unknown_feed_names_the_nearest() -> None:
    with pytest.raises(ContractError, match="house_holdings"):
        contract_for(read_settings(), "house_holding")


def test_one_feed_in_two_folders_is_refused(tmp_path: Path) -> None:
    settings = write(tmp_path / "more", document(name="house_holdings"), "house_holdings")
    with pytest.raises(ContractError, match="two folders"):
        load_contracts(settings)


def test_a_vocabulary_that_is_not_there_is_named(tmp_path: Path) -> None:
    custom = [{"property": "vocabulary", "value": "colours"}]
    settings = write(tmp_path / "more", document(schema=properties(customProperties=custom)))
    with pytest.raises(ContractError, match="no vocabulary 'colours'"):
        load_contracts(settings)
