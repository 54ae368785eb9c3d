"""Plans are shared by requests of the same shape, and only by those."""

from __future__ import annotations

from typing import Any

import pytest

from fulcrum.entitlements.rights import EVERYTHING
from fulcrum.graph.limits import Limits
from fulcrum.graph.plans import Plans, Recent
from fulcrum.graph.schema import load_graph

LIST = """query($n: Int, $where: PortfolioWhere, $order: [PortfolioOrder!], $yes: Boolean = true) {
  portfolios(first: $n, where: $where, orderBy: $order) { nodes { code name @include(if: $yes) } } }"""


def sql(plans: Plans, **variables: Any) -> str:
    found = plans.find(LIST, None, variables, EVERYTHING).plan.sql
    assert found is not None
    return found


def test_values_do_not_change_the_plan() -> None:
    plans = Plans(load_graph(), Limits())
    one = plans.find(LIST, None, {"n": 5, "where": {"code": {"in": ["A"]}}}, EVERYTHING)
    two = plans.find(LIST, None, {"n": 9, "where": {"code": {"in": ["B", "C"]}}}, EVERYTHING)
    assert one.plan is two.plan
    assert '{"A"}' in one.plan.parameters(one.variables)
    assert '{"B","C"}' in two.plan.parameters(two.variables)


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ({"n": 5}, {}),
        ({"n": 5}, {"n": None}),
        ({"where": {"code": {"eq": "A"}}}, {"where": {"code": {"eq": None}}}),
        ({"where": {"code": {"eq": "A"}}}, {"where": {"kindCode": {"eq": "A"}}}),
        ({"where": {"isProvisional": {"eq": True}}}, {"where": {"isProvisional": {"eq": False}}}),
        ({"order": "NAME_ASC"}, {"order": "NAME_DESC"}),
        ({"yes": True}, {"yes": False}),
    ],
)
def test_shapes_do(one: dict[str, Any], two: dict[str, Any]) -> None:
    plans = Plans(load_graph(), Limits())
    assert sql(plans, **one) != sql(plans, **two)


def test_no_value_of_a_request_stands_in_the_statement() -> None:
    plans = Plans(load_graph(), Limits())
    evil = "x'; drop table core.client; --"
    text = f'{{ client(code: "{evil}") {{ code }} }}'
    for found in (
        plans.find(text, None, {}, EVERYTHING),
        plans.find("query($c: String!) { client(code: $c) { code } }", None, {"c": evil}, EVERYTHING),
        plans.find(
            "query($w: ClientWhere) { clients(where: $w) { totalCount } }",
            None,
            {"w": {"code": {"in": [evil]}}},
            EVERYTHING,
        ),
    ):
        assert found.plan.sql is not None
        assert "drop table" not in found.plan.sql
        assert any(evil in (value or "") for value in found.plan.parameters(found.variables))


def test_what_was_not_used_for_longest_is_forgotten_first() -> None:
    recent: Recent[int] = Recent(2)
    recent.put("a", 1)
    recent.put("b", 2)
    assert recent.get("a") == 1
    recent.put("c", 3)
    assert [recent.get(key) for key in "abc"] == [1, None, 3]


def test_one_text_for_a_list_of_texts_is_a_list_of_one() -> None:
    plans = Plans(load_graph(), Limits())
    text = "query($c: [String!]) { clients(where: { code: { in: $c } }) { totalCount } }"
    found = plans.find(text, None, {"c": "A"}, EVERYTHING)
    assert '{"A"}' in found.plan.parameters(found.variables)
