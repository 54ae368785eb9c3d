"""The compiled path and the ordinary one give the same bytes to made-up queries on the whole schema, to all roles."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import orjson
import psycopg
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from fulcrum.entitlements.principals import RowScope
from fulcrum.graph.app import create_app
from fulcrum.graph.schema import load_graph
from fulcrum.settings import Settings
from tests.factories.access import make_key
from tests.factories.graph_random import RandomWorld
from tests.integration.graph.conftest import Asked
from tests.integration.graph.queries_of_all import Anything
from tests.integration.graph.queries_of_lists import Chance

EXAMPLES_PER_WORLD = 250
SOME = RowScope("some", client_codes=("CLIENT0", "CLIENT2"))
ROLES = ("administrator", "risk_officer", "data_engineer", "analyst", "partner")
ORDERLESS = ("several currencies", "There is no rate", "over 1000 groups")
"""What PostgreSQL refuses while it computes groups; it may compute some that are not shown, or not."""
WAIVED = """
with waiver as (
    insert into quality.waiver (rule_id, feed, begin_date, end_date, reason, state, asked_by, decided_by, decided_at)
    select 'r', 'f', date '2026-01-05', ended, 'x', 'approved', 'administrator-house', 'analyst-house', now()
      from unnest(array[date '2026-01-30', date '2026-12-31']) ended returning waiver_id, end_date),
marked as (
    insert into governance.publication_waiver (publication_id, waiver_id, rule_id)
    select publication_id, waiver_id, 'r' from waiver, governance.publication
     where publication_id % 4 = case when end_date = '2026-12-31' then 1 else 3 end returning publication_id)
update governance.publication p set verdict = 'waived' from marked m where m.publication_id = p.publication_id
"""
"""Half of the publications rest on a waiver, half of these on one that is over on most dates."""


@pytest.fixture
def both(database: Settings) -> Iterator[tuple[Asked, Asked]]:
    """The API, compiled and ordinary."""
    running = (Asked(create_app(database), ""), Asked(create_app(database, is_ordinary_only=True), ""))
    yield running
    for one in running:
        one.close()


@pytest.mark.slow
@pytest.mark.parametrize("seed", [11, 12, 13, 14])
def test_compiled_answers_equal_ordinary_ones(
    connection: psycopg.Connection[Any], both: tuple[Asked, Asked], seed: int
) -> None:
    graph = load_graph()
    world = RandomWorld(connection, seed).write()
    keys = [make_key(connection, f"{role}-house", roles=[role]) for role in ROLES]
    keys += [make_key(connection, f"{role}-some", roles=[role], scope=SOME) for role in ROLES]
    connection.execute(WAIVED)
    connection.commit()
    moments = [world.known_at(number).isoformat() for number in (5, 24, 36, 45, 60)]
    sizes: list[int] = []
    codes: Counter[str] = Counter()

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
        chance = Chance(made_by)
        text, variables = Anything(graph, chance).query(moments)
        key = chance.one(keys[:1] if chance.flip() else keys)
        compiled, ordinary = (_asked(one, key, text, variables) for one in both)
        if "errors" in compiled or "errors" in ordinary:
            codes[_code(compiled, ordinary, (text, variables))] += 1
            return
        expected, found = orjson.dumps(compiled), orjson.dumps(ordinary)
        assert found == expected, (text, variables, key == keys[0])
        sizes.append(len(expected))

    compare()
    assert codes.keys() <= {"BAD_USER_INPUT", "FORBIDDEN", "LIMIT_EXCEEDED", "NOT_TRUSTED"}, codes
    assert codes["FORBIDDEN"], "nothing was asked for that is masked"
    assert codes["NOT_TRUSTED"], (codes, "nothing was asked for that rests on a waiver")
    assert len(sizes) > EXAMPLES_PER_WORLD * 0.6, (codes, "too many of the queries were refused")
    assert sorted(sizes)[len(sizes) // 2] > 150, "most of the queries found nothing: the comparison would be empty"


def _asked(one: Asked, key: str, text: str, variables: dict[str, Any]) -> dict[str, Any]:
    one.key = key
    return one.answer(text, variables)


def _code(compiled: dict[str, Any], ordinary: dict[str, Any], made: Any) -> str:
    """The code that both refused with; one query may hold several reasons, and either path tells the first it meets."""
    found = [one["errors"][0] for one in (compiled, ordinary) if "errors" in one]
    if len(found) == 1:
        assert any(reason in found[0]["message"] for reason in ORDERLESS), (made, found)
        assert "groups(" in made[0], (made, found)
        assert "first:" in made[0], (made, found)
    codes = {one["extensions"]["code"] for one in found}
    if codes == {"BAD_USER_INPUT", "NOT_TRUSTED"} and any(reason in str(found) for reason in ORDERLESS):
        return "NOT_TRUSTED"
    assert len(codes) == 1, (made, found)
    return str(codes.pop())
