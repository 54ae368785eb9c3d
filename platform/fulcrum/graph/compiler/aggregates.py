"""The SQL of `aggregate` and `groups`: computed in two steps, so that currencies can be told apart.

    i  the list's rows by dimensions, currencies and (to convert) business date: partial sums, counts
    m  (to convert only) the same with the rate of each currency
    o  by dimensions: the numbers asked for; several currencies in one number are refused here

The second step sees a handful of rows, so telling currencies apart costs one hash aggregate.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from graphql import FieldNode, GraphQLObjectType

from fulcrum.graph.aggregates import Aggregates, Number
from fulcrum.graph.compiler import json_sql
from fulcrum.graph.compiler.conversion import MIXED, TOO_MANY_GROUPS, currency_of, rate
from fulcrum.graph.compiler.dimensions import Dimensions
from fulcrum.graph.compiler.paging import MOST_ROWS, Paging
from fulcrum.graph.compiler.values import Slot, arguments
from fulcrum.graph.errors import BadUserInputError
from fulcrum.graph.sources import AS_OF, Rows

if TYPE_CHECKING:
    from fulcrum.graph.compiler.objects import Compiler

Given = Mapping[str, Any]


@dataclass
class Steps:
    """The select lists of the steps in the making: expression -> name of its column."""

    keys: dict[str, str] = field(default_factory=dict)
    partial: dict[str, str] = field(default_factory=dict)
    rates: dict[str, str] = field(default_factory=dict)
    final: dict[str, str] = field(default_factory=dict)

    def key(self, sql: str) -> str:
        """A column that the first step groups by."""
        return f"i.{self.keys.setdefault(sql, f'k{len(self.keys) + 1}')}"

    def part(self, sql: str) -> str:
        """An aggregate of the first step."""
        return f"i.{self.partial.setdefault(sql, f'p{len(self.partial) + 1}')}"

    def result(self, sql: str) -> str:
        """An aggregate of the last step."""
        return f"o.{self.final.setdefault(sql, f'f{len(self.final) + 1}')}"


@dataclass
class _Money:
    """An amount of the first step that may be in several currencies: its key, and the count of its values."""

    currency: str
    values: str


class Aggregation:
    """One aggregate or grouping of a list being compiled."""

    def __init__(
        self, compiler: Compiler, entity: str, base: Rows, target: Slot | None, *, is_of_one_day: bool
    ) -> None:
        self.compiler, self.entity, self.base = compiler, entity, base
        self.known: Aggregates = compiler.bindings.aggregates[entity]
        self._asked = target
        self.is_of_one_day = is_of_one_day
        self.steps = Steps()
        self._counted: dict[str, list[str]] = {}

    @cached_property
    def target(self) -> str | None:
        """The currency that amounts are converted into; a parameter only if there are any."""
        return None if self._asked is None else currency_of(self.compiler, self._asked)

    def pairs(self, kind: GraphQLObjectType, nodes: list[FieldNode]) -> list[tuple[str, str]]:
        """Response key and SQL (over `o`) of what is asked of the aggregate or of a group."""
        made = []
        for key, asked in self.compiler.selections.below(kind, nodes).items():
            name = asked[0].name.value
            match name:
                case "__typename":
                    made.append((key, f"'{kind.name}'::text"))
                case "count":
                    made.append((key, self.count()))
                case "sum" | "avg" | "min" | "max":
                    made.append((key, self._numbers(name, asked)))
                case "weightedAverage":
                    made.append((key, self._weighted(kind, asked)))
        return made

    def count(self) -> str:
        """The number of rows."""
        return self.steps.result(f"coalesce(sum({self.steps.part('count(*)')}), 0)::bigint")

    def _numbers(self, function: str, nodes: list[FieldNode]) -> str:
        suffix = "Sums" if function in ("sum", "avg") else "Extremes"
        kind = self.compiler.object_type(f"{self.entity}{suffix}")
        made = []
        for key, asked in self.compiler.selections.below(kind, nodes).items():
            name = asked[0].name.value
            if name == "__typename":
                made.append((key, f"'{kind.name}'::text"))
                continue
            number = self.known.numbers[name]
            value, currency = self.value(function, number)
            if number.currency is None:
                made.append((key, f"{value}::text" if number.is_summable else value))
            else:
                made.append((key, self._amount(asked, value, currency)))
        return json_sql.one(made)

    def value(self, function: str, number: Number) -> tuple[str, str]:
        """The columns (of `o`) with a number and its currency."""
        sql = self._sql(number)
        counted = self.steps.part(f"count({sql})")
        money = self._money(number, counted)
        factor = self._factor(money)
        match function:
            case "sum":
                made = f"sum({self.steps.part(f'sum({sql})')}{factor})"
            case "avg":
                made = f"sum({self.steps.part(f'sum({sql})')}{factor}) / nullif(sum({counted}), 0)"
            case _:
                made = f"{function}({self.steps.part(f'{function}({sql})')}{factor})"
        return self._checked(made, money), self._currency(money)

    def _weighted(self, kind: GraphQLObjectType, nodes: list[FieldNode]) -> str:
        given = arguments(kind.fields["weightedAverage"], nodes[0], self.compiler.selections.variables)
        value, weight = self.known.number(given["value"]), self.known.number(given["weight"])
        product = f"{self._sql(value)} * {self._sql(weight)}"
        counted = self.steps.part(f"count({product})")
        moneys = [self._money(value, counted), self._money(weight, counted)]
        factors = [self._factor(money) for money in moneys]
        weights = self.steps.part(f"sum({self._sql(weight)}) filter (where {self._sql(value)} is not null)")
        products = self.steps.part(f"sum({product})")
        made = f"sum({products}{''.join(factors)}) / nullif(sum({weights}{factors[1]}), 0)"
        return self._amount(nodes, self._checked(made, *moneys), self._currency(moneys[0]))

    def _sql(self, number: Number) -> str:
        bound = self.compiler.bindings.by_python_name(self.entity, number.python_name)
        return self.compiler.scalar(bound, self.base.ref)

    def _money(self, number: Number, counted: str) -> _Money | None:
        if number.currency is None:
            return None
        self.compiler.refuse_masked_column(self.entity, number.currency)
        currency = self.steps.key(self.base.ref(number.currency))
        self._counted.setdefault(currency, []).append(counted)
        return _Money(currency, counted)

    def _factor(self, money: _Money | None) -> str:
        if money is None or self.target is None:
            return ""
        source = self.compiler.bindings.entities[self.entity].source
        day = AS_OF
        if source.is_fact and not self.is_of_one_day:
            day = self.steps.key(self.base.ref("business_date"))
        self.steps.rates.setdefault(money.currency, day)
        return f" * i.r_{money.currency.removeprefix('i.')}"

    def _checked(self, value: str, *moneys: _Money | None) -> str:
        found = {(money.currency, money.values): money for money in moneys if money is not None}
        if not found or self.target is not None:
            return self.steps.result(value)
        for money in found.values():
            present = f"filter (where {money.values} > 0)"
            several = f"count(distinct coalesce({money.currency}, '')) {present} > 1"
            listed = f"string_agg(distinct coalesce({money.currency}, 'no currency'), ', ') {present}"
            value = f"case when {several} then {MIXED.format(listed)} else {value} end"
        return self.steps.result(value)

    def _currency(self, money: _Money | None) -> str:
        if money is None:
            return "null::text"
        if self.target is not None:
            return self.target
        return self.steps.result(f"max({money.currency}) filter (where {money.values} > 0)")

    def _amount(self, nodes: list[FieldNode], value: str, currency: str) -> str:
        kind = self.compiler.object_type("Amount")
        known = {"__typename": "'Amount'::text", "amount": f"{value}::text", "currencyCode": currency}
        below = self.compiler.selections.below(kind, nodes)
        pairs = [(key, known[asked[0].name.value]) for key, asked in below.items()]
        return json_sql.one(pairs, f" where {value} is not null")

    def from_sql(self, conditions: list[str], dimensions: Dimensions | None, *, end: str = "") -> str:
        """The last step as a derived table `o`; to be asked after everything else."""
        keys = [] if dimensions is None else [f"i.{name}" for name in dimensions.names]
        finals = ", ".join([*keys, *(f"{sql} as {name}" for sql, name in self.steps.final.items())])
        grouped = f" group by {', '.join(keys)}" if keys else ""
        return f" from (select {finals} from ({self._rated(self._first(conditions, dimensions))}) i{grouped}{end}) o"

    def _first(self, conditions: list[str], dimensions: Dimensions | None) -> str:
        grouped = {} if dimensions is None else dict(zip(dimensions.names, dimensions.sql, strict=True))
        grouped |= {name: sql for sql, name in self.steps.keys.items()}
        listed = [f"{sql} as {name}" for name, sql in grouped.items()]
        listed += [f"{sql} as {name}" for sql, name in self.steps.partial.items()]
        places = ", ".join(str(place) for place in range(1, len(grouped) + 1))
        joined = "" if dimensions is None else "".join(dimensions.joins)
        where = f" where {' and '.join(conditions)}" if conditions else ""
        by = f" group by {places}" if places else ""
        return f"select {', '.join(listed)} from {self.base.from_sql()}{joined}{where}{by}"

    def _rated(self, first: str) -> str:
        if not self.steps.rates:
            return first
        assert self.target is not None
        listed = [
            f"{rate(self.compiler, currency, self.target, day, ' + '.join(dict.fromkeys(self._counted[currency])))}"
            f" as r_{currency.removeprefix('i.')}"
            for currency, day in self.steps.rates.items()
        ]
        return f"select i.*, {', '.join(listed)} from ({first}) i offset 0"


def compile_aggregate(
    compiler: Compiler,
    entity: str,
    given: Given,
    nodes: list[FieldNode],
    base: Rows,
    conditions: list[str],
    *,
    is_of_one_day: bool,
) -> str:
    """The SQL of `aggregate` (an object) or `groups` (an array) over the rows of `base`.

    Raises:
        BadUserInputError: an argument is out of bounds, or a key is asked for that is not grouped by.
    """
    made = Aggregation(compiler, entity, base, given.get("in"), is_of_one_day=is_of_one_day)
    if nodes[0].name.value == "groups":
        return _groups(made, given, nodes, conditions)
    is_counted_only = not made.known.numbers
    pairs = made.pairs(compiler.object_type("Counted" if is_counted_only else f"{entity}Aggregate"), nodes)
    made.count()
    return json_sql.one(pairs, made.from_sql(conditions, None))


def _groups(made: Aggregation, given: Given, nodes: list[FieldNode], conditions: list[str]) -> str:
    compiler, kind = made.compiler, made.compiler.object_type(f"{made.entity}Group")
    dimensions = Dimensions(compiler, made.known, given["by"], made.base)
    paging = Paging(given.get("first"))
    with compiler.cost.times(paging.rows):
        compiler.cost.add(1)
    keys = {key: asked for key, asked in compiler.selections.below(kind, nodes).items() if asked[0].name.value == "key"}
    found = dict(made.pairs(kind, nodes))
    found |= {key: json_sql.one(dimensions.pairs(f"{made.entity}GroupKey", asked)) for key, asked in keys.items()}
    pairs = [(key, found[key]) for key in compiler.selections.below(kind, nodes)]
    made.count()
    order = _order(made, given.get("orderBy") or [], dimensions)
    if paging.size is not None:
        end = f" order by {order} limit {paging.limit(compiler.statement, with_one_more=False)}"
        return json_sql.many(pairs, f"{made.from_sql(conditions, dimensions, end=end)} order by {_outside(order)}")
    made.steps.final["row_number() over ()"] = "nth"
    end = f" limit {MOST_ROWS + 1}"
    refusal = f" where case when o.nth > {MOST_ROWS} then {TOO_MANY_GROUPS} is null else true end"
    return json_sql.many(pairs, f"{made.from_sql(conditions, dimensions, end=end)}{refusal} order by {_outside(order)}")


def _order(made: Aggregation, asked: list[str], dimensions: Dimensions) -> str:
    """The order of groups, in names of the last step's columns; ties by key."""
    items: list[str] = []
    is_by_key = False
    for order in asked:
        name, _, way = order.rpartition("_")
        end = f"{'desc' if way == 'DESC' else 'asc'} nulls last"
        if name == "KEY":
            is_by_key = True
            items += [f"{key} {end}" for key in dimensions.names]
        elif name == "COUNT":
            items.append(f"{made.count().removeprefix('o.')} {end}")
        else:
            value, _ = made.value("sum", made.known.number(name.removeprefix("SUM_")))
            items.append(f"{value.removeprefix('o.')} {end}")
    if len(asked) != len(set(asked)):
        raise BadUserInputError("`orderBy` names an order twice.", remedy="Leave out the later one.")
    if not is_by_key:
        items += [f"{key} asc nulls last" for key in dimensions.names]
    return ", ".join(items)


def _outside(order: str) -> str:
    return ", ".join(f"o.{item}" for item in order.split(", "))
