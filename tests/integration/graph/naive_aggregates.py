"""`aggregate` and `groups` the naive way: lists of decimals in Python, one group after another.

Divisions are PostgreSQL's, asked for one by one: how many digits a quotient has is its business.
"""

from __future__ import annotations

import datetime as dt
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import TYPE_CHECKING, Any

from fulcrum.graph.aggregates import Bucket, Dimension, Number

if TYPE_CHECKING:
    from graphql import FieldNode, GraphQLObjectType

    from tests.integration.graph.naive import Naive, Row

DIGITS = 400


class RefusedError(Exception):
    """The API must refuse this."""


class Aggregated:
    """One aggregate or grouping of a list."""

    def __init__(self, naive: Naive, entity: str, given: Row, kind: GraphQLObjectType) -> None:
        self.naive, self.entity, self.given, self.kind = naive, entity, given, kind
        self.known = naive.graph.bindings.aggregates[entity]
        self.target = given.get("in")

    def of(self, name: str, nodes: list[FieldNode], rows: list[Row]) -> Any:
        """The value of the field `aggregate` or `groups`."""
        with localcontext(prec=DIGITS):
            if name == "aggregate":
                return self._object("Counted" if not self.known.numbers else f"{self.entity}Aggregate", nodes, rows, {})
            return self._groups(nodes, rows)

    def _groups(self, nodes: list[FieldNode], rows: list[Row]) -> list[Row]:
        if self.given.get("first") == 0:
            return []
        dimensions = [self.known.dimensions[_name(value)] for value in self.given["by"]]
        by_key: dict[tuple[Any, ...], list[Row]] = {}
        for row in rows:
            by_key.setdefault(tuple(self._key(dimension, row) for dimension in dimensions), []).append(row)
        places = {f"k{place}": place for place in range(len(dimensions))}
        found = [
            {name: key[place] for name, place in places.items()} | {"key": key, "rows": members}
            for key, members in by_key.items()
        ]
        order: list[tuple[str, bool]] = []
        is_by_key = False
        for value in self.given.get("orderBy") or []:
            name, _, way = _name(value).rpartition("_")
            if name == "KEY":
                is_by_key = True
                order += [(place, way == "DESC") for place in places]
                continue
            try:
                for group in found:
                    group[name] = self._ordering(name, group["rows"])
            except RefusedError:
                if not is_by_key:
                    raise
                self.naive.may_refuse = True  # keys differ, so PostgreSQL may compute what follows them, or not
                continue
            order.append((name, way == "DESC"))
        if not is_by_key:
            order += [(place, False) for place in places]
        found = self.naive.sorted(found, order)
        fields = [dimension.field for dimension in dimensions]

        def shown(group: Row) -> Row:
            key = dict(zip(fields, group["key"], strict=True))
            return self._object(f"{self.entity}Group", nodes, group["rows"], key)

        first = len(found) if self.given.get("first") is None else self.given["first"]
        try:
            for group in found[first:]:
                shown(group)
        except RefusedError:
            self.naive.may_refuse = True  # PostgreSQL may compute groups that are not shown, or not
        return [shown(group) for group in found[:first]]

    def _ordering(self, name: str, rows: list[Row]) -> Any:
        if name == "COUNT":
            return len(rows)
        return self._value("sum", self.known.number(name.removeprefix("SUM_")), rows)[0]

    def _key(self, dimension: Dimension, row: Row) -> Any:
        entity, found = self.entity, row
        for step in dimension.path:
            bound = self.naive.graph.bindings.by_python_name(entity, step)
            assert bound.child is not None
            entity, rows = bound.child, self.naive.joined(bound, found)
            if not rows:
                return None
            (found,) = rows
        value = self.naive.value(self.naive.graph.bindings.by_python_name(entity, dimension.python_name), found)
        return value if value is None or dimension.bucket is None else _first_day(value, dimension.bucket)

    def _object(self, type_name: str, nodes: list[FieldNode], rows: list[Row], key: Row) -> Row:
        kind = self.naive.type(type_name)
        made: Row = {}
        for shown, asked in self.naive.collect(kind, nodes).items():
            name = asked[0].name.value
            match name:
                case "__typename":
                    made[shown] = type_name
                case "count":
                    made[shown] = len(rows)
                case "key":
                    fields = self.naive.collect(self.naive.type(f"{self.entity}GroupKey"), asked)
                    made[shown] = {k: _json(key[v[0].name.value]) for k, v in fields.items()}
                case "weightedAverage":
                    given = self.naive.arguments(kind, asked[0])
                    value, weight = (self.known.number(_name(given[part])) for part in ("value", "weight"))
                    made[shown] = self._amount(asked, *self._weighted(value, weight, rows))
                case _:
                    made[shown] = self._numbers(name, asked, rows)
        return made

    def _numbers(self, function: str, nodes: list[FieldNode], rows: list[Row]) -> Row:
        kind = self.naive.type(f"{self.entity}{'Sums' if function in ('sum', 'avg') else 'Extremes'}")
        made: Row = {}
        for shown, asked in self.naive.collect(kind, nodes).items():
            number = self.known.numbers[asked[0].name.value]
            value, currency = self._value(function, number, rows)
            made[shown] = self._amount(asked, value, currency) if number.currency else _json(value)
        return made

    def _amount(self, nodes: list[FieldNode], value: Any, currency: str | None) -> Row | None:
        known = {"amount": _json(value), "currencyCode": currency, "__typename": "Amount"}
        fields = self.naive.collect(self.naive.type("Amount"), nodes)
        return None if value is None else {shown: known[asked[0].name.value] for shown, asked in fields.items()}

    def _value(self, function: str, number: Number, rows: list[Row]) -> tuple[Any, str | None]:
        values = [(self._number(number, row), row) for row in rows]
        present = [(value, row) for value, row in values if value is not None]
        currency = self._currency(number, [row for _, row in present])
        amounts = [value * self._rate(number, row) if number.is_summable else value for value, row in present]
        if not amounts:
            return None, currency
        match function:
            case "sum":
                return sum(amounts), currency
            case "avg":
                return self.naive.divided(sum(amounts), Decimal(len(amounts))), currency
            case "min":
                return min(amounts), currency
            case _:
                return max(amounts), currency

    def _weighted(self, value: Number, weight: Number, rows: list[Row]) -> tuple[Any, str | None]:
        both = [
            (self._number(value, row), self._number(weight, row), row)
            for row in rows
            if self._number(value, row) is not None and self._number(weight, row) is not None
        ]
        found = [row for _, _, row in both]
        currency = self._currency(value, found)
        self._currency(weight, found)
        if not both:
            return None, currency
        weights = sum(w * self._rate(weight, row) for _, w, row in both)
        products = sum(v * w * self._rate(value, row) * self._rate(weight, row) for v, w, row in both)
        return (None if weights == 0 else self.naive.divided(products, weights)), currency

    def _number(self, number: Number, row: Row) -> Any:
        value = self.naive.value(self.naive.graph.bindings.by_python_name(self.entity, number.python_name), row)
        return Decimal(value) if isinstance(value, int) else value

    def _currency(self, number: Number, rows: list[Row]) -> str | None:
        if number.currency is None or self.target is not None:
            return self.target if number.currency else None
        found = {row[number.currency] for row in rows}
        if len(found) > 1:
            raise RefusedError("several currencies")
        return found.pop() if found else None

    def _rate(self, number: Number, row: Row) -> Decimal:
        if number.currency is None or self.target is None:
            return Decimal(1)
        day = row.get("business_date", self.naive.as_of)
        found = chosen_rate(self.naive, row[number.currency], self.target, day)
        if found is None:
            raise RefusedError("There is no rate")
        return found


def chosen_rate(naive: Naive, one: str | None, two: str, day: dt.date) -> Decimal | None:
    """The rate that valuations would take: by age, then sources, then direct before crossed."""
    if one == two:
        return Decimal(1)
    fx = naive.graph.bindings.policy.fx
    ways = [(*leg, 0) for leg in [_leg(naive, one, two, day)] if leg is not None]
    for place, through in enumerate(fx.cross_through, 1):
        first, second = _leg(naive, one, through, day), _leg(naive, through, two, day)
        if first is not None and second is not None:
            ways.append((max(first[0], second[0]), first[1] * second[1], first[2] * second[2], place))
    if not ways:
        return None
    _, num, den, _ = min(ways, key=lambda way: (way[0], way[3]))
    found = num if den == 1 else (num / den).quantize(Decimal(1).scaleb(-20), ROUND_HALF_UP)
    found = found.normalize()
    return found.quantize(Decimal(1)) if found.as_tuple().exponent > 0 else found  # type: ignore[operator]


def _leg(naive: Naive, one: str | None, two: str, day: dt.date) -> tuple[int, Decimal, Decimal] | None:
    fx = naive.graph.bindings.policy.fx
    found = []
    for row in naive.visible("core.fx_rate"):
        pair, age = (row["base_currency_code"], row["quote_currency_code"]), (day - row["business_date"]).days
        if one == two or pair not in ((one, two), (two, one)) or not 0 <= age <= fx.refused_after_days:
            continue
        tier = 0 if age == 0 else 1 if age <= fx.flagged_after_days else 2
        ranked = list(fx.source_ranking)
        rank = ranked.index(row["source_code"]) if row["source_code"] in ranked else len(ranked)
        is_inverse = pair == (two, one)
        sides = (Decimal(1), row["rate"]) if is_inverse else (row["rate"], Decimal(1))
        found.append(((tier, rank, age, is_inverse, row["source_code"]), sides))
    if not found:
        return None
    order, sides = min(found, key=lambda leg: leg[0])
    return order[0], *sides


def _first_day(day: dt.date, bucket: Bucket) -> dt.date:
    match bucket:
        case Bucket.WEEK:
            return day - dt.timedelta(days=day.weekday())
        case Bucket.MONTH:
            return day.replace(day=1)
        case Bucket.QUARTER:
            return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
        case _:
            return day.replace(month=1, day=1)


def _name(value: Any) -> str:
    return str(getattr(value, "name", value))


def _json(value: Any) -> Any:
    if isinstance(value, Decimal):
        return format(value, "f")
    return value.isoformat() if isinstance(value, dt.date) else value
