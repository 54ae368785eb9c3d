"""Looks up publications, deliveries and rows behind the inputs of a number.

What the inputs mean together is `explain.py`.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from fulcrum.errors import QueryError
from fulcrum.governance.explanation import Overriding, Source
from fulcrum.governance.source_text import source_text
from fulcrum.settings import Settings
from fulcrum.warehouse.publications import publication_at

Row = dict[str, Any]


class Origins:
    """Reads rows as known at one publication; without `settings` no landed file is opened.

    Raises:
        QueryError: at `known_at` nothing was published yet.
    """

    def __init__(
        self, connection: psycopg.Connection[Any], settings: Settings | None, known_at: dt.datetime | None
    ) -> None:
        self._connection = connection
        self._settings = settings
        self.known = publication_at(connection, known_at)
        if self.known == 0:
            raise QueryError("Nothing was published yet at that time.", remedy="Choose a later moment.")

    def rows(self, query: str, **parameters: Any) -> list[Row]:
        """Rows of `query`; `{v}`, `{p}`, `{i}`, `{h}` stand for: that alias is known at the publication."""
        text = sql.SQL(query).format(**{name: _visible(name) for name in ("v", "p", "i", "h")})
        with self._connection.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(text, parameters | {"known": self.known}).fetchall()

    def one(self, query: str, **parameters: Any) -> Row | None:
        """The first row of `query`."""
        rows = self.rows(query, **parameters)
        return rows[0] if rows else None

    def source(self, row: Row | None) -> Source | None:
        """Where `row` (with `published_in`, `delivery_id`, `source_row`) was told."""
        if row is None:
            return None
        told = self.one(
            """
            select u.publication_id, u.known_at, u.verdict, u.feed, d.delivery_id, d.file_name, d.sha256
              from governance.publication u left join governance.delivery d on d.delivery_id = %(delivery)s
             where u.publication_id = %(publication)s
            """,
            publication=row["published_in"],
            delivery=row["delivery_id"],
        )
        if told is None:
            return Source(row["published_in"], None, None, None)
        place, text = None, None
        found = self.overrides("d.delivery_id = %(wanted)s", told["delivery_id"])
        if self._settings is not None and told["sha256"] and row["source_row"]:
            place, text = source_text(
                self._settings, told["feed"], told["sha256"], told["file_name"], row["source_row"]
            )
        override = found[0] if found else None
        return Source(**told, source_row=row["source_row"], place=place, text=text, override=override)

    def overrides(self, condition: LiteralString, wanted: Any) -> list[Overriding]:
        """The overrides that deliveries `d` brought, for which `condition` on `wanted` holds."""
        rows = self.rows(
            f"""
            select distinct o.override_id, o.asked_by, o.decided_by as approved_by, o.reason_code, o.reason,
                   o.begin_date, coalesce(o.last_date, o.end_date) as stands_to
              from governance.delivery d
              join quality.override o on o.override_id::text = d.parameters ->> 'override_id'
             where d.feed in ('override_prices', 'override_fx_rates') and {condition}
             order by o.override_id
            """,  # noqa: S608 the condition is a constant of this package
            wanted=wanted,
        )
        return [Overriding(**row) for row in rows]

    def portfolio(self, code: str) -> int:
        """The id of portfolio `code`."""
        row = self.one("select portfolio_id from core.portfolio where portfolio_code = %(code)s", code=code)
        if row is None:
            raise QueryError(f"There is no portfolio {code!r}.", remedy="Check the code.")
        return int(row["portfolio_id"])

    def instrument(self, date: dt.date, *, isin: str | None, code: str | None) -> Row:
        """Id and code of the instrument that `isin` names at `date`, or that is called `code`."""
        if (isin is None) == (code is None):
            raise QueryError("Name the instrument by ISIN or by code.", remedy="Give one of the two.")
        row = self.one(
            """
            select distinct e.instrument_id, e.instrument_code
              from core.instrument e left join core.instrument_identifier i using (instrument_id)
             where (e.instrument_code = %(code)s)
                or (i.scheme = 'ISIN' and i.value = %(isin)s and {i}
                    and i.valid_from <= %(date)s and (i.valid_to is null or %(date)s < i.valid_to))
            """,
            code=code,
            isin=isin,
            date=date,
        )
        if row is None:
            raise QueryError(f"There is no instrument {isin or code!r} on {date}.", remedy="Check it and the date.")
        return row


def _visible(alias: str) -> sql.Composed:
    return sql.SQL(
        "({0}.published_in <= %(known)s and ({0}.superseded_in is null or {0}.superseded_in > %(known)s))"
    ).format(sql.Identifier(alias))
