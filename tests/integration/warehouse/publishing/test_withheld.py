"""A refused row of a snapshot keeps open what it may speak of, says so, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import psycopg

from fulcrum.contracts.model import FeedContract
from fulcrum.warehouse.publish import Published, publish
from tests.factories.publishing import D1, HOLDINGS, deliver, holding, holdings_at
from tests.factories.staging import stage_rows

Connection = psycopg.Connection[Any]

APPLE, SAP, VOD = "US0378331005", "DE0007164600", "GB00BH4HKS39"


def deliver_refusing(
    connection: Connection, feed: FeedContract, rows: list[dict[str, Any]], refused: Iterable[int]
) -> Published:
    """Deliver while the gate has these source rows (from 2) in quarantine."""
    delivery_id, staged = stage_rows(connection, feed, rows)
    connection.cursor().executemany(
        "insert into quality.quarantined_row (delivery_id, source_row, rule_id, message) values (%s, %s, 'r', 'm')",
        [(delivery_id, row) for row in refused],
    )
    return publish(connection, feed, staged, delivery_id, "warned")


def test_a_restated_row_that_is_refused_leaves_its_former_version(connection: Connection) -> None:
    deliver(connection, HOLDINGS, [holding("P1", isin, 1) for isin in (APPLE, SAP, VOD)] + [holding("P2", SAP, 5)])
    restated = [holding("P1", APPLE, 2), holding("P1", SAP, 10**14)]  # Vodafone is sold, SAP's row is refused
    done = deliver_refusing(connection, HOLDINGS, restated, [3])
    assert holdings_at(connection) == {("P1", D1, APPLE): "2", ("P1", D1, SAP): "1", ("P2", D1, SAP): "5"}
    assert (done.rows_published, done.rows_superseded) == (1, 2)
    told = (
        "Kept as they were: 1 of core.holding. The file no longer lists them, but it has refused rows"
        " that may speak of them: correct those and deliver again."
    )
    assert done.messages == (told,)
    corrected = deliver(connection, HOLDINGS, [holding("P1", APPLE, 2)])
    assert (corrected.rows_superseded, corrected.messages) == (1, ())
    assert holdings_at(connection) == {("P1", D1, APPLE): "2", ("P2", D1, SAP): "5"}


def test_a_refused_row_without_a_known_instrument_may_be_any_position_of_its_portfolio(connection: Connection) -> None:
    strict = HOLDINGS.model_copy(update={"unknown_instruments": "quarantine"})
    rows = [holding(code, isin, 1) for code in ("P1", "P2") for isin in (APPLE, SAP)]
    deliver(connection, HOLDINGS, rows)
    restated = [holding("P1", APPLE, 2), holding("P2", APPLE, 3), holding("P1", "US0378331006", 9)]
    done = deliver_refusing(connection, strict, restated, [4])
    assert holdings_at(connection) == {("P1", D1, APPLE): "2", ("P1", D1, SAP): "1", ("P2", D1, APPLE): "3"}
    assert done.rows_superseded == 3


def test_nothing_is_closed_where_a_refused_row_could_not_be_read(connection: Connection) -> None:
    deliver(connection, HOLDINGS, [holding("P1", APPLE, 1), holding("P1", SAP, 1)])
    done = deliver_refusing(connection, HOLDINGS, [holding("P1", APPLE, 2)], [99])  # staging refused row 99
    assert holdings_at(connection) == {("P1", D1, APPLE): "2", ("P1", D1, SAP): "1"}
    assert done.rows_superseded == 1


def test_a_refused_row_of_something_new_keeps_nothing_open(connection: Connection) -> None:
    deliver(connection, HOLDINGS, [holding("P1", APPLE, 1), holding("P1", SAP, 1)])
    restated = [holding("P1", APPLE, 1), holding("P1", VOD, 10**14)]
    deliver_refusing(connection, HOLDINGS, restated, [3])
    assert holdings_at(connection) == {("P1", D1, APPLE): "1"}


def test_a_refused_line_of_a_numbered_position_keeps_all_lines_of_it(connection: Connection) -> None:
    feed = HOLDINGS.model_copy(update={"numbers_repeated_lines": True, "position_columns": ("currency_code",)})
    lines = [holding("P1", isin, quantity, currency_code="USD") for isin in (APPLE, SAP) for quantity in (3, 4)]
    deliver(connection, feed, lines)
    deliver_refusing(connection, feed, lines[:2], [3])
    assert holdings_at(connection) == {("P1", D1, f"{APPLE}/USD"): "3", ("P1", D1, f"{APPLE}/USD#2"): "4"}
