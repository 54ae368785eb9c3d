"""Typed `where` and `orderBy`: their GraphQL types, made from the declared columns, and their SQL.

A filter exists only for columns that a declaration marks; nothing else can be asked for.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from decimal import Decimal
from enum import Enum
from typing import Any

import strawberry
from strawberry.types.field import StrawberryField
from strawberry.utils.str_converters import to_camel_case

from fulcrum.graph.compiler.values import Slot
from fulcrum.graph.errors import BadUserInputError

UNSET: Any = strawberry.UNSET


@strawberry.input(description="Conditions on a text; all that are given must hold.")
class StringFilter:
    """On text."""

    eq: str | None = strawberry.field(default=UNSET, description="Equal; null: has no value.")
    in_: list[str] | None = strawberry.field(default=UNSET, name="in", description="One of these.")


@strawberry.input(description="Conditions on a date; all that are given must hold.")
class DateFilter:
    """On dates."""

    eq: dt.date | None = strawberry.field(default=UNSET, description="Equal; null: has no value.")
    gte: dt.date | None = strawberry.field(default=UNSET, description="This day or later.")
    lte: dt.date | None = strawberry.field(default=UNSET, description="This day or earlier.")


@strawberry.input(description="Conditions on a decimal; all that are given must hold.")
class DecimalFilter:
    """On decimals."""

    eq: Decimal | None = strawberry.field(default=UNSET, description="Equal; null: has no value.")
    gt: Decimal | None = strawberry.field(default=UNSET, description="Greater.")
    gte: Decimal | None = strawberry.field(default=UNSET, description="Greater or equal.")
    lt: Decimal | None = strawberry.field(default=UNSET, description="Less.")
    lte: Decimal | None = strawberry.field(default=UNSET, description="Less or equal.")


@strawberry.input(description="A condition on yes or no.")
class BooleanFilter:
    """On booleans."""

    eq: bool | None = strawberry.field(default=UNSET, description="Equal.")


FILTERS: Mapping[str, type] = {
    "text": StringFilter,
    "date": DateFilter,
    "numeric": DecimalFilter,
    "boolean": BooleanFilter,
}
_COMPARISONS = {"eq": "=", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


def where_type(entity: str, fields: Mapping[str, tuple[StrawberryField, str]]) -> type | None:
    """The input `<Entity>Where` for these fields (and their SQL types); None without any."""
    if not fields:
        return None
    annotations = {name: FILTERS[sql_type] | None for name, (_, sql_type) in fields.items()}
    defaults = {
        name: strawberry.field(default=UNSET, description=found.description) for name, (found, _) in fields.items()
    }
    made = type(f"{entity}Where", (), {"__annotations__": annotations, "__module__": __name__, **defaults})
    described = f"Conditions on {entity}; all that are given must hold."
    return strawberry.input(made, description=described)


def order_type(entity: str, names: list[str]) -> type[Enum] | None:
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
    make: Any = Enum
    made: type[Enum] = make(f"{entity}Order", values)
    return strawberry.enum(made, description=f"Orders of lists of {entity}.")


def conditions(
    where: Mapping[str, Any],
    expression: Callable[[str], tuple[str, str]],
    bind: Callable[[Slot, str], str],
) -> list[str]:
    """The SQL conditions of a `where`.

    `expression` gives SQL and SQL type of a filtered field; `bind` the parameter of a value.
    """
    made: list[str] = []
    for name, wanted in where.items():
        if wanted is None:
            continue
        sql, sql_type = expression(name)
        made += [_condition(sql, sql_type, operator, value, bind) for operator, value in wanted.items()]
    return made


def _condition(sql: str, sql_type: str, operator: str, value: Any, bind: Callable[[Slot, str], str]) -> str:
    if value is None:
        if operator == "eq":
            return f"{sql} is null"
        raise BadUserInputError(f"`{operator}: null` says nothing.", remedy="Leave it out, or use `eq: null`.")
    if isinstance(value, bool):
        return f"{sql} = {'true' if value else 'false'}"
    if operator == "in":
        return f"{sql} = any({bind(value, sql_type + '[]')})"
    return f"{sql} {_COMPARISONS[operator]} {bind(value, sql_type)}"
