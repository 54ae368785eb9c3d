"""Publishes one staged, gated delivery in one transaction: the only way that `core` changes.

The order of the parts stands here, and what is recorded of them; each part is in `publishing/`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import psycopg
from psycopg import errors, sql
from psycopg.pq import TransactionStatus
from psycopg.types.json import Jsonb

from fulcrum.errors import PublishError
from fulcrum.kit.faults import checkpoint
from fulcrum.warehouse.publications import Publication, next_publication, record_publication
from fulcrum.warehouse.publishing import derivations, facts, names, provisional, registry, versions
from fulcrum.warehouse.publishing.digest import digest_of
from fulcrum.warehouse.publishing.inputs import PublishedFeed, StagedRows
from fulcrum.warehouse.publishing.lookup import collect, collect_identifiers, is_collected, look_up
from fulcrum.warehouse.publishing.parents import Resolution, parents_of
from fulcrum.warehouse.publishing.work import Work
from fulcrum.warehouse.targets import Kind, target

__all__ = ["Published", "publish"]

Outcome = Literal["published", "restated", "no_op"]

PUBLISHABLE = ("passed", "warned", "waived")
_ANALYZED_FROM = 50_000
_UNKNOWN_PARENT = "publish.parent_known"


@dataclass(frozen=True)
class Published:
    """What a delivery changed; `dates` are the business dates of its accepted rows, for facts only.

    `published`: nothing was current in its scope before; `restated`: rows were superseded, or added
    to a scope that was published already; `no_op`: nothing differs, and there is no publication.
    """

    publication_id: int | None
    outcome: Outcome
    rows_published: int
    rows_superseded: int
    dates: list[dt.date]
    messages: tuple[str, ...] = ()


def publish(
    connection: psycopg.Connection[Any],
    contract: PublishedFeed,
    staged: StagedRows,
    delivery_id: int,
    verdict: str,
    *,
    also: Callable[[int | None], None] | None = None,
) -> Published:
    """Make the accepted rows of `staged` visible, or nothing at all.

    `also` is called with the publication, if there is one, before the commit: what has to be known of it from its
    first moment on. What only reads staging is done before the publishing lock is taken, all else after, so that
    deliveries wait for each other as briefly as possible and never overwrite each other unseen.
    An open transaction of `connection` is committed first.

    Raises:
        PublishError: the verdict forbids it, or the rows contradict each other; nothing was changed.
        ContractError: the contract does not fill what the target needs.
    """
    if verdict not in PUBLISHABLE:
        raise PublishError(
            f"Delivery {delivery_id} has the verdict {verdict!r} and cannot be published.",
            remedy=f"Only {', '.join(PUBLISHABLE)} can; see `fulcrum quarantine` for what the gate found.",
        )
    if connection.info.transaction_status != TransactionStatus.IDLE:
        connection.commit()
    try:
        with connection.transaction():
            published, work = _publish(connection, contract, staged, delivery_id, verdict)
            if also is not None:
                also(published.publication_id)
            checkpoint("publishing_before_commit")
    except (errors.UniqueViolation, errors.ExclusionViolation) as error:
        raise PublishError(
            f"Rows of delivery {delivery_id} (feed {contract.feed}) contradict each other:"
            f" {str(error).splitlines()[0]}; nothing was published.",
            remedy="Two rows have one key once their parents are resolved: correct the file, or tell the"
            " lines apart by `position_columns` or `numbers_repeated_lines`.",
        ) from error
    checkpoint("publishing_committed")
    if published.rows_published >= _ANALYZED_FROM:
        _analyze(work, published.dates)
    return published


def _publish(
    connection: psycopg.Connection[Any],
    contract: PublishedFeed,
    staged: StagedRows,
    delivery_id: int,
    verdict: str,
) -> tuple[Published, Work]:
    wanted = target(contract.target)
    resolution = Resolution(staged.table, parents_of(contract, staged))
    work = Work(connection, contract, staged, delivery_id, wanted, resolution)
    connection.execute("set local work_mem = '128MB'")
    connection.execute("set local jit = off")
    work.find_refused()
    _know_staging(work)
    if work.has_refused or not is_collected(connection, staged, resolution):
        collect(connection, contract, staged, resolution, work.accepted)
    else:
        collect_identifiers(connection, contract, staged, resolution)
    dates = facts.collect_scope(work) if wanted.kind is Kind.FACT else []
    checkpoint("publishing_resolved")
    work.publication_id = next_publication(connection)
    if _settle_parents(work) and wanted.kind is Kind.FACT:
        dates = facts.collect_scope(work)
    _change(work, dates)
    checkpoint("publishing_inserted")
    return _record(work, verdict, dates), work


def _know_staging(work: Work) -> None:
    """Give the planner statistics of the columns that name parents, if staging or gate did not already."""
    is_unknown = work.number(
        "select count(*) from pg_class where oid = {name}::regclass and reltuples < 0",
        name=sql.Literal(work.staged.table),
    )
    if is_unknown:
        columns = dict.fromkeys(name for parent in work.resolution.parents for name in parent.named_by)
        work.execute(
            "analyze {rows} ({columns})",
            columns=sql.SQL(", ").join(map(sql.Identifier, [*columns, "business_date", "source_row"])),
        )


def _settle_parents(work: Work) -> bool:
    """Resolve every parent, quarantine rows whose parent stays unknown, register what may be registered.

    Returns whether rows were quarantined.
    """
    connection, contract, staged, resolution = work.connection, work.contract, work.staged, work.resolution
    has_refused = _refuse_unnamed(work)
    look_up(connection, contract, staged, resolution, work.accepted)
    while _refuse_unresolved(work):
        has_refused = True
        collect(connection, contract, staged, resolution, work.accepted)
        look_up(connection, contract, staged, resolution, work.accepted)
    if work.target.entity not in (None, "instrument"):
        registry.register_entities(work, str(work.target.entity), versions.own_code(work))
        look_up(connection, contract, staged, resolution, work.accepted)
    for parent in resolution.parents:
        if parent.is_instrument:
            registry.register_instruments(work, parent)
        elif parent.is_registered:
            registry.register_codes(work, parent)
        if parent.is_registered and work.target.kind is Kind.FACT:
            provisional.add_missing_versions(work, parent)
    return has_refused


def _refuse_unnamed(work: Work) -> bool:
    """Quarantine rows of an entity's feed that do not name the entity."""
    if work.target.entity in (None, "instrument"):
        return False
    unnamed = sql.SQL("select s.source_row, null as value from {} as s where {} is null and {}").format(
        work.rows, versions.own_code(work), work.accepted
    )
    column = f"{work.target.entity}_code"
    if not work.refuse("publish.code_known", column, f"The row names no {work.target.entity}.", unnamed):
        return False
    collect(work.connection, work.contract, work.staged, work.resolution, work.accepted)
    return True


def _refuse_unresolved(work: Work) -> int:
    """Quarantine rows that name a parent which nobody knows; returns how many rows."""
    refused = 0
    for parent in work.resolution.parents:
        refused += work.refuse(
            _UNKNOWN_PARENT,
            " ".join(parent.named_by),
            f"No {parent.entity} is known by this name; deliver the {parent.entity} first"
            " or let the contract register it provisionally.",
            work.resolution.unresolved(parent.column),
        )
    return refused


def _change(work: Work, dates: list[dt.date]) -> None:
    if work.target.kind is Kind.FACT:
        facts.publish_facts(work, dates)
    elif work.target.kind is Kind.VERSIONED:
        versions.publish_versions(work)
    else:
        names.publish_names(work)


def _record(work: Work, verdict: str, dates: list[dt.date]) -> Published:
    """Write the publication with its digest, the derivations, and how the delivery ended."""
    outcome: Outcome = "no_op"
    if work.has_changed:
        outcome = "restated" if _restates(work) else "published"
        derivations.request_derivations(work, dates)
        record_publication(
            work.connection,
            Publication(
                publication_id=work.publication_id,
                kind="delivery",
                feed=work.contract.feed,
                target=work.target.name,
                business_dates=(dates[0], dates[-1]) if dates else work.staged.business_dates,
                delivery_id=work.delivery_id,
                verdict=verdict,
                rows_published=work.rows_published,
                rows_superseded=work.rows_superseded,
                digest=digest_of(work, _published_lines(work)),
                supersedes=sorted(work.superseded),
            ),
        )
    _drop_scratch(work)
    publication_id = work.publication_id if work.has_changed else None
    work.connection.execute(
        """
        update governance.delivery
           set outcome = %s, finished_at = clock_timestamp(), rows_published = %s, rows_superseded = %s,
               publication_id = %s, messages = messages || %s,
               rows_quarantined = (select count(distinct source_row) from quality.quarantined_row
                                    where delivery_id = %s)
         where delivery_id = %s
        """,
        (
            outcome,
            work.rows_published,
            work.rows_superseded,
            publication_id,
            Jsonb(work.messages),
            work.delivery_id,
            work.delivery_id,
        ),
    )
    return Published(publication_id, outcome, work.rows_published, work.rows_superseded, dates, tuple(work.messages))


def _restates(work: Work) -> bool:
    """A delta has no scope but its keys: it restates only where it supersedes."""
    if work.target.kind is Kind.FACT and work.contract.mode == "delta":
        return work.rows_superseded > 0
    return work.had_current


def _drop_scratch(work: Work) -> None:
    for table in (*(parent.map for parent in work.resolution.parents), facts.scope_table(work)):
        work.execute("drop table if exists {table}", table=table)


def _published_lines(work: Work) -> sql.Composable | None:
    """The query of the source rows that were published; None: all accepted ones."""
    if work.target.kind is Kind.FACT and work.had_current:
        return sql.SQL("select source_row from {} where is_new").format(sql.Identifier(facts.CHANGE))
    if work.target.kind is Kind.VERSIONED:
        return sql.SQL("select source_row from {} where is_new and strength = 1").format(
            sql.Identifier(versions.CHANGE)
        )
    return None


def _analyze(work: Work, dates: list[dt.date]) -> None:
    """Tell the planner of a large load, after the lock is given back."""
    for (name,) in work.connection.execute(
        """
        select inhrelid::regclass::text from pg_inherits
         where inhparent = %(table)s::regclass
           and inhrelid::regclass::text = any(
               select %(table)s::text || '_p' || to_char(month, 'YYYYMM') from unnest(%(dates)s::date[]) as month)
        union select %(table)s::text where not exists (select from pg_inherits where inhparent = %(table)s::regclass)
        """,
        {"table": work.target.table, "dates": sorted({date.replace(day=1) for date in dates})},
    ).fetchall():
        work.connection.execute(sql.SQL("analyze {}").format(sql.Identifier(*name.split("."))))
    if not work.connection.autocommit:
        work.connection.commit()
