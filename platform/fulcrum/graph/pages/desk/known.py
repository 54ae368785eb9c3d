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
from typing import Any

import yaml

from fulcrum.contracts.catalog import load_contracts
from fulcrum.contracts.model import FeedContract
from fulcrum.errors import ContractError
from fulcrum.governance.reconciliation import contract as reconciliations
from fulcrum.quality.suite import Rule, Suite, Tolerance
from fulcrum.quality.suites import load_suite, load_tolerances, suite_names
from fulcrum.settings import Settings

LAYERS = ("core", "mart")
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
    """Every contract by name, tables first."""
    return _datasets(settings, _stamp((settings.project / "schemas" / "contracts").rglob("*.yaml")))


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
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml reads ten times as fast
    found = {}
    for layer in (*LAYERS, "raw"):
        for path in sorted((folder / layer).glob("*.yaml")):
            document = yaml.load(path.read_text("utf-8"), Loader=loader)  # noqa: S506 - both loaders are safe ones
            name = f"{layer}.{path.stem}"
            team = (document.get("team") or {}).get("name", "")
            purpose = (document.get("description") or {}).get("purpose", "")
            found[name] = Dataset(name, team, purpose, document)
    return found


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
