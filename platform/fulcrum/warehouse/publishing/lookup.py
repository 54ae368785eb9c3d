"""Fills the map tables: distinct names of a staged delivery, and what the warehouse knows of each.

Registering what is unknown belongs in `registry`; nothing here changes `core`.
"""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql

from fulcrum.warehouse.publishing import identifiers
from fulcrum.warehouse.publishing.inputs import PublishedFeed, StagedRows
from fulcrum.warehouse.publishing.parents import Parent, Resolution, table_of
from fulcrum.warehouse.targets import target

Connection = psycopg.Connection[Any]

NAMED = "named_instrument"
"""Temporary table (name_id, rank, scheme, value): every identifier of every distinct tuple."""


def collect(
    connection: Connection,
    contract: PublishedFeed,
    staged: StagedRows,
    resolution: Resolution,
    accepted: sql.Composable,
) -> None:
    """Make the map tables with the distinct names of the rows that `accepted` (a condition on `s`) lets pass.

    This reads all of staging once per parent and nothing of `core`, so it needs no lock.
    """
    for parent in resolution.parents:
        _collect_names(connection, staged, parent, accepted)
    collect_identifiers(connection, contract, staged, resolution)


def is_collected(connection: Connection, staged: StagedRows, resolution: Resolution) -> bool:
    """Whether the gate already made the maps of all rows of this very staging table."""
    for parent in resolution.parents:
        row = connection.execute("select to_regclass(%s) is not null", (parent.map_table,)).fetchone()
        if row is None or not row[0]:
            return False
        same = sql.SQL("select (select sum(row_count) from {}) = (select count(*) from {})")
        row = connection.execute(same.format(parent.map, table_of(staged.table))).fetchone()
        if row is None or not row[0]:
            return False
    return True


def collect_identifiers(
    connection: Connection, contract: PublishedFeed, staged: StagedRows, resolution: Resolution
) -> None:
    """Make `named_instrument` from the map of the instruments, where the rows name any."""
    for parent in resolution.parents:
        if parent.is_instrument:
            _collect_identifiers(connection, contract, staged, parent)


def look_up(
    connection: Connection,
    contract: PublishedFeed,
    staged: StagedRows,
    resolution: Resolution,
    accepted: sql.Composable,
) -> None:
    """Fill the surrogate keys of every map from what is current in `core`."""
    for parent in resolution.parents:
        if parent.is_instrument:
            _split_by_date(connection, contract, staged, parent, accepted)
            look_up_instruments(connection, parent)
            _mark_known(connection, parent, _has_identifier(parent))
        else:
            look_up_codes(connection, parent)
            _mark_known(connection, parent, _is_announced(contract, staged, parent, accepted))


def look_up_codes(connection: Connection, parent: Parent) -> None:
    """Resolve a parent that is named by its code (an issuer also by its LEI)."""
    name = sql.Identifier("m", parent.named_by[0])
    identity = sql.Identifier("core", parent.entity)
    if parent.is_lenient:
        source = sql.SQL(
            "select distinct on (lei) lei as code, {key} from core.{versions}"
            " where superseded_in is null and lei is not null order by lei, valid_to desc nulls first, {key}"
        ).format(key=sql.Identifier(parent.id_column), versions=sql.Identifier(f"{parent.entity}_version"))
    else:
        source = sql.SQL("select {} as code, {} from {}").format(
            sql.Identifier(f"{parent.entity}_code"), sql.Identifier(parent.id_column), identity
        )
    connection.execute(
        sql.SQL("update {map} as m set {key} = e.{key} from ({source}) as e where e.code = {name}").format(
            map=parent.map, key=sql.Identifier(parent.id_column), source=source, name=name
        )
    )


def look_up_instruments(connection: Connection, parent: Parent) -> None:
    """Resolve each tuple by its strongest identifier that names an instrument at all its dates.

    A weaker identifier does not count where the tuple's own ISIN or CUSIP contradicts that of the
    instrument it names: a reused ticker never joins two securities.
    """
    connection.execute(
        sql.SQL(
            """
            with found as (
                select n.name_id, n.rank, i.instrument_id, m.date_from, m.date_to
                  from {named} as n
                  join {map} as m using (name_id)
                  join core.instrument_identifier as i
                    on i.scheme = n.scheme and i.value = n.value and i.superseded_in is null
                   and i.valid_from <= m.date_from and (i.valid_to is null or i.valid_to > m.date_to)
            ), contradicted as materialized (
                select f.name_id, f.rank
                  from found as f
                  join {named} as n2 on n2.name_id = f.name_id and n2.rank < f.rank and n2.scheme = any({exclusive})
                  join core.instrument_identifier as o
                    on o.instrument_id = f.instrument_id and o.scheme = n2.scheme and o.superseded_in is null
                   and o.valid_from <= f.date_to and (o.valid_to is null or o.valid_to > f.date_from)
                 where o.value <> n2.value
            ), chosen as (
                select distinct on (name_id) name_id, instrument_id from found
                 where (name_id, rank) not in (select name_id, rank from contradicted)
                 order by name_id, rank
            )
            update {map} as m set instrument_id = c.instrument_id
              from {map} as m2 left join chosen as c using (name_id)
             where m2.name_id = m.name_id and m.instrument_id is distinct from c.instrument_id
            """
        ).format(
            map=parent.map,
            named=sql.Identifier(NAMED),
            exclusive=sql.Literal(list(identifiers.EXCLUSIVE_SCHEMES)),
        )
    )


def _collect_names(connection: Connection, staged: StagedRows, parent: Parent, accepted: sql.Composable) -> None:
    names = [
        sql.SQL("coalesce({}, '') as {}").format(sql.Identifier("s", name), sql.Identifier(name))
        for name in parent.named_by
    ]
    places = sql.SQL(", ").join(sql.Literal(place) for place in range(1, len(names) + 1))
    connection.execute(sql.SQL("drop table if exists {}").format(parent.map))
    connection.execute(
        sql.SQL(
            """
            create unlogged table {map} as
            select row_number() over (order by source_row) as name_id, null::bigint as {key}, false as is_known, d.*
              from (select {names}, min(s.business_date) as date_from, max(s.business_date) as date_to,
                           min(s.source_row) as source_row, count(*) as row_count
                      from {table} as s where {accepted} group by {places}) as d
            """
        ).format(
            map=parent.map,
            key=sql.Identifier(parent.id_column),
            names=sql.SQL(", ").join(names),
            table=table_of(staged.table),
            accepted=accepted,
            places=places,
        )
    )
    connection.execute(sql.SQL("analyze {}").format(parent.map))


def _collect_identifiers(connection: Connection, contract: PublishedFeed, staged: StagedRows, parent: Parent) -> None:
    terms = identifiers.terms(contract, staged, "m")
    values = sql.SQL(", ").join(
        sql.SQL("({}, {}, {})").format(sql.Literal(term.rank), term.scheme, term.value) for term in terms
    )
    named = sql.Identifier(NAMED)
    connection.execute(sql.SQL("drop table if exists {}").format(named))
    connection.execute(
        sql.SQL(
            """
            create temporary table {named} on commit drop as
            select distinct on (m.name_id, n.scheme, n.value) m.name_id, n.rank, n.scheme, n.value
              from {map} as m cross join lateral (values {values}) as n (rank, scheme, value)
             where n.scheme is not null and n.value is not null
             order by m.name_id, n.scheme, n.value, n.rank
            """
        ).format(named=named, map=parent.map, values=values)
    )
    connection.execute(sql.SQL("analyze {}").format(named))


def _split_by_date(
    connection: Connection, contract: PublishedFeed, staged: StagedRows, parent: Parent, accepted: sql.Composable
) -> None:
    """Give a tuple one map row per business date where one of its identifiers begins or ends in between."""
    moved = connection.execute(
        sql.SQL(
            """
            select array_agg(distinct m.name_id) from {map} as m
              join {named} as n using (name_id)
              join core.instrument_identifier as i
                on i.scheme = n.scheme and i.value = n.value and i.superseded_in is null
             where m.date_from < m.date_to
               and (i.valid_from > m.date_from and i.valid_from <= m.date_to
                    or i.valid_to > m.date_from and i.valid_to <= m.date_to)
            """
        ).format(map=parent.map, named=sql.Identifier(NAMED))
    ).fetchone()
    if moved is None or not moved[0]:
        return
    names = sql.SQL(", ").join(sql.Identifier("m", name) for name in parent.named_by)
    same = sql.SQL(" and ").join(
        sql.SQL("coalesce({}, '') = {}").format(sql.Identifier("s", name), sql.Identifier("m", name))
        for name in parent.named_by
    )
    connection.execute(
        sql.SQL(
            """
            with gone as (delete from {map} where name_id = any({moved}) returning *)
            insert into {map} (name_id, {key}, is_known, {bare}, date_from, date_to, source_row, row_count)
            select (select max(name_id) from {map}) + row_number() over (), null, false, d.*
              from (select {names}, s.business_date as date_from, s.business_date as date_to,
                           min(s.source_row), count(*)
                      from gone as m join {table} as s on {same}
                     where {accepted} group by {places}, s.business_date) as d
            """
        ).format(
            map=parent.map,
            moved=sql.Literal(moved[0]),
            key=sql.Identifier(parent.id_column),
            bare=sql.SQL(", ").join(map(sql.Identifier, parent.named_by)),
            names=names,
            table=table_of(staged.table),
            same=same,
            accepted=accepted,
            places=sql.SQL(", ").join(sql.Literal(place) for place in range(1, len(parent.named_by) + 1)),
        )
    )
    _collect_identifiers(connection, contract, staged, parent)


def _mark_known(connection: Connection, parent: Parent, otherwise: sql.Composable) -> None:
    """Say which names publishing will find, register, or may leave null."""
    unnamed = sql.SQL(" and ").join(sql.SQL("{} = ''").format(sql.Identifier("m", name)) for name in parent.named_by)
    allowed = sql.SQL("false") if parent.is_required else sql.SQL("({})").format(unnamed)
    connection.execute(
        sql.SQL(
            "update {map} as m set is_known = m.{key} is not null or {lenient} or {allowed} or ({otherwise})"
        ).format(
            map=parent.map,
            key=sql.Identifier(parent.id_column),
            lenient=sql.Literal(parent.is_lenient),
            allowed=allowed,
            otherwise=otherwise,
        )
    )


def _has_identifier(parent: Parent) -> sql.Composable:
    """Unknown instruments can be registered as soon as one identifier names them."""
    if not parent.is_registered:
        return sql.SQL("false")
    return sql.SQL("exists (select from {} as n where n.name_id = m.name_id)").format(sql.Identifier(NAMED))


def _is_announced(
    contract: PublishedFeed, staged: StagedRows, parent: Parent, accepted: sql.Composable
) -> sql.Composable:
    """Unknown codes are registered if the contract says so, or if the same file brings the entity."""
    name = sql.Identifier("m", parent.named_by[0])
    if parent.is_registered:
        return sql.SQL("{} <> ''").format(name)
    if target(contract.target).entity == parent.entity:
        own = sql.Identifier(f"{parent.entity}_code")
        return sql.SQL("exists (select from {} as s where s.{} = {} and {})").format(
            table_of(staged.table), own, name, accepted
        )
    return sql.SQL("false")
