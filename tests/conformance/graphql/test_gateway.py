"""Apollo's composition accepts the subgraph, and a gateway answers queries that cross into another one."""

from __future__ import annotations

from typing import Any

from tests.factories.node_project import NodeProject


def test_a_query_crosses_two_subgraphs_through_a_gateway_in_both_directions(judges: NodeProject, served: Any) -> None:
    found = judges.check("gateway", served.url, served.key)
    assert found["hints"] == []
    assert "errors" not in found["crossing"], found["crossing"]
    answer = found["crossing"]["data"]
    assert answer["recommendations"] == [
        {"rating": "BUY", "instrument": {"name": "Pence plc", "latestPrice": {"price": "250", "currencyCode": "GBP"}}},
        {
            "rating": "HOLD",
            "instrument": {"name": "Plain Inc", "latestPrice": {"price": "10.10", "currencyCode": "USD"}},
        },
        {"rating": "SELL", "instrument": {"name": None, "latestPrice": None}},
    ]
    assert answer["portfolio"]["comments"] == ["FUND is watched"]
    assert answer["portfolio"]["holdings"]["nodes"] == [
        {"quantity": "110", "instrument": {"name": "Pence plc", "rating": "BUY"}},
        {"quantity": "40", "instrument": {"name": "Plain Inc", "rating": "HOLD"}},
    ]
    references = [sent for sent in found["asked"] if "_entities" in sent["query"]]
    assert len(references) == 1  # one request for all three, so one statement
    assert len(references[0]["variables"]["representations"]) == 3
    assert found["stranger"]["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
