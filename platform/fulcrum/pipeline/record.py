"""The rows of `governance.delivery`: begun, finished, repeated; every statement on them is here.

`publish` writes a delivery's publication itself, inside its transaction; all else is written here.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from fulcrum.contracts.model import FeedContract
from fulcrum.errors import DeliveryRefusedError
from fulcrum.ingest.landing import Landed
from fulcrum.ingest.staging import Staged
from fulcrum.pipeline.report import DeliveryReport, Outcome
from fulcrum.quality.gate import Verdict
from fulcrum.warehouse import locks

Connection = psycopg.Connection[Any]


def one_at_a_time(connection: Connection, feed: str, sha256: str) -> AbstractContextManager[None]:
    """Hold a lock on these bytes of this feed, so that two processes do not run one delivery."""
    key = int.from_bytes(hashlib.sha256(f"{feed}/{sha256}".encode()).digest()[:8], signed=True)
    return locks.held(connection, key)


def same_and_current(connection: Connection, feed: str, sha256: str, given: Mapping[str, str]) -> dict[str, Any] | None:
    """The delivery that already brought these bytes, if nothing has replaced what it said since.

    A file that comes again after a restatement is no repetition: it restates back.
    """
    with connection.cursor(row_factory=dict_row) as cursor:
        found = cursor.execute(
            """
            select * from governance.delivery d
             where d.feed = %(feed)s and d.sha256 = %(sha256)s and d.parameters = %(given)s
               and d.outcome in ('published', 'restated', 'no_op')
               and d.same_as_delivery_id is null
               and not exists (
                   select from governance.publication r
                    where r.kind = 'rollback' and r.supersedes @> to_jsonb(d.publication_id))
               and not exists (
                   select from governance.delivery later
                    where later.feed = d.feed and later.delivery_id > d.delivery_id
                      and later.sha256 <> d.sha256
                      and later.outcome in ('published', 'restated')
                      and daterange(later.business_date_from, later.business_date_to, '[]')
                          && daterange(d.business_date_from, d.business_date_to, '[]'))
             order by d.delivery_id desc limit 1
            """,
            {"feed": feed, "sha256": sha256, "given": Jsonb(dict(given))},
        ).fetchone()
    connection.commit()
    return found


def no_op(
    connection: Connection,
    contract: FeedContract,
    landed: Landed,
    given: Mapping[str, str],
    same: Mapping[str, Any],
) -> DeliveryReport:
    """Record that known bytes came again, and clear what a crash after publishing left."""
    drop_staging(connection, same["delivery_id"])
    message = (
        f"The same bytes as delivery {same['delivery_id']} of {same['landed_at']:%Y-%m-%d %H:%M} UTC; nothing to do."
    )
    row = connection.execute(
        """
        insert into governance.delivery (feed, file_name, sha256, size_bytes, finished_at, outcome,
            parameters, business_date_from, business_date_to, rows_in, rows_quarantined,
            rows_published, rows_superseded, publication_id, same_as_delivery_id, messages)
        values (%s, %s, %s, %s, clock_timestamp(), 'no_op', %s, %s, %s, %s, 0, 0, 0, %s, %s, %s)
        returning delivery_id
        """,
        (
            contract.feed,
            landed.file_name,
            landed.sha256,
            landed.size_bytes,
            Jsonb(dict(given)),
            same["business_date_from"],
            same["business_date_to"],
            same["rows_in"],
            same["publication_id"],
            same["delivery_id"],
            Jsonb([message]),
        ),
    ).fetchone()
    connection.commit()
    assert row is not None
    return DeliveryReport(
        feed=contract.feed,
        file=landed.file_name,
        sha256=landed.sha256,
        outcome=Outcome.NO_OP,
        business_date=same["business_date_to"],
        business_date_from=same["business_date_from"],
        rows_in=same["rows_in"] or 0,
        publication_id=same["publication_id"],
        messages=(message,),
        delivery_id=row[0],
        target=contract.target,
    )


def begin(connection: Connection, contract: FeedContract, landed: Landed, given: Mapping[str, str]) -> int:
    """The delivery's number: a new one, or that of the same delivery that a crash interrupted."""
    drop_stale_staging(connection)
    row = connection.execute(
        """
        select delivery_id from governance.delivery
         where feed = %s and sha256 = %s and parameters = %s and outcome in ('landed', 'failed')
         order by delivery_id desc limit 1
        """,
        (contract.feed, landed.sha256, Jsonb(dict(given))),
    ).fetchone()
    if row is None:
        row = connection.execute(
            """
            insert into governance.delivery (feed, file_name, sha256, size_bytes, parameters)
            values (%s, %s, %s, %s, %s) returning delivery_id
            """,
            (contract.feed, landed.file_name, landed.sha256, landed.size_bytes, Jsonb(dict(given))),
        ).fetchone()
    else:
        _drop_staging(connection, row[0])
        connection.execute("delete from quality.quarantined_row where delivery_id = %s", (row[0],))
    connection.commit()
    assert row is not None
    return int(row[0])


def staged(connection: Connection, delivery_id: int, found: Staged) -> None:
    """Record what staging learnt, and commit: the gate looks through a connection of its own."""
    first, last = found.business_dates
    connection.execute(
        """
        update governance.delivery
           set business_date_from = %s, business_date_to = %s, rows_in = %s, metadata_found = %s
         where delivery_id = %s
        """,
        (first, last, found.rows_in, Jsonb(found.metadata), delivery_id),
    )
    connection.commit()


def findings(verdict: Verdict) -> tuple[str, ...]:
    """One sentence for each rule that did not pass, the worst first."""
    order = {"broken": 0, "failed": 1}
    worst = sorted(
        (result for result in verdict.results if result.status in order),
        key=lambda result: (order[result.status], result.severity != "critical", result.rule_id),
    )
    return tuple(f"{result.rule_id} ({result.severity}, {result.status}): {result.message}" for result in worst)


def refused(
    connection: Connection,
    contract: FeedContract,
    landed: Landed,
    delivery_id: int,
    refusal: DeliveryRefusedError,
) -> DeliveryReport:
    """Record a file that could not be read; it stays landed."""
    _drop_staging(connection, delivery_id)
    return finished(
        connection,
        DeliveryReport(
            feed=contract.feed,
            file=landed.file_name,
            sha256=landed.sha256,
            outcome=Outcome.REFUSED,
            messages=(str(refusal),),
            delivery_id=delivery_id,
            target=contract.target,
        ),
    )


def blocked(
    connection: Connection,
    contract: FeedContract,
    landed: Landed,
    delivery_id: int,
    found: Staged,
    verdict: Verdict,
) -> DeliveryReport:
    """Record a delivery that the gate stopped; nothing of it is visible."""
    first, last = found.business_dates
    return finished(
        connection,
        DeliveryReport(
            feed=contract.feed,
            file=landed.file_name,
            sha256=landed.sha256,
            outcome=Outcome.BLOCKED,
            business_date=last,
            business_date_from=first,
            rows_in=found.rows_in,
            rows_quarantined=rows_quarantined(connection, delivery_id),
            messages=(*found.messages, *findings(verdict)),
            delivery_id=delivery_id,
            verdict=verdict.verdict,
            target=contract.target,
        ),
    )


def finished(connection: Connection, report: DeliveryReport) -> DeliveryReport:
    """Write how the delivery ended; the report comes back unchanged."""
    connection.execute(
        """
        update governance.delivery
           set outcome = %s, finished_at = clock_timestamp(), rows_quarantined = %s,
               rows_published = %s, rows_superseded = %s, messages = %s
         where delivery_id = %s
        """,
        (
            str(report.outcome),
            report.rows_quarantined,
            report.rows_published,
            report.rows_superseded,
            Jsonb(list(report.messages)),
            report.delivery_id,
        ),
    )
    connection.commit()
    return report


def rows_quarantined(connection: Connection, delivery_id: int) -> int:
    """How many rows of the file were refused, however many rules refused each."""
    row = connection.execute(
        "select count(distinct source_row) from quality.quarantined_row where delivery_id = %s",
        (delivery_id,),
    ).fetchone()
    assert row is not None
    return int(row[0])


def drop_staging(connection: Connection, delivery_id: int) -> None:
    """Remove what staging and resolving made for this delivery."""
    _drop_staging(connection, delivery_id)
    connection.commit()


def _drop_staging(connection: Connection, delivery_id: int) -> None:
    for (name,) in connection.execute(
        "select relname from pg_class where relnamespace = 'staging'::regnamespace and relkind = 'r' and relname ~ %s",
        (f"^delivery_{delivery_id}(_|$)",),
    ).fetchall():
        connection.execute(sql.SQL("drop table if exists {}").format(sql.Identifier("staging", name)))


def drop_stale_staging(connection: Connection, older_than: dt.timedelta = dt.timedelta(days=1)) -> None:
    """Remove staging tables of deliveries that ended and whose process died before it cleaned up."""
    rows = connection.execute(
        """
        select d.delivery_id from governance.delivery d
         where d.outcome not in ('landed', 'failed') and d.finished_at < clock_timestamp() - %s
           and to_regclass('staging.delivery_' || d.delivery_id) is not null
        """,
        (older_than,),
    ).fetchall()
    for (delivery_id,) in rows:
        _drop_staging(connection, delivery_id)
