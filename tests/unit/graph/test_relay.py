"""Identifiers and cursors read back what they were written from."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fulcrum.graph.errors import BadUserInputError
from fulcrum.graph.relay import Cursor, read_cursor, read_id, split_parts, sql_part


def written(parts: list[str | None]) -> str:
    """What the SQL of `sql_part` writes."""
    return ":".join("~n" if part is None else part.replace("~", "~~").replace(":", "~c") for part in parts)


@given(st.lists(st.none() | st.text(alphabet="a~:cn", max_size=6), min_size=1, max_size=4))
def test_parts_survive_whatever_they_hold(parts: list[str | None]) -> None:
    assert split_parts(written(parts)) == parts


def test_only_texts_are_escaped_and_only_nullable_parts_are_marked() -> None:
    assert sql_part("b.id", "bigint", is_nullable=False) == "b.id::text"
    assert sql_part("b.x", "text", is_nullable=True) == "coalesce(replace(replace(b.x, '~', '~~'), ':', '~c'), '~n')"


def test_a_cursor_holds_version_business_date_and_place() -> None:
    cursor = read_cursor("7:2026-01-15:NAME_ASC:~n:FUND~c1", "NAME_ASC", ["text", "text"])
    assert cursor == Cursor(7, dt.date(2026, 1, 15), (None, "FUND:1"))


@pytest.mark.parametrize("text", ["", "7", "x:2026-01-15::1", "7:2026-15-01::1", "7:2026-01-15:A:1", "7:2026-01-15::x"])
def test_what_is_no_cursor_of_the_list_is_the_callers_mistake(text: str) -> None:
    with pytest.raises(BadUserInputError):
        read_cursor(text, "", ["bigint"])


@pytest.mark.parametrize(
    "text", ["Portfolio", "Portfolio:", "Portfolio:1:2", "Client:1", "Portfolio:1e3", "Portfolio:²"]
)
def test_what_is_no_id_of_the_entity_is_the_callers_mistake(text: str) -> None:
    with pytest.raises(BadUserInputError):
        read_id(text, "Portfolio", ["bigint"])
