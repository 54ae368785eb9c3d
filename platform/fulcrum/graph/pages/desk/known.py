"""The rules, tolerances and contracts of the project as the pages show them, read again only when a file changes.

Their shapes and checks are `fulcrum.quality`'s and `fulcrum.contracts`'.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import yaml

from fulcrum.contracts.catalog import load_contracts
from fulcrum.contracts.model import FeedContract
from fulcrum.errors import ContractError
from fulcrum.governance.reconciliation import contract as reconciliations
from fulcrum.kit.documents import read_yaml
from fulcrum.quality.suite import Rule, Suite, Tolerance
from fulcrum.quality.suites import load_suite, load_tolerances, suite_names
from fulcrum.settings import Settings

if TYPE_CHECKING:  # SQLAlchemy takes 0.3 s to import
    from sqlalchemy import Table

LAYERS = ("core", "mart")
RECORDS = ("governance", "quality")
"""Schemas of what Fulcrum keeps about itself: no contract, but the catalog shows them."""
_OURS = "platform"
_RESTRICTED = {
    *(("quality.quarantined_row", name) for name in ("value", "row_key", "message")),
    ("governance.hash_key", "key"),
    ("governance.api_key", "key_sha256"),
}
_PEOPLE = ("principal", "actor", "owner", "asked", "decided")
Stamp = tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Rules:
    """Every rule by id, with the suite that it stands in; and the tolerances by name."""

    rules: Mapping[str, Rule]
    suite_of: Mapping[str, str]
    suites: Mapping[str, Suite]
    tolerances: Mapping[str, Tolerance]

    def of_table(self, table: str) -> list[Rule]:
        """The rules on `schema.table`, versions of an entity included."""
        suite = self.suites.get(table.removesuffix("_version").replace(".", "/"))
        return list(suite.rules) if suite else []


@dataclass(frozen=True)
class Dataset:
    """A contract of a table or feed, as its file says."""

    name: str
    """schema.table, or raw.<feed>."""
    owner: str
    purpose: str
    document: Mapping[str, Any]

    @property
    def columns(self) -> list[Mapping[str, Any]]:
        """Its columns as the contract has them."""
        return list(self.document["schema"][0].get("properties", ()))


def rules_of(settings: Settings) -> Rules:
    """The rules as they stand now."""
    return _rules(settings, _stamp((settings.project / "quality").rglob("*.yaml")))


def datasets_of(settings: Settings) -> Mapping[str, Dataset]:
    """Every contract by name, tables first; then what Fulcrum keeps about itself."""
    return _datasets(settings, _stamp((settings.project / "schemas" / "contracts").rglob("*.yaml")))


@dataclass(frozen=True)
class Names:
    """`schemas/vocabulary`: what columns are called in the trade, and datasets by people."""

    columns: Mapping[str, Mapping[str, str]]
    """Column -> `en`, `zh` and, where one defines it, `standard`."""
    datasets: Mapping[str, str]
    """Another name -> the catalog's."""


def names_of(settings: Settings) -> Names:
    """The standard names as they stand now."""
    folder = settings.project / "schemas" / "vocabulary"
    return _names(folder, _stamp(folder / f"{name}.yaml" for name in ("standard_names", "other_names")))


def contracts_of(settings: Settings) -> Mapping[str, FeedContract]:
    """Every feed contract by feed."""
    return _contracts(settings, _stamp(file for folder in settings.contracts for file in folder.glob("*.yaml")))


def reconciliations_of(settings: Settings) -> Mapping[str, reconciliations.Contract]:
    """Every contract of a reconciliation by name; one that cannot be read is left out: `quality lint` says why."""
    return _reconciliations(settings, _stamp((settings.project / "quality").rglob("*.yaml")))


def _stamp(files: Iterable[Path]) -> Stamp:
    return tuple(sorted((str(file), file.stat().st_mtime_ns) for file in files))


@lru_cache(maxsize=4)
def _rules(settings: Settings, _files: Stamp) -> Rules:
    suites = {name: load_suite(settings, name) for name in suite_names(settings)}
    rules = {rule.id: rule for suite in suites.values() for rule in suite.rules}
    suite_of = {rule.id: name for name, suite in suites.items() for rule in suite.rules}
    return Rules(rules, suite_of, suites, load_tolerances(settings))


@lru_cache(maxsize=4)
def _datasets(settings: Settings, _files: Stamp) -> Mapping[str, Dataset]:
    folder = settings.project / "schemas" / "contracts"
    found = {}
    for layer in (*LAYERS, "raw"):
        for path in sorted((folder / layer).glob("*.yaml")):
            document = read_yaml(path.read_text("utf-8"))
            name = f"{layer}.{path.stem}"
            team = (document.get("team") or {}).get("name", "")
            purpose = (document.get("description") or {}).get("purpose", "")
            found[name] = Dataset(name, team, purpose, document)
    return found | _records()


def _class_of(table: str, column: str) -> str:
    """As strict as what may stand in it: quoted values of any feed, secrets, people, amounts of the house."""
    if (table, column) in _RESTRICTED:
        return "restricted"
    is_named = column.endswith(("_name", "_by")) and column.startswith(_PEOPLE)
    is_amount = table.endswith("_break") and column.startswith(("a_", "b_", "difference", "break_key", "book_"))
    return "confidential" if is_named or is_amount else "internal"


def _records() -> dict[str, Dataset]:
    """What the models say of the tables of governance and quality, in the words of a contract."""
    from fulcrum.warehouse.models import Base

    found = {}
    for mapper in sorted(Base.registry.mappers, key=lambda one: str(one.local_table)):
        table = cast("Table", mapper.local_table)
        if table.schema not in RECORDS:
            continue
        columns = [
            {
                "name": column.name,
                "physicalType": str(column.type).lower(),
                "required": not column.nullable,
                "primaryKey": column.primary_key,
                "classification": _class_of(table.fullname, column.name),
                "description": column.comment or "",
            }
            for column in table.columns
        ]
        purpose = (mapper.class_.__doc__ or "").strip().partition("\n\n")[0]
        document = {"schema": [{"properties": columns}]}
        found[table.fullname] = Dataset(table.fullname, _OURS, " ".join(purpose.split()), document)
    return found


@lru_cache(maxsize=2)
def _names(folder: Path, _files: Stamp) -> Names:
    told = {
        name: yaml.safe_load((folder / f"{name}.yaml").read_text("utf-8")) for name in ("standard_names", "other_names")
    }
    return Names(told["standard_names"], told["other_names"])


@lru_cache(maxsize=4)
def _contracts(settings: Settings, _files: Stamp) -> Mapping[str, FeedContract]:
    return load_contracts(settings)


@lru_cache(maxsize=4)
def _reconciliations(settings: Settings, _files: Stamp) -> Mapping[str, reconciliations.Contract]:
    found = {}
    for name in reconciliations.names(settings):
        with contextlib.suppress(ContractError):
            found[name] = reconciliations.load(settings, name, dt.datetime.now(dt.UTC).date()).contract
    return found
