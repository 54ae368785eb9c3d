"""A publication is taken back by a new one, which restores the former state and hides nothing."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest

from fulcrum.errors import PublishError
from fulcrum.pipeline.deliver import deliver
from fulcrum.pipeline.derive import derive
from fulcrum.settings import Settings
from fulcrum.warehouse.rollback import published_tables, roll_back
from tests.factories import house


def current(connection: psycopg.Connection[Any]) -> dict[str, list[tuple[Any, ...]]]:
    """All current rows of `core`, without the publications that stated them."""
    found = {}
    for table in published_tables():
        names = ", ".join(column.name for column in table.columns if column.name != "published_in")
        rows = connection.execute(f"select {names} from {table.fullname} where superseded_in is null").fetchall()
        found[table.fullname] = sorted(rows, key=repr)
    connection.rollback()
    return found


def quantities(connection: psycopg.Connection[Any], at: int = 10**9) -> list[Decimal]:
    rows = connection.execute(
        "select quantity from core.holding where published_in <= %(at)s"
        " and (superseded_in is null or superseded_in > %(at)s) order by instrument_id",
        {"at": at},
    ).fetchall()
    connection.rollback()
    return [row[0] for row in rows]


def holdings(quantity: int, count: int = 5) -> list[dict[str, Any]]:
    return [house.holding(isin, quantity) for isin in house.ISINS[:count]]


def test_the_former_state_returns_and_the_time_between_stays_to_be_asked_for(
    database: Settings, tmp_path: Path, connection: psycopg.Connection[Any]
) -> None:
    house.prepare(database, tmp_path)
    house.deliver_holdings(database, tmp_path, "a.csv", holdings(10))
    before = current(connection)
    wrong = house.deliver_holdings(database, tmp_path, "b.csv", holdings(20, count=4))
    assert wrong.publication_id is not None
    done = roll_back(connection, wrong.publication_id)
    connection.commit()
    assert (done.rows_ended, done.rows_restored) == (4, 5)
    assert current(connection) == before
    assert quantities(connection, wrong.publication_id) == [Decimal(20)] * 4
    row = connection.execute(
        "select kind, feed, verdict, supersedes, delivery_id from governance.publication where publication_id = %s",
        [done.publication_id],
    ).fetchone()
    connection.rollback()
    assert row is not None
    assert row[:2] == ("rollback", "house_holdings")
    assert row[3:] == ([wrong.publication_id], None)
    again = deliver(database, "house_holdings", tmp_path / "b.csv")
    assert again.outcome == "restated", "the same bytes are news again"
    assert quantities(connection) == [Decimal(20)] * 4


def test_a_rollback_can_be_rolled_back(database: Settings, tmp_path: Path, connection: psycopg.Connection[Any]) -> None:
    house.prepare(database, tmp_path)
    house.deliver_holdings(database, tmp_path, "a.csv", holdings(10))
    second = house.deliver_holdings(database, tmp_path, "b.csv", holdings(20))
    assert second.publication_id is not None
    after = current(connection)
    first = roll_back(connection, second.publication_id)
    roll_back(connection, first.publication_id)
    connection.commit()
    assert current(connection) == after


def test_reference_data_that_came_along_goes_too(
    database: Settings, tmp_path: Path, connection: psycopg.Connection[Any]
) -> None:
    house.prepare(database, tmp_path)
    before = current(connection)
    report = deliver(
        database,
        "house_portfolios",
        house.write(database, tmp_path, "house_portfolios", "p.csv", [house.portfolio(currency="EUR")]),
        business_date=house.DAY,
    )
    assert report.publication_id is not None
    assert current(connection) != before
    roll_back(connection, report.publication_id)
    connection.commit()
    assert current(connection) == before


def test_what_later_publications_rest_on_is_not_taken_back(
    database: Settings, tmp_path: Path, connection: psycopg.Connection[Any]
) -> None:
    house.prepare(database, tmp_path)
    first = house.deliver_holdings(database, tmp_path, "a.csv", holdings(10))
    second = house.deliver_holdings(database, tmp_path, "b.csv", holdings(20))
    assert first.publication_id is not None
    before = current(connection)
    with pytest.raises(PublishError, match=rf"Publications {second.publication_id} rest on"):
        roll_back(connection, first.publication_id)
    connection.rollback()
    assert current(connection) == before


def test_derived_and_unknown_publications_are_refused_by_name(
    database: Settings, tmp_path: Path, connection: psycopg.Connection[Any]
) -> None:
    house.prepare(database, tmp_path)
    house.deliver_holdings(database, tmp_path, "a.csv", holdings(10))
    derive(database)
    row = connection.execute(
        "select max(publication_id) from governance.publication where kind = 'derivation'"
    ).fetchone()
    assert row is not None
    with pytest.raises(PublishError, match="is derived from others"):
        roll_back(connection, row[0])
    connection.rollback()
    with pytest.raises(PublishError, match="no publication 999"):
        roll_back(connection, 999)


def test_valuations_follow(database: Settings, tmp_path: Path, connection: psycopg.Connection[Any]) -> None:
    house.prepare(database, tmp_path)
    house.deliver_holdings(database, tmp_path, "a.csv", holdings(10))
    derive(database)

    def nav() -> Any:
        row = connection.execute("select nav_base from mart.portfolio_nav where superseded_in is null").fetchone()
        connection.rollback()
        return row

    before = nav()
    wrong = house.deliver_holdings(database, tmp_path, "b.csv", holdings(20))
    derive(database)
    assert nav() != before
    assert wrong.publication_id is not None
    roll_back(connection, wrong.publication_id)
    connection.commit()
    derive(database)
    assert nav() == before
