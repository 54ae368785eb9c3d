"""The GraphQL types of `where` and `orderBy`, made from what declarations mark; nothing else can be asked for.

Their SQL stands in `compiler/conditions.py` and `compiler/connections.py`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Any

import strawberry
from strawberry.utils.str_converters import to_camel_case

UNSET: Any = strawberry.UNSET

_EQ = "Equal; null: has no value."
_NE = "Not equal; null: has a value. Rows without a value differ from every value."
_IN = "One of these, 1000 at most."
_NOT_IN = "None of these, 1000 at most; holds for rows without a value."
_IS_NULL = "Whether there is no value."


def _said(description: str, name: str | None = None) -> Any:
    return strawberry.field(default=UNSET, description=description, name=name)


@strawberry.input(description="Conditions on a text; all that are given must hold. Texts compare by code point.")
class StringFilter:
    """On text."""

    eq: str | None = _said(_EQ)
    ne: str | None = _said(_NE)
    in_: list[str] | None = _said(_IN, "in")
    not_in: list[str] | None = _said(_NOT_IN)
    gt: str | None = _said("Greater.")
    gte: str | None = _said("Greater or equal.")
    lt: str | None = _said("Less.")
    lte: str | None = _said("Less or equal.")
    is_null: bool | None = _said(_IS_NULL)
    starts_with: str | None = _said("Begins with this, letter case included.")


@strawberry.input(description="Conditions on a text that can be searched; all that are given must hold.")
class SearchFilter(StringFilter):
    """On text with a trigram index."""

    contains: str | None = _said("Has this in it, whatever the letter case.")
    search: str | None = _said("Has words like these in it (trigrams: three in five agree), misspelt or not.")


@strawberry.input(description="Conditions on a date; all that are given must hold.")
class DateFilter:
    """On dates."""

    eq: dt.date | None = _said(_EQ)
    ne: dt.date | None = _said(_NE)
    in_: list[dt.date] | None = _said(_IN, "in")
    not_in: list[dt.date] | None = _said(_NOT_IN)
    gt: dt.date | None = _said("After this day.")
    gte: dt.date | None = _said("This day or later.")
    lt: dt.date | None = _said("Before this day.")
    lte: dt.date | None = _said("This day or earlier.")
    is_null: bool | None = _said(_IS_NULL)


@strawberry.input(description="Conditions on a moment; all that are given must hold.")
class DateTimeFilter:
    """On moments."""

    gt: dt.datetime | None = _said("After.")
    gte: dt.datetime | None = _said("Then or later.")
    lt: dt.datetime | None = _said("Before.")
    lte: dt.datetime | None = _said("Then or earlier.")
    is_null: bool | None = _said(_IS_NULL)


@strawberry.input(description="Conditions on a decimal; all that are given must hold.")
class DecimalFilter:
    """On decimals."""

    eq: Decimal | None = _said(_EQ)
    ne: Decimal | None = _said(_NE)
    in_: list[Decimal] | None = _said(_IN, "in")
    not_in: list[Decimal] | None = _said(_NOT_IN)
    gt: Decimal | None = _said("Greater.")
    gte: Decimal | None = _said("Greater or equal.")
    lt: Decimal | None = _said("Less.")
    lte: Decimal | None = _said("Less or equal.")
    is_null: bool | None = _said(_IS_NULL)


@strawberry.input(description="Conditions on a whole number; all that are given must hold.")
class IntFilter:
    """On whole numbers."""

    eq: int | None = _said(_EQ)
    ne: int | None = _said(_NE)
    in_: list[int] | None = _said(_IN, "in")
    not_in: list[int] | None = _said(_NOT_IN)
    gt: int | None = _said("Greater.")
    gte: int | None = _said("Greater or equal.")
    lt: int | None = _said("Less.")
    lte: int | None = _said("Less or equal.")
    is_null: bool | None = _said(_IS_NULL)


@strawberry.input(description="A condition on yes or no.")
class BooleanFilter:
    """On booleans."""

    eq: bool | None = _said("Equal; null: has no value.")
    ne: bool | None = _said("Not equal; null: has a value.")
    is_null: bool | None = _said(_IS_NULL)


FILTERS: Mapping[str, type] = {
    "text": StringFilter,
    "date": DateFilter,
    "timestamptz": DateTimeFilter,
    "numeric": DecimalFilter,
    "bigint": IntFilter,
    "boolean": BooleanFilter,
}
"""By SQL type; texts that can be searched have `SearchFilter`."""


@dataclass(frozen=True)
class Wanted:
    """One field of a `where`: the filter on a scalar, or the entity that a relation leads to."""

    description: str
    filter: type | None = None
    child: str | None = None
    is_many: bool = False


def where_types(entities: Mapping[str, Mapping[str, Wanted]]) -> dict[str, type]:
    """The inputs `<Entity>Where` of all entities with something to filter by; they name each other."""
    made: dict[str, type] = {name: type(f"{name}Where", (), {}) for name, fields in entities.items() if fields}
    lists: dict[str, type] = {}
    for name, cls in made.items():
        annotations: dict[str, Any] = {}
        for field, wanted in entities[name].items():
            kind = wanted.filter or made.get(wanted.child or "")
            if kind is None:
                continue
            if wanted.is_many:
                kind = lists.setdefault(wanted.child or "", type(f"{wanted.child}ListFilter", (), {}))
            annotations[field] = kind | None
            setattr(cls, field, _said(wanted.description))
        annotations |= {"and_": list[cls] | None, "or_": list[cls] | None, "not_": cls | None}  # type: ignore[valid-type]
        cls.and_ = _said("All of these hold.", "and")  # type: ignore[attr-defined]
        cls.or_ = _said("At least one of these holds.", "or")  # type: ignore[attr-defined]
        cls.not_ = _said("This does not hold: exactly the rows that it would leave out.", "not")  # type: ignore[attr-defined]
        _declare(cls, annotations, f"Conditions on {name}; all that are given must hold.")
    for child, cls in lists.items():
        cls.some = _said("At least one row is such.")  # type: ignore[attr-defined]
        cls.none = _said("No row is such.")  # type: ignore[attr-defined]
        cls.every = _said("All rows are such, or there are none.")  # type: ignore[attr-defined]
        _declare(cls, dict.fromkeys(("some", "none", "every"), made[child] | None), f"Conditions on a list of {child}.")
    return made


def _declare(cls: type, annotations: dict[str, Any], description: str) -> None:
    cls.__annotations__, cls.__module__ = annotations, __name__
    strawberry.input(cls, description=description)


def order_type(entity: str, names: Sequence[str]) -> type[Enum] | None:
    """The enum `<Entity>Order` with both directions of each sortable field; None without any."""
    if not names:
        return None
    values = {
        f"{name}_{way}".upper(): strawberry.enum_value(
            f"{name}_{way}", description=f"By {to_camel_case(name)}, {word}; empty ones last."
        )
        for name in names
        for way, word in (("asc", "ascending"), ("desc", "descending"))
    }
    return made_enum(f"{entity}Order", values, f"Orders of lists of {entity}.")


def made_enum(name: str, values: Mapping[str, Any], description: str) -> type[Enum]:
    """A GraphQL enum of described values."""
    make: Any = Enum
    made: type[Enum] = make(name, values)
    return strawberry.enum(made, description=description)
