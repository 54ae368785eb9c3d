"""The clock of the warehouse: hands out publication numbers, and reads them back by knowledge time.

What a publication changes does not belong here; `publish` and derivations do that under its lock.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import psycopg
from psycopg.types.json import Jsonb

from fulcrum.errors import PublishError

Connection = psycopg.Connection[Any]

_LOCK_KEY = 0x5055424C  # "PUBL": one publishing transaction at a time, so that ids are in commit order


@dataclass(frozen=True)
class Publication:
    """A row to write into `governance.publication`; the number comes from `next_publication`."""

    publication_id: int
    kind: Literal["delivery", "derivation", "rollback"]
    feed: str
    target: str
    business_dates: tuple[dt.date, dt.date] | tuple[None, None]
    delivery_id: int | None
    verdict: str
    rows_published: int
    rows_superseded: int
    digest: str
    supersedes: Sequence[int] = ()


def next_publication(connection: Connection) -> int:
    """Wait for the publishing lock, hold it until the transaction ends, and return the next number.

    Numbers are without gaps because a number counts as used only when its row is committed.

    Raises:
        PublishError: the transaction is not READ COMMITTED, so it could not see who published last.
    """
    row = connection.execute("select current_setting('transaction_isolation')").fetchone()
    assert row is not None
    if row[0] != "read committed":
        raise PublishError(
            f"A publication cannot be made in a {row[0]} transaction.",
            remedy="Open the connection with the isolation level READ COMMITTED.",
        )
    connection.execute("select pg_advisory_xact_lock(%s)", (_LOCK_KEY,))
    row = connection.execute("select coalesce(max(publication_id), 0) + 1 from governance.publication").fetchone()
    assert row is not None
    return int(row[0])


def record_publication(connection: Connection, publication: Publication) -> dt.datetime:
    """Write the publication's row as the last act of its transaction; returns its `known_at`.

    `known_at` is later than that of every earlier publication, also when the clock was set back.
    """
    row = connection.execute(
        """
        insert into governance.publication (publication_id, known_at, kind, feed, target,
            business_date_from, business_date_to, delivery_id, verdict, rows_published,
            rows_superseded, digest, supersedes)
        select %s, greatest(clock_timestamp(), max(known_at) + interval '1 microsecond'),
               %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s
          from governance.publication
        returning known_at
        """,
        (
            publication.publication_id,
            publication.kind,
            publication.feed,
            publication.target,
            *publication.business_dates,
            publication.delivery_id,
            publication.verdict,
            publication.rows_published,
            publication.rows_superseded,
            publication.digest,
            Jsonb(sorted(publication.supersedes)),
        ),
    ).fetchone()
    assert row is not None
    known_at: dt.datetime = row[0]
    return known_at


def latest_publication(connection: Connection) -> int:
    """The number of the newest publication; 0 where nothing was published yet."""
    return publication_at(connection, None)


def publication_at(connection: Connection, known_at: dt.datetime | None) -> int:
    """What was the newest publication at `known_at` (None: now); 0 where there was none.

    "Known at T" becomes "publication <= N" by this one look-up, so an answer is one consistent state.
    """
    row = connection.execute(
        """
        select publication_id from governance.publication
         where %(known_at)s::timestamptz is null or known_at <= %(known_at)s
         order by publication_id desc limit 1
        """,
        {"known_at": known_at},
    ).fetchone()
    return 0 if row is None else int(row[0])
