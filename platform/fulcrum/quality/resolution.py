"""What the warehouse knows of the parents that staged rows name, as SQL for the rules.

Which name means which parent is decided by `warehouse.resolve`, here as in publishing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import sql

from fulcrum.contracts.delivery import Staged
from fulcrum.contracts.model import FeedContract
from fulcrum.warehouse.resolve import Parent, Resolution, resolve


@dataclass(frozen=True)
class Known:
    """Parents of the staged rows, as queries.

    `rows`: a FROM item with all staged columns, `instrument_id` (null: unknown) and `series_key` (never null
    where a row names anything), None where rows name no instrument. `unknown`: by surrogate column
    (`portfolio_id`), the query of (source_row, value) of rows whose parent is not known and will not be
    registered; `provisional`: the same for names that publishing will register.
    """

    rows: str | None = None
    unknown: Mapping[str, str] = field(default_factory=dict)
    provisional: Mapping[str, str] = field(default_factory=dict)
    instruments: str | None = None
    """FROM item with one row per name of an instrument: rules ask it first and mostly need not read the staged rows."""
    named: Mapping[str, str] = field(default_factory=dict)
    """By staged column that names a parent, a FROM item with its distinct values, `''` for null."""


def look_up(connection: psycopg.Connection[Any], contract: FeedContract, staged: Staged) -> Known:
    """Resolve the parents of the staged rows; the maps are committed, because rules look from elsewhere."""
    resolution = resolve(connection, contract, staged)
    connection.commit()
    instrument = resolution.parent("instrument_id")
    rows = None
    if instrument is not None:
        rows = (
            sql.SQL("(select s.*, {key}, {series} as series_key from {table} as s {join})")
            .format(
                key=resolution.key(instrument),
                series=_series_key(resolution, instrument),
                table=sql.Identifier(*staged.table.split(".", 1)),
                join=resolution.join(instrument),
            )
            .as_string(connection)
        )
    parents = resolution.parents
    return Known(
        rows,
        {parent.column: _unknown(connection, resolution, parent) for parent in parents},
        {parent.column: _provisional(connection, resolution, parent) for parent in parents},
        None if instrument is None else instrument.map.as_string(connection),
        {name: parent.map.as_string(connection) for parent in parents for name in parent.named_by},
    )


def _series_key(resolution: Resolution, instrument: Parent) -> sql.Composed:
    """The instrument's key or, until publishing registers it, a negative number made of its names.

    Without it the rules over time would see nothing of the first file of an instrument, and pass.
    """
    names = sql.SQL(", ").join(sql.Identifier("s", name) for name in instrument.named_by)
    return sql.SQL(
        "coalesce({key}, case when num_nonnulls({names}) > 0"
        " then -1 - (hashtextextended(concat_ws('|', {names}), 0) & 9223372036854775806) end)"
    ).format(key=resolution.key(instrument), names=names)


def _unknown(connection: psycopg.Connection[Any], resolution: Resolution, parent: Parent) -> str:
    """Asks the map first: as a rule every name is known, and staging need not be read."""
    return (
        sql.SQL("select source_row, value from ({}) as u where exists (select from {} as m where not m.is_known)")
        .format(resolution.unresolved(parent.column), parent.map)
        .as_string(connection)
    )


def _provisional(connection: psycopg.Connection[Any], resolution: Resolution, parent: Parent) -> str:
    return (
        sql.SQL(
            "select s.source_row, concat_ws(' ', {names}) as value from {table} as s {join}"
            " where {alias}.is_known and {key} is null"
            " and exists (select from {map} as m where m.is_known and m.{id} is null)"
        )
        .format(
            names=sql.SQL(", ").join(
                sql.SQL("nullif({}, '')").format(sql.Identifier(parent.alias, name)) for name in parent.named_by
            ),
            table=sql.Identifier(*resolution.table.split(".", 1)),
            join=resolution.join(parent),
            alias=sql.Identifier(parent.alias),
            key=resolution.key(parent),
            map=parent.map,
            id=sql.Identifier(parent.id_column),
        )
        .as_string(connection)
    )
