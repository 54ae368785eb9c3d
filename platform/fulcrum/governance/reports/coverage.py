"""Which critical columns are looked at by rules: criticality by the contracts, rules by the suites.

A rule looks at the columns that it declares; a column that its query merely joins by is not looked at. That values
parse and required ones are present is checked of every file besides.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from fulcrum.contracts.catalog import load_contracts
from fulcrum.contracts.model import FeedContract
from fulcrum.errors import ContractError
from fulcrum.governance.reconciliation.contract import load as load_reconciliation
from fulcrum.governance.reconciliation.contract import names as reconciliation_names
from fulcrum.kit.documents import read_yaml
from fulcrum.quality.suite import Rule, Suite
from fulcrum.quality.suites import columns_in, load_suite, suite_names
from fulcrum.settings import Settings
from fulcrum.warehouse.targets import IDENTIFIER_COLUMNS, Target, target

LAYERS = ("core", "mart")
Document = Mapping[str, Any]


@dataclass(frozen=True)
class CriticalColumn:
    """A critical column, and which rules look at it: rule -> dimension."""

    table: str
    column: str
    owner: str
    """Team of the table's contract."""
    rules: Mapping[str, str]

    @property
    def is_covered(self) -> bool:
        """Whether any rule looks at it."""
        return bool(self.rules)


@dataclass(frozen=True)
class Declared:
    """Contracts and rules as they stand now."""

    documents: Mapping[str, Document]
    """Table (schema.table) -> its contract."""
    suites: Mapping[str, Suite]
    feeds: Mapping[str, FeedContract]
    reconciliations: Mapping[str, str] = field(default_factory=dict)
    """Rule that the breaks of a reconciliation carry -> the team that owns it."""

    def critical(self) -> list[CriticalColumn]:
        """Every critical column, by table and column."""
        return list(self._critical)

    @cached_property
    def _critical(self) -> tuple[CriticalColumn, ...]:
        """Found once: looking through 342 rules takes 15 ms."""
        found: list[CriticalColumn] = []
        for table, document in sorted(self.documents.items()):
            looked = self._looked_at(table)
            team = str((document.get("team") or {}).get("name", ""))
            names = [str(one["name"]) for one in _properties(document) if one.get("criticalDataElement")]
            found += [CriticalColumn(table, name, team, looked.get(name, {})) for name in names]
        return tuple(found)

    def of_feed(self, feed: str) -> set[tuple[str, str]]:
        """(table, column) of what a feed's files fill."""
        contract = self.feeds[feed]
        wanted = target(contract.target)
        staged = {name for one in contract.fields for name in one.staged_as}
        own = f"{wanted.entity}_code"
        return {
            (wanted.name if column == own else wanted.table, column)
            for name in staged
            for column in _published(wanted, name)
        }

    def _looked_at(self, table: str) -> dict[str, dict[str, str]]:
        """Column -> rule -> dimension."""
        name = table.removesuffix("_version")
        known = _target(name)
        names = {name.replace(".", "/")} | {feed.suite for feed in self.feeds.values() if feed.target == name}
        columns = {str(one["name"]) for one in _properties(self.documents[table])}
        found: dict[str, dict[str, str]] = {}
        for suite in (self.suites[each] for each in sorted(filter(None, names)) if each in self.suites):
            for rule in suite.rules:
                said = {column for one in declared_by(suite, rule) for column in _published(known, one)}
                if suite.inspects is not None:
                    said |= columns_in(f"{rule.condition} {rule.value or ''}", columns)
                for column in said & columns:
                    found.setdefault(column, {})[rule.id] = rule.dimension.value
        return found


def declared_by(suite: Suite, rule: Rule) -> set[str]:
    """The columns that a rule says it looks at, in the words of staging or of the table."""
    said = {rule.column} if rule.column else set()
    for one in (rule, *suite.preparations_of(rule).values()):
        said |= {*one.requires, *one.otherwise}
    said |= set(rule.requires_any)
    used = suite.placeholders_of(rule)
    said |= {name.partition(".")[2] for name in used if name.startswith(("unknown.", "provisional."))}
    if "key" in used:
        known = _target(suite.suite.replace("/", "."))
        said |= set(known.key) if known else set()
    return said


def read_declared(settings: Settings) -> Declared:
    """Read contracts and rules from their files."""
    folder = settings.project / "schemas" / "contracts"
    documents = {
        f"{layer}.{path.stem}": read_yaml(path.read_text("utf-8"))
        for layer in LAYERS
        for path in sorted((folder / layer).glob("*.yaml"))
    }
    suites = {name: load_suite(settings, name) for name in suite_names(settings)}
    today = dt.datetime.now(dt.UTC).date()
    contracts = [load_reconciliation(settings, name, today).contract for name in reconciliation_names(settings)]
    return Declared(documents, suites, load_contracts(settings), {one.rule_id: one.owner for one in contracts})


def _properties(document: Document) -> list[Mapping[str, Any]]:
    return list(document["schema"][0].get("properties", ()))


def _target(name: str) -> Target | None:
    try:
        return target(name)
    except ContractError:
        return None


def _published(known: Target | None, name: str) -> Iterable[str]:
    """The columns of the table that a staging column becomes."""
    if known is None:
        return (name,)
    found = [reference.column for reference in known.references if name in (reference.code, reference.column)]
    if known.has_instrument and name in IDENTIFIER_COLUMNS:
        found.append("instrument_id")
    return (*found, name)
