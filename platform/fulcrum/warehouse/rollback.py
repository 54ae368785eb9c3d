"""Takes a publication back by a new one: its rows end, the rows that it ended are stated again.

Nothing is deleted, so what was answered while it stood can still be asked for. Who may decide it is
`fulcrum.governance.desk`'s.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row
from sqlalchemy import Table

from fulcrum.errors import PublishError
from fulcrum.warehouse.models import Base
from fulcrum.warehouse.publications import Publication, next_publication, record_publication
from fulcrum.warehouse.publishing.derivations import INPUTS, VALUATION

_VERDICTS = ("passed", "warned", "waived")
_DERIVED_FROM = ("core.instrument", "core.portfolio", *INPUTS)


@dataclass(frozen=True)
class RolledBack:
    """The publication that took another one back."""

    publication_id: int
    taken_back: int
    rows_restored: int
    rows_ended: int


def published_tables() -> list[Table]:
    """The tables of `core` whose rows belong to publications."""
    return [table for table in Base.metadata.sorted_tables if table.schema == "core" and "published_in" in table.c]


def roll_back(connection: psycopg.Connection[Any], publication_id: int) -> RolledBack:
    """Restore the state before a publication of a delivery, or before a rollback; the caller commits.

    Raises:
        PublishError: there is no such publication, it is derived, or later ones rest on it.
    """
    number = next_publication(connection)
    stood = _publication(connection, publication_id)
    ended = restored = 0
    dates: set[dt.date] = set()
    verdicts: set[str] = set()
    for table in published_tables():
        change = _Change(connection, table, publication_id, number)
        change.refuse_if_built_upon()
        if table.fullname in INPUTS:
            dates |= change.dates()
        verdicts |= change.restored_verdicts()
        ended += change.end()
        restored += change.restore()
    if ended + restored == 0:
        raise PublishError(f"Publication {publication_id} stands no more: nothing of it is current.")
    first, last = stood["business_date_from"], stood["business_date_to"]
    if not dates and last is not None and stood["target"] in _DERIVED_FROM:
        dates = {last}
    connection.execute(
        "insert into governance.derivation (target, business_date, caused_by)"
        " select %s, d, %s from unnest(%s::date[]) d order by d",
        [VALUATION, number, sorted(dates)],
    )
    told = {"rollback_of": stood["digest"], "ended": ended, "restored": restored}
    record_publication(
        connection,
        Publication(
            publication_id=number,
            kind="rollback",
            feed=stood["feed"],
            target=stood["target"],
            business_dates=(first, last),
            delivery_id=None,
            verdict=max(verdicts, key=_VERDICTS.index, default="passed"),
            rows_published=restored,
            rows_superseded=ended,
            digest=hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest(),
            supersedes=[publication_id],
        ),
    )
    _keep_marks(connection, publication_id, number)
    return RolledBack(number, publication_id, restored, ended)


def _publication(connection: psycopg.Connection[Any], publication_id: int) -> dict[str, Any]:
    with connection.cursor(row_factory=dict_row) as cursor:
        found = cursor.execute(
            "select * from governance.publication where publication_id = %s", [publication_id]
        ).fetchone()
    if found is None:
        raise PublishError(f"There is no publication {publication_id}.")
    if found["kind"] == "derivation":
        raise PublishError(
            f"Publication {publication_id} is derived from others.", remedy="Roll back what it was derived from."
        )
    return found


def _keep_marks(connection: psycopg.Connection[Any], publication_id: int, number: int) -> None:
    """What is stated again under waivers stays marked by them."""
    connection.execute(
        """
        insert into governance.publication_waiver (publication_id, waiver_id, rule_id)
        select distinct on (w.waiver_id) %(number)s, w.waiver_id, w.rule_id
          from governance.publication p
          join governance.publication_waiver w on w.publication_id = any(
              select jsonb_array_elements_text(p.supersedes)::bigint)
         where p.publication_id = %(taken_back)s
        """,
        {"number": number, "taken_back": publication_id},
    )


@dataclass(frozen=True)
class _Change:
    """What taking `taken_back` back does to one table."""

    connection: psycopg.Connection[Any]
    table: Table
    taken_back: int
    number: int

    def refuse_if_built_upon(self) -> None:
        """A later publication may have replaced its rows, or stated anew what it had ended."""
        key = [column.name for column in self.table.primary_key.columns if column.name != "published_in"]
        same = sql.SQL(" and ").join(sql.SQL("later.{0} = ended.{0}").format(sql.Identifier(name)) for name in key)
        later = self._rows(
            """
            select superseded_in from {table} where published_in = %(taken_back)s and superseded_in is not null
            union
            select later.published_in from {table} ended join {table} later on {same}
             where ended.superseded_in = %(taken_back)s and later.published_in > %(taken_back)s
            order by 1
            """,
            same=same,
        )
        if later:
            raise PublishError(
                f"Publications {', '.join(str(row[0]) for row in later)} rest on publication {self.taken_back}.",
                remedy="Roll them back first, the latest one first.",
            )

    def dates(self) -> set[dt.date]:
        """The business dates whose facts change."""
        rows = self._rows(
            "select distinct business_date from {table} where %(taken_back)s in (published_in, superseded_in)"
        )
        return {row[0] for row in rows}

    def restored_verdicts(self) -> set[str]:
        """The verdicts under which the rows that come back were published."""
        rows = self._rows(
            """
            select verdict from governance.publication where publication_id in (
              select published_in from {table} where superseded_in = %(taken_back)s)
            """
        )
        return {row[0] for row in rows} & set(_VERDICTS)

    def end(self) -> int:
        """End the publication's rows."""
        return self._change(
            "update {table} set superseded_in = %(number)s"
            " where published_in = %(taken_back)s and superseded_in is null"
        )

    def restore(self) -> int:
        """State again what it had ended, with the file and row that said it."""
        names = [column.name for column in self.table.columns]
        taken: dict[str, sql.Composable] = {
            "published_in": sql.SQL("%(number)s"),
            "superseded_in": sql.SQL("null::bigint"),
        }
        try:
            return self._change(
                "insert into {table} ({names}) select {values} from {table} where superseded_in = %(taken_back)s",
                names=sql.SQL(", ").join(map(sql.Identifier, names)),
                values=sql.SQL(", ").join(taken.get(name, sql.Identifier(name)) for name in names),
            )
        except (psycopg.errors.ExclusionViolation, psycopg.errors.UniqueViolation) as error:
            raise PublishError(
                f"Later publications say something else about the same rows of {self.table.fullname}.",
                remedy="Roll them back first, the latest one first.",
            ) from error

    def _rows(self, text: str, **parts: sql.Composable) -> list[tuple[Any, ...]]:
        return self._execute(text, parts).fetchall()

    def _change(self, text: str, **parts: sql.Composable) -> int:
        return self._execute(text, parts).rowcount

    def _execute(self, text: str, parts: dict[str, sql.Composable]) -> psycopg.Cursor[Any]:
        statement = sql.SQL(text).format(table=sql.Identifier(*self.table.fullname.split(".")), **parts)
        return self.connection.execute(statement, {"taken_back": self.taken_back, "number": self.number})
