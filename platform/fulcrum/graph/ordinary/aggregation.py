"""`aggregate` and `groups` of the ordinary path: PostgreSQL adds up by currency, Python converts and combines.

Quotients are PostgreSQL's: how many digits one has is its business.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import Any

from fulcrum.graph.aggregates import Aggregates, Dimension, Number
from fulcrum.graph.compiler.paging import MOST_ROWS
from fulcrum.graph.declare import At, Relation
from fulcrum.graph.errors import BadUserInputError
from fulcrum.graph.ordinary.listing import Given, Lists
from fulcrum.graph.ordinary.rows import as_json
from fulcrum.graph.ordinary.session import Session
from fulcrum.graph.ordinary.sql import Key, Sql, name_of, scalar, tied, where
from fulcrum.graph.sources import VERSION, Rows

DIGITS = 1_000
Dims = tuple[Any, ...]


@dataclass(frozen=True)
class Partial:
    """Rows of one currency (of each number) and day in one group."""

    dims: Dims
    currencies: tuple[str | None, ...]
    day: dt.date | None
    values: tuple[Any, ...]


@dataclass(frozen=True)
class Amount:
    """A number and its currency, if it is money."""

    value: Any
    currency: str | None


@dataclass(frozen=True)
class Aggregation:
    """One `aggregate` or `groups` of a batch of lists; `name` tells it from others of the operation."""

    name: tuple[Any, ...]
    lists: Lists
    given: Given

    @property
    def session(self) -> Session:
        """The operation's."""
        return self.lists.session

    @property
    def known(self) -> Aggregates:
        """What the entity offers."""
        return self.session.graph.bindings.aggregates[self.lists.link.child]

    @property
    def dimensions(self) -> list[Dimension]:
        """What is grouped by."""
        return [self.known.dimensions[name_of(value)] for value in self.given.get("by") or []]

    @property
    def target(self) -> str | None:
        """The currency that amounts are converted into."""
        return self.given.get("in")

    async def groups(self, key: Key) -> list[Group]:
        """The groups of one list that are shown, in their order.

        Raises:
            BadUserInputError: there are too many, or an amount to order by cannot be told.
        """
        first = self.given.get("first")
        if first == 0:
            return []
        counted = await self._partials(key, ("count",), [], ["count(*)"])
        made = [Group(self, key, one.dims, one.values[0]) for one in counted]
        if first is None and len(made) > MOST_ROWS:
            raise BadUserInputError(
                f"There are over {MOST_ROWS} groups.", remedy="Ask for the first of them, or filter."
            )
        places = range(len(self.dimensions))
        for place in reversed(places):
            made = _sorted([(group.dims[place], group) for group in made], is_descending=False)
        for name, way in reversed(self._orders):
            if name == "KEY":
                for place in reversed(places):
                    made = _sorted([(group.dims[place], group) for group in made], is_descending=way == "DESC")
                continue
            sums = [await group.ordering(name) for group in made]
            made = _sorted(list(zip(sums, made, strict=True)), is_descending=way == "DESC")
        return made[:first]

    @property
    def _orders(self) -> list[tuple[str, str]]:
        """Names and ways of the orders; keys differ, so nothing that follows them matters."""
        made = []
        for value in self.given.get("orderBy") or []:
            name, _, way = name_of(value).rpartition("_")
            made.append((name, way))
            if name == "KEY":
                break
        return made

    async def whole(self, key: Key) -> Group:
        """All rows of one list as one group."""
        (counted,) = await self._partials(key, ("count",), [], ["count(*)"])
        return Group(self, key, (), counted.values[0])

    async def number(self, key: Key, number: Number) -> list[Partial]:
        """Count, sum, minimum and maximum of a number, by group, currency and day."""
        functions = ["count({0})", "sum({0})" if number.is_summable else "null", "min({0})", "max({0})"]
        return await self._partials(key, (number.name,), [number], functions)

    async def weighted(self, key: Key, value: Number, weight: Number) -> list[Partial]:
        """Rows that have both, sum of products and sum of weights, by group, currencies and day."""
        both = ["count({0} * {1})", "sum({0} * {1})", "sum({1}) filter (where {0} is not null)"]
        return await self._partials(key, (value.name, weight.name), [value, weight], both)

    async def _partials(
        self, key: Key, name: tuple[str, ...], numbers: Sequence[Number], functions: Sequence[str]
    ) -> list[Partial]:
        async def load(keys: list[Key]) -> list[list[Partial]]:
            return await self._load(keys, numbers, functions)

        found: list[Partial] = await self.session.loader((*self.name, *name), load).load(key)
        return found

    async def _load(self, keys: list[Key], numbers: Sequence[Number], functions: Sequence[str]) -> list[list[Partial]]:
        sql, parents, rows, conditions = self.lists.opened(keys)
        joins: list[str] = []
        dims = [self._dimension(sql, dimension, rows, joins) for dimension in self.dimensions]
        bindings = self.session.graph.bindings
        shown = [scalar(bindings.by_python_name(self.known.entity, n.python_name), rows.ref) for n in numbers]
        currencies = ["null::text" if n.currency is None else rows.ref(n.currency) for n in numbers]
        days = [rows.ref("business_date")] if self._is_of_many_days(numbers) else []
        by = [*dims, *(sql for sql in currencies if sql != "null::text"), *days]
        taken = [*dims, *currencies, *(days or ["null::date"]), *(text.format(*shown) for text in functions)]
        grouped = f" group by {', '.join(by)}" if by else ""
        select = f"select {', '.join(f'{one} as c{nth}' for nth, one in enumerate(taken))}"
        inner = f"{select} from {rows.from_sql()}{''.join(joins)}{where(conditions)}{grouped}"
        whole = f"select parent_.nth, c.* from {parents.from_sql()} cross join lateral ({inner}) c"
        found: list[list[Partial]] = [[] for _ in keys]
        many = len(dims), len(dims) + len(numbers)
        for nth, *row in await self.session.fetch(sql.finished(whole), sql.values):
            found[nth].append(
                Partial(tuple(row[: many[0]]), tuple(row[many[0] : many[1]]), row[many[1]], tuple(row[many[1] + 1 :]))
            )
        return found

    def _is_of_many_days(self, numbers: Sequence[Number]) -> bool:
        source = self.session.graph.bindings.entities[self.known.entity].source
        is_converted = self.target is not None and any(number.currency for number in numbers)
        return is_converted and source.is_fact and self.lists.link.declaration.at is not At.AS_OF

    def _dimension(self, sql: Sql, dimension: Dimension, rows: Rows, joins: list[str]) -> str:
        bindings, entity, ref = self.session.graph.bindings, self.known.entity, rows.ref
        for step in dimension.path:
            bound = bindings.by_python_name(entity, step)
            assert isinstance(bound.declaration, Relation)
            entity = bound.child or ""
            source, alias = bindings.entities[entity].source, sql.alias()
            joined = source.rows(f"{alias}x", must_exist=False)
            conditions = tied(source, bound.declaration, joined, ref)
            taken = ", ".join(f'{joined.ref(name)} as "{name}"' for name in source.columns)
            joins.append(
                f" left join lateral (select {taken} from {joined.from_sql()}{where(conditions)}) {alias} on true"
            )
            ref = f'{alias}."{{}}"'.format
        made = scalar(bindings.by_python_name(entity, dimension.python_name), ref)
        return made if dimension.bucket is None else f"date_trunc('{dimension.bucket}', {made}::timestamp)::date"

    async def rate(self, number: Number, currency: str | None, day: dt.date | None) -> Decimal:
        """What one unit of a currency is worth in the target.

        Raises:
            BadUserInputError: there is no rate.
        """
        if number.currency is None or self.target is None:
            return Decimal(1)
        asked = (currency, self.target, day or self.session.clock.as_of)
        found: Decimal | None = await self.session.loader("rate", self._rates).load(asked)
        if found is None:
            raise BadUserInputError(
                f"There is no rate from {currency or 'no currency'} to {self.target} for {asked[2]}.",
                remedy="Leave such amounts out by `where`, or convert into another currency.",
            )
        return found

    async def _rates(self, keys: list[tuple[str | None, str, dt.date]]) -> list[Decimal | None]:
        policy, made = self.session.graph.bindings.policy, []
        for currency, target, day in keys:
            major = policy.minor_currencies.get(currency or "")
            sql = Sql(self.session.clock)
            values = [
                sql.bind(value, kind)
                for value, kind in (
                    (day, "date"),
                    (major or currency, "text"),
                    (target, "text"),
                    (list(policy.fx.source_ranking), "text[]"),
                    (list(policy.fx.cross_through), "text[]"),
                    (policy.fx.flagged_after_days, "integer"),
                    (policy.fx.refused_after_days, "integer"),
                )
            ]
            chosen = f"select core.chosen_rate({VERSION}, {', '.join(values)})"
            ((rate,),) = await self.session.fetch(sql.finished(chosen), sql.values)
            made.append(rate * Decimal("0.01") if rate is not None and major else rate)
        return made

    async def quotient(self, one: Decimal, two: Decimal) -> Decimal:
        """`one` by `two`, with PostgreSQL's digits."""
        found: Decimal = await self.session.loader("quotient", self._quotients).load((f"{one:f}", f"{two:f}"))
        return found

    async def _quotients(self, keys: list[tuple[str, str]]) -> list[Decimal]:
        ones, twos = (f"{{{','.join(part)}}}" for part in zip(*keys, strict=True))
        found = await self.session.fetch(
            "select a / b from unnest($1::numeric[], $2::numeric[]) with ordinality as q(a, b, nth) order by nth",
            [ones, twos],
        )
        return [quotient for (quotient,) in found]


@dataclass(frozen=True)
class Group:
    """Rows of one list with the same dimensions; without any, the whole list."""

    of: Aggregation
    key: Key
    dims: Dims
    count: int

    def shown_key(self) -> Mapping[str, Any]:
        """Its key, by field."""
        return dict(zip((dimension.field for dimension in self.of.dimensions), map(as_json, self.dims), strict=True))

    async def ordering(self, name: str) -> Any:
        """What an order compares."""
        if name == "COUNT":
            return self.count
        return (await self.value("sum", self.of.known.number(name.removeprefix("SUM_")))).value

    async def value(self, function: str, number: Number) -> Amount:
        """Sum, average, minimum or maximum of a number.

        Raises:
            BadUserInputError: it is in several currencies, or one has no rate.
        """
        parts = [one for one in await self.of.number(self.key, number) if one.dims == self.dims and one.values[0]]
        currency = self._currency(number, [one.currencies[0] for one in parts])
        if not parts:
            return Amount(None, currency)
        place = {"min": 2, "max": 3}.get(function, 1)
        if not number.is_summable:
            return Amount((min if function == "min" else max)(one.values[place] for one in parts), currency)
        with localcontext(prec=DIGITS):
            rates = [await self.of.rate(number, one.currencies[0], one.day) for one in parts]
            amounts = [Decimal(one.values[place]) * rate for one, rate in zip(parts, rates, strict=True)]
            if function in ("min", "max"):
                return Amount((min if function == "min" else max)(amounts), currency)
            whole = sum(amounts[1:], amounts[0])
            if function == "sum":
                return Amount(whole, currency)
            return Amount(await self.of.quotient(whole, Decimal(sum(one.values[0] for one in parts))), currency)

    async def weighted(self, value: Number, weight: Number) -> Amount:
        """The average of a number, weighted with another.

        Raises:
            BadUserInputError: one of them is in several currencies, or one has no rate.
        """
        found = await self.of.weighted(self.key, value, weight)
        parts = [one for one in found if one.dims == self.dims and one.values[0]]
        currency = self._currency(value, [one.currencies[0] for one in parts])
        self._currency(weight, [one.currencies[1] for one in parts])
        with localcontext(prec=DIGITS):
            products, weights = Decimal(0), Decimal(0)
            for one in parts:
                factor = await self.of.rate(weight, one.currencies[1], one.day)
                products += one.values[1] * await self.of.rate(value, one.currencies[0], one.day) * factor
                weights += one.values[2] * factor
            return Amount(None if weights == 0 else await self.of.quotient(products, weights), currency)

    def _currency(self, number: Number, found: Sequence[str | None]) -> str | None:
        if number.currency is None:
            return None
        if self.of.target is not None:
            return self.of.target
        if len({*found}) > 1:
            names = ", ".join(sorted({one or "no currency" for one in found}))
            raise BadUserInputError(
                f"The amounts are in several currencies: {names}.",
                remedy='Convert them (in: "EUR"), group by currency, or filter by it.',
            )
        return found[0] if found else None


def _sorted(found: list[tuple[Any, Group]], *, is_descending: bool) -> list[Group]:
    """By a value, in a stable order; those without one last."""
    present = [pair for pair in found if pair[0] is not None]
    present.sort(key=lambda pair: pair[0], reverse=is_descending)
    return [group for _, group in present] + [group for value, group in found if value is None]
