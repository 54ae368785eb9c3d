"""Publishes identifier feeds: dated names of instruments and clients, never moved silently.

A row that names what is another's at that time is quarantined. Identifiers that come along with
positions or prices are `registry`.
"""

from __future__ import annotations

from psycopg import sql

from fulcrum.warehouse.models.base import SINCE_EVER
from fulcrum.warehouse.publishing.identifiers import cusip_of_isin, ticker_scheme, ticker_value
from fulcrum.warehouse.publishing.work import Work

STATED = "name_stated"


def publish_names(work: Work) -> None:
    """Bring the accepted rows into the target: each (entity, scheme, value) gets the periods the file states."""
    _collect(work)
    while _refuse_taken(work):
        _collect(work)
    work.had_current = bool(
        work.number(
            "select count(*) from {table} as t join {stated} as n using ({owner}, scheme, value)"
            " where t.superseded_in is null",
            **_parts(work),
        )
    )
    gone = work.execute(
        """
        update {table} as t set superseded_in = {publication}
         where t.superseded_in is null
           and ({owner}, scheme, value) in (select {owner}, scheme, value from {stated})
           and not exists (select from {stated} as n
                            where (n.{owner}, n.scheme, n.value) = (t.{owner}, t.scheme, t.value)
                              and n.valid_from = t.valid_from and n.valid_to is not distinct from t.valid_to)
        returning t.published_in
        """,
        **_parts(work),
    ).fetchall()
    work.superseded.update(row[0] for row in gone)
    work.rows_superseded += len(gone)
    work.rows_published += work.execute(
        """
        insert into {table} ({owner}, scheme, value, valid_from, valid_to, published_in, delivery_id, source_row)
        select {owner}, scheme, value, valid_from, valid_to, {publication}, {delivery}, source_row from {stated} as n
         where not exists (select from {table} as t where t.superseded_in is null
                              and (n.{owner}, n.scheme, n.value) = (t.{owner}, t.scheme, t.value)
                              and n.valid_from = t.valid_from and n.valid_to is not distinct from t.valid_to)
        """,
        **_parts(work),
    ).rowcount


def _parts(work: Work) -> dict[str, sql.Composable]:
    return {
        "table": sql.Identifier(*work.target.table.split(".")),
        "owner": sql.Identifier(work.target.key[0]),
        "stated": sql.Identifier(STATED),
    }


def _collect(work: Work) -> None:
    """Make `name_stated`: owner, scheme, value, period, source_row, and whether it was only derived."""
    staged = work.staged.columns
    parent = work.resolution.parent(work.target.key[0])
    assert parent is not None, "the owner is part of the key, so the contract names it"
    scheme, value = _normalised(work)
    begin = "s.valid_from" if "valid_from" in staged else "null"
    work.execute("drop table if exists {stated}", **_parts(work))
    work.execute(
        """
        create temporary table {stated} on commit drop as
        with row_wise as (
            select {id} as {owner}, {scheme} as scheme, {value} as value,
                   coalesce({begin}, {ever}) as valid_from, {until} as valid_to, s.source_row
              from {rows} as s {joins} where {accepted}
        )
        select {owner}, scheme, value, valid_from, valid_to, min(source_row) as source_row, false as is_derived
          from row_wise group by 1, 2, 3, 4, 5
        """,
        id=work.resolution.key(parent),
        scheme=scheme,
        value=value,
        begin=sql.SQL(begin + "::date"),
        ever=sql.Literal(SINCE_EVER),
        until=sql.SQL("s.valid_to" if "valid_to" in staged else "null::date"),
        **_parts(work),
    )
    if work.target.name == "core.instrument_identifier":
        _add_derived(work)


def _add_derived(work: Work) -> None:
    """A US or Canadian ISIN also names by its CUSIP, where that is free."""
    work.execute(
        """
        insert into {stated}
        select d.{owner}, 'CUSIP', d.cusip, d.valid_from, d.valid_to, d.source_row, true
          from (select n.*, {cusip} as cusip from {stated} as n where n.scheme = 'ISIN') as d
         where d.cusip is not null
           and not exists (select from {stated} as o where o.scheme = 'CUSIP' and o.value = d.cusip)
           and not exists (select from {table} as t where t.superseded_in is null
                              and t.scheme = 'CUSIP' and t.value = d.cusip)
        """,
        cusip=cusip_of_isin(sql.SQL("n.value")),
        **_parts(work),
    )


def _normalised(work: Work) -> tuple[sql.Composable, sql.Composable]:
    scheme: sql.Composable = sql.SQL("upper(btrim(s.scheme))")
    if work.target.name != "core.instrument_identifier":
        return scheme, sql.SQL("nullif(btrim(s.value), '')")
    told = sql.SQL("nullif(split_part(upper(btrim(s.scheme)), '@', 2), '')")
    market = (
        sql.SQL("coalesce({}, upper(btrim(s.exchange_code)))").format(told)
        if "exchange_code" in work.staged.columns
        else told
    )
    value = sql.SQL(
        "case when {0} like 'TICKER%' then {1} when {0} in ('ISIN', 'CUSIP', 'SEDOL', 'FIGI')"
        " then nullif(upper(btrim(s.value)), '') else nullif(btrim(s.value), '') end"
    ).format(scheme, ticker_value(sql.SQL("s.value")))
    return (
        sql.SQL("case when {0} like 'TICKER%' then coalesce({1}, {0}) else {0} end").format(
            scheme, ticker_scheme(market)
        ),
        value,
    )


def _refuse_taken(work: Work) -> int:
    """Quarantine rows whose identifier names another owner in an overlapping period; returns how many.

    What the file itself gives up counts as free: an old owner's period may end in the same file.
    """
    return work.refuse(
        "publish.identifier_free",
        "value",
        "The identifier already names another owner in this period; it was not moved."
        " State in one file where the old period ends and the new one begins.",
        sql.SQL(
            """
            select distinct on (n.source_row) n.source_row, n.scheme || ' ' || n.value as value
              from {stated} as n
              join (select {owner}, scheme, value, valid_from, valid_to from {stated}
                    union all
                    select {owner}, scheme, value, valid_from, valid_to from {table} as t
                     where t.superseded_in is null
                       and not exists (select from {stated} as k
                                        where (k.{owner}, k.scheme, k.value) = (t.{owner}, t.scheme, t.value))) as x
                on x.scheme = n.scheme and x.value = n.value and x.{owner} <> n.{owner}
               and daterange(x.valid_from, x.valid_to) && daterange(n.valid_from, n.valid_to)
             where not n.is_derived
            """
        ).format(**_parts(work)),
    )
