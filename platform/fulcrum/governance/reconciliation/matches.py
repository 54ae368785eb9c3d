"""Finds the counterpart of what agrees with nothing at first sight: another name, another day, an unsettled trade.

What is found stays a break, of the class `identifier` or `timing`, with the rule that explains it.
"""
# ruff: noqa: S608 see sides.py

from __future__ import annotations

import datetime as dt
from typing import Any

import psycopg

from fulcrum.governance.reconciliation.compare import agree
from fulcrum.governance.reconciliation.contract import Ready
from fulcrum.governance.reconciliation.sides import COLUMNS, Sided

Connection = psycopg.Connection[Any]

# A US or Canadian ISIN contains the CUSIP, a British or Irish one the SEDOL.
_NAMES = """
select distinct n.instrument_id, t.scheme, t.value
  from core.instrument_identifier n,
       lateral (values (n.scheme, n.value),
           (case when n.scheme = 'ISIN' and n.value ~ '^(US|CA)' then 'CUSIP' end, substr(n.value, 3, 9)),
           (case when n.scheme = 'ISIN' and n.value ~ '^(GB|IE)' then 'SEDOL' end, substr(n.value, 5, 7)))
           t (scheme, value)
 where n.published_in <= {version} and t.scheme is not null
   and n.instrument_id in (select instrument from recon_pair where a_lines = 0 or b_lines = 0)
"""
_CANDIDATES = {
    "shared_identifier": """
        select a.pair_no as a_no, b.pair_no as b_no
          from recon_pair a join recon_name x on x.instrument_id = a.instrument
          join recon_name y on y.scheme = x.scheme and y.value = x.value and y.instrument_id <> x.instrument_id
          join recon_pair b on b.instrument = y.instrument_id and {same_book}
         where a.b_lines = 0 and b.a_lines = 0 group by 1, 2""",
    "quantity_and_value": """
        select a.pair_no as a_no, b.pair_no as b_no
          from recon_pair a join recon_pair b on {same_book} and b.b_quantity = a.a_quantity
         where a.b_lines = 0 and b.a_lines = 0 and a.a_quantity <> 0 and {same_values}""",
}
_MERGE = """
with one as (
    select a_no, b_no
      from (select *, count(*) over (partition by a_no) as of_a, count(*) over (partition by b_no) as of_b
              from ({candidates}) c) counted
     where of_a = 1 and of_b = 1),
gone as (delete from recon_pair b using one where b.pair_no = one.b_no returning b.*)
update recon_pair a set other_instrument = b.instrument, match_rule = '{rule}', b_lines = b.b_lines, {values}
  from one join gone b on b.pair_no = one.b_no where a.pair_no = one.a_no
"""


def match_identifiers(connection: Connection, ready: Ready, a: Sided, version: int) -> None:
    """Merge what A alone has with what B alone has, one to one, where both are one thing under two names."""
    contract = ready.contract
    if not contract.matches.identifier or "instrument" not in contract.keys:
        return
    _run(connection, f"create temporary table recon_name on commit drop as {_NAMES.format(version=version)}")
    _run(connection, "analyze recon_name")
    others = [key for key in a.keys if key != "instrument"]
    same_book = " and ".join(f"a.{key} = b.{key}" for key in others) or "true"
    amounts = [each for each in contract.compares if each.column in ("value", "price", "currency_code")]
    same_values = " and ".join(agree(ready, each, a="a.a_", b="b.b_") for each in amounts) or "true"
    values = ", ".join(f"b_{column} = b.b_{column}" for column in COLUMNS)
    for rule in contract.matches.identifier:
        candidates = _CANDIDATES[rule].format(same_book=same_book, same_values=same_values)
        _run(connection, _MERGE.format(candidates=candidates, rule=rule, values=values))


def match_timing(connection: Connection, ready: Ready, a: Sided, b: Sided, day: dt.date) -> None:
    """Mark what the other side says on a neighbouring business date, or what an unsettled trade explains."""
    matches = ready.contract.matches
    if not matches.timing:
        return
    reach = int(ready.number(matches.neighbour_days)) if matches.neighbour_days else 0
    before = _neighbour(connection, a, b, day, [-n for n in range(1, reach + 1)])
    after = _neighbour(connection, a, b, day, list(range(1, reach + 1)))
    _near(connection, a, b, {"before": before, "after": after})
    column, anchor = ready.contract.anchor, ready.contract.compares[0]
    now = f"not {agree(ready, anchor, a='p.a_', b='p.b_')}"
    for rule in matches.timing:
        if rule == "next_date" and after is not None:
            for late, early in (("a", "b"), ("b", "a")):
                _mark(connection, rule, f"{now} and {_caught_up(column, late, early, has_before=before is not None)}")
        elif rule == "previous_date" and before is not None:
            for late, early in (("a", "b"), ("b", "a")):
                _mark(connection, rule, f"{now} and {_behind(column, late, early)}")
        elif rule == "trades" and column == "quantity" and "portfolio" in ready.contract.keys:
            _mark_trades(connection, ready, (a, b), day, before or day - dt.timedelta(days=1))


def _caught_up(column: str, late: str, early: str, *, has_before: bool) -> str:
    """The late side stands still today and says on the next date what the early side says today."""
    said, today = _amount(f"after_{late}", column), f"coalesce(p.{early}_{column}, 0)"
    still = f"and {_amount(f'before_{late}', column)} = coalesce(p.{late}_{column}, 0)" if has_before else ""
    return f"p.has_after_{late} and {said} = {today} {still}"


def _behind(column: str, late: str, early: str) -> str:
    """The late side says today what the early side said on the date before, and the early one has moved."""
    said, today = _amount(f"before_{early}", column), f"coalesce(p.{late}_{column}, 0)"
    return f"p.has_before_{early} and {said} = {today} and {said} <> coalesce(p.{early}_{column}, 0) and {today} <> 0"


def _amount(near: str, column: str) -> str:
    return f"coalesce(p.{near}_{column}, 0)"


def _neighbour(connection: Connection, a: Sided, b: Sided, day: dt.date, steps: list[int]) -> dt.date | None:
    """The nearest date on which both sides have rows."""
    for step in steps:
        near = day + dt.timedelta(days=step)
        found = [connection.execute(f"select exists ({one.lines(near)} limit 1)".encode()).fetchone() for one in (a, b)]
        if all(row and row[0] for row in found):
            return near
    return None


def _near(connection: Connection, a: Sided, b: Sided, dates: dict[str, dt.date | None]) -> None:
    """`recon_near`: the pairs with what both sides said of them on the neighbouring dates."""
    joins, columns = [], []
    for when, day in dates.items():
        for one in (a, b) if day is not None else ():
            assert day is not None
            name = f"{when}_{one.letter}"
            keys = " and ".join(f"n.{key} = {{{key}}}" for key in one.keys)
            query = one.netted(day, among=f" join recon_pair n on {keys}", more="n.pair_no")
            _run(connection, f"create temporary table recon_{name} on commit drop as {query}")
            joins.append(f" left join recon_{name} {name} on {name}.pair_no = p.pair_no")
            columns += [f"{name}.{column} as {name}_{column}" for column in COLUMNS]
            columns.append(f"{_has_book(one, day)} as has_{name}")
    chosen = ", ".join(["p.*", *columns])
    _run(
        connection,
        f"create temporary table recon_near on commit drop as select {chosen} from recon_pair p{''.join(joins)}",
    )


def _has_book(one: Sided, day: dt.date) -> str:
    """SQL: the side has the pair's portfolio on that date at all."""
    if not one.table.has_portfolio:
        return "true"
    return (
        f"exists (select from {one.side.table} r join recon_book_{one.letter} k on k.portfolio_id = r.portfolio_id"
        f" where k.book_no = p.book and r.business_date = date '{day}'"
        f" and r.published_in <= {one.version} and (r.superseded_in is null or r.superseded_in > {one.version}))"
    )


def _mark(connection: Connection, rule: str, condition: str) -> None:
    _run(
        connection,
        f"update recon_pair t set match_rule = '{rule}' from recon_near p"
        f" where t.pair_no = p.pair_no and t.match_rule is null and t.other_instrument is null and {condition}",
    )


def _mark_trades(
    connection: Connection, ready: Ready, sides: tuple[Sided, Sided], day: dt.date, before: dt.date
) -> None:
    """The difference is what either side traded since the date before, or traded and has not settled."""
    days = int(ready.number(ready.contract.matches.settlement_days))
    by_side = " union all ".join(
        f"""select k.book_no, '{one.letter}' as side, r.instrument_id,
                   sum(case r.transaction_kind_code when 'BUY' then abs(r.quantity)
                            when 'SELL' then -abs(r.quantity) else r.quantity end) as quantity
              from core.transaction r join recon_book_{one.letter} k on k.portfolio_id = r.portfolio_id
             where r.business_date between date '{day}' - {days} and date '{day}'
               and (r.business_date > date '{before}' or r.settlement_date > date '{day}')
               and r.published_in <= {one.version} and (r.superseded_in is null or r.superseded_in > {one.version})
             group by 1, 2, 3"""
        for one in sides
    )
    _run(
        connection,
        f"update recon_pair p set match_rule = 'trades' from ({by_side}) t"
        " where p.match_rule is null and t.book_no = p.book and t.instrument_id = p.instrument and t.quantity <> 0"
        " and abs(coalesce(p.a_quantity, 0) - coalesce(p.b_quantity, 0)) = abs(t.quantity)",
    )


def _run(connection: Connection, statement: str) -> None:
    connection.execute(statement.encode())
