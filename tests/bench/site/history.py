"""A desk's history of any size, made by the database: deliveries, results, findings, waivers, breaks, refused rows.

Triggers and foreign keys are off while it is written, so only a superuser can; every page that is measured reads it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg

from fulcrum.quality.suite import Rule
from fulcrum.quality.suites import load_suite
from fulcrum.settings import Settings
from fulcrum.warehouse import server
from tests.bench.site import published

DAYS = 250
RULES = 20
LAST_DAY = "2026-11-20"
REFUSED = 100_000
"""Refused rows of the newest stopped delivery."""


@dataclass(frozen=True)
class Size:
    """How much there is; deliveries are numbered day by day, then feed by feed."""

    feeds: int

    @property
    def results(self) -> int:
        """Results of rules."""
        return self.feeds * DAYS * RULES

    @property
    def stopped(self) -> int:
        """The newest stopped delivery, which has the refused rows: the first feed's on the last day."""
        return self.feeds * (DAYS - 1) + 1

    @property
    def warned(self) -> int:
        """The delivery whose rules failed with rows: the first feed's of the day before, published."""
        return self.feeds * (DAYS - 2) + 1


# {day} 0 is the oldest. One delivery in 50 is blocked, the first feed's last one among them.
_DELIVERIES = """
insert into governance.delivery (delivery_id, feed, file_name, sha256, size_bytes, landed_at, finished_at,
    business_date_from, business_date_to, outcome, rows_in, rows_quarantined, rows_published, publication_id)
overriding system value
select id, feed, feed || '_' || day || '.csv', encode(sha256(feed::bytea || day::text::bytea), 'hex'), 100000,
       day + time '20:00', day + time '20:01', day, day, case when is_blocked then 'blocked' else 'published' end,
       1000, case when id = {stopped} then {refused} when is_blocked then 10 else 0 end,
       case when is_blocked then 0 else 1000 end, case when is_blocked then null else id end
  from (select day_no * {feeds} + feed_no as id, date '{last}' - {days} + 1 + day_no as day,
               case when feed_no <= 5 then (array['house_holdings', 'house_prices', 'house_fx_rates', 'house_clients',
                                                  'house_transactions'])[feed_no]
                    else 'feed_' || lpad(feed_no::text, 4, '0') end as feed,
               (feed_no + day_no) % 50 = 0 or (feed_no = 1 and day_no = {days} - 1) as is_blocked
          from generate_series(0, {days} - 1) day_no, generate_series(1, {feeds}) feed_no) made
"""
_PUBLICATIONS = """
insert into governance.publication (publication_id, known_at, kind, feed, target, business_date_from,
    business_date_to, delivery_id, verdict, rows_published, rows_superseded, digest)
select delivery_id, finished_at, 'delivery', feed,
       (array['core.holding', 'core.price', 'core.fx_rate', 'core.client', 'core.transaction'])[delivery_id % 5 + 1],
       business_date_from, business_date_to, delivery_id,
       case when delivery_id % 40 = 0 then 'waived' else 'passed' end, 1000, 0, sha256
  from governance.delivery where outcome = 'published'
"""
_VALIDATIONS = """
insert into quality.validation (validation_id, delivery_id, suite_name, started_at, finished_at, verdict,
    rows_judged, engine_version) overriding system value
select delivery_id, delivery_id, 'core/holding', landed_at, finished_at,
       case when outcome = 'blocked' then 'blocked' when delivery_id % 40 = 0 then 'waived' else 'passed' end, 1000, '1'
  from governance.delivery
"""
_TAKEN = """
select setval(pg_get_serial_sequence('governance.delivery', 'delivery_id'), max(delivery_id)),
       setval(pg_get_serial_sequence('quality.validation', 'validation_id'), max(delivery_id)) from governance.delivery
"""
_ARRIVALS = """
insert into quality.validation (suite_name, subject, business_date, started_at, finished_at, verdict, rows_judged,
    engine_version)
select 'core/delivery', 'arrivals', date '{last}' - back, now(), now(), 'warned', {feeds}, '1'
  from generate_series(0, {days} - 1) back
"""
_LATE = """
insert into quality.validation_result (validation_id, rule_id, rule_version, dimension, severity, level, owner, status,
    measured, threshold, unit, rows_failed, message, result)
select validation_id, 'delivery.not_late', 1, 'timeliness', 'warning', 'set', 'operations', 'failed', 2, 0, 'feeds', 2,
       'Two came late.', '{{"failed": [["house_prices", "40 min late"], ["feed_0007", "2 h late"]]}}'::jsonb
  from quality.validation where subject = 'arrivals'
"""
_RESULTS = """
insert into quality.validation_result (validation_id, rule_id, rule_version, dimension, severity, level, owner, status,
    measured, threshold, unit, rows_failed, message)
select v.validation_id, %(rule)s, 1, %(dimension)s, %(severity)s, %(level)s, %(owner)s,
       case when v.verdict = 'blocked' and %(position)s = v.validation_id %% 7 then 'failed'
            when %(position)s = 19 and v.validation_id %% 3 = 0 then 'not_run' else 'passed' end,
       (v.validation_id * 31 + %(position)s) %% 100 / 10.0, 9.5, 'percent', 0, %(says)s
  from quality.validation v where v.delivery_id is not null
"""
_TALLIES = """
update quality.validation v set tally = counted.tally, tally_key = hashtextextended(counted.tally::text, 0)
  from (select validation_id, jsonb_agg(jsonb_build_array(dimension, owner, status, times)
                                        order by dimension, owner, status) as tally
          from (select validation_id, dimension, owner, status, count(*) as times
                  from quality.validation_result group by 1, 2, 3, 4) each
         group by 1) counted
 where counted.validation_id = v.validation_id
"""
_EXCEPTIONS = """
insert into quality.exception (rule_id, subject, feed, severity, state, message, measured, threshold, unit, owner_name,
    due_date, opened_at, resolved_at, reason_code, business_date, delivery_id, validation_id)
select rule, 'feed:' || feed, feed, (array['critical', 'warning', 'info'])[n %% 3 + 1],
       case when n %% 4 = 0 then 'open' when n %% 4 = 1 then 'assigned' else 'resolved' end, 'It differs.', 3.5, 1,
       'percent', case when n %% 4 = 1 then 'person' || n %% 12 end, date '{last}' - (n %% 60)::int + 20,
       now() - n %% 90 * interval '1 day',
       case when n %% 4 > 1 then now() end, case when n %% 4 > 1 then (array['healed', 'false_alarm'])[n %% 2 + 1] end,
       date '{last}', d.delivery_id, d.delivery_id
  from governance.delivery d, unnest(%(rules)s::text[]) with ordinality r (rule, position),
       lateral (select d.delivery_id + position * 7 as n) numbered
 where d.business_date_to = date '{last}'
"""
_BREAK_FINDINGS = """
insert into quality.exception (rule_id, subject, severity, state, message, measured, unit, due_date, resolved_at,
    reason_code, business_date)
select 'reconciliation.custody_positions', 'reconciliation:custody_positions/P' || n % 200 || '/X' || n,
       (array['critical', 'warning', 'info'])[n % 3 + 1], case when n % 4 = 0 then 'open' else 'resolved' end,
       'quantity: custodian and accounting differ in quantity.', 100, 'quantity', date '{last}' + (n % 30)::int,
       case when n % 4 <> 0 then now() end, case when n % 4 <> 0 then 'healed' end, date '{last}'
  from generate_series(1, {feeds} * 20) n
"""
_EVENTS = """
insert into quality.exception_event (exception_id, actor_name, move, from_state, to_state, reason_code, comment)
select exception_id, 'fulcrum', 'find', null::text, 'open', null::text, null::text from quality.exception
 union all
select exception_id, 'person1', 'resolve', 'open', 'resolved', reason_code, 'Looked at.'
  from quality.exception where state = 'resolved'
"""
_WAIVERS = """
insert into quality.waiver (rule_id, feed, begin_date, end_date, reason, exception_id, state, asked_by, decided_by,
    decided_at, ended_by, ended_at, end_comment)
select rule_id, feed, date '{last}' - 20, date '{last}' - 10, 'The sender confirmed it.', exception_id,
       (array['approved', 'ended', 'refused', 'asked'])[n % 4 + 1], 'reader',
       case when n % 4 < 3 then 'decider' end, case when n % 4 < 3 then now() end,
       case when n % 4 = 1 then 'decider' end, case when n % 4 = 1 then now() end,
       case when n % 4 = 1 then 'The sender sends the sum again.' end
  from (select *, row_number() over (order by exception_id) as n from quality.exception where feed is not null) e
 limit {feeds}
"""
_MARKS = """
insert into governance.publication_waiver (publication_id, waiver_id, rule_id)
select p.publication_id, w.waiver_id, w.rule_id
  from (select publication_id, row_number() over (order by publication_id) as n from governance.publication
         where verdict = 'waived') p
  join (select waiver_id, rule_id, row_number() over (order by waiver_id) as n, count(*) over () as of_all
          from quality.waiver where state = 'approved') w on p.n % w.of_all + 1 = w.n
"""
_AUDIT = """
insert into governance.audit_event (actor_name, action, subject)
select 'decider', 'waiver.approved', 'waiver:' || waiver_id from quality.waiver where state = 'approved'
"""
_REFUSED = """
insert into quality.quarantined_row (delivery_id, source_row, rule_id, column_name, value, row_key, message)
select {stopped}, n, 'cell.parse', 'quantity', 'n/a ' || n, '{{"portfolio_code": "P1"}}'::jsonb, 'This is no number.'
  from generate_series(1, {refused}) n
 union all
select delivery_id, n, 'cell.parse', 'quantity', 'n/a', '{{"portfolio_code": "P1"}}'::jsonb, 'This is no number.'
  from governance.delivery, generate_series(1, 10) n where outcome = 'blocked' and delivery_id <> {stopped}
"""
_RUNS = """
insert into quality.reconciliation_run (name, version, owner, business_date, publication_id, a_name, b_name, a_rows,
    b_rows, breaks, status, message, judged_by, started_at)
select name, 1, 'investment-operations', date '{last}' - back, 1, 'custodian', 'accounting', 100000, 100000, {feeds},
       'broken', '100,000 lines against 100,000.',
       '{{"recon_quantity_difference": {{"value": "0.0005"}}}}'::jsonb, now()
  from unnest(array['custody_positions', 'custody_cash', 'price_sources', 'reported_nav']) name,
       generate_series({days} - 1, 0, -1) back
"""
_BREAKS = """
insert into quality.reconciliation_break (reconciliation_run_id, name, business_date, break_key, class_code, severity,
    state, book_code, a_lines, b_lines, a_quantity, b_quantity, a_price, b_price, differs, difference_of, difference,
    first_seen, age_days, age_bucket, exception_id)
select r.reconciliation_run_id, r.name, r.business_date, 'P' || n % 200 || '/X' || n,
       (array['missing', 'quantity', 'price', 'fx', 'timing', 'identifier', 'rounding', 'unknown'])[n % 8 + 1],
       (array['critical', 'warning', 'info'])[n % 3 + 1],
       case when r.business_date = date '{last}' then 'open' else 'continued' end, 'P' || n % 200, 1, 1, 100, 101, 5, 5,
       'quantity', 'quantity', -1, r.business_date - (n % 20)::int, n % 20,
       (array['0-1', '2-5', '6-20'])[n % 3 + 1],
       (select exception_id from quality.exception
         where rule_id = 'reconciliation.custody_positions'
           and subject = 'reconciliation:custody_positions/P' || n % 200 || '/X' || n)
  from quality.reconciliation_run r, generate_series(1, {per_run}) n where r.name = 'custody_positions'
"""
_USAGE = """
insert into governance.usage (used_hour, principal_name, operation_name, document_sha256, executions, field_counts,
    last_used_at)
select date_trunc('hour', now()) - hour * interval '1 hour', 'client' || client, 'Positions', '', 100,
       '{{"Holding.quantity": 100, "Portfolio.code": 100, "Price.price": 20}}'::jsonb, now()
  from generate_series(1, 720) hour, generate_series(1, 20) client
"""


def write(settings: Settings, size: Size, say: Callable[[str], None]) -> None:
    """Fill an empty migrated warehouse; committed, analysed."""
    rules = _rules(settings)
    url = server.ensure_running(settings).admin_url()
    known = {"feeds": size.feeds, "days": DAYS, "last": LAST_DAY, "stopped": size.stopped, "refused": REFUSED}
    known["per_run"] = max(1, size.feeds * 20 // 50)
    with psycopg.connect(url) as connection:
        connection.execute("set session_replication_role = replica")
        for name, statement in (
            ("deliveries", _DELIVERIES),
            ("publications", _PUBLICATIONS),
            ("validations", _VALIDATIONS),
            ("numbers taken", _TAKEN),
            ("arrivals", _ARRIVALS),
            ("late arrivals", _LATE),
        ):
            say(f"{connection.execute(statement.format(**known).encode()).rowcount:,} {name}")
        for position, rule in enumerate(rules):
            connection.execute(_RESULTS.encode(), _told(rule, position))
        say(f"{size.results:,} results")
        connection.execute(_TALLIES.encode())
        connection.execute(_EXCEPTIONS.format(**known).encode(), {"rules": [rule.id for rule in rules]})
        for statement in (_BREAK_FINDINGS, _EVENTS, _WAIVERS, _MARKS, _AUDIT, _REFUSED, _RUNS, _BREAKS, _USAGE):
            connection.execute(statement.format(**known).encode())
        published.write(connection, size.warned, size.feeds)
        connection.commit()
        connection.autocommit = True
        for schema in ("core", "governance", "quality"):
            _analyse(connection, schema)


def _rules(settings: Settings) -> list[Rule]:
    """Real rules, so that their pages say what the pages of rules say."""
    found = [rule for name in ("core/holding", "core/price") for rule in load_suite(settings, name).rules]
    return found[:RULES]


def _told(rule: Rule, position: int) -> dict[str, object]:
    return {
        "rule": rule.id,
        "dimension": rule.dimension.value,
        "severity": rule.severity.value,
        "level": rule.level.value,
        "owner": rule.owner,
        "says": rule.says,
        "position": position,
    }


def _analyse(connection: psycopg.Connection[Any], schema: str) -> None:
    tables = connection.execute("select tablename from pg_tables where schemaname = %s", [schema]).fetchall()
    for (table,) in tables:
        connection.execute(f'vacuum (analyze) {schema}."{table}"'.encode())
