"""The example queries of each persona find what they are for, and say for whom they are."""

from __future__ import annotations

import json
from typing import Any

import psycopg
import pytest

from fulcrum.settings import PROJECT_ROOT
from tests.factories.graph_house import write_house
from tests.factories.graph_story import DAY
from tests.factories.graph_world import GraphWorld

EXAMPLES = PROJECT_ROOT / "schemas" / "graphql" / "examples"
DATED = {"asOf": "2026-01-15"}
ASKED: dict[str, dict[str, Any]] = {
    "ask_waiver": {
        "input": {"ruleId": "r", "feed": "f", "beginDate": "2026-01-15", "endDate": "2026-01-15", "reason": "known"}
    },
    "changed_since": {"since": {"publication": 12}, **DATED},
    "client_360": {"client": "C-1", **DATED},
    "client_wealth": {"client": "C-1", **DATED},
    "feed_health": DATED,
    "holding_history": {"portfolio": "FUND", **DATED},
    "holdings_as_known": {"portfolio": "FUND", **DATED},
    "incomplete_navs": DATED,
    "instrument_page": {"isin": "US00PLAIN001", **DATED},
    "number_explained": {"portfolio": "FUND", **DATED},
    "portfolio_page": {"portfolio": "FUND", "by": "SECTOR", **DATED},
    "publication_effects": {"number": 12},
    "trusted_nav": {"portfolio": "FUND", "trust": "CLEAN", **DATED},
    "stale_prices": {"statuses": ["VALUED_STALE_PRICE", "PRICE_MISSING"], **DATED},
}
MAY_BE_EMPTY = {
    "benchmark",  # of the fund: the mandate has one
    "descendants",
    "findings",
    "messages",
    "prices",
    "supersedes",
    "transactions",
    "warnings",
    "changed",
    "clients",
    "instruments",
    "portfolios",
}
"""Lists that are rightly empty somewhere in the story; their presence is tested with their entities."""


@pytest.fixture(autouse=True)
def house(connection: psycopg.Connection[Any]) -> GraphWorld:
    """The house of `graph_house` with a net asset value that misses a position."""
    world = write_house(connection)
    number = world.publish("mart.portfolio_nav", DAY, feed="mart.portfolio_nav")
    world.supersede("mart.portfolio_nav", number, portfolio_id=2)
    world.fact(
        "mart.portfolio_nav",
        number,
        portfolio_id=2,
        business_date=DAY,
        base_currency_code="USD",
        nav_base=1000,
        positions=2,
        positions_valued=1,
        positions_flagged=0,
        is_complete=False,
        valuation_publication_id=22,
    )
    connection.commit()
    return world


def empty(value: Any, place: str) -> list[str]:
    """Places of null objects and empty lists."""
    if isinstance(value, dict):
        return [found for key, inner in value.items() for found in empty(inner, f"{place}.{key}")]
    if isinstance(value, list):
        return [found for inner in value for found in empty(inner, place)] if value else [place]
    return []


def test_every_example_finds_what_it_is_for(asked: Any) -> None:
    names = {path.stem for path in EXAMPLES.glob("*.graphql")}
    assert names == set(ASKED)
    for name in sorted(names):
        data = asked.data((EXAMPLES / f"{name}.graphql").read_text("utf-8"), ASKED[name])
        (root,) = data.values()
        assert root, name
        bare = [
            place for place in empty(data, name) if place.removesuffix(".nodes").rpartition(".")[2] not in MAY_BE_EMPTY
        ]
        assert bare == [], name
        nodes = root.get("nodes")
        assert nodes is None or nodes, name


def test_every_example_has_variables_of_the_demo_and_says_what_it_is_for() -> None:
    for path in sorted(EXAMPLES.glob("*.graphql")):
        assert path.read_text("utf-8").startswith("# "), path.name
        given = json.loads(path.with_suffix(".json").read_text("utf-8"))
        assert set(given) >= set(ASKED[path.stem]) - {"asOf"}, path.name
