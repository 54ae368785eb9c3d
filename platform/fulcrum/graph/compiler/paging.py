"""Which part of a list is asked for: `first`, `after`, `last`, `before`, or a `page` by its number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fulcrum.graph.compiler.values import Slot
from fulcrum.graph.errors import BadUserInputError

if TYPE_CHECKING:
    from fulcrum.graph.compiler.statement import Statement

MOST_ROWS = 1000
USUAL_ROWS = 100
MOST_PAGED = 10_000
"""Rows up to the end of a numbered page; PostgreSQL reads and drops all rows before it."""


@dataclass(frozen=True)
class Paging:
    """`size` is None for the usual number from the start; `number` counts pages from 1."""

    size: Slot | None
    cursor: Slot | None = None
    is_backward: bool = False
    number: Slot | None = None

    @staticmethod
    def of(given: Mapping[str, Any]) -> Paging:
        """Read the arguments of a connection.

        Raises:
            BadUserInputError: they contradict each other.
        """
        first, last = given.get("first"), given.get("last")
        cursor_after, cursor_before = given.get("after"), given.get("before")
        is_forward = first is not None or cursor_after is not None
        is_backward = last is not None or cursor_before is not None
        page = given.get("page")
        if is_forward + is_backward + (page is not None) > 1:
            raise BadUserInputError(
                "A page goes one way.", remedy="Use first with after, or last with before, or page alone."
            )
        if page is not None:
            return Paging(page["size"], number=page["number"])
        if is_backward:
            return Paging(last, cursor_before, is_backward=True)
        return Paging(first, cursor_after)

    @property
    def rows(self) -> int | Slot:
        """How many rows the page may have, for the cost."""
        return USUAL_ROWS if self.size is None else self.size

    def limit(self, statement: Statement, *, with_one_more: bool) -> str:
        """The SQL of the number of rows to take; constants stand in it, so that it can be estimated."""
        extra = 1 if with_one_more else 0
        if self.size is None:
            return str(USUAL_ROWS + extra)
        if self.size.is_constant:
            return str(_checked_size(self.size.now, self) + extra)
        bound = self._size(statement)
        return f"{bound} + {extra}" if extra else bound

    def offset(self, statement: Statement) -> str:
        """The SQL of what skips the pages before a numbered one."""
        number, size = self.number, self.size
        if number is None or size is None:
            return ""
        if number.is_constant and size.is_constant:
            return f" offset {_skipped(number.now, size.now)}"
        read = statement.read(lambda variables: str(_skipped(number.read(variables), size.read(variables))), "bigint")
        return f" offset {read}"

    def shown_number(self, statement: Statement) -> str:
        """The SQL of the number of this page."""
        if self.number is None:
            return "null::integer"
        return str(int(self.number.now)) if self.number.is_constant else statement.bind(self.number, "integer")

    def count(self, statement: Statement, rows: str) -> str:
        """The SQL of the number of pages in a list of so many rows."""
        return f"ceil({rows}::numeric / {self._size(statement)})::integer"

    def _size(self, statement: Statement) -> str:
        slot = self.size
        assert slot is not None
        if slot.is_constant:
            return str(_checked_size(slot.now, self))
        return statement.read(
            lambda variables: str(_checked_size(slot.read(variables), self)),
            "bigint",
            key=("size", slot.variable, slot.path),
        )


def _checked_size(size: int, paging: Paging) -> int:
    least = 0 if paging.number is None else 1
    if not least <= size <= MOST_ROWS:
        raise BadUserInputError(f"A page has {least} to {MOST_ROWS} rows, not {size}.", remedy="Page with `after`.")
    return size


def _skipped(number: int, size: int) -> int:
    if number < 1:
        raise BadUserInputError("Pages are counted from 1.", remedy="Correct `page.number`.")
    if number * size > MOST_PAGED:
        raise BadUserInputError(
            f"Numbered pages end at row {MOST_PAGED}.", remedy="Page with `after`, or ask for less by `where`."
        )
    return (number - 1) * size
