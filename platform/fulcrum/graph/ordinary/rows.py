"""Rows in memory: what is known of one, and how its values are written in JSON, cursors and statements.

Nothing is fetched here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import orjson
from psycopg.postgres import types as registered

ROW = "row$"


@dataclass(slots=True)
class Item:
    """One row of the type `kind`: values and SQL types by column."""

    kind: str
    values: dict[str, Any]
    types: dict[str, str]


ROOT = Item("Query", {}, {})


def type_name(oid: int) -> str:
    """The SQL name of a type."""
    found = registered.get(oid)
    if found is None:
        return "text"
    return f"{found.name}[]" if found.array_oid == oid else found.name


def as_object(item: Item, origin: type) -> Any:
    """The Strawberry object of a row, by which GraphQL tells its type."""
    made: Any = object.__new__(origin)
    vars(made)[ROW] = item
    return made


def as_json(value: Any, *, is_text: bool = False) -> Any:
    """A value as PostgreSQL writes it in JSON; decimals are texts."""
    if isinstance(value, dt.datetime):
        return _moment(value, "T") + ":00"
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, list):
        return [as_json(one) for one in value]
    return str(value) if is_text and value is not None else value


def as_part(value: Any) -> str:
    """A value as one part of an identifier or cursor."""
    if value is None:
        return "~n"
    if isinstance(value, str):
        return value.replace("~", "~~").replace(":", "~c")
    if isinstance(value, bool):
        return "true" if value else "false"
    return _moment(value, " ") if isinstance(value, dt.datetime) else str(as_json(value))


def _moment(value: dt.datetime, between: str) -> str:
    found = value.astimezone(dt.UTC)
    text = found.strftime(f"%Y-%m-%d{between}%H:%M:%S")
    fraction = f".{found.microsecond:06}".rstrip("0") if found.microsecond else ""
    return f"{text}{fraction}+00"


def as_key(value: Any) -> Hashable:
    """A value as part of a loader's key, from which `sent` makes JSON again."""
    if isinstance(value, (list, dict)):
        return orjson.dumps(value, default=_default)
    return value  # type: ignore[no-any-return]


def sent(keys: list[tuple[Hashable, ...]], names: list[str]) -> str:
    """Keys as the JSON that `json_to_recordset` reads; each row has its number `nth`."""
    rows = [
        {"nth": nth} | {name: _raw(value) for name, value in zip(names, key, strict=True)}
        for nth, key in enumerate(keys)
    ]
    return orjson.dumps(rows, default=_default).decode()


def _raw(value: Any) -> Any:
    return orjson.Fragment(value) if isinstance(value, bytes) else value


def _default(value: Any) -> Any:
    if isinstance(value, Decimal):
        return format(value, "f")
    raise TypeError(type(value).__name__)
