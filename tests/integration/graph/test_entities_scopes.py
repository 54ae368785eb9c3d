"""What is computed over many owners shows a restricted caller only what is his."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from fulcrum.entitlements.principals import RowScope
from tests.factories.access import make_key
from tests.factories.graph_house import write_house

QUERY = """{ instrument(by: {isin: "US00PLAIN001"}) { holders { totalCount nodes { code } } holdings { totalCount } }
  changes(since: {publication: 0}, asOf: "2026-01-15") { navs { totalCount nodes { portfolio { code } } } }
  publication(number: 12) { portfolios { totalCount } }
  again: publication(number: 13) { clients { totalCount } }
  umbrella: portfolio(code: "UMBRELLA") { code }
  fund: portfolio(code: "FUND") { exposure(by: CURRENCY) { totalCount } }
  mandate: portfolio(code: "MANDATE") { exposure(by: CURRENCY) { totalCount } history { totalCount }
    benchmark { portfolios { totalCount } } changes(since: {publication: 0}) { positions { totalCount } } } }"""


@pytest.fixture(autouse=True)
def house(connection: psycopg.Connection[Any]) -> None:
    """The house of `graph_house`, committed."""
    write_house(connection)


def test_the_house_sees_all_and_a_client_only_what_is_his(asked: Any, connection: psycopg.Connection[Any]) -> None:
    everything = asked.data(QUERY)
    assert everything["instrument"]["holders"]["totalCount"] == 2
    assert everything["changes"]["navs"]["totalCount"] == 2
    assert everything["publication"]["portfolios"]["totalCount"] == 1
    assert everything["fund"]["exposure"]["totalCount"] == 2
    key, asked.key = asked.key, make_key(connection, "c1", scope=RowScope("c1", client_codes=("C-1",)))
    assert asked.data(QUERY) == {
        "instrument": {"holders": {"totalCount": 1, "nodes": [{"code": "MANDATE"}]}, "holdings": {"totalCount": 1}},
        "changes": {"navs": {"totalCount": 1, "nodes": [{"portfolio": {"code": "MANDATE"}}]}},
        "publication": {"portfolios": {"totalCount": 0}},
        "again": {"clients": {"totalCount": 1}},
        "umbrella": None,
        "fund": None,
        "mandate": everything["mandate"],
    }
    asked.key = make_key(connection, "nobody", scope=RowScope("nobody", client_codes=()))
    nothing = asked.data(QUERY)
    assert nothing["instrument"] == {"holders": {"totalCount": 0, "nodes": []}, "holdings": {"totalCount": 0}}
    assert nothing["changes"]["navs"] == {"totalCount": 0, "nodes": []}
    assert (nothing["again"]["clients"]["totalCount"], nothing["mandate"]) == (0, None)
    asked.key = key
    assert asked.data(QUERY) == everything
