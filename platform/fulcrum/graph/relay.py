"""The Relay types (node, connection, edge, page) and the text form of identifiers and cursors.

Both forms are parts joined by `:`; a text part writes `~` as `~~`, `:` as `~c` and null as `~n`.
They are plain because base64 in SQL doubled the cost of a page of 1,000 edges.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Generic, TypeVar

import strawberry

from fulcrum.graph.declare import global_id
from fulcrum.graph.errors import BadUserInputError

T = TypeVar("T")

_ESCAPED = re.compile(r"~[~cn]")
_UNESCAPED = {"~~": "~", "~c": ":"}
_INTEGER = re.compile(r"-?\d{1,18}", re.ASCII)


@strawberry.interface(description="Anything that has an identifier of its own.")
class Node:
    """Base of the entities that `node(id:)` can find."""

    id: strawberry.ID = global_id("Names this object for ever, for `node(id:)`; opaque.")


@strawberry.type(description="Where a page lies in its list.")
class PageInfo:
    """What Relay wants to know of a page."""

    has_next_page: bool = strawberry.field(description="Whether more follows this page.")
    has_previous_page: bool = strawberry.field(description="Whether something precedes this page.")
    start_cursor: str | None = strawberry.field(description="Cursor of the first edge.")
    end_cursor: str | None = strawberry.field(description="Cursor of the last edge, for `after`.")
    page_number: int | None = strawberry.field(description="Number of this page; null without `page`.")
    page_count: int | None = strawberry.field(
        description="Pages of this size in the whole list, counted only when asked for; null without `page`."
    )


@strawberry.type(description="One row of a page and its cursor.")
class Edge(Generic[T]):
    """A node and its cursor."""

    cursor: str = strawberry.field(description="Place of this row; it also holds business date and data version.")
    node: T = strawberry.field(description="The row.")


CONNECTION = "A list, page by page; a cursor keeps the data version of its page."


@strawberry.type(description=CONNECTION)
class Connection(Generic[T]):
    """Declares that a field gives a list of `T` page by page; `lists.py` makes the type itself."""

    nodes: list[T] = strawberry.field(description="Rows.")


def sql_part(expression: str, sql_type: str, *, is_nullable: bool) -> str:
    """The SQL of one part of an identifier or cursor."""
    text = f"{expression}::text"
    if sql_type == "text":
        text = f"replace(replace({expression}, '~', '~~'), ':', '~c')"
    return f"coalesce({text}, '~n')" if is_nullable else text


def split_parts(text: str) -> list[str | None]:
    """The parts of an identifier or cursor, unescaped."""
    return [
        None if part == "~n" else _ESCAPED.sub(lambda found: _UNESCAPED.get(found[0], found[0]), part)
        for part in text.split(":")
    ]


def check_part(part: str | None, sql_type: str) -> str | None:
    """The part, if it reads as a value of `sql_type`.

    Raises:
        ValueError: it does not.
    """
    if part is None or sql_type == "text":
        return part
    if sql_type == "bigint" and not _INTEGER.fullmatch(part):
        raise ValueError(part)
    if sql_type == "date":
        dt.date.fromisoformat(part)
    if sql_type == "numeric":
        try:
            Decimal(part)
        except InvalidOperation:
            raise ValueError(part) from None
    return part


@dataclass(frozen=True)
class Cursor:
    """A decoded cursor: the operation's version and business date, the order, the place."""

    version: int
    as_of: dt.date
    place: tuple[str | None, ...]


def read_cursor(text: str, order_name: str, types: Sequence[str]) -> Cursor:
    """Decode a cursor of a list in the order `order_name`, whose places have these SQL types.

    Raises:
        BadUserInputError: it is not a cursor of such a list.
    """
    try:
        version, as_of, order, *place = split_parts(text)
        if order != order_name or len(place) != len(types):
            raise ValueError(text)
        checked = tuple(check_part(part, sql_type) for part, sql_type in zip(place, types, strict=True))
        return Cursor(int(check_part(version, "bigint") or ""), dt.date.fromisoformat(as_of or ""), checked)
    except ValueError:
        raise BadUserInputError(
            "This cursor is not one of this list in this order.",
            remedy="Use a cursor that the same field gave with the same orderBy.",
        ) from None


def read_id(text: str, entity: str, types: Sequence[str]) -> tuple[str | None, ...]:
    """The key in a node identifier of `entity`.

    Raises:
        BadUserInputError: it is not one.
    """
    try:
        name, *key = split_parts(text)
        if name != entity or len(key) != len(types):
            raise ValueError(text)
        return tuple(check_part(part, sql_type) for part, sql_type in zip(key, types, strict=True))
    except ValueError:
        raise BadUserInputError("This is not an id.", remedy="Use an id that the API gave.") from None
