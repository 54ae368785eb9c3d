"""What is stopped is named with what is served for its date, also where later dates are published."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg

from fulcrum.governance.desk import daily, reading
from fulcrum.pipeline.deliver import deliver
from fulcrum.settings import Settings
from fulcrum.warehouse.rollback import roll_back
from tests.factories import house

NEXT = house.DAY.replace(day=house.DAY.day + 1)


def holdings(database: Settings, folder: Path, name: str, quantity: int, *, of_next: bool, broken: bool = False) -> int:
    rows = [house.holding(isin, quantity, day=NEXT if of_next else house.DAY) for isin in house.ISINS]
    file = house.holdings_file(database, folder, name, rows)
    said = deliver(database, "house_holdings", house.broken_total(file) if broken else file)
    assert said.outcome == ("blocked" if broken else "published" if quantity == 1 else "restated"), said
    assert said.delivery_id is not None
    return said.delivery_id


def stopped(connection: psycopg.Connection[Any]) -> list[tuple[Any, ...]]:
    found = daily.stopped(connection, daily.calendar(connection))
    return [(one["delivery_id"], one["served_date"], one["served_publication"]) for one in found]


def published(connection: psycopg.Connection[Any], delivery_id: int) -> int:
    found = reading.delivery(connection, delivery_id)
    assert found is not None
    return int(found["publication_id"])


def test_a_stopped_delivery_of_a_former_date_is_named_until_its_date_is_published_again(
    database: Settings, connection: psycopg.Connection[Any], tmp_path: Path
) -> None:
    house.prepare(database, tmp_path)
    good = holdings(database, tmp_path, "first.csv", 1, of_next=False)
    holdings(database, tmp_path, "second.csv", 1, of_next=True)
    assert stopped(connection) == []

    bad = holdings(database, tmp_path, "first again.csv", 2, of_next=False, broken=True)

    assert stopped(connection) == [(bad, house.DAY, published(connection, good))]
    line = next(line for line in daily.today(connection)[0] if line["delivery_id"] == bad)
    assert (line["served_date"], line["served_publication"]) == (house.DAY, published(connection, good))
    holdings(database, tmp_path, "first mended.csv", 3, of_next=False)
    assert stopped(connection) == []


def test_what_was_taken_back_is_not_said_to_be_served(
    database: Settings, connection: psycopg.Connection[Any], tmp_path: Path
) -> None:
    house.prepare(database, tmp_path)
    first = holdings(database, tmp_path, "first.csv", 1, of_next=False)
    second = holdings(database, tmp_path, "second.csv", 1, of_next=True)
    bad = holdings(database, tmp_path, "second again.csv", 2, of_next=True, broken=True)
    assert stopped(connection) == [(bad, NEXT, published(connection, second))]

    roll_back(connection, published(connection, second))

    assert stopped(connection) == [(bad, house.DAY, published(connection, first))]
    served = reading.served_instead(connection, "house_holdings", None)
    assert served is not None
    assert served["publication_id"] == published(connection, first)
