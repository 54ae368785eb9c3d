"""The queries that are measured, each with the variables of one request out of many."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.bench.graph.data import CLIENTS, PORTFOLIOS


@dataclass(frozen=True)
class Question:
    """A query; `variables` makes up those of one request."""

    name: str
    text: str
    variables: Callable[[random.Random], dict[str, Any]]


def _portfolio(chance: random.Random) -> dict[str, Any]:
    return {"code": f"P{chance.randint(1, PORTFOLIOS):05d}"}


def _client(chance: random.Random) -> dict[str, Any]:
    return {"code": f"C{chance.randint(1, CLIENTS):05d}"}


QUESTIONS = (
    Question(
        "point: one portfolio, 6 fields",
        "query($code: String!) { portfolio(code: $code) { id code name kindCode baseCurrencyCode riskLevelCode } }",
        _portfolio,
    ),
    Question(
        "nested: client, portfolios, 50 holdings, instrument",
        "query($code: String!) { client(code: $code) { code name portfolios(first: 10) { nodes { code"
        " holdings(first: 50) { nodes { quantity marketValue instrument { code name } } } } } } }",
        _client,
    ),
    Question(
        "list: 250 holdings with instrument",
        "query($code: String!) { portfolio(code: $code) { holdings(first: 250) { nodes {"
        " quantity marketValue currencyCode instrument { code name assetClassCode } } } } }",
        _portfolio,
    ),
    Question(
        "deep: client, portfolios, 20 holdings, instrument, latest price",
        "query($code: String!) { clients(first: 5, where: { code: { in: [$code] } }) { nodes { code"
        " portfolios(first: 5) { nodes { code holdings(first: 20) { nodes { quantity instrument { code"
        " latestPrice { price businessDate } } } } } } } } }",
        _client,
    ),
)
