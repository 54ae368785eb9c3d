"""Says why two sides differ, by the contract's order of classes, and since when; fills `quality.reconciliation_break`.

Finding the differences is `compare.py`, explaining them by another name or day `matches.py`.
"""
# ruff: noqa: S608 see sides.py

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import psycopg

from fulcrum.governance.reconciliation.compare import agree
from fulcrum.governance.reconciliation.contract import BreakClass, Ready
from fulcrum.governance.reconciliation.sides import COLUMNS

Connection = psycopg.Connection[Any]

_SIDED = ", ".join(f"{side}_{column}" for column in COLUMNS for side in "ab")

# A break that the run before has, too, keeps its first day; weekdays, because nobody works on breaks on others.
_STORE = """
insert into quality.reconciliation_break (reconciliation_run_id, name, business_date, break_key, class_code, match_rule,
    severity, state, book_code, instrument_id, other_instrument_id, line_code, key_currency_code, a_lines, b_lines,
    {sided}, differs, difference_of, difference, first_seen, age_days, age_bucket)
select {run}, '{name}', date '{day}', c.break_key, c.class_code, c.match_rule, {severity}, 'open', c.book_code,
       c.instrument, c.other_instrument, c.line, c.currency, c.a_lines, c.b_lines, {sided}, c.differs, c.difference_of,
       c.difference, d.first_seen, d.age_days, {bucket}
  from recon_classed c
  left join (
    select distinct on (break_key) break_key, first_seen from quality.reconciliation_break
     where reconciliation_run_id = {previous} order by break_key, first_seen) before using (break_key)
  cross join lateral (
    select coalesce(before.first_seen, date '{day}') as first_seen,
           (select count(*) filter (where extract(isodow from day) < 6)::int
              from generate_series(coalesce(before.first_seen, date '{day}') + 1, date '{day}', interval '1 day') day)
             as age_days) d
"""


def classify(connection: Connection, ready: Ready) -> None:
    """Fill `recon_classed`: the pairs with their key in words, class and difference."""
    contract = ready.contract
    class_code = _cases(ready)
    compared = [each.column for each in contract.compares]
    differs = ", ".join(
        f"case when a_lines = 0 or b_lines = 0 or not {agree(ready, each, a='a_', b='b_')} then '{each.column}' end"
        for each in contract.compares
    )
    parts = {
        "portfolio": "coalesce(k.book_code, '')",
        "instrument": "i.instrument_code",
        "currency": "coalesce(p.currency, '')",
        "line": "p.line",
    }
    key = " || '/' || ".join(parts[part] for part in contract.keys)
    amounts = [column for column in compared if column != "currency_code"]
    difference = " ".join(
        f"when '{column}' then coalesce(a_{column}, 0) - coalesce(b_{column}, 0)" for column in amounts
    )
    _run(
        connection,
        f"""
        create temporary table recon_classed on commit drop as
        select w.*, case difference_of {difference} end as difference from (
          select v.*, case v.class_code {_of_class(amounts)} else coalesce(
                   (select part from unnest(string_to_array(v.differs, ', ')) part
                     where part <> 'currency_code' limit 1),
                   '{contract.compares[0].column}') end as difference_of
            from (select p.*, k.book_code, {key} as break_key, {class_code} as class_code,
                         concat_ws(', ', {differs}) as differs
                    from recon_pair p left join recon_book k on k.book_no = p.book
                    left join core.instrument i on i.instrument_id = p.instrument) v) w
        """,
    )


def store(connection: Connection, ready: Ready, run_id: int, previous_run_id: int | None, day: dt.date) -> None:
    """Write the breaks of a run."""
    severities = {judged.is_class: judged.severity for judged in ready.contract.classes}
    severity = "case c.class_code " + " ".join(f"when '{k}' then '{v}'" for k, v in severities.items()) + " end"
    _run(
        connection,
        _STORE.format(
            run=run_id,
            name=ready.contract.reconciliation,
            day=day,
            sided=_SIDED,
            severity=severity,
            bucket=_bucket(ready.contract.ageing),
            previous="null" if previous_run_id is None else previous_run_id,
        ),
    )


def _bucket(ends: tuple[int, ...]) -> str:
    """Labels such as `0-1`, `2-5`, `6+`."""
    first, cases = 0, []
    for end in ends:
        cases.append(f"when d.age_days <= {end} then '{first}-{end}'")
        first = end + 1
    return f"case {' '.join(cases)} else '{first}+' end" if cases else f"'{first}+'"


def _cases(ready: Ready) -> str:
    contract = ready.contract
    by_column = {each.column: each for each in contract.compares}
    matches = contract.matches

    def off(*columns: str) -> str:
        named = [f"not {agree(ready, by_column[c], a='a_', b='b_')}" for c in columns if c in by_column]
        return f"({' or '.join(named)})" if named else "false"

    within = [
        agree(ready, each, a="a_", b="b_")
        if each.rounding is None
        else f"({agree(ready, each, a='a_', b='b_')} or {agree(ready, each, by=each.rounding, a='a_', b='b_')})"
        for each in contract.compares
    ]
    conditions = {
        BreakClass.IDENTIFIER: "p.other_instrument is not null",
        BreakClass.TIMING: f"p.match_rule = any('{{{','.join(matches.timing)}}}')",
        BreakClass.MISSING: "a_lines = 0 or b_lines = 0",
        BreakClass.ROUNDING: f"a_lines > 0 and b_lines > 0 and {' and '.join(within)}",
        BreakClass.QUANTITY: off("quantity"),
        BreakClass.FX: off("fx_rate", "currency_code"),
        BreakClass.PRICE: off("price"),
        BreakClass.UNKNOWN: "true",
    }
    cases = " ".join(f"when {conditions[judged.is_class]} then '{judged.is_class}'" for judged in contract.classes)
    return f"case {cases} end"


def _of_class(amounts: Sequence[str]) -> str:
    """Which column tells how large a break of a class is."""
    first = amounts[0] if amounts else ""
    wanted = {
        BreakClass.QUANTITY: "quantity",
        BreakClass.PRICE: "price",
        BreakClass.FX: "fx_rate",
        BreakClass.MISSING: first,
        BreakClass.TIMING: first,
        BreakClass.IDENTIFIER: "value" if "value" in amounts else first,
    }
    return " ".join(f"when '{name}' then '{column}'" for name, column in wanted.items() if column in amounts)


def _run(connection: Connection, statement: str) -> None:
    connection.execute(statement.encode())
