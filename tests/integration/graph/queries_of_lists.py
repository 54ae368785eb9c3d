"""Parts of made-up queries that only lists have: `where`, and the numbers of aggregates and groups."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from graphql import GraphQLInputObjectType, GraphQLList, get_named_type

from fulcrum.graph.aggregates import Aggregates
from tests.factories.graph_random import DAYS

T = TypeVar("T")

DEPTH_OF_WHERE = 3
TEXTS = [
    "EUR",
    "FUND",
    "MANDATE",
    "PORTFOLIO1",
    "CLIENT2",
    "C1",
    "EQUITY",
    "CLOSE",
    "VALUED",
    "GROWTH",
    "nobody",
    "~%_",
]
VALUES: dict[str, list[Any]] = {
    "StringFilter": TEXTS,
    "SearchFilter": [*TEXTS, "row", "ACM", "grwth", "INCO"],
    "DateFilter": [day.isoformat() for day in DAYS],
    "DateTimeFilter": ["2026-01-05T20:00:00Z", "2026-01-06T09:00:00+02:00"],
    "DecimalFilter": ["0", "10", "-3.14", "1000000.000001"],
    "IntFilter": [0, 3, 40],
}
LISTED = ("in", "notIn")


class Chance:
    """Choices that a seed decides; hypothesis chooses the seed (its own draws took half of the test's time)."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def one(self, values: Sequence[T]) -> T:
        """One of these."""
        return self._random.choice(values)

    def flip(self) -> bool:
        """Yes or no."""
        return self._random.random() < 0.5

    def integer(self, least: int, most: int) -> int:
        """A number; both bounds may come."""
        return self._random.randint(least, most)

    def some(
        self,
        values: Sequence[T],
        *,
        least: int = 0,
        most: int = 3,
        is_unique: bool = False,
        by: Callable[[T], Any] | None = None,
    ) -> list[T]:
        """So many of these; all different (in what `by` gives) if wanted, and then perhaps fewer."""
        chosen = [self.one(values) for _ in range(self.integer(least, most))]
        if not is_unique and by is None:
            return chosen
        return list({(by or (lambda value: value))(value): value for value in chosen}.values())


@dataclass(frozen=True)
class Leaf:
    """A value that may become a variable of type `kind`."""

    kind: str
    value: Any


def plain(value: Any) -> Any:
    """An input as JSON."""
    if isinstance(value, Leaf):
        return value.value
    if isinstance(value, dict):
        return {name: plain(part) for name, part in value.items()}
    return [plain(part) for part in value] if isinstance(value, list) else value


class Wheres:
    """Makes up conditions."""

    def __init__(self, chance: Chance) -> None:
        self.chance = chance

    def where(self, kind: GraphQLInputObjectType, depth: int) -> dict[str, Any]:
        """A `where` with one or two conditions."""
        names = sorted(name for name in kind.fields if depth > 0 or _is_scalar(kind, name))
        made = {}
        for name in self.chance.some(names, least=1, most=2, is_unique=True):
            made[name] = self._condition(kind, name, depth)
        return made

    def _condition(self, kind: GraphQLInputObjectType, name: str, depth: int) -> Any:
        if name in ("and", "or"):
            return [self.where(kind, depth - 1) for _ in range(self.chance.integer(1, 2))]
        if name == "not":
            return self.where(kind, depth - 1)
        inner: Any = get_named_type(kind.fields[name].type)
        if inner.name.endswith("ListFilter"):
            way = self.chance.one(["some", "none", "every"])
            return {way: self.where(inner.fields[way].type, depth - 1)}
        if inner.name.endswith("Where"):
            return self.where(inner, depth - 1)
        return self._comparison(inner)

    def _comparison(self, kind: GraphQLInputObjectType) -> dict[str, Any]:
        operator = self.chance.one(sorted(kind.fields))
        if operator == "isNull" or kind.name == "BooleanFilter":
            return {operator: Leaf("Boolean", self.chance.flip())}
        if operator in ("eq", "ne") and self.chance.integer(0, 3) == 0:
            return {operator: None}
        values = VALUES[kind.name]
        if operator in LISTED:
            item = get_named_type(kind.fields[operator].type).name
            return {operator: Leaf(f"[{item}!]", self.chance.some(values, most=3))}
        scalar: Any = kind.fields[operator].type
        assert not isinstance(scalar, GraphQLList)
        return {operator: Leaf(scalar.name, self.chance.one(values))}


def _is_scalar(kind: GraphQLInputObjectType, name: str) -> bool:
    named: Any = get_named_type(kind.fields[name].type)
    return bool(named.name in VALUES or named.name == "BooleanFilter")


class Numbers:
    """Makes up selections of aggregates and groups."""

    def __init__(self, known: Aggregates, chance: Chance) -> None:
        self.known = known
        self.chance = chance

    def aggregate(self) -> str:
        """The selection of `aggregate`."""
        return f"{{ {' '.join(self._parts())} }}"

    def group(self, keys: str) -> str:
        """The selection of `groups`."""
        return f"{{ key {{ {keys} }} {' '.join(self._parts())} }}"

    def _parts(self) -> list[str]:
        sums = [number for number in self.known.numbers.values() if number.is_summable]
        ways = ["count"] + (["min", "max"] if self.known.numbers else []) + (["sum", "avg", "weighted"] if sums else [])
        made = []
        for way in self.chance.some(ways, least=1, most=3, is_unique=True):
            if way == "count":
                made.append("count")
            elif way == "weighted":
                value, weight = (self.chance.one(sums).python_name.upper() for _ in range(2))
                made.append(f"weightedAverage(value: {value}, weight: {weight}) {{ amount currencyCode }}")
            else:
                usable = list(self.known.numbers.values()) if way in ("min", "max") else sums
                chosen = self.chance.some(usable, least=1, most=2, by=lambda n: n.name)
                shown = [n.name + (" { amount currencyCode }" if n.currency else "") for n in chosen]
                made.append(f"{way} {{ {' '.join(shown)} }}")
        return made
