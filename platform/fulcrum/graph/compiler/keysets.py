"""Orders of lists and the condition "after this place", which stays right while rows come and go.

Empty values come last in either direction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Term:
    """One expression of an order; `name` is its column in the page."""

    name: str
    sql: str
    sql_type: str
    is_descending: bool = False
    is_nullable: bool = False


def order_by(terms: Sequence[Term], alias: str | None, *, is_flipped: bool = False) -> str:
    """The `order by` list, over the base rows or (with `alias`) over the page."""
    return ", ".join(
        _item(term, f"{alias}.{term.name}" if alias else term.sql, is_flipped=is_flipped) for term in terms
    )


def _item(term: Term, sql: str, *, is_flipped: bool) -> str:
    goes_down = term.is_descending != is_flipped
    if not term.is_nullable:
        return f"{sql} desc" if goes_down else sql
    return f"{sql} {'desc' if goes_down else 'asc'} nulls {'first' if is_flipped else 'last'}"


def after(terms: Sequence[Term], place: Sequence[str], *, is_flipped: bool = False) -> str:
    """The condition for rows behind `place` in this order (before it, when flipped)."""
    ways = {term.is_descending != is_flipped for term in terms}
    if len(ways) == 1 and not any(term.is_nullable for term in terms):
        compared = "<" if ways.pop() else ">"
        return f"({', '.join(term.sql for term in terms)}) {compared} ({', '.join(place)})"
    condition = "false"
    for term, value in reversed(list(zip(terms, place, strict=True))):
        same = f"{term.sql} is not distinct from {value}" if term.is_nullable else f"{term.sql} = {value}"
        condition = f"({_beyond(term, value, is_flipped=is_flipped)} or ({same} and {condition}))"
    return condition


def _beyond(term: Term, value: str, *, is_flipped: bool) -> str:
    compared = "<" if term.is_descending != is_flipped else ">"
    beyond = f"{term.sql} {compared} {value}"
    if not term.is_nullable:
        return beyond
    if is_flipped:
        return f"({beyond} or ({value} is null and {term.sql} is not null))"
    return f"({beyond} or ({term.sql} is null and {value} is not null))"
