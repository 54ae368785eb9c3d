"""How far a row can be trusted: the publication that said it, its verdict and its file.

The numbers behind a value are explained in `explanation.py`.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from fulcrum.graph.declare import column, plain, relation

_ROWS = """
select said.n as publication, VERDICT as verdict, said.rests_on, p.known_at, p.feed, d.file_name, d.sha256,
  said.staleness_days,
  array(
    select f.rule_id || ': ' || f.message from quality.validation_result f
    where f.status = 'failed' and f.severity = 'warning' and f.validation_id = (
      select max(v.validation_id) from quality.validation v where v.delivery_id = d.delivery_id)
    order by f.rule_id
  ) || said.flags as warnings
from (
  select PUBLISHED_IN as n, DELIVERY_ID as delivery_id, FLAGS as flags, STALENESS as staleness_days,
    RESTS_ON as rests_on
) said
left join governance.publication p on p.publication_id = said.n
left join governance.delivery d on d.delivery_id = coalesce(said.delivery_id, p.delivery_id)
"""
_NO_FLAGS = "array[]::text[]"
_OWN_VERDICT = "p.verdict"
# A publication of derived rows covers a whole date; what a single row rests on may be better or worse.
_WORST_VERDICT = """coalesce((
  select case when worst.verdict = 'passed' and cardinality(said.flags) > 0 then 'warned' else worst.verdict end
  from (
    select x.verdict from governance.publication x where x.publication_id = any(said.rests_on)
    order by array_position(array['waived', 'warned', 'passed'], x.verdict) limit 1
  ) worst), p.verdict)"""
_WAIVERS = """
select w.waiver_id, w.rule_id, w.feed, w.reason, w.begin_date, w.end_date, w.ended_at
from quality.waiver w
where w.waiver_id in (
  select m.waiver_id from governance.publication_waiver m where m.publication_id = any({rests_on}))
order by w.waiver_id
"""

INPUTS_OF_VALUATION = (
    "array_remove(array[v.holding_publication_id, v.price_publication_id], null)"
    " || coalesce(v.fx_publication_ids, '{}')"
)
"""The publications that a valuation, alias v, rests on."""

# Which override a file brought, the file's delivery says; only these feeds are Fulcrum's own.
_OVERRIDES = """
select o.override_id, o.subject_key, o.value, o.currency_code, o.reason_code, o.reason, o.asked_by, o.decided_by,
  o.begin_date, coalesce(o.last_date, o.end_date) as stands_to
from quality.override o
where o.override_id::text in (
  select b.parameters ->> 'override_id' from governance.publication a
  join governance.delivery b on b.delivery_id = a.delivery_id
  where a.publication_id = any({rests_on}) and a.feed in ('override_prices', 'override_fx_rates'))
order by o.override_id
"""


@plain
class TrustWaiver:
    """A permission, signed by two people, to publish in spite of a critical rule."""

    number: int = column("waiver_id", "Its number.")
    rule_id: str = column("rule_id", "The rule that failed.")
    feed: str = column("feed", "The feed that it covers.")
    reason: str = column("reason", "Why it was given.")
    begin_date: dt.date = column("begin_date", "First business date that it covers.")
    end_date: dt.date = column("end_date", "Last business date that it covers.")
    ended_at: dt.datetime | None = column("ended_at", "When it was ended before that; null: it was not.")


@plain
class TrustOverride:
    """A value that people put in place of a delivered one: asked for by one, approved by another."""

    number: int = column("override_id", "Its number.")
    subject_key: str = column("subject_key", "What it is of, in one word.")
    value: Decimal = column("value", "The value.")
    currency_code: str | None = column("currency_code", "ISO 4217, of a price.")
    reason_code: str = column("reason_code", "Why, in one word.")
    reason: str = column("reason", "Why, in words.")
    asked_by: str = column("asked_by", "Who asked for it.")
    approved_by: str | None = column("decided_by", "Who approved it.")
    begin_date: dt.date = column("begin_date", "First business date that it stands for.")
    end_date: dt.date = column("stands_to", "Last business date that it stands for; after it delivered values hold.")


@plain
class Trust:
    """Who said it, when Fulcrum knew it, and what its gate thought of it."""

    verdict: str | None = column(
        "verdict", "passed, warned or waived: of the gate on its file; of derived rows, the worst of their inputs."
    )
    waivers: list[TrustWaiver] = relation("Waivers that it, or what it was derived from, rests on.", rows=_WAIVERS)
    overrides: list[TrustOverride] = relation(
        "Overrides that it is, or was derived from: values that people put there.", rows=_OVERRIDES
    )
    publication: int = column("publication", "The publication that made this row known.")
    known_at: dt.datetime | None = column("known_at", "When Fulcrum knew it.")
    feed: str | None = column("feed", "Feed that said it, or the derived table.")
    delivery_file: str | None = column("file_name", "Name of the file as it arrived; null for derived rows.")
    file_sha256: str | None = column("sha256", "SHA-256 of that file; null for derived rows.")
    warnings: list[str] = column("warnings", "Rules that warned about the file, and flags on the value.")
    staleness_days: int | None = column(
        "staleness_days",
        "Days between the date that is shown and the date of what it rests on; null: nothing tells a date.",
    )


def _trust(
    published_in: str,
    delivery_id: str,
    staleness: str,
    flags: str = _NO_FLAGS,
    *,
    rows: str = _ROWS,
    rests_on: str | None = None,
) -> Any:
    publications = rests_on or f"array[{published_in}]"
    for word, sql in (
        ("VERDICT", _WORST_VERDICT if rests_on else _OWN_VERDICT),
        ("RESTS_ON", publications),
        ("PUBLISHED_IN", published_in),
        ("DELIVERY_ID", delivery_id),
        ("STALENESS", staleness),
        ("FLAGS", flags),
    ):
        rows = rows.replace(word, sql)
    return relation("How far this can be trusted.", rows=rows, rests_on=publications)


def trust_of_entity() -> Any:
    """Of a versioned entity: its version, or its identity where nothing is stated for the day."""
    staleness = (
        "{as_of} - (select b.business_date_to from governance.publication b"
        " where b.publication_id = coalesce({published_in}, {created_in}))"
    )
    return _trust("coalesce({published_in}, {created_in})", "{delivery_id}", staleness)


def trust_of_fact() -> Any:
    """Of a fact: its own row."""
    return _trust("{published_in}", "{delivery_id}", "{as_of} - {business_date}")


def trust_of_derived(staleness: str, flags: str, rests_on: str) -> Any:
    """Of a derived row: the worst of the publications that `rests_on` (an SQL array) names."""
    return _trust("{published_in}", "{delivery_id}", staleness, flags, rests_on=rests_on)


def trust_of_identifier() -> Any:
    """Of a dated identifier: its own row, which is never stale."""
    return _trust("{published_in}", "{delivery_id}", "null::integer")


def trust_of_version() -> Any:
    """Of one of the versions in a history: its own row; how old it is, the history itself says."""
    return trust_of_identifier()


def trust_of_publication() -> Any:
    """Of a publication: itself."""
    return _trust("{publication_id}", "{delivery_id}", "{as_of} - {business_date_to}")


def trust_of_delivery() -> Any:
    """Of a delivery: what it published; nothing, if it published nothing."""
    rows = _ROWS + "where said.n is not null"
    return _trust("{publication_id}", "{delivery_id}", "{as_of} - {business_date_to}", rows=rows)
