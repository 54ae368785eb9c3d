"""The queries that are measured, as each contender is asked, and the variables of one request out of many.

PostGraphile's texts use aliases, so that answers can be compared field by field (`answers.py`).
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.bench.graph.data import DAY, Bounds

Variables = Callable[[random.Random, Bounds], dict[str, Any]]
A_MONTH_AGO = dt.datetime.now(dt.UTC).replace(microsecond=0) - dt.timedelta(days=30)


@dataclass(frozen=True)
class Question:
    """`ours` is the text for Fulcrum, compiled or with data loaders; `peers` for PostGraphile."""

    name: str
    title: str
    ours: str
    peers: str
    variables: Variables
    is_restricted: bool = False
    """Asked by somebody with a row scope and masks, too."""


def _portfolio(chance: random.Random, bounds: Bounds) -> dict[str, Any]:
    return {"code": f"P{chance.randint(1, bounds.portfolios):05d}"}


def _large(chance: random.Random, bounds: Bounds) -> dict[str, Any]:
    return {"code": f"P{chance.randint(1, bounds.large):05d}"}


def _large_a_month_ago(chance: random.Random, bounds: Bounds) -> dict[str, Any]:
    return _large(chance, bounds) | {"knownAt": A_MONTH_AGO.isoformat()}


def _client(chance: random.Random, bounds: Bounds) -> dict[str, Any]:
    return {"code": f"C{chance.randint(1, bounds.clients):05d}"}


def _twenty_clients(chance: random.Random, bounds: Bounds) -> dict[str, Any]:
    first = chance.randint(1, bounds.clients - 19)
    return {"codes": [f"C{number:05d}" for number in range(first, first + 20)]}


POINT = Question(
    "point",
    "one portfolio by code, 6 fields",
    "query($code: String!) { portfolio(code: $code) { id code name kindCode baseCurrencyCode riskLevelCode } }",
    "query($code: String!) { portfolio: portfolioByPortfolioCode(portfolioCode: $code) { id: portfolioId"
    " code: portfolioCode name: portfolioName kindCode: portfolioKindCode baseCurrencyCode riskLevelCode } }",
    _portfolio,
    is_restricted=True,
)
NESTED = Question(
    "nested",
    "client, portfolios, 50 holdings each, instrument",
    "query($code: String!) { client(code: $code) { code name portfolios(first: 10) { nodes { code"
    " holdings(first: 50) { nodes { quantity marketValue instrument { code name } } } } } } }",
    "query($code: String!) { client: clientByClientCode(clientCode: $code) { code: clientCode name: clientName"
    " portfolios(first: 10, orderBy: PORTFOLIO_CODE_ASC) { code: portfolioCode"
    " holdings(first: 50, orderBy: PRIMARY_KEY_ASC) { quantity marketValue"
    " instrument { code: instrumentCode name: instrumentName } } } } }",
    _client,
)
MASKED = Question(
    "masked",
    "the nested one with name and address of the client",
    NESTED.ours.replace("code name portfolios", "code name email portfolios"),
    NESTED.peers.replace("name: clientName", "name: clientName email"),
    _client,
    is_restricted=True,
)
LIST = Question(
    "list",
    "1,000 holdings with instrument",
    "query($code: String!) { portfolio(code: $code) { holdings(first: 1000) { nodes {"
    " quantity marketValue currencyCode instrument { code name assetClassCode } } } } }",
    "query($code: String!) { portfolio: portfolioByPortfolioCode(portfolioCode: $code) {"
    " holdings(first: 1000, orderBy: PRIMARY_KEY_ASC) { quantity marketValue currencyCode"
    " instrument { code: instrumentCode name: instrumentName assetClassCode } } } }",
    _large,
    is_restricted=True,
)
DEEP = Question(
    "deep",
    "20 clients, portfolios, 20 holdings each, instrument, latest price",
    "query($codes: [String!]!) { clients(first: 20, where: { code: { in: $codes } }) { nodes { code"
    " portfolios(first: 10) { nodes { code holdings(first: 20) { nodes { quantity instrument { code"
    " latestPrice { price businessDate } } } } } } } } }",
    "query($codes: [String!]!) { clients: allClientsList(first: 20, filter: { clientCode: { in: $codes } },"
    " orderBy: CLIENT_CODE_ASC) { code: clientCode portfolios(first: 10, orderBy: PORTFOLIO_CODE_ASC) {"
    " code: portfolioCode holdings(first: 20, orderBy: PRIMARY_KEY_ASC) { quantity"
    " instrument { code: instrumentCode latestPrice { price businessDate } } } } } }",
    _twenty_clients,
    is_restricted=True,
)
PAGE = Question(
    "page",
    "50 holdings of one currency over a value, by value",
    "query($code: String!) { portfolio(code: $code) { holdings(first: 50, orderBy: [MARKET_VALUE_DESC],"
    ' where: { currencyCode: { eq: "USD" }, marketValue: { gt: "100000" } }) { nodes {'
    " quantity marketValue currencyCode } } } }",
    "query($code: String!) { portfolio: portfolioByPortfolioCode(portfolioCode: $code) {"
    " holdings(first: 50, orderBy: MARKET_VALUE_DESC,"
    ' filter: { currencyCode: { equalTo: "USD" }, marketValue: { greaterThan: "100000" } }) {'
    " quantity marketValue currencyCode } } }",
    _large,
)
AGGREGATE = Question(
    "aggregate",
    "value of 1,000 holdings by asset class and currency",
    "query($code: String!) { portfolio(code: $code) { holdings {"
    " groups(by: [INSTRUMENT_ASSET_CLASS_CODE, CURRENCY_CODE]) { key { instrumentAssetClassCode currencyCode }"
    " count sum { marketValue { amount } } } } } }",
    "query($code: String!) { portfolio: portfolioByPortfolioCode(portfolioCode: $code) {"
    ' holdings: exposures(condition: { businessDate: "' + str(DAY) + '" }) {'
    " instrumentAssetClassCode: assetClassCode currencyCode count: positions amount: marketValue } } }",
    _large,
)
KNOWN = Question(
    "known",
    "250 holdings as known a month ago",
    "query($code: String!, $knownAt: DateTime!) { portfolio(code: $code, knownAt: $knownAt) { code"
    " holdings(first: 250) { nodes { quantity marketValue instrument { code name } } } } }",
    "query($code: String!, $knownAt: Datetime!) { portfolio: portfolioByPortfolioCode(portfolioCode: $code) {"
    " code: portfolioCode holdings: holdingsKnownList(knownAt: $knownAt, day: "
    f'"{DAY}", first: 250) {{ quantity marketValue instrument {{ code: instrumentCode name: instrumentName }} }} }} }}',
    _large_a_month_ago,
)

QUESTIONS = (POINT, NESTED, LIST, DEEP, PAGE, AGGREGATE, KNOWN, MASKED)
