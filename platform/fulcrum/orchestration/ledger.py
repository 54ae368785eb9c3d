"""Reads from `governance` what Dagster shows and what it still has to do; knows nothing of Dagster.

Writing these tables is the business of `pipeline` and `warehouse`.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from fulcrum.errors import ContractError
from fulcrum.warehouse.targets import Kind, target

Connection = psycopg.Connection[Any]


@dataclass(frozen=True)
class Delivery:
    """A row of `governance.delivery` that ended."""

    delivery_id: int
    feed: str
    file_name: str
    sha256: str
    size_bytes: int
    landed_at: dt.datetime
    finished_at: dt.datetime
    business_date_from: dt.date | None
    business_date_to: dt.date | None
    parameters: dict[str, str]
    outcome: str
    rows_in: int | None
    rows_quarantined: int | None
    rows_published: int | None
    rows_superseded: int | None
    publication_id: int | None
    same_as_delivery_id: int | None
    messages: list[str]


@dataclass(frozen=True)
class Publication:
    """A row of `governance.publication`."""

    publication_id: int
    known_at: dt.datetime
    kind: str
    feed: str
    target: str
    business_date_from: dt.date | None
    business_date_to: dt.date | None
    delivery_id: int | None
    verdict: str
    rows_published: int
    rows_superseded: int
    digest: str
    supersedes: list[int]


@dataclass(frozen=True)
class Touched:
    """One business date that a publication changed; counts are rows of the published table."""

    business_date: dt.date
    rows_current: int
    rows_published: int


_DELIVERY = sql.SQL(", ").join(map(sql.Identifier, Delivery.__dataclass_fields__))
_PUBLICATION = sql.SQL(", ").join(map(sql.Identifier, Publication.__dataclass_fields__))


def delivery(connection: Connection, delivery_id: int) -> Delivery:
    """The delivery of that number, which must have ended."""
    found = _deliveries(connection, sql.SQL("delivery_id = %(id)s"), {"id": delivery_id})
    return found[0]


def deliveries_finished(connection: Connection, since: dt.datetime, limit: int) -> list[Delivery]:
    """Deliveries that ended at `since` or later, in the order in which they ended."""
    where = sql.SQL("finished_at >= %(since)s order by finished_at, delivery_id limit %(limit)s")
    return _deliveries(connection, where, {"since": since, "limit": limit})


def newest_delivery(connection: Connection, feed: str) -> Delivery | None:
    """The feed's last delivery that ended and was no mere repetition."""
    where = sql.SQL(
        "feed = %(feed)s and same_as_delivery_id is null order by finished_at desc, delivery_id desc limit 1"
    )
    found = _deliveries(connection, where, {"feed": feed})
    return found[0] if found else None


def landed_between(connection: Connection, feed: str, first: dt.date, last: dt.date) -> list[Delivery]:
    """What to deliver again for a range of business dates, oldest first.

    Of several deliveries for the same dates and portfolio only the newest: an older file that comes
    again would restate back to what it said. Refused files have no dates, so none is among them.
    """
    where = sql.SQL(
        """
        delivery_id in (
            select max(delivery_id) from governance.delivery
             where feed = %(feed)s and same_as_delivery_id is null and finished_at is not null
               and business_date_from <= %(last)s and business_date_to >= %(first)s
             group by business_date_from, business_date_to,
                   coalesce(metadata_found ->> 'portfolio_code', parameters ->> 'portfolio_code'))
         order by business_date_from, delivery_id
        """
    )
    return _deliveries(connection, where, {"feed": feed, "first": first, "last": last})


def publication(connection: Connection, publication_id: int) -> Publication:
    """The publication of that number."""
    return publications_after(connection, publication_id - 1, 1)[0]


def publications_after(connection: Connection, publication_id: int, limit: int) -> list[Publication]:
    """Publications with higher numbers, in the order of commit."""
    with connection.cursor(row_factory=class_row(Publication)) as cursor:
        return cursor.execute(
            sql.SQL(
                "select {} from governance.publication where publication_id > %s order by publication_id limit %s"
            ).format(_PUBLICATION),
            (publication_id, limit),
        ).fetchall()


def touched_dates(connection: Connection, found: Publication, name: str, limit: int) -> list[Touched]:
    """The business dates of the table `name` that a publication changed: the newest `limit`, oldest first.

    For reference entities, whose versions have no business date, it is the delivery's.
    """
    if found.business_date_to is None or found.business_date_from is None:
        return []
    table, is_dated = _table(name)
    if not is_dated:
        count = connection.execute(
            sql.SQL("select count(*) from {} where superseded_in is null").format(table)
        ).fetchone()
        assert count is not None
        return [Touched(found.business_date_to, count[0], found.rows_published)]
    with connection.cursor(row_factory=class_row(Touched)) as cursor:
        newest = cursor.execute(
            sql.SQL(
                """
                select business_date, count(*) filter (where superseded_in is null) as rows_current,
                       count(*) filter (where published_in = %(id)s) as rows_published
                  from {} where business_date between %(first)s and %(last)s
                 group by business_date
                having bool_or(published_in = %(id)s or superseded_in = %(id)s)
                 order by business_date desc limit %(limit)s
                """
            ).format(table),
            {
                "id": found.publication_id,
                "first": found.business_date_from,
                "last": found.business_date_to,
                "limit": limit,
            },
        ).fetchall()
    return newest[::-1]


@dataclass(frozen=True)
class Pending:
    """Business dates whose `mart` rows are out of date; `newest` is the last request among them."""

    dates: tuple[dt.date, ...]
    newest: int


def pending(connection: Connection) -> Pending:
    """What is still to derive."""
    rows = connection.execute(
        """
        select business_date, max(derivation_id) from governance.derivation
         where done_at is null group by business_date order by business_date
        """
    ).fetchall()
    return Pending(tuple(row[0] for row in rows), max((row[1] for row in rows), default=0))


def _deliveries(connection: Connection, where: sql.SQL, values: dict[str, Any]) -> list[Delivery]:
    with connection.cursor(row_factory=class_row(Delivery)) as cursor:
        statement = sql.SQL("select {} from governance.delivery where finished_at is not null and {}")
        return cursor.execute(statement.format(_DELIVERY, where), values).fetchall()


def _table(name: str) -> tuple[sql.Identifier, bool]:
    """The table that took the rows, and whether its rows have a business date."""
    try:
        found = target(name)
    except ContractError:  # mart.*: not published from a feed
        return sql.Identifier(*name.split(".")), True
    return sql.Identifier(*found.table.split(".")), found.kind is Kind.FACT
