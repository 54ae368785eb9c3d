"""How a number was made: its inputs, each down to publication, file and row.

The SQL that finds the inputs of one kind of number stands with its entity; here is what they share.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from fulcrum.graph.declare import column, group, plain, supplied
from fulcrum.graph.scalars import BigInt


@plain
class ExplanationInput:
    """One row that a number rests on, and where it came from."""

    role: str = column("role", "What it is to the number: holding, price, fx, valuation.")
    source_table: str = column("source_table", "Table of the warehouse that holds it.")
    business_date: dt.date = column("business_date", "Its business date.")
    label: str | None = column("label", "What it says, in words: a currency pair, a price type and source.")
    value: Decimal | None = column("value", "Its value; null where several rows are counted together.")
    currency_code: str | None = column("currency_code", "ISO 4217, where the value is an amount.")
    publication: int = column("publication", "The publication that made it known.")
    known_at: dt.datetime | None = column("known_at", "When Fulcrum knew it.")
    feed: str | None = column("feed", "Feed that said it.")
    verdict: str | None = column("verdict", "Verdict of the gate on its file.")
    file: str | None = column("file_name", "Name of the file as it arrived.")
    sha256: str | None = column("sha256", "SHA-256 of that file.")
    source_row: BigInt | None = column("source_row", "Line of the file, counted from 1, header included.")
    rows: BigInt = column("rows", "How many rows are counted together.")
    override_number: int | None = column(
        "override_id", "The override that it is: people put it in place of a delivered value; null: it is delivered."
    )
    override_says: str | None = column("override_says", "By whom it was asked for and approved, why and until when.")


@plain
class Explanation:
    """The calculation of a number and its inputs."""

    calculation: str | None = supplied("The calculation with its numbers.")
    inputs: list[ExplanationInput] = supplied("The rows that it rests on.")


_TRACED = """
select i.role, i.source_table, i.business_date, i.label, i.value, i.currency_code, i.published_in as publication,
  p.known_at, p.feed, p.verdict, d.file_name, d.sha256, i.source_row, i.rows, o.override_id,
  o.asked_by || ', approved by ' || o.decided_by || ', to ' || coalesce(o.last_date, o.end_date) || ': '
    || o.reason_code || ', ' || o.reason as override_says
from (INPUTS) i
left join governance.publication p on p.publication_id = i.published_in
left join governance.delivery d on d.delivery_id = i.delivery_id
left join quality.override o on d.feed in ('override_prices', 'override_fx_rates')
  and o.override_id::text = d.parameters ->> 'override_id'
order by i.role, i.label, i.published_in, i.source_row
"""


def explained(calculation: str, *inputs: str, shows: tuple[str, ...] = (), rests_on: str | None = None) -> Any:
    """The field `explain`: a text expression, and selects of `input_row` columns.

    `shows` names columns of other tables than the entity's own that the inputs give. `rests_on` is an array of the
    publications that the number rests on, for objects that have no `trust`.
    """
    traced = _TRACED.replace("INPUTS", "\nunion all\n".join(inputs))
    said = "How this was made, down to the rows of files."
    return group(said, shows=shows, rests_on=rests_on, calculation=calculation, inputs=traced)


def input_row(role: str, table: str, *, label: str, value: str, currency: str, where: str) -> str:
    """A select of single rows of `table` (alias x) as inputs."""
    return (
        f"select '{role}' as role, '{table}' as source_table, x.business_date, {label} as label,"
        f" {value} as value, {currency} as currency_code, x.published_in, x.delivery_id, x.source_row,"
        f" 1::bigint as rows from {table} x where {where}"
    )


def own_row(role: str, *, table: str, label: str, value: str, currency: str) -> str:
    """The surrounding row itself as its only input."""
    return (
        f"select '{role}' as role, '{table}' as source_table, {{business_date}} as business_date, {label} as label,"
        f" {value} as value, {currency} as currency_code, {{published_in}} as published_in,"
        " {delivery_id} as delivery_id, {source_row} as source_row, 1::bigint as rows"
    )
