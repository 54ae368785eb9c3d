"""Whatever a request holds, it stays a value: every argument takes evil texts and answers or refuses calmly."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fulcrum.entitlements.rights import EVERYTHING
from fulcrum.graph.errors import ApiError
from fulcrum.graph.limits import Limits
from fulcrum.graph.plans import Plans
from fulcrum.graph.schema import load_graph

CALM = {"BAD_USER_INPUT", "LIMIT_EXCEEDED"}
MARK = "zq81"
EVIL = st.one_of(
    st.sampled_from(
        [
            "'",
            '"',
            "\\",
            "\\'",
            "$1",
            "$$",
            "%s",
            "{}",
            "';--",
            '"; drop table core.client; --',
            "r$",
            "~n",
            ":",
            "\x00",
        ]
    ),
    st.text(alphabet="'\"\\$%{}();-:~ \x00é\U0010ffff中", max_size=12),
).map(lambda text: f"{MARK}{text}")
DECIMALS = st.one_of(
    st.decimals(allow_nan=True).map(str), st.sampled_from(["1e999999", "-1e-999999", "NaN", "Infinity", "sNaN"])
)
NUMBERS = st.integers(-(2**31), 2**31 - 1)

TEXTS = """query($t: String!, $ts: [String!]!, $c: String) { instruments(where: { or: [
  { name: { eq: $t } }, { name: { ne: $t } }, { name: { in: $ts } }, { name: { notIn: $ts } }, { name: { gt: $t } },
  { name: { startsWith: $t } }, { name: { contains: $t } }, { name: { search: $t } },
  { identifiers: { some: { value: { eq: $t } } } }, { issuer: { name: { contains: $t } } }
] }) { totalCount aggregate(in: $c) { count } }
  valuations { aggregate(in: $c) { sum { marketValueBase { amount } } } } }"""
WHERE = "query($w: ClientWhere) { clients(where: $w) { nodes { code } groups(by: [CODE]) { count } } }"
IDS = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }"
PAGES = """query($p: PageInput, $n: Int) { clients(page: $p) { nodes { code } pageInfo { pageCount hasPreviousPage } }
  accounts { groups(by: [CODE], first: $n) { count } } }"""
AMOUNTS = """query($d: Decimal, $ds: [Decimal!]) { holdings(where: { or: [{ quantity: { gt: $d } },
  { marketValue: { in: $ds } }, { quantity: { ne: $d } }] }) { totalCount } }"""

REQUESTS = st.one_of(
    st.tuples(
        st.just(TEXTS), st.fixed_dictionaries({"t": EVIL, "ts": st.lists(EVIL, max_size=3), "c": st.none() | EVIL})
    ),
    st.tuples(
        st.just(WHERE),
        st.builds(
            lambda one, two: {"w": {"or": [{"code": {"eq": one}}, {"not": {"name": {"contains": two}}}]}}, EVIL, EVIL
        ),
    ),
    st.tuples(st.just(IDS), st.builds(lambda parts: {"ids": [f"Client:{part}" for part in parts]}, st.lists(EVIL))),
    st.tuples(
        st.just(PAGES), st.builds(lambda a, b, n: {"p": {"number": a, "size": b}, "n": n}, NUMBERS, NUMBERS, NUMBERS)
    ),
    st.tuples(st.just(AMOUNTS), st.fixed_dictionaries({"d": DECIMALS, "ds": st.lists(DECIMALS, max_size=3)})),
)


@pytest.mark.usefixtures("world")
def test_evil_values_never_reach_the_statement(asked: Any, connection: psycopg.Connection[Any]) -> None:
    plans = Plans(load_graph(), Limits())
    statements: set[str] = set()

    @settings(max_examples=250, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(REQUESTS)
    def check(request: tuple[str, dict[str, Any]]) -> None:
        text, variables = request
        answer = asked.answer(text, variables)
        for error in answer.get("errors", ()):
            assert error["extensions"]["code"] in CALM, (text, variables, error)
        try:
            sql = plans.find(text, None, variables, EVERYTHING).plan.sql
        except ApiError:
            return
        assert sql is not None
        assert MARK not in sql
        statements.add(sql)

    check()
    assert len(statements) <= 12, "a plan depends on shapes, never on values"
    counted = connection.execute("select count(*) from core.client").fetchone()
    assert counted == (1,)
