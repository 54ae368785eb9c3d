"""What was found and decided as it was known at a moment: findings, waivers with what rests on them, adjustments.

States of then are told by the histories: rows of waivers and findings only know their newest one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from fulcrum.governance.desk.policy import DeskPolicy
from fulcrum.governance.reports.counting import Connection, rows
from fulcrum.governance.reports.month import Edition
from fulcrum.quality.suite import Dimension

# A finding belongs to a month if it was seen on a business date up to its end; on no date: by the day it was seen.
# What was open at a moment: what is open and has not moved since, and what the first move since then took from a state
# in which it was open. So only the moves since then are gone through, not all there ever were.
_FINDINGS = """
with later as materialized (
    select exception_id, min(exception_event_id) as first_id,
           coalesce(bool_or(from_state = 'resolved' and to_state <> 'resolved'), false) as is_opened_later
      from quality.exception_event where at > %(known_at)s group by 1
),
was_open as (
    select exception_id, state, false as is_opened_later from quality.exception e
     where state <> 'resolved' and not exists (select from later where later.exception_id = e.exception_id)
    union all
    select later.exception_id, next.from_state, later.is_opened_later
      from later join quality.exception_event next on next.exception_event_id = later.first_id
     where next.from_state <> 'resolved'
),
told as (
    select exception_id, w.state, w.is_opened_later,
           max(h.exception_event_id) filter (
               where h.to_state <> 'resolved' and (h.from_state is null or h.from_state = 'resolved')) as opened_id,
           max(h.exception_event_id) filter (where h.move = 'assign') as assigned_id
      from was_open w join quality.exception_event h using (exception_id)
     where h.at <= %(known_at)s group by 1, 2, 3
)
select e.exception_id, e.rule_id, e.subject, e.feed, e.severity, e.due_date, told.state,
       opened.at as opened_at, told.is_opened_later, assigned.owner_name, ruled.dimension, ruled.owner
  from told
  join quality.exception e using (exception_id)
  join quality.exception_event opened on opened.exception_event_id = told.opened_id
  left join quality.exception_event assigned on assigned.exception_event_id = told.assigned_id
  left join governance.delivery d on d.delivery_id = opened.delivery_id
  left join lateral (
       select r.dimension, r.owner from quality.validation_result r
        where r.rule_id = e.rule_id order by r.validation_id desc limit 1) ruled on true
 where coalesce(d.business_date_to, e.business_date, (opened.at at time zone 'UTC')::date) <= %(last)s
 order by array_position(array['critical', 'warning', 'info'], e.severity), e.due_date, e.exception_id
"""

# How often findings were opened and closed on business dates of the month. The dates of files that events name are
# looked up: a join reads all deliveries.
_MOVED = """
select count(*) filter (where h.to_state <> 'resolved') as opened,
       count(*) filter (where h.to_state = 'resolved') as resolved,
       count(*) filter (where h.move = 'resolve' and h.reason_code = 'false_alarm') as false_alarms
  from quality.exception_event h
  join quality.exception e using (exception_id)
 where h.at <= %(known_at)s and (h.to_state = 'resolved') is distinct from (h.from_state = 'resolved')
   and daterange(%(first)s, %(last)s, '[]') @>
       coalesce((select d.business_date_to from governance.delivery d where d.delivery_id = h.delivery_id),
                e.business_date, (h.at at time zone 'UTC')::date)
"""


def _said(kind: str, number: str, taken: str, *words: str) -> str:
    """SQL of what the audit log last said of a waiver or an override at the moment, of these things alone."""
    actions = ", ".join(f"'{kind}.{word}'" for word in words)
    return f"""lateral (
       select {taken} from governance.audit_event a
        where a.subject = '{kind}:' || {number} and a.action in ({actions}) and a.at <= %(known_at)s
        order by a.audit_event_id desc limit 1)"""  # noqa: S608 our own words


_STATE = "split_part(a.action, '.', 2) as state"
_STATES = ("asked", "approved", "refused", "withdrawn", "ended")
_WAIVER, _OVERRIDE = ("waiver", "w.waiver_id"), ("override", "o.override_id")
_DECIDER = "a.actor_name, a.at"

_WAIVERS = f"""
select w.waiver_id, w.rule_id, w.feed, w.begin_date, w.end_date, w.reason, w.asked_by, w.asked_at,
       said.state, given.actor_name as approved_by, given.at as approved_at, ended.actor_name as ended_by,
       ended.at as ended_at, ended.comment as end_comment
  from quality.waiver w
  cross join {_said(*_WAIVER, _STATE, *_STATES)} said
  cross join {_said(*_WAIVER, _DECIDER, "approved")} given
  left join {_said(*_WAIVER, f"{_DECIDER}, a.details ->> 'comment' as comment", "ended")} ended on true
 where w.begin_date <= %(last)s and w.end_date >= %(first)s
 order by w.waiver_id
"""  # noqa: S608 our own words

_MARKED = """
select waiver_id, array_agg(publication_id order by publication_id) as publications
  from governance.publication_waiver
 where waiver_id = any(%(waivers)s) and publication_id <= %(publication)s group by 1
"""

# A position rests on the publications of its quantity, price and rates; the NAV of its portfolio rests on it.
_RESTING = """
with marked (waiver_id, publication_id) as (select * from unnest(%(waivers)s::bigint[], %(publications)s::bigint[])),
made as (select waiver_id, array_agg(publication_id) as publications from marked group by 1),
found as materialized (
    select v.portfolio_id, v.business_date, v.market_value_base,
           array[v.holding_publication_id, v.price_publication_id] || coalesce(v.fx_publication_ids, '{}') as rests_on
      from mart.position_valuation v
     where v.business_date between %(first)s and %(last)s and v.published_in <= %(publication)s
       and (v.superseded_in is null or v.superseded_in > %(publication)s)
       and (v.holding_publication_id = any(%(publications)s) or v.price_publication_id = any(%(publications)s)
            or v.fx_publication_ids && %(publications)s::bigint[])
),
resting as (
    select made.waiver_id, found.portfolio_id, found.business_date, sum(found.market_value_base) as value,
           count(*) as positions
      from found join made on found.rests_on && made.publications group by 1, 2, 3
)
select r.waiver_id, r.business_date, coalesce(n.base_currency_code, '') as currency_code, count(*) as portfolios,
       sum(r.positions)::bigint as positions, sum(n.nav_base) as nav, sum(r.value) as value
  from resting r
  join mart.portfolio_nav n on n.portfolio_id = r.portfolio_id and n.business_date = r.business_date
   and n.published_in <= %(publication)s and (n.superseded_in is null or n.superseded_in > %(publication)s)
 group by 1, 2, 3
 order by 1, 3, 2
"""

_OVERRIDES = f"""
select o.override_id, o.target, o.subject, o.value, o.currency_code, o.begin_date,
       case when said.state = 'ended' then o.last_date else o.end_date end as last_date, o.reason_code, o.reason,
       o.asked_by, o.asked_at, said.state, given.actor_name as approved_by, given.at as approved_at,
       case when said.state = 'ended' then o.ended_by end as ended_by
  from quality.override o
  cross join {_said(*_OVERRIDE, _STATE, *_STATES)} said
  cross join {_said(*_OVERRIDE, _DECIDER, "approved")} given
 where o.begin_date <= %(last)s and o.end_date >= %(first)s
 order by o.override_id
"""  # noqa: S608 our own words

_ROLLBACKS = """
select p.publication_id, (p.supersedes ->> 0)::bigint as taken_back, p.known_at, p.feed, p.target,
       p.business_date_from, p.business_date_to, p.rows_superseded as rows_ended, p.rows_published as rows_restored,
       a.actor_name as decided_by, a.details ->> 'reason' as reason
  from governance.publication p
  left join governance.audit_event a on a.action = 'rollback.done'
   and a.subject = 'publication:' || (p.supersedes ->> 0)
   and (a.details ->> 'publication_id')::bigint = p.publication_id
 where p.kind = 'rollback' and p.publication_id <= %(publication)s
   and coalesce(p.business_date_from, (p.known_at at time zone 'UTC')::date) <= %(last)s
   and coalesce(p.business_date_to, (p.known_at at time zone 'UTC')::date) >= %(first)s
 order by p.publication_id
"""


@dataclass(frozen=True)
class OpenFinding:
    """A finding that was open, with the dimension and owner of its rule where a rule made it."""

    exception_id: int
    rule_id: str
    subject: str
    feed: str | None
    severity: str
    state: str
    owner_name: str | None
    due_date: dt.date
    opened_at: dt.datetime
    is_overdue: bool
    dimension: str | None
    owner: str | None


@dataclass(frozen=True)
class Moved:
    """How often findings were opened, closed, and closed as false alarms on business dates of a month."""

    opened: int
    resolved: int
    false_alarms: int


@dataclass(frozen=True)
class Resting:
    """What rests on a waiver in one currency, on the day when it was most.

    `nav`: net asset value of the portfolios with such a position, `value`: of these positions; None: none is valued.
    """

    currency_code: str
    business_date: dt.date
    portfolios: int
    positions: int
    nav: Decimal | None
    value: Decimal | None
    days: int
    """Business dates of the month on which anything rests on it."""


@dataclass(frozen=True)
class WaiverInForce:
    """An approved waiver that covers business dates of a month, and what rests on it."""

    waiver_id: int
    rule_id: str
    feed: str
    begin_date: dt.date
    end_date: dt.date
    reason: str
    state: str
    asked_by: str
    asked_at: dt.datetime
    approved_by: str
    approved_at: dt.datetime
    ended_by: str | None
    ended_at: dt.datetime | None
    end_comment: str | None
    publications: tuple[int, ...]
    resting: tuple[Resting, ...] | None
    """By currency; None: the reader does not see the whole house."""


@dataclass(frozen=True)
class Adjustment:
    """An approved override of business dates of a month, also one that ended early."""

    override_id: int
    target: str
    subject: dict[str, Any]
    value: Decimal
    currency_code: str | None
    begin_date: dt.date
    last_date: dt.date
    """Last business date that it stands for; before the first: it was taken back for all of them."""
    reason_code: str
    reason: str
    state: str
    asked_by: str
    asked_at: dt.datetime
    approved_by: str
    approved_at: dt.datetime
    ended_by: str | None


@dataclass(frozen=True)
class Rollback:
    """A publication that took another one back."""

    publication_id: int
    taken_back: int
    known_at: dt.datetime
    feed: str
    target: str
    business_date_from: dt.date | None
    business_date_to: dt.date | None
    rows_ended: int
    rows_restored: int
    decided_by: str | None
    reason: str | None


def open_findings(
    connection: Connection, edition: Edition, policy: DeskPolicy, reconciliations: Mapping[str, str]
) -> list[OpenFinding]:
    """Findings up to the end of the month that were open, the most pressing first.

    No suite judges the breaks of `reconciliations` (rule -> team): two sources that disagree are inconsistent.
    """
    found, day = [], edition.known_at.date()
    for row in rows(connection, _FINDINGS, edition):
        due = row["due_date"]
        if row["is_opened_later"]:  # the row has the due date of a later opening
            due = policy.due_date(row["severity"], row["opened_at"].astimezone(dt.UTC).date())
        del row["is_opened_later"]
        if row["owner"] is None and row["rule_id"] in reconciliations:
            row |= {"owner": reconciliations[row["rule_id"]], "dimension": Dimension.CONSISTENCY.value}
        found.append(OpenFinding(**row | {"due_date": due, "is_overdue": due < day}))
    return found


def moved(connection: Connection, edition: Edition) -> Moved:
    """Openings and closings on business dates of the month."""
    return Moved(**next(iter(rows(connection, _MOVED, edition))))


def waivers(connection: Connection, edition: Edition, *, is_whole_house: bool) -> list[WaiverInForce]:
    """Waivers in force in the month, by number."""
    known = list(rows(connection, _WAIVERS, edition))
    numbers = [row["waiver_id"] for row in known]
    marked = {row["waiver_id"]: row["publications"] for row in rows(connection, _MARKED, edition, waivers=numbers)}
    resting = _resting(connection, edition, marked) if marked and is_whole_house else {}
    return [
        WaiverInForce(
            **row,
            publications=tuple(marked.get(row["waiver_id"], ())),
            resting=tuple(resting.get(row["waiver_id"], ())) if is_whole_house else None,
        )
        for row in known
    ]


def overrides(connection: Connection, edition: Edition) -> list[Adjustment]:
    """Overrides in force in the month, by number."""
    return [Adjustment(**row) for row in rows(connection, _OVERRIDES, edition)]


def rollbacks(connection: Connection, edition: Edition) -> list[Rollback]:
    """Publications that took back what was said of the month, by number."""
    return [Rollback(**row) for row in rows(connection, _ROLLBACKS, edition)]


def _resting(connection: Connection, edition: Edition, marked: dict[int, list[int]]) -> dict[int, list[Resting]]:
    pairs = [(waiver, publication) for waiver, made in marked.items() for publication in made]
    found: dict[tuple[int, str], list[dict[str, Any]]] = {}
    for row in rows(
        connection,
        _RESTING,
        edition,
        waivers=[waiver for waiver, _ in pairs],
        publications=[publication for _, publication in pairs],
    ):
        found.setdefault((row.pop("waiver_id"), row["currency_code"]), []).append(row)
    told: dict[int, list[Resting]] = {}
    for (waiver, _), days in sorted(found.items()):
        most = max(days, key=lambda one: (abs(one["nav"] or 0), one["business_date"]))
        told.setdefault(waiver, []).append(Resting(**most, days=len(days)))
    return told
