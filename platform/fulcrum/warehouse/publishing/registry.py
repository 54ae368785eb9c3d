"""Registers what a delivery brings for the first time: instruments, identifiers, entities, portfolios.

Attributes of entities that a reference feed states are `versions`; identifier feeds are `names`.
"""

from __future__ import annotations

from psycopg import sql

from fulcrum.warehouse.models.base import SINCE_EVER
from fulcrum.warehouse.publishing.identifiers import EXCLUSIVE_SCHEMES
from fulcrum.warehouse.publishing.lookup import NAMED, look_up_codes, look_up_instruments
from fulcrum.warehouse.publishing.parents import Parent
from fulcrum.warehouse.publishing.work import SHOWN, Work

OWN_SCHEME = "INSTRUMENT"
"""The house's own instrument codes: `instrument_code` is then the value without a scheme before it."""

_ANALYZED_FROM = 500


def register_entities(work: Work, entity: str, code: sql.Composable) -> None:
    """Give every new `code` (an expression on `s`) of the accepted rows an identity row."""
    work.execute(
        """
        insert into {identity} ({code_column}, created_in)
        select d.code, {publication}
          from (select {code} as code, min(s.source_row) as source_row from {rows} as s
                 where {accepted} and {code} is not null group by 1) as d
         where not exists (select from {identity} as e where e.{code_column} = d.code)
         order by d.source_row
        """,
        identity=sql.Identifier("core", entity),
        code_column=sql.Identifier(f"{entity}_code"),
        code=code,
    )


def register_codes(work: Work, parent: Parent) -> None:
    """Give every name of the map that has no identity yet one, and resolve the map again."""
    created = work.execute(
        """
        insert into {identity} ({code_column}, created_in)
        select m.{name}, {publication} from {map} as m where m.{key} is null and m.{name} <> '' order by m.name_id
        """,
        identity=sql.Identifier("core", parent.entity),
        code_column=sql.Identifier(f"{parent.entity}_code"),
        name=sql.Identifier(parent.named_by[0]),
        map=parent.map,
        key=sql.Identifier(parent.id_column),
    ).rowcount
    if created:
        work.rows_registered += created
        work.messages.append(f"{created} new: {parent.entity} registered provisionally.")
        look_up_codes(work.connection, parent)


def register_instruments(work: Work, parent: Parent) -> None:
    """Give unknown tuples an instrument each, and known ones the identifiers that are new.

    Rank by rank, strongest first, so that a row which only has the ticker finds the instrument that
    another row of the same delivery just brought with ticker and ISIN.
    """
    connection = work.connection
    if not _has_news(work, parent):
        return
    if _attach_identifiers(work, parent):
        look_up_instruments(connection, parent)
    for rank in _ranks_of_unknown(work, parent):
        created = _create_instruments(work, parent, rank)
        if created:
            look_up_instruments(connection, parent)
            if _attach_identifiers(work, parent):
                look_up_instruments(connection, parent)
    _tell_conflicts(work, parent)


def _has_news(work: Work, parent: Parent) -> bool:
    """Whether any identifier of any tuple does not name the tuple's instrument yet; on most days none."""
    return bool(
        work.number(
            """
            select count(*) from {map} as m join {named} as n using (name_id)
              left join core.instrument_identifier as i
                on i.scheme = n.scheme and i.value = n.value and i.superseded_in is null
               and i.valid_from <= m.date_from and (i.valid_to is null or i.valid_to > m.date_to)
             where i.instrument_id is null or m.instrument_id is null or i.instrument_id <> m.instrument_id
            """,
            map=parent.map,
            named=sql.Identifier(NAMED),
        )
    )


def _ranks_of_unknown(work: Work, parent: Parent) -> list[int]:
    rows = work.execute(
        """
        select distinct n.rank from {map} as m join {named} as n using (name_id)
         where m.instrument_id is null order by n.rank
        """,
        map=parent.map,
        named=sql.Identifier(NAMED),
    ).fetchall()
    return [row[0] for row in rows]


def _create_instruments(work: Work, parent: Parent, rank: int) -> int:
    """Create the instruments whose strongest identifier has `rank`, and register that identifier."""
    created = work.execute(
        """
        with unknown as (
            select distinct on (m.name_id) m.name_id, m.source_row, m.date_from, n.rank, n.scheme, n.value
              from {map} as m join {named} as n using (name_id)
             where m.instrument_id is null order by m.name_id, n.rank
        ), named_first as (
            select scheme, value, min(source_row) as source_row, min(date_from) as date_from
              from unknown where rank = {rank} group by scheme, value
        ), coded as (
            select n.*, ({code})
                   || case when i.instrument_id is null then '' else '#' || {publication} end as instrument_code
              from named_first as n
              left join core.instrument as i on i.instrument_code = ({code})
        ), created as (
            insert into core.instrument (instrument_code, created_in)
            select instrument_code, {publication} from coded order by source_row
            returning instrument_id, instrument_code
        ), chosen as (
            select i.instrument_id, c.scheme, c.value, c.date_from, c.source_row
              from created as i join coded as c using (instrument_code)
        )
        {insert_chosen}
        """,
        map=parent.map,
        named=sql.Identifier(NAMED),
        rank=sql.Literal(rank),
        code=sql.SQL("case when n.scheme = {} then n.value else n.scheme || ':' || n.value end").format(
            sql.Literal(OWN_SCHEME)
        ),
        insert_chosen=_insert_chosen(work),
    ).rowcount
    work.rows_registered += created
    _analyze(work, created)
    if created and work.target.name != "core.instrument":
        work.messages.append(f"{created} unknown instruments registered provisionally.")
    return created


def _attach_identifiers(work: Work, parent: Parent) -> int:
    """Add to resolved instruments the identifiers of their tuples that are free and contradict nothing."""
    attached = work.execute(
        """
        with wanted as (
            select distinct on (n.scheme, n.value)
                   m.instrument_id, n.scheme, n.value, n.rank, m.source_row, m.date_from, m.date_to
              from {map} as m join {named} as n using (name_id)
             where m.instrument_id is not null
               and not exists (
                    select from core.instrument_identifier as i
                     where i.scheme = n.scheme and i.value = n.value and i.superseded_in is null
                       and i.valid_from <= m.date_to and (i.valid_to is null or i.valid_to > m.date_from))
               and not (n.scheme = any({exclusive}) and exists (
                    select from core.instrument_identifier as i
                     where i.instrument_id = m.instrument_id and i.scheme = n.scheme and i.superseded_in is null))
             order by n.scheme, n.value, n.rank, m.source_row
        ), chosen as (
            select distinct on (instrument_id, scheme, case when scheme <> all({exclusive}) then value end) *
              from wanted
             order by instrument_id, scheme, case when scheme <> all({exclusive}) then value end, source_row
        )
        {insert_chosen}
        """,
        map=parent.map,
        named=sql.Identifier(NAMED),
        exclusive=sql.Literal(list(EXCLUSIVE_SCHEMES)),
        insert_chosen=_insert_chosen(work),
    ).rowcount
    work.rows_registered += attached
    _analyze(work, attached)
    return attached


def _insert_chosen(work: Work) -> sql.Composed:
    """Insert the identifiers of `chosen`, each for the time in which it names nothing else: mostly since ever."""
    return sql.SQL(
        """
        insert into core.instrument_identifier
               (instrument_id, scheme, value, valid_from, valid_to, published_in, delivery_id, source_row)
        select c.instrument_id, c.scheme, c.value,
               coalesce(max(o.valid_to) filter (where o.valid_to <= c.date_from), {ever}),
               min(o.valid_from) filter (where o.valid_from > c.date_from), {publication}, {delivery}, c.source_row
          from chosen as c
          left join core.instrument_identifier as o
            on o.scheme = c.scheme and o.value = c.value and o.superseded_in is null
         group by c.instrument_id, c.scheme, c.value, c.date_from, c.source_row
        """
    ).format(
        ever=sql.Literal(SINCE_EVER),
        publication=sql.Literal(work.publication_id),
        delivery=sql.Literal(work.delivery_id),
    )


def _analyze(work: Work, inserted: int) -> None:
    """Tell the planner of many new identifiers: a nested loop over 20,000 took minutes, a hash join 0.1 s."""
    if inserted >= _ANALYZED_FROM:
        work.execute("analyze core.instrument_identifier")
        work.execute("analyze core.instrument")


def _tell_conflicts(work: Work, parent: Parent) -> None:
    rows = work.execute(
        """
        select n.scheme, n.value, m.source_row, count(*) over () as conflicts
          from {map} as m
          join {named} as n using (name_id)
          join core.instrument_identifier as i
            on i.scheme = n.scheme and i.value = n.value and i.superseded_in is null
           and i.valid_from <= m.date_from and (i.valid_to is null or i.valid_to > m.date_to)
         where i.instrument_id <> m.instrument_id
         order by m.source_row, n.rank limit {shown}
        """,
        map=parent.map,
        named=sql.Identifier(NAMED),
        shown=sql.Literal(SHOWN),
    ).fetchall()
    if rows:
        examples = ", ".join(f"{scheme} {value} (row {row})" for scheme, value, row, _ in rows)
        work.messages.append(
            f"{rows[0][3]} identifiers name another instrument than the stronger identifiers of their row,"
            f" which were followed: {examples}."
        )
