"""Ends rows of deliveries after a date by a new publication, where nothing else is to be said in their place.

Taking back a whole publication with what it had replaced is `rollback.py`; who may decide it is
`fulcrum.governance.desk`'s.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from fulcrum.warehouse.publications import Publication, next_publication, record_publication
from fulcrum.warehouse.publishing.derivations import VALUATION


@dataclass(frozen=True)
class Withdrawn:
    """The publication that ended the rows."""

    publication_id: int
    rows: int
    dates: tuple[dt.date, ...]


def withdraw(
    connection: psycopg.Connection[Any], table: str, feed: str, deliveries: Sequence[int], after: dt.date, last: dt.date
) -> Withdrawn | None:
    """End the current rows of `table` that `deliveries` brought, dated after `after` up to `last`; the caller commits.

    None where there are none of them: then there is no publication either.
    """
    number = next_publication(connection)
    rows = connection.execute(
        sql.SQL(
            "update {table} set superseded_in = %(number)s where delivery_id = any(%(deliveries)s)"
            " and superseded_in is null and business_date > %(after)s and business_date <= %(last)s"
            " returning business_date, published_in"
        ).format(table=sql.Identifier(*table.split("."))),
        {"number": number, "deliveries": list(deliveries), "after": after, "last": last},
    ).fetchall()
    if not rows:
        return None
    dates = tuple(sorted({row[0] for row in rows}))
    connection.execute(
        "insert into governance.derivation (target, business_date, caused_by)"
        " select %s, d, %s from unnest(%s::date[]) d order by d",
        [VALUATION, number, list(dates)],
    )
    told = {"withdrawn": sorted(deliveries), "after": after.isoformat(), "rows": len(rows)}
    record_publication(
        connection,
        Publication(
            publication_id=number,
            kind="rollback",
            feed=feed,
            target=table,
            business_dates=(dates[0], dates[-1]),
            delivery_id=None,
            verdict="passed",
            rows_published=0,
            rows_superseded=len(rows),
            digest=hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest(),
            supersedes=sorted({row[1] for row in rows}),
        ),
    )
    return Withdrawn(number, len(rows), dates)
