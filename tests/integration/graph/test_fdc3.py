"""Contexts for the desktop: what they hold, as of when, and that rights hold for them as for every answer."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from tests.factories.access import make_key
from tests.factories.graph_world import GraphWorld


@pytest.fixture
def context(asked: Any, world: GraphWorld) -> Any:  # noqa: ARG001 - the world must be written
    def fetched(path: str, key: str | None = None) -> Any:
        return asked.request("GET", f"/fdc3/{path}", headers={"Authorization": f"Bearer {key or asked.key}"})

    return fetched


def test_a_portfolio_is_its_positions_with_every_digit(context: Any) -> None:
    answer = context("Portfolio?code=FUND")
    assert answer.status_code == 200
    assert answer.headers["fulcrum-as-of"] == "2026-01-15"
    found = json.loads(answer.text, parse_int=Decimal, parse_float=Decimal)
    assert (found["type"], found["name"], found["id"]["FULCRUM_CODE"]) == ("fdc3.portfolio", "World Fund", "FUND")
    assert [(line["type"], line["instrument"]["id"]["ISIN"], line["holding"]) for line in found["positions"]] == [
        ("fdc3.position", "GB00PENCE001", Decimal(110)),
        ("fdc3.position", "US00PLAIN001", Decimal(40)),
    ]


def test_it_is_as_it_was_known_at_a_moment(context: Any, world: GraphWorld) -> None:
    before = world.known_at(9).isoformat().replace("+00:00", "Z")
    found = context(f"Portfolio?code=FUND&asOf=2026-01-15&knownAt={before}").json()
    assert found["positions"][0]["holding"] == 100


def test_a_position_an_instrument_and_an_organization(context: Any, asked: Any) -> None:
    line = asked.data('{ portfolio(code: "FUND") { holdings(first: 1) { nodes { id } } } }')["portfolio"]["holdings"]
    position = context(f"Holding?id={line['nodes'][0]['id']}").json()
    assert position["holding"] == 110
    assert position["instrument"] == context("Instrument?isin=GB00PENCE001").json()
    assert position["instrument"]["name"] == "Pence plc"
    owner = context("Client?code=C-1").json()
    assert owner == {
        "type": "fdc3.organization",
        "name": "Ada Ltd",
        "id": {"FULCRUM_ID": owner["id"]["FULCRUM_ID"], "FULCRUM_CODE": "C-1"},
    }


def test_a_person_is_a_contact_whose_address_only_those_see_who_may(
    context: Any, world: GraphWorld, connection: psycopg.Connection[Any]
) -> None:
    n = world.publish("core.client", None)
    key = world.identity("client", "C-9", n)
    world.version("client", key, n, client_name="Eve", client_kind_code="INDIVIDUAL", email="eve@example.org")
    analyst = make_key(connection, "analyst", roles=["analyst"])
    connection.commit()
    assert context("Client?code=C-9").json()["id"]["email"] == "eve@example.org"
    masked = context("Client?code=C-9", analyst)
    assert masked.status_code == 200
    assert masked.json()["type"] == "fdc3.contact"
    assert "email" not in masked.json()["id"]
    assert "Eve" not in masked.text


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("Portfolio?code=NOBODY", 404, "NOT_FOUND"),
        ("Price?id=Price:1", 400, "BAD_USER_INPUT"),
        ("Portfolio", 400, "BAD_USER_INPUT"),
        ("Portfolio?code=FUND&id=Portfolio:1", 400, "BAD_USER_INPUT"),
        ("Portfolio?name=FUND", 400, "BAD_USER_INPUT"),
        ("Portfolio?code=FUND&asOf=soon", 400, "BAD_USER_INPUT"),
    ],
)
def test_what_cannot_be_told_is_refused_with_a_code(context: Any, path: str, status: int, code: str) -> None:
    answer = context(path)
    assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (status, code)


def test_without_a_key_there_is_no_context(asked: Any) -> None:
    assert asked.request("GET", "/fdc3/Portfolio?code=FUND").status_code == 401
