"""A number that people put in place of a delivered one says so, wherever it is used."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from tests.factories.graph_story import DAY
from tests.factories.graph_world import GraphWorld

OVERRIDES = "overrides { number subjectKey value currencyCode reasonCode reason askedBy approvedBy beginDate endDate }"
INPUTS = "explain { inputs { role overrideNumber overrideSays } }"


@pytest.fixture
def overridden(world: GraphWorld, connection: psycopg.Connection[Any]) -> dict[str, Any]:
    """The world whose prices were all brought by the files of one override; what is to be told of it."""
    assert world.publications
    for name in ("ann", "bob"):
        connection.execute(
            "insert into governance.principal (principal_name, principal_kind, roles, scope_id)"
            " select %s, 'person', array['risk_officer'], scope_id from governance.row_scope"
            " where scope_name = 'house'",
            [name],
        )
    row = connection.execute(
        "insert into quality.override (target, subject, subject_key, value, currency_code, begin_date, end_date,"
        " reason_code, reason, state, asked_by, decided_by, decided_at)"
        " values ('core.price', %s, 'price:X', 12.5, 'USD', %s, %s, 'wrong', 'split', 'approved', 'ann', 'bob', now())"
        " returning override_id",
        [Jsonb({"instrument_code": "X"}), DAY, DAY],
    ).fetchone()
    delivery = connection.execute(
        "insert into governance.delivery (feed, file_name, sha256, size_bytes, parameters)"
        " values ('override_prices', 'override.csv', 'abc', 0, %s) returning delivery_id",
        [Jsonb({"override_id": str(row[0] if row else "")})],
    ).fetchone()
    assert row is not None
    assert delivery is not None
    connection.execute(
        "update governance.publication set feed = 'override_prices', delivery_id = %s where target = 'core.price'",
        [delivery[0]],
    )
    connection.execute("update core.price set delivery_id = %s", [delivery[0]])
    connection.commit()
    return {
        "number": row[0],
        "subjectKey": "price:X",
        "value": "12.5",
        "currencyCode": "USD",
        "reasonCode": "wrong",
        "reason": "split",
        "askedBy": "ann",
        "approvedBy": "bob",
        "beginDate": str(DAY),
        "endDate": str(DAY),
    }


def test_prices_valuations_and_navs_carry_the_override_of_their_price(asked: Any, overridden: dict[str, Any]) -> None:
    data = asked.data(
        f'{{ portfolio(code: "FUND") {{ nav {{ trust {{ {OVERRIDES} }} {INPUTS} }}'
        f" valuations {{ nodes {{ trust {{ {OVERRIDES} }} {INPUTS} }} }}"
        f" holdings {{ nodes {{ trust {{ {OVERRIDES} }} {INPUTS} }} }} }}"
        f" prices {{ nodes {{ trust {{ {OVERRIDES} }} {INPUTS} }} }} }}"
    )
    fund = data["portfolio"]
    assert fund["nav"]["trust"]["overrides"] == [overridden]
    assert [overridden] in [node["trust"]["overrides"] for node in fund["valuations"]["nodes"]]
    assert all(node["trust"]["overrides"] == [overridden] for node in data["prices"]["nodes"])
    assert all(node["trust"]["overrides"] == [] for node in fund["holdings"]["nodes"])
    said = {"role": "price", "overrideNumber": overridden["number"]}
    said |= {"overrideSays": f"ann, approved by bob, to {DAY}: wrong, split"}
    assert data["prices"]["nodes"]
    assert all(node["explain"]["inputs"] == [said] for node in data["prices"]["nodes"])
    assert said in fund["nav"]["explain"]["inputs"]
    assert any(said in node["explain"]["inputs"] for node in fund["valuations"]["nodes"])
    of_holdings = [each for node in fund["holdings"]["nodes"] for each in node["explain"]["inputs"]]
    assert {each["overrideNumber"] for each in of_holdings} == {None}
