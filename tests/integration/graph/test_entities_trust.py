"""A waiver travels with every number that rests on it, and with no other."""

from __future__ import annotations

import datetime as dt
from typing import Any

import psycopg

from tests.factories.graph_story import DAY
from tests.factories.graph_world import GraphWorld

TRUST = "trust { verdict waivers { number ruleId feed reason endDate } }"


def waive(connection: psycopg.Connection[Any], publication: int) -> int:
    """A waiver under which a publication was made."""
    for name in ("ann", "bob"):
        connection.execute(
            "insert into governance.principal (principal_name, principal_kind, roles, scope_id)"
            " select %s, 'person', array['risk_officer'], scope_id from governance.row_scope"
            " where scope_name = 'house'",
            [name],
        )
    row = connection.execute(
        "insert into quality.waiver"
        " (rule_id, feed, begin_date, end_date, reason, state, asked_by, decided_by, decided_at)"
        " values ('price.jump', 'house_prices', %s, %s, 'index change', 'approved', 'ann', 'bob', now())"
        " returning waiver_id",
        [DAY, DAY + dt.timedelta(days=1)],
    ).fetchone()
    assert row is not None
    connection.execute("update governance.publication set verdict = 'waived' where publication_id = %s", [publication])
    connection.execute(
        "insert into governance.publication_waiver (publication_id, waiver_id, rule_id) values (%s, %s, 'price.jump')",
        [publication, row[0]],
    )
    connection.commit()
    return int(row[0])


def test_prices_valuations_and_navs_carry_the_waiver_of_their_price(
    world: GraphWorld, asked: Any, connection: psycopg.Connection[Any]
) -> None:
    assert world.publications
    row = connection.execute(
        "select publication_id from governance.publication where target = 'core.price' order by 1 limit 1"
    ).fetchone()
    assert row is not None
    number = waive(connection, row[0])
    told = {
        "number": number,
        "ruleId": "price.jump",
        "feed": "house_prices",
        "reason": "index change",
        "endDate": str(DAY + dt.timedelta(days=1)),
    }
    data = asked.data(
        f'{{ portfolio(code: "FUND") {{ {TRUST} nav {{ {TRUST} }}'
        f" valuations {{ nodes {{ {TRUST} }} }} holdings {{ nodes {{ {TRUST} }} }} }}"
        f" prices {{ nodes {{ {TRUST} }} }} }}"
    )
    marked = {"verdict": "waived", "waivers": [told]}
    fund = data["portfolio"]
    assert fund["nav"]["trust"] == marked
    assert marked in [node["trust"] for node in fund["valuations"]["nodes"]]
    assert all(node["trust"] == marked for node in data["prices"]["nodes"])
    assert fund["trust"]["waivers"] == []
    assert all(node["trust"]["waivers"] == [] for node in fund["holdings"]["nodes"])
