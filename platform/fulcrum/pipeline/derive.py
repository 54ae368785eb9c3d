"""Runs what publications left to derive: valuations and NAV, each time as one publication.

What is computed and how belongs in `fulcrum.analytics`; here are claims, locks and the record.

A derivation holds its own lock from claim to commit, so two at once cannot publish an older result
over a newer one; deliveries wait only while its rows are written. It computes on the state of one
publication, so what is published meanwhile is left to the next one, which has been asked for.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any

import psycopg
from psycopg.rows import dict_row

from fulcrum.analytics.affected import Cause, find_affected
from fulcrum.analytics.policy import ValuationPolicy, load_policy
from fulcrum.analytics.restate import Change
from fulcrum.analytics.scratch import prepare
from fulcrum.analytics.valuation import NAVS, VALUATIONS, compute, publish_navs, publish_valuations
from fulcrum.errors import QueryError
from fulcrum.kit.faults import checkpoint
from fulcrum.pipeline import overrides
from fulcrum.settings import Settings
from fulcrum.warehouse.engine import connect
from fulcrum.warehouse.partitions import ensure_months
from fulcrum.warehouse.publications import Publication, latest_publication, next_publication, record_publication

Connection = psycopg.Connection[Any]
Progress = Callable[[str], None]

_LOCK_KEY = 0x44455256  # "DERV"
ROWS_AT_ONCE = 2_000_000
"""Rows that the causes of one derivation may have changed together: bounds time and disk of one."""


@dataclass(frozen=True)
class DeriveReport:
    """What one call derived; counts are rows of `mart.position_valuation` and `mart.portfolio_nav`.

    `pairs` are the (portfolio, date) pairs that were computed, `dates` their dates, and
    `publication_ids` the publications made: none where every result was as before.
    """

    publication_ids: tuple[int, ...] = ()
    claimed: int = 0
    pairs: int = 0
    dates: tuple[dt.date, ...] = ()
    rows_published: int = 0
    rows_superseded: int = 0
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """Plain values, dates as ISO 8601."""
        return asdict(self) | {
            "publication_ids": list(self.publication_ids),
            "dates": [date.isoformat() for date in self.dates],
        }


@dataclass(frozen=True)
class _Claim:
    """Rows of `governance.derivation` that one derivation settles, and what caused them."""

    derivation_ids: list[int]
    causes: list[Cause]


def derive(
    settings: Settings,
    *,
    dates: Sequence[dt.date] | None = None,
    portfolios: Sequence[str] | None = None,
    everything: bool = False,
    progress: Progress | None = None,
) -> DeriveReport:
    """Derive what is pending, and publish what differs; overrides that stand today are carried on before.

    `dates` takes only what is pending for these business dates. `portfolios` (codes) computes only
    these; what concerns other portfolios too stays pending. `everything` computes all holdings of
    `dates`, one publication per date, whether something is pending or not.

    Raises:
        QueryError: a portfolio is unknown, or `everything` lacks `dates`.
        SettingsError: the valuation policy is invalid.
        WarehouseError: the warehouse cannot be reached.
    """
    say = progress or (lambda _: None)
    policy, began = load_policy(settings), time.monotonic()
    overrides.carry_out(settings, progress=progress)
    if everything and not dates:
        raise QueryError("Deriving everything needs business dates.", remedy="Name the dates.")
    reports: list[DeriveReport] = []
    with connect(settings, application_name="fulcrum derive") as connection:
        only = None if portfolios is None else _portfolio_ids(connection, portfolios)
        for date in sorted(set(dates or ())) if everything else ():
            _lock(connection)
            reports.append(_derive(connection, policy, _Claim([], [Cause(0, None, (date,))]), only, say))
        while report := _next(connection, policy, dates, only, say):
            reports.append(report)
            if only is not None:
                break  # what concerns all portfolios is still pending, and would be claimed again
    return _sum(reports, time.monotonic() - began)


def pending(connection: Connection) -> list[dt.date]:
    """Business dates that something is pending for, ascending."""
    rows = connection.execute(
        "select distinct business_date from governance.derivation where done_at is null order by 1"
    ).fetchall()
    return [row[0] for row in rows]


def _next(
    connection: Connection,
    policy: ValuationPolicy,
    dates: Sequence[dt.date] | None,
    only: list[int] | None,
    say: Progress,
) -> DeriveReport | None:
    _lock(connection)
    claim = _claim(connection, dates, only)
    if claim is None:
        connection.rollback()
        return None
    return _derive(connection, policy, claim, only, say)


def _lock(connection: Connection) -> None:
    connection.execute("select pg_advisory_xact_lock(%s)", (_LOCK_KEY,))


def _derive(
    connection: Connection, policy: ValuationPolicy, claim: _Claim, only: list[int] | None, say: Progress
) -> DeriveReport:
    """Settle `claim` in one transaction, which this commits."""
    known = latest_publication(connection)
    prepare(connection)
    seen = find_affected(connection, policy, claim.causes, known, only_portfolios=only)
    pairs = _pairs(connection)
    change, number = Change(), None
    if pairs:
        say(f"valuing {pairs:,} portfolios x dates")
        compute(connection, policy, seen)
        change, number = _publish(connection, policy, claim, seen, say)
    connection.execute(
        "update governance.derivation set done_at = clock_timestamp(), done_in = %s where derivation_id = any(%s)",
        (known, claim.derivation_ids),
    )
    connection.commit()
    return DeriveReport(
        publication_ids=() if number is None else (number,),
        claimed=len(claim.derivation_ids),
        pairs=pairs,
        dates=tuple(seen["dates"]),
        rows_published=change.inserted,
        rows_superseded=change.superseded,
    )


def _publish(
    connection: Connection, policy: ValuationPolicy, claim: _Claim, seen: dict[str, Any], say: Progress
) -> tuple[Change, int | None]:
    """Write valuations and NAV under one publication number; no publication where nothing differs."""
    for table in (VALUATIONS.table, NAVS.table):
        ensure_months(connection, table, seen["dates"])
    number = next_publication(connection)
    say("publishing")
    change = publish_valuations(connection, policy, seen, number)
    checkpoint("derived_half")
    change += publish_navs(connection, seen, number)
    if not (change.inserted or change.superseded):
        return change, None
    record_publication(
        connection,
        Publication(
            publication_id=number,
            kind="derivation",
            feed=VALUATIONS.table,
            target=VALUATIONS.table,
            business_dates=(seen["first"], seen["last"]),
            delivery_id=None,
            verdict=_verdict(connection, claim),
            rows_published=change.inserted,
            rows_superseded=change.superseded,
            digest=_digest(connection, policy, seen),
            supersedes=sorted(change.supersedes),
        ),
    )
    return change, number


def _verdict(connection: Connection, claim: _Claim) -> str:
    """The worst of its inputs' verdicts, and `warned` where a value is missing or flagged; it has no gate.

    The causes alone would not do: a warned price that was published before the holdings taints them too.
    """
    row = connection.execute(
        """
        select coalesce((select bool_or(not is_complete or positions_flagged > 0) from derive_nav), false),
               array(select distinct verdict from governance.publication
                      where publication_id in (select publication_id from derive_price
                                               union select unnest(publication_ids) from derive_rate
                                               union select holding_publication_id from derive_value))
        """
    ).fetchone()
    is_doubtful, verdicts = row or (False, [])
    verdicts = {*verdicts, *(cause.verdict for cause in claim.causes)}
    if "waived" in verdicts:
        return "waived"
    return "warned" if is_doubtful or "warned" in verdicts else "passed"


def _digest(connection: Connection, policy: ValuationPolicy, seen: dict[str, Any]) -> str:
    """SHA-256 over the policy, the publication looked at and the NAV of every pair.

    The positions follow from these: hashing a million rows as well would double the derivation.
    """
    digest = hashlib.sha256(f"{policy.digest}/{seen['known']}".encode())
    with connection.cursor(name="navs") as cursor:
        for row in cursor.execute(
            "select portfolio_id, business_date, positions, nav_base from derive_nav order by 1, 2"
        ):
            digest.update("|".join(map(str, row)).encode())
    return digest.hexdigest()


def _claim(connection: Connection, dates: Sequence[dt.date] | None, only: list[int] | None) -> _Claim | None:
    """The oldest pending work, as many publications together as `ROWS_AT_ONCE` allows."""
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(
            """
            select d.derivation_id, d.business_date, d.portfolio_id, d.caused_by, p.target, p.kind,
                   p.verdict, coalesce(p.rows_published + p.rows_superseded, 0) as rows
              from governance.derivation d
              left join governance.publication p on p.publication_id = d.caused_by
             where d.done_at is null and d.target in ('mart.position_valuation', 'mart.portfolio_nav')
               and (%(dates)s::date[] is null or d.business_date = any(%(dates)s))
               and (%(only)s::bigint[] is null or d.portfolio_id is null or d.portfolio_id = any(%(only)s))
             order by d.caused_by, d.portfolio_id nulls first, d.business_date
            """,
            {"dates": None if dates is None else list(dates), "only": only},
        ).fetchall()
    claim, size = _Claim([], []), 0
    for cause, members in _by_cause(rows):
        size += members[0]["rows"]
        if claim.causes and size > ROWS_AT_ONCE:
            break
        if only is None or cause.portfolio_id is not None:
            claim.derivation_ids.extend(member["derivation_id"] for member in members)
        claim.causes.append(cause)
    return claim if claim.causes else None


def _by_cause(rows: list[dict[str, Any]]) -> Iterator[tuple[Cause, list[dict[str, Any]]]]:
    for (number, portfolio_id), group in groupby(rows, key=lambda row: (row["caused_by"], row["portfolio_id"])):
        members = list(group)
        is_known = members[0]["kind"] in ("delivery", "rollback") and portfolio_id is None
        target = members[0]["target"] if is_known else None  # None: look at whole dates
        dates = tuple(member["business_date"] for member in members)
        yield Cause(number, target, dates, portfolio_id, members[0]["verdict"]), members


def _portfolio_ids(connection: Connection, codes: Sequence[str]) -> list[int]:
    rows = connection.execute(
        "select portfolio_code, portfolio_id from core.portfolio where portfolio_code = any(%s)", (list(codes),)
    ).fetchall()
    connection.rollback()
    found = dict(rows)
    for code in codes:
        if code not in found:
            raise QueryError(f"There is no portfolio {code!r}.", remedy="Check the code.")
    return list(found.values())


def _pairs(connection: Connection) -> int:
    row = connection.execute("select count(*) from derive_scope").fetchone()
    assert row is not None
    return int(row[0])


def _sum(reports: list[DeriveReport], seconds: float) -> DeriveReport:
    return DeriveReport(
        publication_ids=tuple(number for report in reports for number in report.publication_ids),
        claimed=sum(report.claimed for report in reports),
        pairs=sum(report.pairs for report in reports),
        dates=tuple(sorted({date for report in reports for date in report.dates})),
        rows_published=sum(report.rows_published for report in reports),
        rows_superseded=sum(report.rows_superseded for report in reports),
        seconds=round(seconds, 3),
    )
