"""Which current rows a snapshot may not close: those that a refused row of the same file may speak of.

A row that was refused says nothing that can be published, but it was sent: what it restates is unknown, not gone. What
a snapshot left out altogether is `facts`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from psycopg import sql

from fulcrum.warehouse.publishing.lookup import collect, look_up
from fulcrum.warehouse.publishing.parents import Resolution, parents_of, table_of
from fulcrum.warehouse.publishing.work import Work

_KEYS = sql.Identifier("withheld_key")


@dataclass(frozen=True)
class _RefusedRows:
    table: str
    columns: tuple[str, ...]
    business_dates: tuple[dt.date, dt.date] | tuple[None, None]


def keep(work: Work, change: sql.Identifier, key_of: Callable[[Work], Mapping[str, sql.Composable]]) -> int:
    """Take out of `change` the closing of rows that a refused row may restate; returns how many stay.

    `key_of` gives the target's key as expressions on the rows of a delivery. A part of the key that a
    refused row does not tell fits every row; where nothing of a refused row could be read, every closing is taken out.
    """
    unread = work.number(
        "select count(*) from quality.quarantined_row as q where q.delivery_id = {delivery}"
        " and not exists (select from {rows} as s where s.source_row = q.source_row)"
    )
    if unread:
        return _tell(work, work.execute("delete from {change} where not is_new", change=change).rowcount)
    refused = _refused_rows(work)
    columns = key_of(refused)
    _collect_keys(refused, columns)
    names = tuple(columns)
    masks = work.execute(
        "select distinct {masks} from {keys}",
        masks=sql.SQL(", ").join(sql.SQL("{} is null").format(sql.Identifier(name)) for name in names),
        keys=_KEYS,
    ).fetchall()
    kept = 0
    for mask in masks:  # one join on what is told for each set of parts that is not
        conditions = [
            sql.SQL("w.{0} is null" if is_unknown else "w.{0} = c.{0}").format(sql.Identifier(name))
            for name, is_unknown in zip(names, mask, strict=True)
        ]
        kept += work.execute(
            "delete from {change} as c using {keys} as w where not c.is_new and {same}",
            change=change,
            keys=_KEYS,
            same=sql.SQL(" and ").join(conditions),
        ).rowcount
    for table in (refused.staged.table, *(parent.map_table for parent in refused.resolution.parents)):
        work.execute("drop table {table}", table=table_of(table))
    return _tell(work, kept)


def _refused_rows(work: Work) -> Work:
    """The same delivery with the refused rows in place of all, and their parents looked up."""
    staged = _RefusedRows(f"{work.staged.table}_refused", tuple(work.staged.columns), work.staged.business_dates)
    refused = table_of(staged.table)
    work.execute("drop table if exists {refused}", refused=refused)
    work.execute(
        "create unlogged table {refused} as select s.* from {rows} as s where not ({accepted})", refused=refused
    )
    work.execute("analyze {refused}", refused=refused)
    resolution = Resolution(staged.table, parents_of(work.contract, staged))
    collect(work.connection, work.contract, staged, resolution, sql.SQL("true"))
    look_up(work.connection, work.contract, staged, resolution, sql.SQL("true"))
    return replace(work, staged=staged, resolution=resolution, has_refused=False)


def _collect_keys(refused: Work, columns: Mapping[str, sql.Composable]) -> None:
    """The distinct keys of refused rows; those that name what nobody has yet restate nothing."""
    news = [
        sql.SQL("not ({alias}.is_known and {key} is null)").format(
            alias=sql.Identifier(parent.alias), key=refused.resolution.key(parent)
        )
        for parent in refused.resolution.parents
        if parent.column in columns
    ]
    refused.execute("drop table if exists pg_temp.{keys}", keys=_KEYS)
    refused.execute(
        "create temporary table {keys} on commit drop as select distinct {columns} from {rows} as s {joins}"
        " where {condition}",
        keys=_KEYS,
        columns=sql.SQL(", ").join(
            sql.SQL("{} as {}").format(value, sql.Identifier(name)) for name, value in columns.items()
        ),
        condition=sql.SQL(" and ").join([*news, sql.SQL("true")]),
    )
    refused.execute("analyze {keys}", keys=_KEYS)


def _tell(work: Work, kept: int) -> int:
    if kept:
        work.messages.append(
            f"Kept as they were: {kept:,} of {work.target.name}. The file no longer lists them, but it has refused rows"
            " that may speak of them: correct those and deliver again."
        )
    return kept
