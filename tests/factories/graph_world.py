"""Rows of the warehouse for tests of the graph, written directly and numbered by publication.

The tests of publishing belong elsewhere; here only what readers can meet is made.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import psycopg
from psycopg import sql

from fulcrum.warehouse.partitions import ensure_months

SINCE_EVER = dt.date(1, 1, 1)
FIRST_KNOWN = dt.datetime(2026, 1, 5, 8, 0, tzinfo=dt.UTC)
SHA256 = "ab" * 32


class GraphWorld:
    """Writes publications, deliveries and rows; publication `n` is known `n` hours after the first."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.connection = connection
        self.publications = 0

    def known_at(self, publication: int) -> dt.datetime:
        """When a publication became known."""
        return FIRST_KNOWN + dt.timedelta(hours=publication)

    def publish(
        self, target: str, day: dt.date | None, *, feed: str = "house", verdict: str = "passed", file: str | None = None
    ) -> int:
        """A publication (and its delivery, if it has a file); its number."""
        self.publications += 1
        number = self.publications
        delivery = None
        if file is not None:
            delivery = self.insert(
                "governance.delivery",
                "delivery_id",
                feed=feed,
                file_name=file,
                sha256=SHA256,
                size_bytes=100,
                landed_at=self.known_at(number),
                business_date_from=day,
                business_date_to=day,
                outcome="published",
                publication_id=number,
            )
        self.insert(
            "governance.publication",
            "publication_id",
            publication_id=number,
            known_at=self.known_at(number),
            kind="derivation" if target.startswith("mart.") else "delivery",
            feed=feed,
            target=target,
            business_date_from=day,
            business_date_to=day,
            delivery_id=delivery,
            verdict=verdict,
            rows_published=1,
            rows_superseded=0,
            digest=SHA256,
        )
        return number

    def delivery_of(self, publication: int) -> int | None:
        """The delivery of a publication."""
        row = self.connection.execute(
            "select delivery_id from governance.publication where publication_id = %s", [publication]
        ).fetchone()
        return row[0] if row else None

    def identity(self, entity: str, code: str, publication: int) -> int:
        """An identity row; its surrogate key."""
        named = {f"{entity}_code": code, "created_in": publication}
        return int(self.insert(f"core.{entity}", f"{entity}_id", **named))

    def version(
        self,
        entity: str,
        key: int,
        publication: int,
        *,
        since: dt.date = SINCE_EVER,
        until: dt.date | None = None,
        superseded_in: int | None = None,
        **attributes: Any,
    ) -> None:
        """A version of an entity."""
        self.insert(
            f"core.{entity}_version",
            f"{entity}_id",
            **{f"{entity}_id": key},
            valid_from=since,
            valid_to=until,
            published_in=publication,
            superseded_in=superseded_in,
            delivery_id=self.delivery_of(publication),
            source_row=2,
            **attributes,
        )

    def fact(self, table: str, publication: int, *, superseded_in: int | None = None, **columns: Any) -> None:
        """A row of a fact table."""
        ensure_months(self.connection, table, [columns["business_date"]])
        self.insert(
            table,
            "published_in",
            published_in=publication,
            superseded_in=superseded_in,
            **({"delivery_id": self.delivery_of(publication), "source_row": 2} | columns),
        )

    def supersede(self, table: str, publication: int, **key: Any) -> None:
        """End the current row of this key."""
        same = sql.SQL(" and ").join(
            sql.SQL("{} = {}").format(sql.Identifier(n), sql.Literal(v)) for n, v in key.items()
        )
        self.connection.execute(
            sql.SQL("update {} set superseded_in = {} where superseded_in is null and {}").format(
                sql.Identifier(*table.split(".")), sql.Literal(publication), same
            )
        )

    def insert(self, table: str, returning: str, **columns: Any) -> Any:
        """A row; the value of its column `returning`."""
        statement = sql.SQL("insert into {} ({}) values ({}) returning {}").format(
            sql.Identifier(*table.split(".")),
            sql.SQL(", ").join(map(sql.Identifier, columns)),
            sql.SQL(", ").join(sql.Placeholder() * len(columns)),
            sql.Identifier(returning),
        )
        row = self.connection.execute(statement, list(columns.values())).fetchone()
        assert row is not None
        return row[0]
