"""The shapes of a suite of rules and of a tolerance, as risk staff write them in YAML.

Finding and reading the files is `suites.py`; turning a rule into SQL for one delivery is `plan.py`.
"""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Strict(BaseModel):
    """Frozen, and refuses words that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Dimension(StrEnum):
    """What kind of quality a rule speaks of, in the words of ODCS v3."""

    ACCURACY = "accuracy"
    COMPLETENESS = "completeness"
    CONFORMITY = "conformity"
    CONSISTENCY = "consistency"
    COVERAGE = "coverage"
    TIMELINESS = "timeliness"
    UNIQUENESS = "uniqueness"


class Severity(StrEnum):
    """Critical keeps data out, warning is shown beside it, info is counted."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"


class Level(StrEnum):
    """Whether a rule judges single rows or the delivery as a whole."""

    ROW = "row"
    SET = "set"


class Compare(StrEnum):
    """How a measured number stands to its tolerance when all is well."""

    AT_MOST = "at_most"
    AT_LEAST = "at_least"


class Decided(Strict):
    """One decision on a tolerance: the number, the day from which it is judged by, and why this one."""

    value: Decimal
    since: dt.date
    why: str = Field(min_length=1)


class Tolerance(Strict):
    """A number that risk staff tune: its unit, who answers for it, and every value that it ever had.

    What is judged on a day is judged by the newest value `since` then, whatever business date it is about: a
    decision of today is for today's judgements, also of old files, and results keep what they were judged by.
    """

    unit: str = Field(min_length=1)
    owner: str = Field(min_length=1)
    values: tuple[Decided, ...] = Field(min_length=1)
    """Oldest first; an entry with one value may write `value`, `since` and `why` without the list."""

    @model_validator(mode="before")
    @classmethod
    def _only_value(cls, found: Any) -> Any:
        if not isinstance(found, dict) or "values" in found:
            return found
        own = {name: found[name] for name in ("value", "since", "why") if name in found}
        return {name: found[name] for name in found if name not in own} | {"values": [own]}

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        days = [decided.since for decided in self.values]
        if days != sorted(set(days)):
            raise ValueError("its values stand oldest first, each since a day of its own")
        return self

    def on(self, day: dt.date) -> Tolerance:
        """The tolerance as it is judged by on `day`, without later values; the first also holds before its day."""
        known = tuple(decided for decided in self.values if decided.since <= day) or self.values[:1]
        return Tolerance(unit=self.unit, owner=self.owner, values=known)

    @property
    def value(self) -> Decimal:
        """The newest value."""
        return self.values[-1].value

    @property
    def since(self) -> dt.date:
        """Since when it is the value."""
        return self.values[-1].since

    @property
    def why(self) -> str:
        """Why it is the value."""
        return self.values[-1].why


class Question(Strict):
    """What any SQL of a suite may ask for besides the batch itself."""

    requires: tuple[str, ...] = ()
    """Staged columns without which it cannot be asked."""
    requires_metadata: tuple[str, ...] = ()
    """What the file must say of itself."""
    otherwise: dict[str, str] = Field(default_factory=dict)
    """SQL that stands for a column which the feed does not deliver."""
    numbers: dict[str, str] = Field(default_factory=dict)
    """Tolerances by the names under which the SQL uses them."""


class Preparation(Question):
    """A query that several rules build on; its answer is kept as a table for as long as the delivery is judged.

    Three rules that each sorted the same 248,838 prices took 4.0 of 6.7 seconds.
    """

    says: str = Field(min_length=10)
    sql: str = Field(min_length=1)
    checked_by: str | None = None
    """Check of `checks.py` that every row (all its columns are text) gets as `is_valid`: what only a library knows."""


class Rule(Question):
    """One rule; exactly one of the five forms of condition is given.

    Row rules. `good`: SQL predicate of a good row; as in a CHECK constraint, a row for which it is
    null is not failed. `good_value`: the same for `column` alone, asked once per distinct value.
    `bad_rows`: query over `{batch}` or `{resolved}` that yields `source_row` and `value` (text).

    Set rules. `total`: one aggregate over the batch. `measure`: a query that yields one number.
    The number is compared with `tolerance` by `compare`; null means that there was nothing to
    measure (`not_run`).

    In conditions `{tolerance}` and the names in `numbers` stand for tolerances, the names in
    `otherwise` for optional columns with a default, `{metadata.x}` for what the file says of itself.
    """

    id: str = Field(pattern=r"^[a-z0-9_]+(\.[a-z0-9_]+)+$")
    version: int = Field(ge=1)
    says: str = Field(min_length=10)
    dimension: Dimension
    severity: Severity
    level: Level
    owner: str = Field(min_length=1)
    runbook: str = Field(min_length=1)
    reason: str = Field(min_length=10)
    tolerance: str | None = None
    requires_any: tuple[str, ...] = ()
    """At least one of these columns; those that are absent take their value from `otherwise`."""
    applies_to: tuple[str, ...] = ("*",)
    """Feeds, as shell patterns."""
    when: dict[str, str | bool] = Field(default_factory=dict)
    """Values that the feed's contract must have for the rule to apply."""
    column: str | None = None
    """The column that is shown for a failed row."""
    value: str | None = None
    """SQL text shown for a failed row instead of the column."""
    good: str | None = None
    good_value: str | None = None
    bad_rows: str | None = None
    total: str | None = None
    measure: str | None = None
    compare: Compare | None = None
    after_quarantine: bool = False
    """Measured once failed rows are in quarantine."""
    unmeasured: str = "There was nothing to measure."
    """Why a set rule whose number is null did not run."""

    @property
    def form(self) -> str:
        """Which of the five conditions this rule has."""
        for name in ("good", "good_value", "bad_rows", "total", "measure"):
            if getattr(self, name) is not None:
                return name
        raise AssertionError("checked by _one_condition")

    @property
    def condition(self) -> str:
        """The SQL text of its form."""
        return str(getattr(self, self.form)).strip()

    @model_validator(mode="after")
    def _one_condition(self) -> Self:
        row_forms = [form for form in ("good", "good_value", "bad_rows") if getattr(self, form) is not None]
        set_forms = [form for form in ("total", "measure") if getattr(self, form) is not None]
        wanted, other = (row_forms, set_forms) if self.level is Level.ROW else (set_forms, row_forms)
        if len(wanted) != 1 or other:
            forms = "good, good_value, bad_rows" if self.level is Level.ROW else "total, measure"
            raise ValueError(f"a {self.level.value} rule has exactly one of: {forms}")
        if self.level is Level.SET and (self.tolerance is None or self.compare is None):
            raise ValueError("a set rule has a tolerance and says how to compare with it")
        if self.good_value is not None and self.column is None:
            raise ValueError("good_value needs the column whose values it judges")
        return self


def placeholders(sql: str) -> set[str]:
    """Names in braces that `sql` uses; `{2}` of a regular expression is none."""
    return set(re.findall(r"\{([a-z_][a-z_0-9.]*)\}", sql))


class Suite(Strict):
    """The rules of one table."""

    suite: str
    title: str
    judges: str | None = None
    """The table whose rows it judges, as `core/price`, where the suite is not called as it."""
    owner: str | None = None
    """Owner of every rule that names none itself."""
    inspects: Preparation | None = None
    """What is judged where no file is: a query with one row per `subject`, whose columns are the batch's.
    `{business_date}` is the day that it is asked for, `{expected}` the feeds that are due for it."""
    trading_days: str | None = None
    """Query of (exchange, first, last) whose trading days rules count in `{sessions}`; asked after the preparations."""
    prepares: dict[Annotated[str, Field(pattern=r"^[a-z_]+$")], Preparation] = Field(default_factory=dict)
    """Tables that several rules build on; a rule writes `{name}` as a FROM item."""
    rules: tuple[Rule, ...] = Field(min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _owned(cls, found: Any) -> Any:
        owner = found.get("owner") if isinstance(found, dict) else None
        rules = found.get("rules") if isinstance(found, dict) else None
        if owner is None or not isinstance(rules, list):
            return found
        owned = [{"owner": owner} | rule if isinstance(rule, dict) else rule for rule in rules]
        return found | {"rules": owned}

    @model_validator(mode="after")
    def _unique(self) -> Self:
        ids = [rule.id for rule in self.rules]
        twice = sorted({name for name in ids if ids.count(name) > 1})
        if twice:
            raise ValueError(f"rule ids stand twice: {', '.join(twice)}")
        return self

    @property
    def judged(self) -> str:
        """The table whose rows it judges, as `core/price`."""
        return self.judges or self.suite

    def preparations_of(self, rule: Rule) -> dict[str, Preparation]:
        """The preparations that `rule` builds on, itself or through another, by name, in the order of making."""
        used = placeholders(rule.condition)
        for name, preparation in reversed(self.prepares.items()):  # one may use those above it
            used |= placeholders(preparation.sql) if name in used else set()
        return {name: preparation for name, preparation in self.prepares.items() if name in used}

    def placeholders_of(self, rule: Rule) -> set[str]:
        """Names that the condition of `rule` uses, itself or through its preparations."""
        return placeholders(" ".join([rule.condition, *(one.sql for one in self.preparations_of(rule).values())]))
