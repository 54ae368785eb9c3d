"""Turns the rules of a suite into SQL for one delivery, and says which of them cannot run and why.

Nothing here touches the database; measuring is `runner.py`, refusing rows is `quarantine.py`.
"""
# ruff: noqa: S608 composing the SQL of reviewed rule files is this module's task

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fnmatch import fnmatchcase

from fulcrum.contracts.model import FeedContract
from fulcrum.errors import GateError
from fulcrum.quality.resolution import Known
from fulcrum.quality.suite import Compare, Level, Question, Rule, Suite, Tolerance
from fulcrum.warehouse.targets import IDENTIFIER_COLUMNS, Kind, target

# Columns that name a row for people, in the order in which they are shown.
KEY_COLUMNS = (
    "portfolio_code", "client_code", "account_code", "share_class_code", "benchmark_code", "issuer_code",
    "transaction_code", *IDENTIFIER_COLUMNS, "lei", "scheme", "position_code", "price_type_code",
    "source_code", "base_currency_code", "quote_currency_code", "business_date",
)  # fmt: skip


@dataclass(frozen=True)
class Batch:
    """What a rule may ask about the staged delivery; `known` is what the warehouse knows of its parents."""

    table: str
    columns: tuple[str, ...]
    delivery_id: int
    rows_in: int
    rows_refused: int
    metadata: Mapping[str, str]
    known: Known
    dates: tuple[dt.date, dt.date] | tuple[None, None] = (None, None)
    """First and last business date of its rows: a literal prunes partitions and spares a scan per rule."""
    further: Mapping[str, str] = field(default_factory=dict)
    """Placeholders of an inspection: `business_date`, `expected`."""


@dataclass(frozen=True)
class Planned:
    """A rule that can run: `sql` yields its number; for row rules that is the count of failed rows.

    `rows` is the query that lists failed rows as (source_row, value); None for set rules.
    """

    rule: Rule
    sql: str
    compare: Compare
    limit: Decimal
    tolerance: Tolerance | None
    rows: str | None
    good: str | None = None
    """The predicate of a good row, of rules that have one; `shown` is what is shown of a bad one."""
    shown: str | None = None
    judged_by: Mapping[str, Tolerance] = field(default_factory=dict)
    """Every tolerance that the rule uses, itself or through what it builds on, by name."""

    @property
    def is_aggregate(self) -> bool:
        """Whether `sql` is an aggregate that shares one statement with others, or a query of its own."""
        return self.rule.form in ("good", "total")


@dataclass(frozen=True)
class Unplanned:
    """A rule that cannot run on this delivery, and why: it is reported, and never passes."""

    rule: Rule
    reason: str


def plan(
    suite: Suite, tolerances: Mapping[str, Tolerance], contract: FeedContract, batch: Batch
) -> tuple[list[Planned], list[Unplanned]]:
    """The rules that apply to this feed, split into those that can run and those that cannot."""
    runnable: list[Planned] = []
    impossible: list[Unplanned] = []
    for rule in suite.rules:
        if not applies(rule, contract):
            continue
        reason = _obstacle(suite, rule, contract, batch)
        if reason is None:
            used = {*rule.numbers.values(), *([rule.tolerance] if rule.tolerance else [])}
            used |= {name for one in suite.preparations_of(rule).values() for name in one.numbers.values()}
            planned = _planned(suite, rule, tolerances, contract, batch)
            judged_by = {name: tolerances[name] for name in sorted(used) if name in tolerances}
            runnable.append(replace(planned, judged_by=judged_by))
        else:
            impossible.append(Unplanned(rule, reason))
    return runnable, impossible


def applies(rule: Rule, contract: FeedContract) -> bool:
    """Whether the rule speaks about this feed at all."""
    if not any(fnmatchcase(contract.feed, pattern) for pattern in rule.applies_to):
        return False
    return all(getattr(contract, name) == value for name, value in rule.when.items())


def key_columns(contract: FeedContract, columns: tuple[str, ...]) -> tuple[str, ...]:
    """The staged columns that make two lines speak of the same thing, for this feed."""
    wanted = target(contract.target)
    codes = {reference.column: reference.code for reference in wanted.references}
    own_code = f"{wanted.entity}_code"
    names: list[str] = []
    for column in (*wanted.key, "business_date", *(() if wanted.kind is Kind.FACT else ("valid_from",))):
        if column == f"{wanted.entity}_id" and own_code in columns:
            names.append(own_code)
        elif column in ("instrument_id", f"{wanted.entity}_id"):
            names += [name for identifier in contract.identifiers for name in identifier.columns]
            names += IDENTIFIER_COLUMNS
        elif column == "position_code":
            names += [column, *contract.position_columns]
        else:
            names.append(codes.get(column, column))
    return tuple(dict.fromkeys(name for name in names if name in columns))


def prepared_table(batch: Batch, name: str) -> str:
    """The table of the preparation `name`; whatever is called `<batch>_*` goes away with the delivery."""
    return f"{batch.table}_{name}"


def _obstacle(suite: Suite, rule: Rule, contract: FeedContract, batch: Batch) -> str | None:
    required = [*rule.requires, *(name for one in suite.preparations_of(rule).values() for name in one.requires)]
    missing = [name for name in dict.fromkeys(required) if name not in batch.columns]
    if missing:
        return f"{contract.feed} does not deliver {', '.join(missing)}."
    if rule.requires_any and not set(rule.requires_any) & set(batch.columns):
        return f"{contract.feed} delivers none of {', '.join(rule.requires_any)}."
    untold = [name for name in rule.requires_metadata if batch.metadata.get(name) in (None, "")]
    if untold:
        return f"The file does not state its {', '.join(name.replace('_', ' ') for name in untold)}."
    return _nothing_to_join(suite.placeholders_of(rule), contract, batch)


def _nothing_to_join(used: set[str], contract: FeedContract, batch: Batch) -> str | None:
    if used & {"resolved", "instruments"} and batch.known.rows is None:
        return f"Rows of {contract.feed} name no instrument."
    for name in used:
        kind, _, column = name.partition(".")
        if kind in ("unknown", "provisional") and column not in batch.known.unknown:
            return f"Rows of {contract.feed} name no {column.removesuffix('_id').replace('_', ' ')}."
        if kind == "column" and batch.metadata[column] not in batch.columns:
            return f"The file states a total of {batch.metadata[column]!r}, which is not staged."
    return None


def _planned(
    suite: Suite, rule: Rule, tolerances: Mapping[str, Tolerance], contract: FeedContract, batch: Batch
) -> Planned:
    numbers = rule.numbers | ({"tolerance": rule.tolerance} if rule.tolerance else {})
    names = names_for(f"Rule {rule.id}", rule, numbers, tolerances, contract, batch)
    names |= {name: prepared_table(batch, name) for name in suite.prepares}
    condition = filled(f"Rule {rule.id}", rule.condition, names)
    tolerance = tolerances.get(rule.tolerance) if rule.tolerance else None
    if rule.level is Level.SET:
        assert rule.compare is not None
        assert tolerance is not None, "checked by names_for"
        return Planned(rule, condition, rule.compare, tolerance.value, tolerance, None)
    shown = filled(f"Rule {rule.id}", rule.value, names) if rule.value else rule.column
    if rule.form == "good":
        rows = f"select source_row, ({shown})::text as value from {batch.table} where not ({condition})"
        sql = f"count(*) filter (where not ({condition}))"
        return Planned(rule, sql, Compare.AT_MOST, Decimal(0), tolerance, rows, condition, shown)
    if rule.form == "good_value":
        rows = (
            f"select source_row, {rule.column}::text as value from {batch.table} where {rule.column} in ("
            f"select {rule.column} from ({_distinct(batch, str(rule.column))} offset 0) one where not ({condition}))"
        )
    else:
        rows = condition
    return Planned(rule, f"select count(*) from ({rows}) failed", Compare.AT_MOST, Decimal(0), tolerance, rows)


def _distinct(batch: Batch, column: str) -> str:
    """The query of a column's values, from what resolving collected where the column names a parent."""
    if column in batch.known.named:
        return f"select distinct nullif({column}, '') as {column} from {batch.known.named[column]} named"
    return f"select distinct {column} from {batch.table}"


def names_for(
    who: str,
    question: Question,
    numbers: Mapping[str, str],
    tolerances: Mapping[str, Tolerance],
    contract: FeedContract,
    batch: Batch,
) -> dict[str, str]:
    """What each placeholder of a rule or preparation, called `who` in errors, becomes.

    `batch` the staging table; `resolved` the same with `instrument_id`; `unknown.<parent>_id` and
    `provisional.<parent>_id` the rows whose parent is not known, or will be registered; `key` and
    `content` the columns of the two parts of a line; `first_date` and `last_date` those of its rows;
    `metadata.x` what the file says of itself, and `column.x` the column that it names there; then tolerances and
    optional columns.

    Raises:
        GateError: it names a tolerance that does not exist.
    """
    for tolerance in numbers.values():
        if tolerance not in tolerances:
            raise GateError(
                f"{who} names the tolerance {tolerance!r}, which is not in quality/tolerances.yaml.",
                remedy="Add it with value, unit, owner, since and why.",
            )
    key = key_columns(contract, batch.columns)
    content = [name for name in batch.columns if name not in key] or ["0"]
    built_in = {
        "batch": batch.table,
        "resolved": batch.known.rows or "",
        "instruments": batch.known.instruments or "",
        "delivery_id": str(batch.delivery_id),
        "rows_in": str(batch.rows_in),
        "rows_refused": str(batch.rows_refused),
        "source": literal(contract.source),
        "lag_days": str(contract.sla.lag_days),
        "sessions": "quality.exchange_session",
        "first_date": date_literal(batch.dates[0]),
        "last_date": date_literal(batch.dates[1]),
        **batch.further,
        "key": ", ".join(key),
        "content": ", ".join(content),
        **{name: format(tolerances[tolerance].value, "f") for name, tolerance in numbers.items()},
        **{f"unknown.{name}": query for name, query in batch.known.unknown.items()},
        **{f"provisional.{name}": query for name, query in batch.known.provisional.items()},
        **{f"metadata.{name}": literal(batch.metadata[name]) for name in question.requires_metadata},
        **{f"column.{name}": batch.metadata[name] for name in question.requires_metadata},
    }
    optional = {
        name: name if name in batch.columns else f"({filled(who, default, built_in)})"
        for name, default in question.otherwise.items()
    }
    return built_in | optional


def filled(who: str, text: str, names: Mapping[str, str]) -> str:
    """`text` with its placeholders replaced.

    Raises:
        GateError: a placeholder has no name.
    """

    def replaced(found: re.Match[str]) -> str:
        try:
            return names[found[1]]
        except KeyError:
            raise GateError(
                f"{who} uses the unknown placeholder {found[0]}.", remedy="`fulcrum quality lint` lists all."
            ) from None

    return re.sub(r"\{([a-z_][a-z_0-9.]*)\}", replaced, text)


def literal(text: str) -> str:
    """`text` as a literal of PostgreSQL."""
    return "'" + text.replace("'", "''") + "'"


def date_literal(day: dt.date | None) -> str:
    """`day` as a literal of PostgreSQL; null for a batch without rows."""
    return "null::date" if day is None else f"date {literal(day.isoformat())}"
