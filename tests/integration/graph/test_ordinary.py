"""The ordinary path answers as the compiled one does: bytes, codes, and when the compiler itself fails."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from fulcrum.graph.app import create_app
from fulcrum.settings import Settings
from tests.factories.access import make_key
from tests.integration.graph.conftest import Asked

QUERIES = [
    "{ __typename portfolios { nodes { id code name holdings(first: 3) { edges { cursor node { quantity"
    " instrument { code isin latestPrice { price businessDate } } } } } } totalCount } }",
    "{ clients(first: 2) { pageInfo { hasNextPage endCursor startCursor } nodes { code wealth { currencyCode amount }"
    " trust { verdict publication warnings waivers { number } } history { nodes { changed validFrom knownAt } } } } }",
    "{ holdings { aggregate { count } groups(by: [CURRENCY_CODE]) { key { currencyCode } count"
    " sum { marketValue { amount currencyCode } } avg { marketValue { amount } } } } }",
    "{ holdings { nodes { explain { calculation inputs { label value currencyCode } } } } }",
    '{ holdings(page: { number: 1, size: 2 }) { pageInfo { pageNumber pageCount } aggregate(in: "EUR")'
    " { sum { marketValue { amount } } } } }",
]


@pytest.fixture
def ordinary(database: Settings, connection: psycopg.Connection[Any]) -> Iterator[Asked]:
    running = Asked(create_app(database, is_ordinary_only=True), make_key(connection))
    yield running
    running.close()


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("query", QUERIES)
def test_both_paths_give_the_same_answer(asked: Asked, ordinary: Asked, query: str) -> None:
    assert ordinary.answer(query) == asked.answer(query)
