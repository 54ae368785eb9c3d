"""The quality desk over GraphQL: what was found, refused and permitted, for those who may read it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest

from fulcrum.pipeline.deliver import deliver
from fulcrum.settings import Settings
from tests.factories import house
from tests.factories.access import make_key

QUERY = """{
  exceptions(where: { ruleId: { eq: "holding.control_total" } }) { nodes {
    id ruleId severity state isOverdue occurrences delivery { fileName outcome }
    history { actorName move toState } waivers { totalCount } } }
  validations(where: { verdict: { eq: "blocked" } }) { nodes {
    suiteName delivery { fileName } results { ruleId severity status threshold unit } } }
  deliveries(where: { outcome: { eq: "blocked" } }) { nodes { fileName validations { totalCount } } }
  quarantinedRows { totalCount }
  waivers { totalCount }
}"""


@pytest.fixture
def blocked(database: Settings, tmp_path: Path, asked: Any) -> Any:
    house.prepare(database, tmp_path)
    rows = [house.holding(isin, 1) for isin in house.ISINS]
    file = house.broken_total(house.holdings_file(database, tmp_path, "broken.csv", rows))
    assert deliver(database, "house_holdings", file).outcome == "blocked"
    return asked


def test_a_blocked_file_can_be_followed_from_the_finding_to_the_rule(blocked: Any) -> None:
    data = blocked.data(QUERY)
    (found,) = data["exceptions"]["nodes"]
    assert found["severity"] == "critical"
    assert found["state"] == "open"
    assert found["isOverdue"] is False
    assert found["delivery"] == {"fileName": "broken.csv", "outcome": "blocked"}
    assert found["history"] == [{"actorName": "fulcrum", "move": "find", "toState": "open"}]
    (run,) = data["validations"]["nodes"]
    failed = [each for each in run["results"] if each["status"] == "failed" and each["severity"] == "critical"]
    assert [(each["ruleId"], each["threshold"], each["unit"]) for each in failed] == [
        ("holding.control_total", "0.01", "currency units")
    ]
    assert data["deliveries"]["nodes"] == [{"fileName": "broken.csv", "validations": {"totalCount": 1}}]


@pytest.mark.parametrize("root", ["exceptions", "validations", "quarantinedRows", "waivers"])
def test_nothing_of_it_is_told_without_the_permission(
    blocked: Any, connection: psycopg.Connection[Any], root: str
) -> None:
    identifier = blocked.data("{ exceptions { nodes { id } } }")["exceptions"]["nodes"][0]["id"]
    blocked.key = make_key(connection, "reader", roles=["analyst"])
    for query in (
        f"{{ {root} {{ totalCount }} }}",
        f"{{ {root} {{ nodes {{ __typename }} }} }}",
        f"{{ {root} {{ aggregate {{ count }} }} }}",
        f'{{ node(id: "{identifier}") {{ ... on QualityException {{ message }} }} }}',
        "{ deliveries { nodes { validations { totalCount } } } }",
    ):
        assert blocked.code(query) == "FORBIDDEN", query
