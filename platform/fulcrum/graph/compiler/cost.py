"""What an operation may cost: the rows that it could return, sizes of pages multiplied along the nesting.

It is known from the plan and the sizes in the variables, before anything runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import prod
from typing import Any

from fulcrum.graph.compiler.paging import MOST_ROWS
from fulcrum.graph.compiler.values import Slot, Variables

LISTED = 10
"""Rows that a list without pages is taken to have: identifiers, currencies of a client's wealth."""
WHOLE_LIST = 20
"""Rows that a count, an aggregate or a grouping is taken for: it reads the whole list, but returns little."""

Size = int | Slot


@dataclass
class Cost:
    """Adds up rows while an operation is compiled."""

    fixed: int = 0
    sized: list[tuple[int, tuple[Slot, ...]]] = field(default_factory=list)
    """Rows, and the sizes in variables that they are multiplied with."""
    _times: int = 1
    _slots: tuple[Slot, ...] = ()

    def add(self, rows: int) -> None:
        """Count rows that are returned for each of the surrounding ones."""
        if self._slots:
            self.sized.append((rows * self._times, self._slots))
        else:
            self.fixed += rows * self._times

    @contextmanager
    def times(self, size: Size) -> Iterator[None]:
        """Multiply what is added inside by the size of a page or list."""
        times, slots = self._times, self._slots
        if isinstance(size, Slot) and not size.is_constant:
            self._slots = (*slots, size)
        else:
            self._times *= _rows(size.now if isinstance(size, Slot) else size)
        try:
            yield
        finally:
            self._times, self._slots = times, slots

    def of(self, variables: Variables) -> int:
        """The rows that a request could return."""
        rows = self.fixed
        for each, slots in self.sized:
            rows += each * prod(_rows(slot.read(variables)) for slot in slots)
        return rows


def _rows(size: Any) -> int:
    """Of the value of a size, or of a list; what is out of bounds is refused where it is used."""
    return min(MOST_ROWS, max(0, len(size) if isinstance(size, list) else int(size)))
