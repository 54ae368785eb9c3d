"""Reconciliation: which sources were compared, and where they differ, side by side.

All of it needs the permission `quality`; what people did about a break stands in its exception (`desk.py`).
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
from fulcrum.warehouse.models import reconciliation

if TYPE_CHECKING:
    from schemas.entities.desk import QualityException
    from schemas.entities.instrument import Instrument
    from schemas.entities.publication import Publication

# They change between publications, so they are shown as they stand now, whatever `knownAt` says.
_ALWAYS = "true"


@entity(
    Log(
        reconciliation.ReconciliationRun,
        key="reconciliation_run_id",
        known=_ALWAYS,
        order=("-reconciliation_run_id",),
    ),
    needs=Permission.QUALITY,
)
class ReconciliationRun(Node):
    """One comparison of two sources for a business date."""

    number: int = column("reconciliation_run_id", "Its number.", is_filterable=True)
    name: str = column("name", "What was compared with what.", is_filterable=True, is_dimension=True)
    version: int = column("version", "Version of the contract.")
    owner: str = column("owner", "Who answers for it.", is_filterable=True, is_dimension=True)
    business_date: dt.date = column("business_date", "The date compared.", is_filterable=True, is_sortable=True)
    a_name: str = column("a_name", "What side A is.")
    b_name: str = column("b_name", "What side B is.")
    a_rows: BigInt = column("a_rows", "Lines of side A.")
    b_rows: BigInt = column("b_rows", "Lines of side B.")
    breaks_found: BigInt = column("breaks", "How many keys differ.")
    status: str = column(
        "status", "agreed, broken; not_run: a side has no rows.", is_filterable=True, is_dimension=True
    )
    message: str = column("message", "What it says.")
    started_at: dt.datetime = column("started_at", "When it began.")
    finished_at: dt.datetime = column("finished_at", "When it ended.", is_filterable=True)
    publication: Publication | None = relation(
        "The newest publication that it saw.", on={"publication_id": "publication_id"}
    )
    breaks: Connection[ReconciliationBreak] = relation(
        "Where the sides differ.", on={"reconciliation_run_id": "reconciliation_run_id"}, at=At.ANY
    )


@entity(
    Log(
        reconciliation.ReconciliationBreak,
        key="reconciliation_break_id",
        known=_ALWAYS,
        order=("-reconciliation_break_id",),
    ),
    needs=Permission.QUALITY,
)
class ReconciliationBreak(Node):
    """A key on which two sources differ; shown to callers who see the whole house."""

    name: str = column("name", "What was compared with what.", is_filterable=True, is_dimension=True)
    business_date: dt.date = column("business_date", "The date compared.", is_filterable=True, is_sortable=True)
    break_key: str = column("break_key", "Codes of its keys, joined by slashes.", is_filterable=True)
    class_code: str = column(
        "class_code",
        "missing, quantity, price, fx, timing, identifier, rounding or unknown.",
        is_filterable=True,
        is_dimension=True,
    )
    match_rule: str | None = column(
        "match_rule", "The rule that found its counterpart.", is_filterable=True, is_dimension=True
    )
    severity: str = column("severity", "critical, warning or info.", is_filterable=True, is_dimension=True)
    state: str = column(
        "state",
        "open; continued: a later run still has it; healed: a later run has it no more.",
        is_filterable=True,
        is_dimension=True,
    )
    portfolio_code: str | None = column("book_code", "The portfolio, as both sides call it.", is_filterable=True)
    line_code: str | None = column("line_code", "The line, where lines are compared one by one.")
    key_currency_code: str | None = column("key_currency_code", "The currency, where it is a key.", is_filterable=True)
    a_lines: BigInt = column("a_lines", "Lines netted on side A; 0: it lacks the key.")
    b_lines: BigInt = column("b_lines", "Lines netted on side B; 0: it lacks the key.")
    a_quantity: Decimal | None = column("a_quantity", "Quantity on side A.")
    b_quantity: Decimal | None = column("b_quantity", "Quantity on side B.")
    a_price: Decimal | None = column("a_price", "Price on side A.")
    b_price: Decimal | None = column("b_price", "Price on side B.")
    a_fx_rate: Decimal | None = column("a_fx_rate", "Exchange rate on side A.")
    b_fx_rate: Decimal | None = column("b_fx_rate", "Exchange rate on side B.")
    a_value: Decimal | None = column("a_value", "Value on side A.")
    b_value: Decimal | None = column("b_value", "Value on side B.")
    a_currency_code: str | None = column("a_currency_code", "Currency on side A.")
    b_currency_code: str | None = column("b_currency_code", "Currency on side B.")
    differs: str = column("differs", "What is beyond its tolerance, joined by commas.")
    difference_of: str = column("difference_of", "What `difference` is of.", is_filterable=True, is_dimension=True)
    difference: Decimal | None = column("difference", "Side A minus side B; what is lacking counts as 0.")
    first_seen: dt.date = column("first_seen", "Since which business date it stands.", is_filterable=True)
    age_days: int = column("age_days", "Weekdays since then.", is_filterable=True, is_sortable=True)
    age_bucket: str = column("age_bucket", "Its age in the contract's steps.", is_filterable=True, is_dimension=True)
    run: ReconciliationRun | None = relation(
        "The run that found it.", on={"reconciliation_run_id": "reconciliation_run_id"}, at=At.ANY
    )
    instrument: Instrument | None = relation("The instrument.", on={"instrument_id": "instrument_id"})
    other_instrument: Instrument | None = relation(
        "What side B calls it, where the names differ.", on={"instrument_id": "other_instrument_id"}
    )
    exception: QualityException | None = relation(
        "The finding on which people work.", on={"exception_id": "exception_id"}, at=At.ANY
    )
