"""Which instrument and parent a staged row means, before anything is published."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from fulcrum.contracts.model import FeedContract
from fulcrum.warehouse.resolve import resolve
from tests.factories.publishing import D1, HOLDINGS, PRICES, deliver, holding
from tests.factories.staging import stage_rows

Connection = psycopg.Connection[Any]

APPLE, APPLE_CUSIP, SAP = "US0378331005", "037833100", "DE0007164600"
STRICT = HOLDINGS.model_copy(update={"unknown_instruments": "quarantine", "unknown_portfolios": "quarantine"})


def listing(ticker: str, market: str, **more: Any) -> dict[str, Any]:
    return {
        "ticker": ticker,
        "exchange_code": market,
        "business_date": D1,
        "price_type_code": "CLOSE",
        "price": "1",
        **more,
    }


def codes(connection: Connection, feed: FeedContract, rows: list[dict[str, Any]]) -> list[str | None]:
    """The code of the instrument that each row resolves to."""
    _, staged = stage_rows(connection, feed, rows)
    resolution = resolve(connection, feed, staged)
    found = connection.execute(
        (
            f"select i.instrument_code from {staged.table} as s {resolution.joins().as_string(connection)}"
            " left join core.instrument as i on i.instrument_id = to_instrument_id.instrument_id order by s.source_row"
        ).encode()
    ).fetchall()
    return [row[0] for row in found]


@pytest.mark.parametrize(
    ("ticker", "market", "is_found"),
    [
        ("BRK.B", "XNYS", True),
        ("brk-b", "XNAS", True),
        ("BRK B", "BATS", True),
        ("BRKB", "XLON", False),
        ("BRKB", "", False),
        ("BRKA", "XNYS", False),
    ],
)
def test_tickers_are_one_across_spellings_and_american_exchanges(
    connection: Connection,
    ticker: str,
    market: str,
    is_found: bool,  # noqa: FBT001 a column of the table
) -> None:
    deliver(connection, PRICES, [listing("BRK/B", "XNYS")])
    assert codes(connection, PRICES, [listing(ticker, market)]) == ["TICKER@US:BRKB" if is_found else None]


def test_an_american_isin_is_found_by_its_cusip(connection: Connection) -> None:
    deliver(connection, HOLDINGS, [holding("P1", APPLE, 1)])
    assert connection.execute("select value from core.instrument_identifier where scheme = 'CUSIP'").fetchall() == [
        (APPLE_CUSIP,)
    ]


def test_the_strongest_identifier_wins_and_the_conflict_is_told(connection: Connection) -> None:
    deliver(connection, PRICES, [listing("AAPL", "XNAS", isin=APPLE), listing("SAP", "XETR", isin=SAP)])
    published = deliver(connection, PRICES, [listing("SAP", "XETR", isin=APPLE, price="2")])
    assert published.rows_superseded == 1
    assert any("TICKER@XETR SAP (row 2)" in message for message in published.messages)


def test_a_reused_ticker_does_not_join_two_isins(connection: Connection) -> None:
    deliver(connection, PRICES, [listing("X", "XNYS", isin=APPLE)])
    assert codes(connection, PRICES, [listing("X", "XNYS", isin=SAP)]) == [None]
    deliver(connection, PRICES, [listing("X", "XNYS", isin=SAP)])
    assert connection.execute("select count(*) from core.instrument").fetchone() == (2,)


def test_rows_of_one_file_find_each_others_new_instrument(connection: Connection) -> None:
    deliver(
        connection, PRICES, [listing("SAP", "XETR", price="1"), listing("SAP", "XETR", isin=SAP, price_type_code="BID")]
    )
    assert connection.execute("select instrument_code from core.instrument").fetchall() == [(f"ISIN:{SAP}",)]


def test_unresolved_rows_are_told_apart_from_those_that_will_be_registered(connection: Connection) -> None:
    deliver(connection, HOLDINGS, [holding("P1", APPLE, 1)])
    rows = [holding("P1", APPLE, 1), holding("P2", SAP, 1), holding("P1", "", 1)]
    unresolved: dict[str, list[int]] = {}
    for name, feed in (("strict", STRICT), ("provisional", HOLDINGS)):
        _, staged = stage_rows(connection, feed, rows)
        resolution = resolve(connection, feed, staged)
        for column in ("portfolio_id", "instrument_id"):
            found = connection.execute(resolution.unresolved(column)).fetchall()
            unresolved[f"{name} {column}"] = sorted(row[0] for row in found)
    assert unresolved == {
        "strict portfolio_id": [3],
        "strict instrument_id": [3, 4],
        "provisional portfolio_id": [],
        "provisional instrument_id": [4],
    }
