"""What `/fdc3` gives holds against the schemas that FINOS publishes."""

from __future__ import annotations

import json
from typing import Any

import httpx
import psycopg

from tests.factories.graph_world import GraphWorld
from tests.factories.node_project import NodeProject


def test_every_kind_of_context_is_valid_by_the_schemas_of_fdc3(
    judges: NodeProject, served: Any, connection: psycopg.Connection[Any]
) -> None:
    world = GraphWorld(connection)
    world.publications = 20
    n = world.publish("core.client", None)
    person = world.identity("client", "C-9", n)
    world.version("client", person, n, client_name="Eve", client_kind_code="INDIVIDUAL", email="eve@example.org")
    issuer = world.identity("issuer", "I-1", n)
    world.version("issuer", issuer, n, issuer_name="Plain Inc", lei="529900T8BM49AURSDO55")
    connection.commit()
    with httpx.Client(headers={"Authorization": f"Bearer {served.key}"}) as client:
        base = served.url.removesuffix("graphql")
        asked = {"query": '{ portfolio(code: "FUND") { holdings(first: 1) { nodes { id } } } }'}
        answer = client.post(served.url, json=asked).json()
        position = answer["data"]["portfolio"]["holdings"]["nodes"][0]["id"]
        paths = (
            "Portfolio?code=FUND",
            f"Holding?id={position}",
            "Instrument?isin=GB00PENCE001",
            "Client?code=C-9",
            "Client?code=C-1",
            "Issuer?code=I-1",
        )
        contexts = [client.get(f"{base}fdc3/{path}").json() for path in paths]
    kinds = ["portfolio", "position", "instrument", "contact", "organization", "organization"]
    assert [found["type"] for found in contexts] == [f"fdc3.{kind}" for kind in kinds]
    assert contexts[5]["id"]["LEI"] == "529900T8BM49AURSDO55"
    wrong = [{"type": "fdc3.position"}]
    faults = judges.check("contexts", stdin=json.dumps(contexts + wrong))
    assert faults[:-1] == [[]] * len(contexts)
    assert faults[-1]
