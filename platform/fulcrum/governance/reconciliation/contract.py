"""What `quality/reconciliations/*.yaml` may say, and reading it.

How a contract becomes SQL is `sides.py`; its numbers stand in `quality/tolerances.yaml`.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from fulcrum.errors import ContractError
from fulcrum.quality.suite import Tolerance
from fulcrum.quality.suites import load_tolerances
from fulcrum.settings import Settings

Text = Annotated[str, Field(min_length=1)]
Column = Literal["quantity", "price", "fx_rate", "value", "currency_code"]
KeyPart = Literal["portfolio", "instrument", "currency", "line"]


class BreakClass(StrEnum):
    """Why two sources differ."""

    MISSING = "missing"
    QUANTITY = "quantity"
    PRICE = "price"
    FX = "fx"
    TIMING = "timing"
    IDENTIFIER = "identifier"
    ROUNDING = "rounding"
    UNKNOWN = "unknown"


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Books(_Strict):
    """Which portfolios a side has, and what both sides call the same one (`key`).

    SQL over portfolio_code, isin, lei, portfolio_kind_code, base_currency_code and parent_portfolio_code.
    """

    where: Text = "true"
    key: Text = "portfolio_code"


class Side(_Strict):
    """One source: the rows of a published table that a condition chooses, or what a feed said last."""

    name: Text
    table: Literal["core.holding", "core.price", "mart.portfolio_nav", "mart.position_valuation"]
    feed: Text | None = None
    """As known at the last good delivery of this feed for the date, whatever another feed said since."""
    portfolios: Books = Books()
    where: Text = "true"
    """SQL over the table's own columns, as `r.source_code`."""
    instruments: Text | None = None
    """SQL over the instrument's version, as `i.asset_class_code`."""
    values: dict[Column, Text] = {}
    """SQL instead of the table's own column."""


class Compared(_Strict):
    """A column that both sides must agree on: within the larger of two tolerances, given by name."""

    column: Column
    absolute: Text | None = None
    relative: Text | None = None
    """Percent of the larger side."""
    rounding: Text | None = None
    """Absolute: what is beyond the tolerance but within this is a break of rounding."""

    @model_validator(mode="after")
    def _numbers(self) -> Self:
        named = (self.absolute, self.relative, self.rounding)
        if (self.column == "currency_code") == any(named):
            raise ValueError("codes are equal or not; every other column names a tolerance")
        return self


class Judged(_Strict):
    """A class, judged in the order of the list, and how bad a break of it is."""

    is_class: BreakClass = Field(alias="class")
    severity: Literal["critical", "warning", "info"]


class Matches(_Strict):
    """Rules that find the counterpart of what agrees with nothing at first sight, in their order."""

    identifier: tuple[Literal["shared_identifier", "quantity_and_value"], ...] = ()
    timing: tuple[Literal["next_date", "previous_date", "trades"], ...] = ()
    neighbour_days: Text | None = None
    """Tolerance: how far a neighbouring business date may lie."""
    settlement_days: Text | None = None
    """Tolerance: how old an unsettled trade may be."""


class Contract(_Strict):
    """One file."""

    reconciliation: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    version: Annotated[int, Field(ge=1)]
    says: Text
    owner: Text
    runbook: Text
    about: Literal["positions", "cash", "prices", "nav"]
    a: Side
    b: Side
    keys: tuple[KeyPart, ...] = Field(min_length=1)
    scope: Literal["all", "a", "b", "common"] = "all"
    """Whose portfolios are compared."""
    compares: tuple[Compared, ...] = Field(min_length=1)
    classes: tuple[Judged, ...] = Field(min_length=1)
    matches: Matches = Matches()
    ageing: tuple[Annotated[int, Field(ge=1)], ...]
    """Weekdays at which a bucket ends, ascending."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        order = [judged.is_class for judged in self.classes]
        if len(set(order)) != len(order) or order[-1] is not BreakClass.UNKNOWN:
            raise ValueError("classes stand once each, the last is unknown")
        if self.compares[0].column == "currency_code":
            raise ValueError("the first column compared is an amount")
        if list(self.ageing) != sorted(set(self.ageing)):
            raise ValueError("ageing ascends")
        if "portfolio" not in self.keys and "instrument" not in self.keys:
            raise ValueError("keys name portfolio or instrument")
        timing, identifier = self.matches.timing, self.matches.identifier
        if bool(timing) != (BreakClass.TIMING in order) or bool(identifier) != (BreakClass.IDENTIFIER in order):
            raise ValueError("timing and identifier are judged by `matches`: name both or neither")
        if {"next_date", "previous_date"} & set(timing) and not self.matches.neighbour_days:
            raise ValueError("neighbouring dates need `neighbour_days`")
        if "trades" in timing and not self.matches.settlement_days:
            raise ValueError("trades need `settlement_days`")
        return self

    @property
    def rule_id(self) -> str:
        """The rule that its exceptions carry."""
        return f"reconciliation.{self.reconciliation}"

    @property
    def anchor(self) -> Column:
        """The column that tells whether two dates hold the same: the first compared."""
        return self.compares[0].column

    def tolerance_names(self) -> set[str]:
        """Every tolerance that it is judged by."""
        named = {name for each in self.compares for name in (each.absolute, each.relative, each.rounding)}
        return {name for name in (*named, self.matches.neighbour_days, self.matches.settlement_days) if name}


class Ready:
    """A contract with its numbers as they are judged by on a day."""

    def __init__(self, contract: Contract, tolerances: dict[str, Tolerance]) -> None:
        self.contract = contract
        self._numbers = {name: tolerances[name] for name in sorted(contract.tolerance_names())}

    def number(self, name: str | None) -> Decimal:
        """The value of a tolerance; 0 where none is named."""
        return self._numbers[name].value if name else Decimal(0)

    def judged_by(self) -> dict[str, dict[str, str]]:
        """Every number with its unit and day, for the record."""
        return {
            name: {"value": format(one.value, "f"), "unit": one.unit, "since": one.since.isoformat()}
            for name, one in self._numbers.items()
        }


def names(settings: Settings) -> tuple[str, ...]:
    """The reconciliations that exist, sorted."""
    return tuple(sorted(path.stem for path in _folder(settings).glob("*.yaml")))


def load(settings: Settings, name: str, today: dt.date) -> Ready:
    """Read one, with the tolerances of `today`.

    Raises:
        ContractError: there is none of this name, or it says something that nobody could mean.
    """
    if name not in names(settings):
        raise ContractError(
            f"There is no reconciliation {name!r}.", remedy=f"One of {', '.join(names(settings)) or 'none'}."
        )
    shown = f"quality/reconciliations/{name}.yaml"
    try:
        found = Contract.model_validate(yaml.safe_load((_folder(settings) / f"{name}.yaml").read_text("utf-8")))
    except (yaml.YAMLError, ValidationError) as error:
        raise ContractError(f"{shown}: {error}", remedy="Correct the file.") from error
    tolerances = load_tolerances(settings, today)
    unknown = sorted(found.tolerance_names() - tolerances.keys())
    if found.reconciliation != name or unknown:
        reason = f"unknown tolerances: {', '.join(unknown)}" if unknown else f"calls itself {found.reconciliation!r}"
        raise ContractError(f"{shown}: {reason}.", remedy="Correct the file.")
    return Ready(found, tolerances)


def lint(settings: Settings, today: dt.date) -> list[str]:
    """Everything that is wrong with the contracts, one sentence each; what their SQL says only a run can tell."""
    problems = []
    for name in names(settings):
        try:
            runbook = load(settings, name, today).contract.runbook
        except ContractError as error:
            problems.append(str(error))
            continue
        if not (settings.project / runbook.partition("#")[0]).is_file():
            problems.append(f"quality/reconciliations/{name}.yaml: runbook {runbook} does not exist.")
    return problems


def _folder(settings: Settings) -> Path:
    return settings.project / "quality" / "reconciliations"
