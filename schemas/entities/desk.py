"""The quality desk: what the gate measured and refused, what is open, and what was permitted in spite of it.

All of it needs the permission `quality`; moves and decisions are mutations, which stand in `mutation.py`.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING

from fulcrum.entitlements.rights import Permission
from fulcrum.graph.declare import At, column, entity, relation
from fulcrum.graph.relay import Connection, Node
from fulcrum.graph.scalars import BigInt
from fulcrum.graph.sources import Log
from fulcrum.warehouse.models import desk, quality
from schemas.entities.reach import SEES_ALL, OverrideReach, reached

if TYPE_CHECKING:
    from schemas.entities.instrument import Instrument
    from schemas.entities.publication import Delivery, Publication

# They change between publications, so they are shown as they stand now, whatever `knownAt` says.
_ALWAYS = "true"
# As rows in quarantine, which row-level security shows to the same callers.
_LINES = f"""
case when {{result}} ? 'rows' and {SEES_ALL}
  then array(select l.line::bigint from jsonb_array_elements_text({{result}} -> 'rows') with ordinality l (line, place)
             order by l.place) end
"""
_SEVERITY = "critical, warning or info."


@entity(
    Log(quality.Validation, key="validation_id", known=_ALWAYS, order=("-validation_id",)), needs=Permission.QUALITY
)
class Validation(Node):
    """One run of rules: of the gate on a delivery, or on a schedule about what no file told."""

    number: int = column("validation_id", "Its number.", is_filterable=True)
    suite_name: str = column("suite_name", "The rules that it ran.", is_filterable=True, is_dimension=True)
    started_at: dt.datetime = column("started_at", "When it began.")
    finished_at: dt.datetime = column("finished_at", "When it ended.", is_filterable=True)
    verdict: str = column(
        "verdict", "passed, warned, waived, blocked or broken.", is_filterable=True, is_dimension=True
    )
    subject: str | None = column("subject", "What was judged where no file was: a feed or a table.", is_filterable=True)
    business_date: dt.date | None = column("business_date", "The business date that was judged.", is_filterable=True)
    rows_judged: BigInt = column("rows_judged", "Rows that it judged.")
    engine_version: str = column("engine_version", "Great Expectations, which measured.")
    delivery: Delivery | None = relation("What it judged.", on={"delivery_id": "delivery_id"}, at=At.ANY)
    results: list[RuleResult] = relation(
        "What each rule measured.", on={"validation_id": "validation_id"}, order=("severity", "rule_id"), at=At.ANY
    )


@entity(
    Log(quality.ValidationResult, key="rule_id", known=_ALWAYS, order=("-validation_id", "rule_id")),
    needs=Permission.QUALITY,
)
class RuleResult:
    """What one rule measured; `not_run` and `broken` are never `passed`."""

    rule_id: str = column("rule_id", "The rule.", is_filterable=True, is_dimension=True)
    rule_version: int = column("rule_version", "Its version.")
    dimension: str = column("dimension", "Its dimension, as ODCS names them.", is_filterable=True, is_dimension=True)
    severity: str = column("severity", _SEVERITY, is_filterable=True, is_dimension=True)
    level: str = column("level", "row or set.", is_filterable=True)
    owner: str = column("owner", "Who answers for the rule.", is_filterable=True, is_dimension=True)
    status: str = column("status", "passed, failed, broken or not_run.", is_filterable=True, is_dimension=True)
    measured: Decimal | None = column("measured", "What was measured, in `unit`.")
    threshold: Decimal | None = column("threshold", "What it was compared with, in `unit`.")
    unit: str | None = column("unit", "Unit of both.")
    rows_failed: BigInt | None = column("rows_failed", "Rows that failed a rule on rows.")
    message: str = column("message", "What it says.")
    lines: list[int] | None = column(
        description=(
            "Lines of the file that a failed warning found, or a critical rule under a waiver: the first 100."
            " Null: none are kept, or the caller does not see the whole house."
        ),
        sql=_LINES,
    )
    validation: Validation | None = relation("The run.", on={"validation_id": "validation_id"}, at=At.ANY)


@entity(
    Log(quality.QuarantinedRow, key="quarantined_row_id", known=_ALWAYS, order=("-quarantined_row_id",)),
    needs=Permission.QUALITY,
)
class QuarantinedRow(Node):
    """A row, or a cell of it, that was refused; shown to callers who see the whole house."""

    source_row: BigInt = column("source_row", "Line of the file, counted from 1, header included.")
    rule_id: str = column("rule_id", "The rule that refused it.", is_filterable=True, is_dimension=True)
    column_name: str | None = column("column_name", "The column that was wrong.", is_filterable=True)
    message: str = column("message", "What was wrong.")
    delivery: Delivery | None = relation("The file.", on={"delivery_id": "delivery_id"}, at=At.ANY)


@entity(Log(desk.DeskException, key="exception_id", known=_ALWAYS, order=("-exception_id",)), needs=Permission.QUALITY)
class QualityException(Node):
    """A finding on one rule and one subject: it closes when it is healed and opens again when it returns."""

    number: int = column("exception_id", "Its number.", is_filterable=True)
    rule_id: str = column("rule_id", "The rule.", is_filterable=True, is_dimension=True)
    subject: str = column("subject", "What it is about.", is_filterable=True)
    feed: str | None = column("feed", "The feed that it came with.", is_filterable=True, is_dimension=True)
    severity: str = column("severity", _SEVERITY, is_filterable=True, is_dimension=True, is_sortable=True)
    state: str = column(
        "state", "open, acknowledged, assigned, resolved or reopened.", is_filterable=True, is_dimension=True
    )
    message: str = column("message", "What the rule said last.")
    measured: Decimal | None = column("measured", "What was measured last, in `unit`.")
    threshold: Decimal | None = column("threshold", "What it was compared with, in `unit`.")
    unit: str | None = column("unit", "Unit of both.")
    rows_failed: BigInt | None = column("rows_failed", "Rows that failed a rule on rows.")
    owner_name: str | None = column("owner_name", "Who works on it.", is_filterable=True, is_dimension=True)
    due_date: dt.date = column("due_date", "Last day on time.", is_filterable=True, is_sortable=True)
    is_overdue: bool = column(
        description="Whether it is open and late today.", sql="{state} <> 'resolved' and {due_date} < current_date"
    )
    reason_code: str | None = column("reason_code", "Why it was resolved.", is_filterable=True, is_dimension=True)
    opened_at: dt.datetime = column("opened_at", "When it was found first.", is_filterable=True)
    last_seen_at: dt.datetime = column("last_seen_at", "When it was found last.")
    resolved_at: dt.datetime | None = column("resolved_at", "When it was resolved; null: it is open.")
    occurrences: int = column("occurrences", "How often it was found.")
    business_date: dt.date | None = column("business_date", "Last business date on which it was found.")
    delivery: Delivery | None = relation("The last file with it.", on={"delivery_id": "delivery_id"}, at=At.ANY)
    publication: Publication | None = relation(
        "The publication that carries it, if it did not block.", on={"publication_id": "publication_id"}
    )
    history: list[ExceptionEvent] = relation(
        "All that happened to it, oldest first.",
        on={"exception_id": "exception_id"},
        order=("exception_event_id",),
        at=At.ANY,
    )
    waivers: Connection[Waiver] = relation(
        "Waivers that were asked for because of it.", on={"exception_id": "exception_id"}, at=At.ANY
    )
    overrides: Connection[Override] = relation(
        "Overrides that were asked for because of it.", on={"exception_id": "exception_id"}, at=At.ANY
    )


@entity(
    Log(desk.ExceptionEvent, key="exception_event_id", known=_ALWAYS, order=("exception_event_id",)),
    needs=Permission.QUALITY,
)
class ExceptionEvent:
    """One move of an exception."""

    at: dt.datetime = column("at", "When.")
    actor_name: str = column("actor_name", "Who; `fulcrum` for what happens by itself.")
    move: str = column("move", "find, find_again, heal, acknowledge, assign, comment, resolve or reopen.")
    from_state: str | None = column("from_state", "State before; null: there was none.")
    to_state: str = column("to_state", "State after.")
    owner_name: str | None = column("owner_name", "To whom it was assigned.")
    reason_code: str | None = column("reason_code", "Why it was resolved.")
    comment: str | None = column("comment", "What was said.")


@entity(Log(desk.Waiver, key="waiver_id", known=_ALWAYS, order=("-waiver_id",)), needs=Permission.QUALITY)
class Waiver(Node):
    """Permission to publish in spite of a critical rule, for a feed and a period: one asks, another decides."""

    number: int = column("waiver_id", "Its number.", is_filterable=True)
    rule_id: str = column("rule_id", "The rule that may fail.", is_filterable=True, is_dimension=True)
    feed: str = column("feed", "The feed that it covers.", is_filterable=True, is_dimension=True)
    begin_date: dt.date = column("begin_date", "First business date that it covers.", is_filterable=True)
    end_date: dt.date = column("end_date", "Last business date that it covers.", is_filterable=True)
    reason: str = column("reason", "Why it was asked for.")
    state: str = column("state", "asked, approved, refused, withdrawn or ended.", is_filterable=True, is_dimension=True)
    asked_by: str = column("asked_by", "Who asked.", is_filterable=True)
    asked_at: dt.datetime = column("asked_at", "When.")
    decided_by: str | None = column("decided_by", "Who decided; never who asked.")
    decided_at: dt.datetime | None = column("decided_at", "When it was decided.")
    decision_comment: str | None = column("decision_comment", "What was said with the decision.")
    ended_by: str | None = column("ended_by", "Who ended it early; never who asked.")
    ended_at: dt.datetime | None = column("ended_at", "When it was ended.")
    end_comment: str | None = column("end_comment", "Why it was ended.")
    exception: QualityException | None = relation(
        "The finding because of which it was asked for.", on={"exception_id": "exception_id"}, at=At.ANY
    )


@entity(Log(desk.Override, key="override_id", known=_ALWAYS, order=("-override_id",)), needs=Permission.QUALITY)
class Override(Node):
    """A value in place of a delivered one, for a period: one asks, another decides; then delivered like any file."""

    number: int = column("override_id", "Its number.", is_filterable=True)
    target: str = column("target", "core.price or core.fx_rate.", is_filterable=True, is_dimension=True)
    subject_key: str = column("subject_key", "What it is of, in one word.", is_filterable=True)
    instrument: Instrument | None = relation(
        "The instrument whose price it is.", on={"instrument_code": "{subject} ->> 'instrument_code'"}
    )
    base_currency_code: str | None = column(
        description="ISO 4217, of a rate.", sql="{subject} ->> 'base_currency_code'"
    )
    quote_currency_code: str | None = column(
        description="ISO 4217, of a rate.", sql="{subject} ->> 'quote_currency_code'"
    )
    value: Decimal = column("value", "A price as quoted, or units of the quote currency for one of the base currency.")
    currency_code: str | None = column("currency_code", "ISO 4217, of a price.")
    quote_unit_code: str | None = column("quote_unit_code", "UNIT, MINOR or PER_100; null: as it is quoted.")
    begin_date: dt.date = column("begin_date", "First business date that it stands for.", is_filterable=True)
    end_date: dt.date = column("end_date", "Last business date that it was asked for.", is_filterable=True)
    reason_code: str = column("reason_code", "Why, in one word.", is_filterable=True, is_dimension=True)
    reason: str = column("reason", "Why it was asked for.")
    state: str = column("state", "asked, approved, refused, withdrawn or ended.", is_filterable=True, is_dimension=True)
    asked_by: str = column("asked_by", "Who asked.", is_filterable=True)
    asked_at: dt.datetime = column("asked_at", "When.")
    decided_by: str | None = column("decided_by", "Who decided; never who asked.")
    decided_at: dt.datetime | None = column("decided_at", "When it was decided.")
    decision_comment: str | None = column("decision_comment", "What was said with the decision.")
    last_date: dt.date | None = column("last_date", "Ended early: the last business date that it still stands for.")
    ended_by: str | None = column("ended_by", "Who ended it early; never who asked.")
    ended_at: dt.datetime | None = column("ended_at", "When it was ended.")
    end_comment: str | None = column("end_comment", "Why it was ended.")
    reach: Connection[OverrideReach] = reached()
    is_reach_complete: bool = column(
        description="Whether you see the whole house; else it may reach portfolios that you do not see.", sql=SEES_ALL
    )
    exception: QualityException | None = relation(
        "The finding because of which it was asked for.", on={"exception_id": "exception_id"}, at=At.ANY
    )
    delivery: Delivery | None = relation(
        "The newest delivery that brought it into the warehouse.", on={"delivery_id": "delivery_id"}, at=At.ANY
    )
