"""The SQL of one side of a reconciliation: books, lines, and lines netted to the contract's keys.

Comparing two sides is `compare.py`. What people write in a contract is SQL of reviewed files, so it is put in as it
stands; everything else is a number, a date or a name of ours.
"""
# ruff: noqa: S608 composing the SQL of reviewed contracts is this module's task

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal

from fulcrum.governance.reconciliation.contract import Contract, Side
from fulcrum.warehouse.reads import valid, visible

COLUMNS = ("quantity", "price", "fx_rate", "value", "currency_code")
KEYS = ("book", "instrument", "currency", "line")
PARTS = {"portfolio": "book", "instrument": "instrument", "currency": "currency", "line": "line"}
_TYPES = {name: "text" if name == "currency_code" else "numeric" for name in COLUMNS}


@dataclass(frozen=True)
class Table:
    """How a published table says what the sides are compared by."""

    has_portfolio: bool
    has_instrument: bool
    line: str
    """SQL of what tells several lines of one key apart; empty where there is one."""
    values: dict[str, str]


TABLES = {
    "core.holding": Table(
        has_portfolio=True,
        has_instrument=True,
        line="r.position_code",
        values={
            "quantity": "r.quantity",
            "price": "r.price",
            "fx_rate": "r.fx_rate",
            "value": "r.market_value",
            "currency_code": "r.currency_code",
        },
    ),
    "core.price": Table(
        has_portfolio=False,
        has_instrument=True,
        line="''",
        values={"price": "r.price", "currency_code": "r.currency_code"},
    ),
    "mart.portfolio_nav": Table(
        has_portfolio=True,
        has_instrument=False,
        line="''",
        values={"value": "r.nav_base", "currency_code": "r.base_currency_code"},
    ),
    "mart.position_valuation": Table(
        has_portfolio=True,
        has_instrument=True,
        line="r.position_code",
        values={
            "quantity": "r.quantity",
            "price": "r.price",
            "fx_rate": "r.fx_rate",
            "value": "r.market_value_base",
            "currency_code": "r.base_currency_code",
        },
    ),
}


@dataclass(frozen=True)
class Sided:
    """One side of one run: which publication shows its rows."""

    letter: Literal["a", "b"]
    side: Side
    contract: Contract
    version: int

    @property
    def table(self) -> Table:
        """How its table is read."""
        return TABLES[self.side.table]

    @property
    def keys(self) -> tuple[str, ...]:
        """The columns that name what is compared."""
        return tuple(PARTS[part] for part in self.contract.keys)

    @property
    def is_one_line_a_key(self) -> bool:
        """Whether the table's own key is the contract's but for its lines, so that most keys need no netting."""
        own = {"book": self.table.has_portfolio, "instrument": self.table.has_instrument}
        return {name for name, has in own.items() if has} == set(self.keys) - {"line"}

    def value(self, column: str) -> str:
        """The SQL of one compared column; null where the contract does not compare it."""
        if column not in {each.column for each in self.contract.compares}:
            return f"null::{_TYPES[column]}"
        default = self.table.values.get(column, f"null::{_TYPES[column]}")
        return self.side.values.get(column, default)

    def lines(self, day: dt.date, *, among: str = "", more: str = "", is_own_number: bool = False) -> str:
        """A query of its lines on `day`: `KEYS`, then `COLUMNS`; `among` joins what narrows them.

        `among` may name the keys in braces; `more` is a further column that it brings in. With `is_own_number` books
        are numbered by the table's own key, whose order then spares a sort.
        """
        book_no = "r.portfolio_id" if is_own_number else "k.book_no"
        keys = {
            "book": book_no if self.table.has_portfolio else "null::bigint",
            "instrument": "r.instrument_id" if self.table.has_instrument else "null::bigint",
            "currency": f"({self._currency()})" if "currency" in self.keys else "null::text",
            "line": self.table.line,
        }
        columns = ", ".join(
            [*(f"{keys[name]} as {name}" for name in KEYS), *(f"({self.value(name)}) as {name}" for name in COLUMNS)]
        )
        book = (
            f" join recon_book_{self.letter} k on k.portfolio_id = r.portfolio_id" if self.table.has_portfolio else ""
        )
        narrowed = f"{self._instruments(day)}{among.format(**keys)}"
        return (
            f"select {columns}{more and f', {more}'} from {self.side.table} r{book}{narrowed}"
            f" where r.business_date = date '{day}' and {visible('r', str(self.version))} and ({self.side.where})"
        )

    def netted(self, day: dt.date, *, among: str = "", more: str = "") -> str:
        """Its lines netted to the keys: sums; prices and rates by their weight; codes where all lines agree.

        `more` is a further column to group by, which `among` brings in.
        """
        group = ", ".join((*self.keys, more.rpartition(".")[2]) if more else self.keys)
        others = "".join(f", null::{kind} as {name}" for name, kind in self._unused())
        return f"""
            select {group}{others}, count(*) as lines, sum(quantity) as quantity, {_weighted("price")},
                   {_weighted("fx_rate")}, sum(value) as value,
                   case when min(currency_code) = max(currency_code) then min(currency_code) end as currency_code
              from ({self.lines(day, among=among, more=more)}) l group by {group}"""

    def _unused(self) -> list[tuple[str, str]]:
        kinds = {"book": "bigint", "instrument": "bigint", "currency": "text", "line": "text"}
        return [(name, kind) for name, kind in kinds.items() if name not in self.keys]

    def _currency(self) -> str:
        return self.side.values.get("currency_code", self.table.values["currency_code"])

    def _instruments(self, day: dt.date) -> str:
        if self.side.instruments is None:
            return ""
        known, at = visible("i", str(self.version)), valid("i", f"date '{day}'")
        return (
            f" join core.instrument_version i on i.instrument_id = r.instrument_id and {known} and {at}"
            f" and ({self.side.instruments})"
        )

    def books(self, day: dt.date) -> str:
        """A query of its portfolios: portfolio_id and book_code."""
        at = f"date '{day}'"
        return f"""
            select portfolio_id, ({self.side.portfolios.key})::text as book_code from (
                select p.portfolio_id, p.portfolio_code, v.isin, v.lei, v.portfolio_kind_code, v.base_currency_code,
                       parent.portfolio_code as parent_portfolio_code
                  from core.portfolio p
                  left join core.portfolio_version v on v.portfolio_id = p.portfolio_id
                       and {visible("v", str(self.version))} and {valid("v", at)}
                  left join core.portfolio parent on parent.portfolio_id = v.parent_portfolio_id
                 where p.created_in <= {self.version}) p
             where ({self.side.portfolios.where}) and ({self.side.portfolios.key}) is not null"""


def _weighted(column: str) -> str:
    return (
        f"case when min({column}) = max({column}) then min({column})"
        f" else sum({column} * quantity) / nullif(sum(quantity) filter (where {column} is not null), 0) end as {column}"
    )
