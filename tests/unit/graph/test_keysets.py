"""Orders and the conditions behind a cursor, as text."""

from __future__ import annotations

from fulcrum.graph.compiler.keysets import Term, after, order_by

CODE = Term("code", "b.code", "text")
DAY = Term("day", "b.day", "date", is_descending=True)
NAME = Term("name", "b.name", "text", is_nullable=True)


def test_terms_of_one_direction_make_a_row_comparison_that_an_index_can_use() -> None:
    terms = [CODE, Term("id", "b.id", "bigint")]
    assert after(terms, ["$1", "$2"]) == "(b.code, b.id) > ($1, $2)"
    assert after(terms, ["$1", "$2"], is_flipped=True) == "(b.code, b.id) < ($1, $2)"
    assert after([DAY], ["$1"]) == "(b.day) < ($1)"


def test_mixed_directions_are_compared_one_by_one() -> None:
    assert after([DAY, CODE], ["$1", "$2"]) == (
        "(b.day < $1 or (b.day = $1 and (b.code > $2 or (b.code = $2 and false))))"
    )


def test_empty_values_are_behind_all_others_in_both_directions() -> None:
    assert order_by([NAME], "p") == "p.name asc nulls last"
    assert order_by([NAME], None, is_flipped=True) == "b.name desc nulls first"
    assert after([NAME], ["$1"]).startswith("((b.name > $1 or (b.name is null and $1 is not null)) or")
    assert "$1 is null and b.name is not null" in after([NAME], ["$1"], is_flipped=True)
