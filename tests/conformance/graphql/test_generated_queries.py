"""Queries that schemathesis makes up on the schema never meet a server error."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest
import schemathesis
from graphql import parse_value
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis.core.result import Ok
from schemathesis.graphql import nodes, scalar

from fulcrum.settings import PROJECT_ROOT
from tests.factories.node_project import IS_REQUIRED

SCHEMA = PROJECT_ROOT / "schemas" / "graphql" / "schema.graphql"
CASES = 1_000 if IS_REQUIRED else 100
REFUSED = {"INTERNAL_SERVER_ERROR", "UNAVAILABLE", "TIMEOUT"}

IDS = ["Portfolio:1", "Client:1", "Holding:1:2026-01-15:2:", "Nothing:1", "Portfolio:x", ""]


def _mostly(right: st.SearchStrategy[str], *others: str) -> st.SearchStrategy[str]:
    return st.integers(0, 9).flatmap(lambda n: right if n else st.sampled_from(others))


def _tamed(query: str) -> str:
    """The query with pages that are allowed, so that more than refusals is tried."""
    sized = re.sub(r"\bfirst: -?\d+", lambda found: f"first: {len(found[0]) % 7}", query)
    return re.sub(r'\b(last|after|before|page|size): (-?\d+|"(?:[^"\\]|\\.)*")', r"\1: null", sized)


@pytest.fixture(autouse=True, scope="module")
def scalars() -> None:
    """Texts of the scalars that GraphQL does not have, right ones and wrong ones."""
    days, moments = st.dates().map(str), st.datetimes().map(lambda at: f"{at.isoformat()}Z")
    texts = {
        "Date": _mostly(days, "2026-01-15", "soon"),
        "DateTime": _mostly(moments, "2026-01-15T12:00:00Z", "now"),
        "Decimal": _mostly(st.decimals(allow_nan=False, allow_infinity=False).map(str), "1e9999", "NaN", "x"),
        "BigInt": _mostly(st.integers(-(2**63), 2**63 - 1).map(str), "1.5"),
        "JSON": st.text(),
    }
    for name, strategy in texts.items():
        scalar(name, strategy.map(nodes.String))
    reference = st.builds(
        lambda kind, key: parse_value(f'{{__typename: "{kind}", id: "{key}"}}'),
        st.sampled_from(["Portfolio", "Client", "Nothing"]),
        st.sampled_from(IDS),
    )
    scalar("_Any", reference)


@pytest.mark.slow
def test_no_generated_query_is_a_server_error(served: Any) -> None:
    schema = schemathesis.graphql.from_path(str(SCHEMA))
    operations = [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]
    answers: Counter[str] = Counter()
    queries: Counter[str] = Counter()
    headers = {"Authorization": f"Bearer {served.key}"}
    for operation in operations:

        @seed(20261122)
        @settings(
            max_examples=-(-CASES // len(operations)),
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def ask(case: Any) -> None:
            if answers.total() % 2:
                case.body = _tamed(case.body)
            answer = case.call(base_url=served.url, headers=headers, timeout=30)
            told = answer.json()
            codes = {error["extensions"]["code"] for error in told.get("errors", ())}
            answers.update(codes or {"data"})
            if case.operation.label.startswith("Query."):
                queries.update(codes or {"data"})
            assert answer.status_code < 500, (told, case.body)
            assert not codes & REFUSED, (told, case.body)

        ask()
    assert answers.total() >= CASES
    # Made-up mutations are refused, as they should be. Half of all queries are not tamed and ask for too much.
    assert queries["data"] > queries.total() // 8, queries
