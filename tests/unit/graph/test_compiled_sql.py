"""Paired texts: a query and the SQL that it is compiled to, in `tests/fixtures/graphql_sql`.

A case is a `.graphql` file; if its `.sql` is absent it is written, to be read and committed.
Variables stand in the query's first line, as a comment: `# {"after": "..."}`.
"""

from __future__ import annotations

import json
import re
import textwrap
from pathlib import Path

import pytest

from fulcrum.entitlements.rights import EVERYTHING
from fulcrum.graph.compiler.statement import CLOCK
from fulcrum.graph.limits import Limits
from fulcrum.graph.plans import Plans
from fulcrum.graph.schema import load_graph

CASES = sorted((Path(__file__).parents[2] / "fixtures" / "graphql_sql").glob("*.graphql"))


def compiled(text: str) -> str:
    first = text.splitlines()[0]
    variables = json.loads(first.removeprefix("#")) if first.startswith("# {") else {}
    sql = Plans(load_graph(), Limits()).find(text, None, variables, EVERYTHING).plan.sql
    assert sql is not None
    return sql.replace(CLOCK, "clock")


def laid_out(sql: str) -> str:
    broken = re.sub(r" (?=(from|where|order by|left join|join|union all|and) )", "\n", " ".join(sql.split()))
    broken = broken.replace("left\njoin", "left join")
    lines = [part for line in broken.splitlines() for part in textwrap.wrap(line, 118, break_long_words=False)]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_a_query_is_compiled_to_the_expected_sql(case: Path) -> None:
    expected = case.with_suffix(".sql")
    sql = compiled(case.read_text("utf-8"))
    if not expected.exists():
        expected.write_text(laid_out(sql), encoding="utf-8")
        pytest.fail(f"{expected.name} was absent and has been written: read it, and commit it.")
    assert " ".join(sql.split()) == " ".join(expected.read_text("utf-8").split())


def test_there_are_cases() -> None:
    assert len(CASES) >= 8
