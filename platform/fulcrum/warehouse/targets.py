"""What can be published: for each `core` table its key, its values and the words that name its parents.

Derived from the models, so that staging, gate and publish use one vocabulary. Staging columns are
the target's columns with every surrogate key replaced by the code or identifiers that resolve to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql

from fulcrum.errors import ContractError
from fulcrum.warehouse.models import Base

IDENTIFIER_COLUMNS = (
    "instrument_code",
    "isin",
    "cusip",
    "sedol",
    "figi",
    "ticker",
    "vendor_code",
)
"""Staging columns that can name an instrument; a contract says which, by scheme and in order."""

BOOKKEEPING = (
    "published_in",
    "superseded_in",
    "delivery_id",
    "source_row",
    "valid_from",
    "valid_to",
)


class Kind(StrEnum):
    """How a target keeps time."""

    FACT = "fact"
    VERSIONED = "versioned"
    IDENTIFIER = "identifier"


@dataclass(frozen=True)
class Reference:
    """A surrogate column of the target and the staging column whose code resolves to it."""

    column: str
    entity: str
    code: str


@dataclass(frozen=True)
class Target:
    """One publishable table.

    `name` is `core.holding`; `table` the table that takes the rows (`core.client_version` for
    `core.client`); `key` the columns that name a row apart from time and publication; `values` the
    columns whose change makes a restatement; `references` the parents that are named by code.
    """

    name: str
    kind: Kind
    table: str
    entity: str | None
    key: tuple[str, ...]
    values: tuple[str, ...]
    references: tuple[Reference, ...]
    types: dict[str, str]

    @property
    def has_instrument(self) -> bool:
        """Whether rows name an instrument by identifiers."""
        return self.name != "core.instrument" and "instrument_id" in self.types

    @property
    def staging_types(self) -> dict[str, str]:
        """Every column that staging may carry for this target, with its SQL type."""
        return _staging_types(self.name)


def _sql_types(table: Table) -> dict[str, str]:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    return {column.name: column.type.compile(dialect).lower() for column in table.columns}


_PARENT_ENTITY = {"parent_portfolio_id": "portfolio"}
_KEYS = {
    "core.holding": ("portfolio_id", "business_date", "instrument_id", "position_code"),
    "core.transaction": ("portfolio_id", "transaction_code", "business_date"),
    "core.unit_holding": ("account_id", "share_class_id", "business_date"),
    "core.price": ("instrument_id", "business_date", "price_type_code", "source_code"),
    "core.fx_rate": (
        "base_currency_code",
        "quote_currency_code",
        "business_date",
        "source_code",
    ),
    "core.benchmark_weight": ("benchmark_id", "instrument_id", "business_date"),
    "core.instrument_identifier": ("instrument_id", "scheme", "value"),
    "core.client_identifier": ("client_id", "scheme", "value"),
}
VERSIONED_ENTITIES = (
    "client",
    "account",
    "issuer",
    "instrument",
    "portfolio",
    "share_class",
    "benchmark",
)


@cache
def target(name: str) -> Target:
    """The target called `name`, as in `core.holding`.

    Raises:
        ContractError: there is no such target.
    """
    schema, _, entity = name.partition(".")
    versioned = schema == "core" and entity in VERSIONED_ENTITIES
    if not versioned and name not in _KEYS:
        known = ", ".join(target_names())
        raise ContractError(f"Unknown target {name!r}.", remedy=f"Use one of: {known}.")
    table = Base.metadata.tables[f"core.{entity}_version" if versioned else name]
    types = _sql_types(table)
    key = (f"{entity}_id",) if versioned else _KEYS[name]
    values = tuple(column for column in types if column not in key and column not in BOOKKEEPING)
    references = tuple(
        Reference(
            column,
            _PARENT_ENTITY.get(column, column.removesuffix("_id")),
            column.removesuffix("_id") + "_code",
        )
        for column in types
        if column.endswith("_id") and column not in ("instrument_id", "delivery_id")
    )
    kind = Kind.VERSIONED if versioned else Kind.IDENTIFIER if name.endswith("_identifier") else Kind.FACT
    return Target(
        name,
        kind,
        table.fullname,
        entity if versioned else None,
        key,
        values,
        references,
        types,
    )


def target_names() -> tuple[str, ...]:
    """Every publishable table, sorted."""
    return tuple(sorted([*_KEYS, *(f"core.{entity}" for entity in VERSIONED_ENTITIES)]))


@cache
def _staging_types(name: str) -> dict[str, str]:
    wanted = target(name)
    codes = {reference.column: reference.code for reference in wanted.references}
    types = {
        codes.get(column, column): "text" if column in codes else sql_type
        for column, sql_type in wanted.types.items()
        if column not in BOOKKEEPING and column != "instrument_id"
    }
    types["business_date"] = "date"
    if wanted.kind is not Kind.FACT:
        types |= {"valid_from": "date", "valid_to": "date"}
    if wanted.entity:
        types[f"{wanted.entity}_code"] = "text"
    if wanted.has_instrument or name == "core.instrument":
        types |= dict.fromkeys(IDENTIFIER_COLUMNS, "text") | {"lei": "text"}
    if wanted.has_instrument:
        types |= _attributes("core.instrument_version", types)
    if "portfolio_id" in wanted.types and wanted.kind is Kind.FACT:
        types |= _attributes("core.portfolio_version", types)
    return types


def _attributes(table: str, taken: dict[str, str]) -> dict[str, str]:
    """Attributes of a parent that a fact row may carry, to register it provisionally."""
    return {
        column: sql_type
        for column, sql_type in _sql_types(Base.metadata.tables[table]).items()
        if column not in taken and column not in BOOKKEEPING and not column.endswith("_id")
    }
