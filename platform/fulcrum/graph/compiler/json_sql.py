"""The SQL that turns rows into JSON: one object, or an array of objects.

`row_to_json` over a sub-select is the fastest form that was measured (6.5 ms of PostgreSQL for
1,000 holdings with instrument; `json_build_object` 7.8, LEFT JOIN LATERAL 17). The row is called `r$`,
because a field may have the alias `r`, and a column goes before a row of the same name.
"""

from __future__ import annotations

from collections.abc import Sequence

Pairs = Sequence[tuple[str, str]]

LONGEST_NAME = 63
"""PostgreSQL cuts longer column names; `row_to_json` would then give a wrong key."""
MOST_BUILT = 50
"""`json_build_object` takes 100 arguments."""


def one(pairs: Pairs, tail: str = "") -> str:
    """The object made from the row that `tail` (from, where) gives; null without a row."""
    return f"({select_one(pairs, tail)})"


def many(pairs: Pairs, tail: str) -> str:
    """The array of objects made from the rows that `tail` gives, in its order."""
    return f"array({select_one(pairs, tail)})"


def select_one(pairs: Pairs, tail: str = "") -> str:
    """The select of one object per row of `tail`."""
    if all(len(key) <= LONGEST_NAME for key, _ in pairs):
        listed = ", ".join(f'{sql} as "{key}"' for key, sql in pairs)
        return f"select row_to_json(r$) from (select {listed}{tail}) r$"
    return f"select {_built(pairs)}{tail}"


def _built(pairs: Pairs) -> str:
    """For long keys: their objects of up to 50 pairs, as text put into one; none of them can be null."""
    listed = [f"'{key}', {sql}" for key, sql in pairs]
    chunks = [listed[start : start + MOST_BUILT] for start in range(0, len(listed), MOST_BUILT)]
    parts = [f"json_build_object({', '.join(chunk)})" for chunk in chunks]
    if len(parts) == 1:
        return parts[0]
    inner = " || ',' || ".join(f"left(substr({part}::text, 2), -1)" for part in parts)
    return f"('{{' || {inner} || '}}')::json"
