"""First versions of parents that only a fact file mentions, from the attributes which that file carries.

They hold until a reference feed states the entity; a date that some version covers is never touched.
"""

from __future__ import annotations

from psycopg import sql

from fulcrum.warehouse.models import Base
from fulcrum.warehouse.publishing.parents import Parent
from fulcrum.warehouse.publishing.work import Work
from fulcrum.warehouse.targets import BOOKKEEPING

_NEVER = {"is_provisional", "lei", "isin"}
"""Not taken over: staging's `lei` and `isin` are the instrument's, also in a row that names a portfolio."""

_DEFAULTS = {"quote_unit_code": sql.SQL("'UNIT'"), "contract_size": sql.SQL("1")}
_QUOTED_IN = {
    "core.holding": ("quote_currency_code", "currency_code"),
    "core.price": ("currency_code",),
}
"""Staging columns that tell the currency an instrument is quoted in; others tell another currency."""


def add_missing_versions(work: Work, parent: Parent) -> None:
    """Give each parent of the map a provisional version from its first date, if none holds or held then.

    The version ends where the next one begins, so an older file fills in the time before.
    """
    if not _lacks_version(work, parent):
        return
    columns = _attributes(work, parent)
    names = sql.SQL("").join(sql.SQL(", {}").format(sql.Identifier(name)) for name in columns)
    values = sql.SQL("").join(sql.SQL(", {}").format(value) for value in columns.values())
    added = work.execute(
        """
        insert into {versions}
               ({key}, valid_from, valid_to, published_in, delivery_id, source_row, is_provisional {names})
        select distinct on (f.{key}) f.{key}, f.date_from, f.next_from, {publication}, {delivery}, f.source_row, true
               {values}
          from (select distinct on (m.{key}) m.{key}, m.date_from, m.source_row,
                       (select min(v.valid_from) from {versions} as v where v.{key} = m.{key}
                           and v.superseded_in is null and v.valid_from > m.date_from) as next_from
                  from {map} as m
                 where m.{key} is not null
                   and not exists (select from {versions} as v where v.{key} = m.{key}
                                      and v.superseded_in is null and v.valid_from <= m.date_from)
                 order by m.{key}, m.date_from, m.source_row) as f
          join {rows} as s on s.source_row = f.source_row
         order by f.{key}
        """,
        versions=sql.Identifier("core", f"{parent.entity}_version"),
        key=sql.Identifier(parent.id_column),
        map=parent.map,
        names=names,
        values=values,
    ).rowcount
    work.rows_registered += added


def _lacks_version(work: Work, parent: Parent) -> bool:
    return bool(
        work.number(
            """
            select count(*) from {map} as m
             where m.{key} is not null
               and not exists (select from {versions} as v where v.{key} = m.{key}
                                  and v.superseded_in is null and v.valid_from <= m.date_from)
            """,
            versions=sql.Identifier("core", f"{parent.entity}_version"),
            key=sql.Identifier(parent.id_column),
            map=parent.map,
        )
    )


def _attributes(work: Work, parent: Parent) -> dict[str, sql.Composable]:
    """Columns of the version that the file carries, and where from."""
    staged = work.staged.columns
    found: dict[str, sql.Composable] = {}
    for column in (item.name for item in Base.metadata.tables[f"core.{parent.entity}_version"].columns):
        if column in BOOKKEEPING or column in _NEVER or column.endswith("_id"):
            continue
        if parent.is_instrument and column == "currency_code":
            told = [name for name in _QUOTED_IN.get(work.target.name, ()) if name in staged]
            if told:
                found[column] = sql.SQL("coalesce({})").format(
                    sql.SQL(", ").join(sql.Identifier("s", name) for name in told)
                )
        elif column in staged:
            value: sql.Composable = sql.Identifier("s", column)
            found[column] = (
                sql.SQL("coalesce({}, {})").format(value, _DEFAULTS[column]) if column in _DEFAULTS else value
            )
    if parent.is_instrument and "lei" in staged:
        found["issuer_id"] = sql.SQL(
            "(select min(i.issuer_id) from core.issuer_version as i where i.lei = s.lei and i.superseded_in is null)"
        )
    return found
