"""The compiled path and a naive evaluation give the same answer to made-up queries on random data."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from fulcrum.graph.schema import load_graph
from tests.factories.graph_random import RandomWorld
from tests.integration.graph.naive import Naive
from tests.integration.graph.naive_aggregates import RefusedError
from tests.integration.graph.queries import Queries
from tests.integration.graph.queries_of_lists import Chance

EXAMPLES_PER_WORLD = 520


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_compiled_answers_equal_naive_ones(connection: psycopg.Connection[Any], asked: Any, seed: int) -> None:
    graph = load_graph()
    world = RandomWorld(connection, seed).write()
    naive = Naive(graph, connection)
    sizes: list[int] = []
    reasons: dict[str, int] = {}
    moments = [world.known_at(number).isoformat() for number in (5, 24, 36, 45, 60)]

    @settings(
        max_examples=EXAMPLES_PER_WORLD,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.integers(0, 2**63))
    def compare(made_by: int) -> None:
        text, variables = Queries(graph, Chance(made_by)).query(moments)
        answer = asked.answer(text, variables)
        try:
            expected, version, as_of = naive.run(text, _coerced(graph, text, variables))
        except RefusedError as refused:
            reasons[str(refused)] = reasons.get(str(refused), 0) + 1
            _check_refused(answer, (text, variables))
            return
        if naive.may_refuse and "errors" in answer:
            _check_refused(answer, (text, variables))
            return
        assert "errors" not in answer, (text, variables, answer)
        assert answer["data"] == expected, (text, variables)
        assert list(answer["data"]) == list(expected)
        sizes.append(len(str(expected)))
        assert answer["extensions"]["dataVersion"] == version
        assert answer["extensions"]["asOf"] == as_of.isoformat()

    compare()
    assert reasons, "what must be refused was never asked for"
    assert reasons.keys() <= {"several currencies", "There is no rate"}
    assert len(sizes) > EXAMPLES_PER_WORLD * 0.7, "too many of the queries were refused"
    assert sorted(sizes)[len(sizes) // 2] > 80, "most of the queries found nothing: the comparison would be empty"


def _check_refused(answer: dict[str, Any], made: Any) -> None:
    """One query may hold several reasons, and PostgreSQL meets them in an order of its own."""
    (error,) = answer["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT", (made, answer)
    assert "several currencies" in error["message"] or "There is no rate" in error["message"], (made, answer)


def _coerced(graph: Any, text: str, variables: dict[str, Any]) -> dict[str, Any]:
    from graphql import parse
    from graphql.execution.values import get_variable_values

    definitions = parse(text).definitions[0].variable_definitions  # type: ignore[attr-defined]
    coerced = get_variable_values(graph.schema, definitions, variables)
    assert isinstance(coerced, dict)
    return coerced
