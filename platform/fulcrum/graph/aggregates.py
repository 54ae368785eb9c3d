"""The GraphQL types of aggregates and groups, made from what declarations mark.

Their SQL is in `compiler/aggregates.py`. An amount of money comes with its currency; a dimension is a
column of the entity, or of another one that a marked to-one relation leads to, or a period of a date.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import Enum, StrEnum
from typing import Any

import strawberry
from strawberry.annotation import StrawberryAnnotation
from strawberry.types.arguments import StrawberryArgument
from strawberry.utils.str_converters import to_camel_case

from fulcrum.graph.filters import made_enum

MOST_STEPS = 2
"""Relations that a dimension may lead through: holding, instrument, issuer."""


class Bucket(StrEnum):
    """Periods that dates are grouped by; the key is the first day of the period."""

    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


@strawberry.type(description="A number computed from many rows, with its currency if it is money.")
class Amount:
    """An amount."""

    amount: Decimal = strawberry.field(
        description="Exact for sums, minima and maxima; averages have 16 digits or more."
    )
    currency_code: str | None = strawberry.field(
        description="ISO 4217; null: the number is no money, or nothing tells its currency."
    )


@strawberry.type(description="What can be told of every list.")
class Counted:
    """An aggregate of rows without numbers."""

    count: int = strawberry.field(description="Number of rows.")


@dataclass(frozen=True)
class Number:
    """A column that can be summed (`numeric`) or has a smallest and largest value."""

    name: str
    python_name: str
    description: str
    sql_type: str
    currency: str | None

    @property
    def is_summable(self) -> bool:
        """Dates are not."""
        return self.sql_type in ("numeric", "bigint")


@dataclass(frozen=True)
class Dimension:
    """Something to group by: a column `python_name` of the entity at the end of `path` (relations)."""

    key: str
    entity: str
    python_name: str
    sql_type: str
    path: tuple[str, ...] = ()
    bucket: Bucket | None = None
    description: str = ""

    @property
    def value(self) -> str:
        """Its name in the enum."""
        return self.key.upper()

    @property
    def field(self) -> str:
        """Its field in the key of a group."""
        return to_camel_case(self.key)


@dataclass(frozen=True)
class Aggregates:
    """What can be aggregated of an entity, and the types that offer it."""

    entity: str
    numbers: Mapping[str, Number]
    """By GraphQL field."""
    dimensions: Mapping[str, Dimension]
    """By value of the enum."""
    types: dict[str, Any] = field(default_factory=dict)

    def number(self, value: str) -> Number:
        """The number that a value of the enum (or of an order) names."""
        return next(found for found in self.numbers.values() if found.python_name.upper() == value)


def reached(
    entity: str,
    own: Callable[[str], list[Dimension]],
    through: Callable[[str], Mapping[str, str]],
    path: tuple[str, ...] = (),
) -> list[Dimension]:
    """The dimensions of `entity` and of what its relations lead to; `through` gives their entities."""
    found = [replace(dimension, path=path, key="_".join([*path, dimension.key])) for dimension in own(entity)]
    if len(path) < MOST_STEPS:
        for relation, child in through(entity).items():
            found += reached(child, own, through, (*path, relation))
    return found


def periods(dimension: Dimension) -> list[Dimension]:
    """The dimension itself and, for a date, the periods it falls in."""
    if dimension.sql_type != "date":
        return [dimension]
    return [dimension] + [
        replace(
            dimension,
            key=f"{dimension.key}_{bucket}",
            bucket=bucket,
            description=f"First day of the {bucket} of: {dimension.description}",
        )
        for bucket in Bucket
    ]


_PYTHON: Mapping[str, Any] = {"text": str, "date": dt.date, "boolean": bool, "bigint": int, "numeric": Decimal}


def make_types(found: Aggregates) -> None:
    """Make the types `<Entity>Aggregate`, `<Entity>Group` and what they hold."""
    entity, types = found.entity, found.types
    sums = {n.python_name: (_kind(n), n.description) for n in found.numbers.values() if n.is_summable}
    extremes = {n.python_name: (_kind(n), n.description) for n in found.numbers.values()}
    parts: dict[str, tuple[Any, str]] = {"count": (int, "Number of rows.")}
    if sums:
        kind = _object(f"{entity}Sums", sums, f"Sums or averages of numbers of {entity}; null where no row has one.")
        parts["sum"] = (kind, "Sums.")
        parts["avg"] = (kind, "Averages of the rows that have a value.")
    if extremes:
        kind = _object(
            f"{entity}Extremes", extremes, f"Smallest or largest values of {entity}; null where there are none."
        )
        parts["min"] = (kind, "Smallest values.")
        parts["max"] = (kind, "Largest values.")
    if sums:
        values = {name.upper(): _value(name, description) for name, (_, description) in sums.items()}
        types["number"] = made_enum(f"{entity}Number", values, f"Numbers of {entity}.")
        parts["weighted_average"] = (Amount | None, "Sum of value x weight by sum of weight, of rows that have both.")
    types["aggregate"] = Counted
    if extremes:
        types["aggregate"] = _object(f"{entity}Aggregate", parts, f"Computed from many rows of {entity}.")
    _weigh(types["aggregate"], types.get("number"))
    if found.dimensions:
        _make_groups(found, parts, sums)


def _make_groups(found: Aggregates, parts: dict[str, tuple[Any, str]], sums: Mapping[str, Any]) -> None:
    entity, types = found.entity, found.types
    keys = {d.key: (_PYTHON[d.sql_type] | None, d.description) for d in found.dimensions.values()}
    key = _object(
        f"{entity}GroupKey",
        keys,
        f"What the rows of a group of {entity} have in common; only what they are grouped by may be asked.",
    )
    types["group"] = _object(
        f"{entity}Group", {"key": (key, "What its rows have in common."), **parts}, f"Rows of {entity} with one key."
    )
    _weigh(types["group"], types.get("number"))
    values = {d.value: _value(d.key, d.description) for d in found.dimensions.values()}
    types["dimension"] = made_enum(f"{entity}Dimension", values, f"What {entity} can be grouped by.")
    named = {"key": "the key", "count": "the number of rows"} | {f"sum_{n}": f"the sum of {n}" for n in sums}
    orders = {
        f"{name}_{way}".upper(): _value(f"{name}_{way}", f"By {said}, {word}; empty ones last.")
        for name, said in named.items()
        for way, word in (("asc", "ascending"), ("desc", "descending"))
    }
    types["order"] = made_enum(f"{entity}GroupOrder", orders, f"Orders of groups of {entity}.")


def _kind(number: Number) -> Any:
    return (Amount if number.currency else Decimal if number.is_summable else _PYTHON[number.sql_type]) | None


def _value(value: str, description: str) -> Any:
    return strawberry.enum_value(value, description=description)


def _object(name: str, fields: Mapping[str, tuple[Any, str]], description: str) -> type:
    said = {field: strawberry.field(description=text) for field, (_, text) in fields.items()}
    annotations = {field: kind for field, (kind, _) in fields.items()}
    made = type(name, (), {"__annotations__": annotations, "__module__": __name__, **said})
    return strawberry.type(made, description=description)


def _weigh(owner: Any, numbers: type[Enum] | None) -> None:
    for found in owner.__strawberry_definition__.fields:
        if found.python_name == "weighted_average":
            found.arguments = [
                StrawberryArgument("value", None, StrawberryAnnotation(numbers), description="What is averaged."),
                StrawberryArgument(
                    "weight", None, StrawberryAnnotation(numbers), description="How much each row counts."
                ),
            ]
