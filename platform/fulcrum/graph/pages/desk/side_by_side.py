"""A break side by side: for each compared column both values, their difference and what was tolerated; masked by role.

Which breaks there are is read by `fulcrum.governance.reconciliation.reading`; the page is `reconciliation.py`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Any, cast

from fulcrum.entitlements.rights import Rights
from fulcrum.governance.reconciliation.contract import Column, Compared, Contract, Side
from fulcrum.governance.reconciliation.sides import COLUMNS, TABLES

_COLUMN = re.compile(r"\b([ri])\.(\w+)")
_SHORT = Context(prec=6)  # of a share of a value nobody reads more digits
_NAMES = ("core.portfolio.portfolio_code", "core.instrument.instrument_code")

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Line:
    """One compared column of a break; None: that side lacks it, or the caller may not see it (`is_masked`)."""

    column: str
    a: Decimal | str | None
    b: Decimal | str | None
    difference: Decimal | None
    tolerated: Decimal | None
    is_beyond: bool
    is_masked: bool


@dataclass(frozen=True)
class Shade:
    """What a caller may not see of one reconciliation: compared columns, and the names of portfolio and instrument."""

    columns: frozenset[str]
    names: bool

    @property
    def hides(self) -> bool:
        """Whether anything is hidden."""
        return self.names or bool(self.columns)

    def key(self, row: Row) -> str | None:
        """The key of a break in words."""
        return None if self.names else row["break_key"]


def shade(rights: Rights, contract: Contract | None) -> Shade:
    """By the masks of the columns that the contract's sides read; without a contract whoever has a mask sees none."""
    names = any(rights.mask(name) is not None for name in _NAMES)
    if contract is None:
        return Shade(frozenset(COLUMNS) if rights.masks else frozenset(), names)
    hidden = {
        column
        for column in COLUMNS
        for side in (contract.a, contract.b)
        if any(rights.mask(path) is not None for path in _paths(side, column))
    }
    return Shade(frozenset(hidden), names)


def _paths(side: Side, column: str) -> list[str]:
    sql = side.values.get(cast("Column", column)) or TABLES[side.table].values.get(column, "")
    tables = {"r": side.table, "i": "core.instrument_version"}
    return [f"{tables[alias]}.{name}" for alias, name in _COLUMN.findall(sql)]


def lines(row: Row, contract: Contract | None, hidden: Shade) -> list[Line]:
    """The compared columns of a break in the contract's order; of what no contract names, those that have a value."""
    told: list[tuple[str, Compared | None]] = [(name, None) for name in COLUMNS if row[f"a_{name}"] or row[f"b_{name}"]]
    if contract is not None:
        told = [(each.column, each) for each in contract.compares]
    beyond = set(row["differs"].split(", "))
    return [_line(row, column, each, hidden, beyond) for column, each in told]


def _line(row: Row, column: str, each: Compared | None, hidden: Shade, beyond: set[str]) -> Line:
    a, b = row[f"a_{column}"], row[f"b_{column}"]
    is_masked, is_beyond = column in hidden.columns, column in beyond
    if column == "currency_code" or is_masked:
        was_there = is_masked and (a is not None or b is not None)
        a, b = (None, None) if is_masked else (a, b)
        return Line(column, a, b, None, None, is_beyond, was_there)
    difference = (a or Decimal(0)) - (b or Decimal(0)) if a is not None or b is not None else None
    limit = tolerated(each, row["judged_by"], a, b) if each is not None else None
    return Line(column, a, b, difference, limit, is_beyond, is_masked=False)


def tolerated(
    each: Compared, judged_by: Mapping[str, Mapping[str, str]], a: Decimal | None, b: Decimal | None
) -> Decimal | None:
    """The larger of the absolute and the relative tolerance, as `compare.agree` says it; None: nothing is known."""
    named = [name for name in (each.absolute, each.relative) if name]
    numbers = {name: Decimal(judged_by[name]["value"]) for name in named if name in judged_by}
    known = [numbers[each.absolute]] if each.absolute in numbers else []
    if each.relative in numbers:
        larger = max(abs(a or Decimal(0)), abs(b or Decimal(0)))
        known.append(_SHORT.multiply(larger, numbers[each.relative] / 100))
    return max(known, default=None)
