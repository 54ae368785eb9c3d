"""Histories: what was stated of something when, and what changed between two states of knowledge."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from tests.factories.graph_house import write_house
from tests.factories.graph_world import GraphWorld


@pytest.fixture(autouse=True)
def house(connection: psycopg.Connection[Any]) -> GraphWorld:
    """The house of `graph_house`, committed."""
    return write_house(connection)


CLIENT = """query($knownAt: DateTime) { client(code: "C-1", knownAt: $knownAt) { history { totalCount nodes {
  __typename validFrom validTo publishedIn knownAt supersededIn supersededAt changed name riskClassCode
  client { code } trust { deliveryFile stalenessDays } ... on Version { published: publishedIn } } } } }"""


def test_the_history_of_an_entity_holds_every_version_with_what_changed(asked: Any, house: GraphWorld) -> None:
    history = asked.data(CLIENT)["client"]["history"]
    assert history["totalCount"] == 3
    latest, ended, first = history["nodes"]
    assert latest == {
        "__typename": "ClientVersion",
        "validFrom": "2026-01-10",
        "validTo": None,
        "publishedIn": 13,
        "knownAt": house.known_at(13).isoformat(),
        "supersededIn": None,
        "supersededAt": None,
        "changed": ["riskClassCode", "riskClassUntilDate"],
        "name": "Ada Ltd",
        "riskClassCode": "C4",
        "client": {"code": "C-1"},
        "trust": {"deliveryFile": "clients_again.csv", "stalenessDays": None},
        "published": 13,
    }
    assert (ended["validTo"], ended["changed"], ended["riskClassCode"]) == ("2026-01-10", ["validTo"], "C3")
    assert (first["supersededIn"], first["supersededAt"]) == (13, house.known_at(13).isoformat())
    assert first["changed"] == ["name", "kindCode", "riskClassCode"]


def test_a_history_holds_nothing_that_was_not_known_yet(asked: Any, house: GraphWorld) -> None:
    history = asked.data(CLIENT, {"knownAt": house.known_at(12).isoformat()})["client"]["history"]
    (only,) = history["nodes"]
    assert (history["totalCount"], only["publishedIn"]) == (1, 1)
    assert (only["supersededIn"], only["supersededAt"]) == (None, None)


def test_the_history_of_a_fact_tells_what_was_known_when(asked: Any, house: GraphWorld) -> None:
    query = """{ portfolio(code: "FUND") { holdings(first: 1) { nodes { history { nodes {
      publishedIn supersededIn knownAt quantity marketValue currencyCode changed instrument { name }
      trust { deliveryFile } } } } } nav { history { nodes { navBase baseCurrencyCode changed } } } } }"""
    portfolio = asked.data(query)["portfolio"]
    now, before = portfolio["holdings"]["nodes"][0]["history"]["nodes"]
    assert now == {
        "publishedIn": 12,
        "supersededIn": None,
        "knownAt": house.known_at(12).isoformat(),
        "quantity": "110",
        "marketValue": "220",
        "currencyCode": "EUR",
        "changed": ["quantity", "marketValue"],
        "instrument": {"name": "Pence plc"},
        "trust": {"deliveryFile": "holdings_restated.csv"},
    }
    assert (before["quantity"], before["supersededIn"]) == ("100", 12)
    assert [(n["navBase"], n["baseCurrencyCode"]) for n in portfolio["nav"]["history"]["nodes"]] == [
        ("666.95", "EUR"),
        ("635.7", "EUR"),
    ]
    assert portfolio["nav"]["history"]["nodes"][0]["changed"] == ["navBase", "positionsFlagged"]


def test_every_entity_of_the_warehouse_has_a_history_that_can_be_paged(asked: Any) -> None:
    page = "history(first: 1) { totalCount edges { cursor node { publishedIn changed } } pageInfo { hasNextPage } }"
    lists = [
        *("clients", "accounts", "portfolios", "shareClasses", "instruments", "issuers", "benchmarks", "holdings"),
        *("transactions", "unitHoldings", "valuations", "navs", "prices", "fxRates"),
    ]
    query = " ".join(f"{name}(first: 2) {{ nodes {{ {page} }} }}" for name in lists)
    found = asked.data(f"{{ {query} }}")
    for name in lists:
        assert found[name]["nodes"], name
        assert all(node["history"]["totalCount"] >= 1 for node in found[name]["nodes"]), name
    client = found["clients"]["nodes"][0]["history"]
    cursor, seen = client["edges"][0]["cursor"], [client["edges"][0]["node"]["publishedIn"]]
    while client["pageInfo"]["hasNextPage"]:
        query = '{ client(code: "C-1") { ' + page.replace("first: 1", f'first: 1, after: "{cursor}"') + " } }"
        client = asked.data(query)["client"]["history"]
        cursor = client["edges"][0]["cursor"]
        seen.append(client["edges"][0]["node"]["publishedIn"])
    assert seen == [13, 13, 1]


CHANGES = """query($since: Since!, $knownAt: DateTime, $where: PositionChangeWhere) {
  portfolio(code: "FUND", asOf: "2026-01-15", knownAt: $knownAt) { changes(since: $since) {
    sincePublication sinceKnownAt untilPublication untilKnownAt
    positions(where: $where) { totalCount nodes { kindCode positionCode instrument { name }
      quantityBefore quantityAfter marketValueBefore marketValueAfter currencyCodeBefore currencyCodeAfter
      valueBaseBefore valueBaseAfter baseCurrencyCodeBefore baseCurrencyCodeAfter statusCodeAfter } }
    nav { navBaseBefore navBaseAfter deltaBase baseCurrencyCodeAfter positionsAfter } } } }"""


def test_a_restatement_is_a_difference_between_two_knowledge_times(asked: Any, house: GraphWorld) -> None:
    changes = asked.data(CHANGES, {"since": {"knownAt": house.known_at(11).isoformat()}})["portfolio"]["changes"]
    assert changes == {
        "sincePublication": 11,
        "sinceKnownAt": house.known_at(11).isoformat(),
        "untilPublication": 23,
        "untilKnownAt": house.known_at(23).isoformat(),
        "positions": {
            "totalCount": 1,
            "nodes": [
                {
                    "kindCode": "RESTATED",
                    "positionCode": "",
                    "instrument": {"name": "Pence plc"},
                    "quantityBefore": "100",
                    "quantityAfter": "110",
                    "marketValueBefore": "200",
                    "marketValueAfter": "220",
                    "currencyCodeBefore": "EUR",
                    "currencyCodeAfter": "EUR",
                    "valueBaseBefore": "312.5",
                    "valueBaseAfter": "343.75",
                    "baseCurrencyCodeBefore": "EUR",
                    "baseCurrencyCodeAfter": "EUR",
                    "statusCodeAfter": "VALUED",
                }
            ],
        },
        "nav": {
            "navBaseBefore": "635.7",
            "navBaseAfter": "666.95",
            "deltaBase": "31.25",
            "baseCurrencyCodeAfter": "EUR",
            "positionsAfter": 2,
        },
    }


def kinds(asked: Any, since: int, known_at: str | None = None) -> dict[str, str]:
    """Kind of change by instrument."""
    found = asked.data(CHANGES, {"since": {"publication": since}, "knownAt": known_at})
    nodes = found["portfolio"]["changes"]["positions"]["nodes"]
    return {node["instrument"]["name"]: node["kindCode"] for node in nodes}


def test_positions_are_added_removed_restated_or_only_revalued(asked: Any, house: GraphWorld) -> None:
    assert kinds(asked, 0) == {"Pence plc": "ADDED", "Plain Inc": "ADDED"}
    assert kinds(asked, 12) == {"Pence plc": "REVALUED"}
    assert kinds(asked, 8, house.known_at(12).isoformat()) == {"Pence plc": "RESTATED", "Plain Inc": "REVALUED"}
    number = house.publish("core.holding", None)
    house.supersede("core.holding", number, portfolio_id=1, instrument_id=3)
    house.connection.commit()
    assert kinds(asked, 23) == {"Plain Inc": "REMOVED"}
    removed = {"since": {"publication": 8}, "where": {"kindCode": {"eq": "REMOVED"}}}
    positions = asked.data(CHANGES, removed)["portfolio"]["changes"]["positions"]
    assert [(n["quantityBefore"], n["quantityAfter"], n["valueBaseBefore"]) for n in positions["nodes"]] == [
        ("40", None, None)
    ]


def test_nothing_changed_since_now_and_a_later_state_is_the_same(asked: Any, house: GraphWorld) -> None:
    assert kinds(asked, 23) == {}
    assert kinds(asked, 999) == {}
    assert kinds(asked, 23, house.known_at(8).isoformat()) == {}
    changes = asked.data(CHANGES, {"since": {"publication": 999}})["portfolio"]["changes"]
    assert (changes["sincePublication"], changes["nav"]) == (23, None)


def test_the_house_tells_which_publications_tables_and_values_changed(asked: Any) -> None:
    query = """query($since: Since!) { changes(since: $since, asOf: "2026-01-15") { sincePublication untilPublication
      targets { target publications rowsPublished } publications(first: 2) { totalCount nodes { number target } }
      navs { totalCount nodes { portfolio { code } navBaseBefore navBaseAfter deltaBase } } } }"""
    changes = asked.data(query, {"since": {"publication": 20}})["changes"]
    assert changes == {
        "sincePublication": 20,
        "untilPublication": 23,
        "targets": [
            {"target": "core.holding", "publications": 1, "rowsPublished": "1"},
            {"target": "mart.portfolio_nav", "publications": 1, "rowsPublished": "1"},
            {"target": "mart.position_valuation", "publications": 1, "rowsPublished": "1"},
        ],
        "publications": {
            "totalCount": 3,
            "nodes": [
                {"number": 23, "target": "mart.portfolio_nav"},
                {"number": 22, "target": "mart.position_valuation"},
            ],
        },
        "navs": {
            "totalCount": 1,
            "nodes": [
                {
                    "portfolio": {"code": "FUND"},
                    "navBaseBefore": "635.7",
                    "navBaseAfter": "666.95",
                    "deltaBase": "31.25",
                }
            ],
        },
    }
    everything = asked.data(query, {"since": {"publication": 0}})["changes"]["navs"]["nodes"]
    assert [(n["portfolio"]["code"], n["deltaBase"]) for n in everything] == [("FUND", None), ("MANDATE", None)]


def test_since_is_named_in_exactly_one_way(asked: Any) -> None:
    for since in ({}, {"publication": 1, "knownAt": "2026-01-05T00:00:00Z"}, {"publication": None}):
        assert asked.code(CHANGES, {"since": since}) == "BAD_USER_INPUT"
