"""The members of a pack that are read from the warehouse, as they were known at the edition's moment.

What changes later is left out or told as of then; what is personal is `personal.py`'s to hide.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from psycopg.rows import dict_row

from fulcrum.governance.evidence.personal import Personal, Row
from fulcrum.governance.reports.counting import Connection
from fulcrum.governance.reports.month import Edition
from fulcrum.governance.reports.report import canonical

_AT_ONCE = 2_000
_BLOCK = 1 << 18

# Of the month by the date of the file; a file without a date by the day on which it came.
_OF_MONTH = """(d.business_date_to between %(first)s and %(last)s
  or d.business_date_to is null and (d.landed_at at time zone 'UTC')::date between %(first)s and %(last)s)"""
# Without `tally_key`, which is for counting only: a pack of before it was there has the same bytes.
_JUDGED = """
    select v.validation_id, v.delivery_id, v.suite_name, v.subject, v.business_date, v.started_at, v.finished_at,
           v.verdict, v.rows_judged, v.engine_version, v.tally, d.feed
      from quality.validation v left join governance.delivery d using (delivery_id)
     where v.finished_at <= %(known_at)s
       and (d.business_date_to between %(first)s and %(last)s
            or v.delivery_id is null and v.business_date between %(first)s and %(last)s)
"""

_DELIVERIES = f"""
select d.delivery_id, d.feed, d.file_name, d.sha256, d.size_bytes, d.landed_at, d.business_date_from,
       d.business_date_to, d.same_as_delivery_id, k.is_known, d.parameters, d.metadata_found,
       case when k.is_known then d.outcome else 'landed' end as outcome,
       case when k.is_known then d.finished_at end as finished_at,
       case when k.is_known then d.rows_in end as rows_in,
       case when k.is_known then d.rows_quarantined end as rows_quarantined,
       case when k.is_known then d.rows_published end as rows_published,
       case when k.is_known then d.rows_superseded end as rows_superseded,
       case when k.is_known then d.publication_id end as publication_id,
       case when k.is_known then d.messages else '[]' end as messages
  from governance.delivery d, lateral (select coalesce(d.finished_at <= %(known_at)s, false) as is_known) k
 where d.landed_at <= %(known_at)s and {_OF_MONTH}
 order by d.delivery_id
"""  # noqa: S608 - as above

# Every number from the first to the last that speaks of the month, so that a gap can be seen.
_PUBLICATIONS = """
select p.* from governance.publication p
 where p.publication_id <= %(publication)s and p.publication_id between
       (select min(publication_id) from governance.publication where publication_id <= %(publication)s
           and business_date_from <= %(last)s and business_date_to >= %(first)s)
   and (select max(publication_id) from governance.publication where publication_id <= %(publication)s
           and business_date_from <= %(last)s and business_date_to >= %(first)s)
 order by p.publication_id
"""

_VALIDATIONS = f"select * from ({_JUDGED}) judged order by validation_id"  # noqa: S608 - as above
_RESULTS = f"""
select r.*, judged.delivery_id, judged.feed
  from ({_JUDGED}) judged join quality.validation_result r using (validation_id)
 order by r.validation_id, r.rule_id
"""  # noqa: S608 - as above

_QUARANTINED = f"""
select q.*, d.feed from quality.quarantined_row q join governance.delivery d using (delivery_id)
 where d.landed_at <= %(known_at)s and coalesce(d.finished_at <= %(known_at)s, false) and {_OF_MONTH}
 order by q.quarantined_row_id
"""  # noqa: S608 - as above

_FOUND = """
    select e.exception_id from quality.exception e
      join quality.exception_event h using (exception_id)
      left join governance.delivery d on d.delivery_id = h.delivery_id
     where h.at <= %(known_at)s
       and coalesce(d.business_date_to, e.business_date, (h.at at time zone 'UTC')::date) <= %(last)s
     group by 1
    having (array_agg(h.to_state order by h.exception_event_id desc))[1] <> 'resolved'
        or bool_or(coalesce(d.business_date_to, e.business_date, (h.at at time zone 'UTC')::date) >= %(first)s)
"""
_EXCEPTIONS = f"""
select e.exception_id, e.rule_id, e.subject, e.feed, min(h.at) as first_found_at,
       (array_agg(h.to_state order by h.exception_event_id desc))[1] as state
  from quality.exception e join quality.exception_event h using (exception_id)
 where e.exception_id in ({_FOUND}) and h.at <= %(known_at)s
 group by 1, 2, 3, 4 order by 1
"""  # noqa: S608 - as above
_EVENTS = f"""
select h.* from quality.exception_event h
 where h.exception_id in ({_FOUND}) and h.at <= %(known_at)s order by h.exception_event_id
"""  # noqa: S608 - as above

_WAIVERS = """
select w.waiver_id, w.rule_id, w.feed, w.begin_date, w.end_date, w.reason, w.exception_id, w.asked_by, w.asked_at,
       (select jsonb_agg(jsonb_build_object('action', a.action, 'actor_name', a.actor_name, 'at', a.at,
               'comment', a.details -> 'comment') order by a.audit_event_id)
          from governance.audit_event a
         where a.subject = 'waiver:' || w.waiver_id and a.action like 'waiver.%%' and a.at <= %(known_at)s) as steps
  from quality.waiver w
 where w.asked_at <= %(known_at)s and w.begin_date <= %(last)s and w.end_date >= %(first)s order by w.waiver_id
"""
_MARKS = """
select m.* from governance.publication_waiver m join quality.waiver w using (waiver_id)
 where m.publication_id <= %(publication)s and w.begin_date <= %(last)s and w.end_date >= %(first)s
 order by m.waiver_id, m.publication_id
"""
_OVERRIDES = """
select o.override_id, o.target, o.subject, o.value, o.currency_code, o.quote_unit_code, o.begin_date, o.end_date,
       o.reason_code, o.reason, o.exception_id, o.asked_by, o.asked_at,
       (select jsonb_agg(jsonb_build_object('action', a.action, 'actor_name', a.actor_name, 'at', a.at,
               'details', a.details) order by a.audit_event_id)
          from governance.audit_event a
         where a.subject = 'override:' || o.override_id and a.at <= %(known_at)s) as steps
  from quality.override o
 where o.asked_at <= %(known_at)s and o.begin_date <= %(last)s and o.end_date >= %(first)s order by o.override_id
"""

# From the first that was recorded in the month, or of a decision about it, to the moment of the edition.
_AUDIT = """
select a.* from governance.audit_event a
 where a.at <= %(known_at)s and a.audit_event_id >= (
       select min(audit_event_id) from governance.audit_event
        where at >= %(first)s::timestamp at time zone 'UTC' or subject in (
              select 'waiver:' || waiver_id from quality.waiver where begin_date <= %(last)s and end_date >= %(first)s
              union all
              select 'override:' || override_id from quality.override
               where begin_date <= %(last)s and end_date >= %(first)s))
 order by a.audit_event_id
"""


def from_warehouse(
    connection: Connection, edition: Edition, personal: Personal
) -> Iterator[tuple[str, Iterator[bytes]]]:
    """(name, blocks) of each member, in order; each must be read before the next."""
    as_it_is: Callable[[Row], Row] = lambda row: row  # noqa: E731 - one of several ways to hide
    for name, statement, hide in (
        ("deliveries", _DELIVERIES, personal.delivery),
        ("publications", _PUBLICATIONS, as_it_is),
        ("validations", _VALIDATIONS, as_it_is),
        ("results", _RESULTS, personal.result),
        ("quarantined", _QUARANTINED, personal.quarantined),
        ("exceptions", _EXCEPTIONS, as_it_is),
        ("exception_events", _EVENTS, as_it_is),
        ("waivers", _WAIVERS, as_it_is),
        ("publication_waivers", _MARKS, as_it_is),
        ("overrides", _OVERRIDES, as_it_is),
        ("audit", _AUDIT, as_it_is),
    ):
        yield f"{name}.jsonl", _lines(connection, name, statement, edition, hide)


def _lines(
    connection: Connection, name: str, statement: str, edition: Edition, hide: Callable[[Row], Row]
) -> Iterator[bytes]:
    values: dict[str, Any] = {
        "first": edition.month.first,
        "last": edition.month.last,
        "known_at": edition.known_at,
        "publication": edition.publication_id,
    }
    with connection.cursor(f"evidence_{name}", row_factory=dict_row) as cursor:
        cursor.itersize = _AT_ONCE
        cursor.execute(statement.encode(), values)
        block = b""
        for row in cursor:
            block += canonical(hide(row)) + b"\n"
            if len(block) > _BLOCK:
                yield block
                block = b""
        yield block
