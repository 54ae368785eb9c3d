"""What is refused of aggregates and groups before anything runs: currencies, orders, keys, masked numbers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from graphql import FieldNode

from fulcrum.graph.aggregates import Aggregates, Number
from fulcrum.graph.errors import BadUserInputError
from fulcrum.graph.ordinary.listing import Given
from fulcrum.graph.ordinary.sql import name_of

if TYPE_CHECKING:
    from fulcrum.graph.ordinary.checking import Check

_CODE = re.compile(r"[A-Z]{3}")


def check_numbers(check: Check, known: Aggregates, name: str, given: Given, nodes: list[FieldNode]) -> None:
    """Check the selection of `aggregate` or `groups`.

    Raises:
        ApiError: it asks for what cannot be, or may not be, computed.
    """
    whole = f"{known.entity}Aggregate" if known.numbers else "Counted"
    used: list[Number] = []
    for kind, field, asked in check.below(f"{known.entity}Group" if name == "groups" else whole, nodes):
        if field == "key":
            _check_key(check, known, given, asked)
        elif field == "weightedAverage":
            weighing = check.given(kind, asked)
            used += [known.number(name_of(weighing[part])) for part in ("value", "weight")]
        elif field != "count":
            suffix = "Sums" if field in ("sum", "avg") else "Extremes"
            used += [known.numbers[shown] for _, shown, _ in check.below(f"{known.entity}{suffix}", asked)]
    orders = [name_of(value) for value in given.get("orderBy") or []]
    sums = [order.rpartition("_")[0].removeprefix("SUM_") for order in orders if order.startswith("SUM_")]
    used += [known.number(one) for one in sums]
    if len(orders) != len(set(orders)):
        raise BadUserInputError("`orderBy` names an order twice.", remedy="Leave out the later one.")
    for number in used:
        check.usable(known.entity, number.python_name)
        if number.currency is not None:
            check.readable(known.entity, number.currency)
            _check_currency(given.get("in"))


def _check_key(check: Check, known: Aggregates, given: Given, nodes: list[FieldNode]) -> None:
    fields = {known.dimensions[name_of(value)].field for value in given["by"]}
    for _, field, _ in check.below(f"{known.entity}GroupKey", nodes):
        if field not in fields:
            raise BadUserInputError(f"The groups are not made by `{field}`.", remedy="Add it to `by`.")


def _check_currency(code: str | None) -> None:
    if code is not None and not _CODE.fullmatch(code):
        raise BadUserInputError("A currency has three capital letters.", remedy="Use an ISO 4217 code, such as EUR.")
