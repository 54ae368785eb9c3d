"""Publishes statements about entities as dated versions: the state at a date is the latest statement.

A statement holds from its own date until the next version begins; one that says what already holds
changes nothing and is not kept. Provisional versions give way to a statement that is not later.
Entities that a file does not mention stay as they are, in `snapshot` mode too.
"""

from __future__ import annotations

from psycopg import sql

from fulcrum.errors import ContractError
from fulcrum.warehouse.publishing.facts import repeated_key
from fulcrum.warehouse.publishing.work import SHOWN, Work
from fulcrum.warehouse.targets import BOOKKEEPING

STATEMENT = "version_statement"
CHAIN = "version_chain"
CHANGE = "version_change"

_DEFAULTS = {
    "quote_unit_code": sql.SQL("'UNIT'"),
    "contract_size": sql.SQL("1"),
    "is_provisional": sql.SQL("false"),
}


def own_code(work: Work) -> sql.Composable:
    """The expression on `s` that names the entity; an issuer without a code is named by its LEI.

    Raises:
        ContractError: the feed does not fill the code.
    """
    for name in (f"{work.target.entity}_code", *(("lei",) if work.target.entity == "issuer" else ())):
        if name in work.staged.columns:
            return sql.SQL("nullif(btrim({}), '')").format(sql.Identifier("s", name))
    raise ContractError(
        f"Feed {work.contract.feed} publishes to {work.target.name} but does not fill {work.target.entity}_code.",
        remedy=f"Map a column to {work.target.entity}_code.",
    )


def publish_versions(work: Work) -> None:
    """Bring the accepted rows into the entity's versions; what differs stays in `version_change`.

    Raises:
        PublishError: two rows state different things of one entity from one date.
    """
    _collect_statements(work)
    _refuse_contradictions(work)
    work.had_current = bool(
        work.number(
            "select count(*) from {versions} as v where v.superseded_in is null"
            " and v.{key} in (select {key} from {statement})",
            **_parts(work),
        )
    )
    _build_chain(work)
    _apply(work)


def attributes(work: Work) -> tuple[str, ...]:
    """The columns of a version that statements are about."""
    return tuple(column for column in work.target.values if column not in BOOKKEEPING)


def _parts(work: Work) -> dict[str, sql.Composable]:
    names = [sql.Identifier(name) for name in attributes(work)]
    return {
        "versions": sql.Identifier(*work.target.table.split(".")),
        "key": sql.Identifier(work.target.key[0]),
        "names": sql.SQL(", ").join(names),
        "statement": sql.Identifier(STATEMENT),
        "chain": sql.Identifier(CHAIN),
        "change": sql.Identifier(CHANGE),
    }


def _collect_statements(work: Work) -> None:
    """Make `version_statement`: key, stated_from, stated_to, source_row and every attribute.

    An attribute that the feed does not carry keeps the value that holds at that date; where nothing
    holds yet, that of the provisional version that this statement replaces.
    """
    staged = work.staged.columns
    stated_from = "coalesce(s.valid_from, s.business_date)" if "valid_from" in staged else "s.business_date"
    parts = _parts(work)
    is_instrument = work.target.name == "core.instrument"
    own = work.resolution.parent("instrument_id") if is_instrument else None
    identity: sql.Composable = (
        work.resolution.key(own)
        if own is not None
        else sql.SQL("(select e.{} from {} as e where e.{} = {})").format(
            sql.Identifier(f"{work.target.entity}_id"),
            sql.Identifier("core", str(work.target.entity)),
            sql.Identifier(f"{work.target.entity}_code"),
            own_code(work),
        )
    )
    work.execute(
        """
        create temporary table {statement} on commit drop as
        select i.{key}, i.stated_from, i.stated_to, i.source_row, {values}
          from (select {identity} as {key}, {stated_from} as stated_from, {stated_to} as stated_to, s.source_row
                       {told}
                  from {rows} as s {joins} where {accepted}) as i
          left join lateral (
               select v.* from {versions} as v
                where v.{key} = i.{key} and v.superseded_in is null
                  and (v.valid_from <= i.stated_from and (v.valid_to is null or v.valid_to > i.stated_from)
                       {or_provisional})
                order by v.valid_from > i.stated_from, v.valid_from limit 1) as held on true
        """,
        identity=identity,
        stated_from=sql.SQL(stated_from),
        stated_to=sql.SQL("s.valid_to" if "valid_to" in staged else "null::date"),
        told=sql.SQL("").join(
            sql.SQL(", {} as {}").format(value, sql.Identifier(name)) for name, value in _told(work).items()
        ),
        values=sql.SQL(", ").join(_value(work, name) for name in attributes(work)),
        or_provisional=sql.SQL(
            "or v.is_provisional and v.valid_from > i.stated_from" if "is_provisional" in attributes(work) else ""
        ),
        **parts,
    )
    work.execute("analyze {statement}", **parts)


def _told(work: Work) -> dict[str, sql.Composable]:
    """The attributes that the feed carries, as expressions on `s` and its parents."""
    found: dict[str, sql.Composable] = {}
    for name in attributes(work):
        parent = work.resolution.parent(name)
        if name == "is_provisional":
            continue
        if parent is not None:
            found[name] = work.resolution.key(parent)
        elif name in work.staged.columns:
            found[name] = sql.Identifier("s", name)
    return found


def _value(work: Work, name: str) -> sql.Composable:
    told = sql.Identifier("i", name) if name in _told(work) else sql.Identifier("held", name)
    column = sql.Identifier(name)
    if name == "is_provisional":
        return sql.SQL("false as {}").format(column)
    if name in _DEFAULTS:
        return sql.SQL("coalesce({}, {}) as {}").format(told, _DEFAULTS[name], column)
    return sql.SQL("{} as {}").format(told, column)


def _refuse_contradictions(work: Work) -> None:
    rows = work.execute(
        """
        select min(source_row), max(source_row) from {statement}
         group by {key}, stated_from having count(distinct row({names}, stated_to)) > 1 limit {shown}
        """,
        shown=sql.Literal(SHOWN),
        **_parts(work),
    ).fetchall()
    if rows:
        raise repeated_key(work, [(row[0], row[1]) for row in rows])


def _build_chain(work: Work) -> None:
    """Make `version_chain`: the versions that each mentioned entity has once the statements are taken in.

    A point is a date at which something begins to hold: a current version, a statement, or nothing
    (a period's end). On one date a statement counts before a version, that before an end.
    """
    has_provisional = "is_provisional" in attributes(work)
    states_end = "valid_to" in work.staged.columns
    work.execute(
        """
        create temporary table {chain} on commit drop as
        with current as (
            select v.* from {versions} as v
             where v.superseded_in is null and v.{key} in (select {key} from {statement})
               {without_replaced}
        ), stated as (
            select distinct on ({key}, stated_from) * from {statement} order by {key}, stated_from, source_row
        ), point as (
            select {key}, stated_from as at, 1 as strength, {delivery}::bigint as delivery_id, source_row, {names}
              from stated
            union all
            select {key}, valid_from, 2, delivery_id, source_row, {names} from current
            union all
            select c.{key}, c.valid_to, 3, null, null, {nothing} from current as c
             where c.valid_to is not null {unless_stated}
            union all
            select s.{key}, s.stated_to, 3, null, null, {nothing} from stated as s
             where s.stated_to is not null
               and not exists (select from current as c where c.{key} = s.{key}
                                  and c.valid_from > s.stated_from and c.valid_from <= s.stated_to)
               and not exists (select from stated as o where o.{key} = s.{key}
                                  and o.stated_from > s.stated_from and o.stated_from <= s.stated_to)
        ), ranked as (
            select *, row_number() over same_date as place, lead(strength) over same_date as under,
                   row({names}) is not distinct from lead(row({names})) over same_date as says_nothing_new
              from point window same_date as (partition by {key}, at order by strength)
        ), chosen as (
            select * from ranked
             where place = 1 and not (strength = 1 and under = 2 and says_nothing_new)
                or place = 2 and strength = 2 and exists (
                    select from ranked as r where r.{key} = ranked.{key} and r.at = ranked.at
                       and r.place = 1 and r.says_nothing_new)
        ), told as (
            select *, coalesce(lag(strength) over by_date, 3) in (1, 2)
                      and row({names}) is not distinct from lag(row({names})) over by_date as repeats
              from chosen window by_date as (partition by {key} order by at)
        )
        select {key}, at as valid_from, lead(at) over (partition by {key} order by at) as valid_to,
               strength, delivery_id, source_row, {names}
          from told where not (strength = 1 and under is distinct from 2 and repeats)
        """,
        without_replaced=sql.SQL(
            "and not (v.is_provisional and exists (select from {s} as s where s.{k} = v.{k}"
            " and s.stated_from < v.valid_from))"
        ).format(s=sql.Identifier(STATEMENT), k=_parts(work)["key"])
        if has_provisional
        else sql.SQL(""),
        nothing=sql.SQL(", ").join(
            sql.SQL("null::{}").format(sql.SQL(work.target.types[name])) for name in attributes(work)
        ),
        unless_stated=sql.SQL(
            "and not exists (select from stated as s where s.{k} = c.{k}"
            " and s.stated_from >= c.valid_from and s.stated_from < c.valid_to)"
        ).format(k=_parts(work)["key"])
        if states_end
        else sql.SQL(""),
        **_parts(work),
    )
    work.execute("delete from {chain} where strength = 3", **_parts(work))


def _apply(work: Work) -> None:
    """Supersede the versions that the chain no longer has, and insert those it has anew."""
    work.execute(
        """
        create temporary table {change} on commit drop as
        select coalesce(n.{key}, o.{key}) as {key}, n.{key} is not null as is_new,
               o.valid_from as old_from, o.published_in as known_in, o.valid_to as old_to,
               n.valid_from, n.valid_to, n.delivery_id, n.source_row, n.strength, {new_names}
          from {chain} as n
          full join (select * from {versions} where superseded_in is null
                        and {key} in (select {key} from {statement})) as o
            on o.{key} = n.{key} and o.valid_from = n.valid_from
         where n.{key} is null or o.{key} is null or n.valid_to is distinct from o.valid_to
            or row({new_names}) is distinct from row({old_names})
        """,
        new_names=sql.SQL(", ").join(sql.Identifier("n", name) for name in attributes(work)),
        old_names=sql.SQL(", ").join(sql.Identifier("o", name) for name in attributes(work)),
        **_parts(work),
    )
    gone = work.execute(
        """
        update {versions} as v set superseded_in = {publication} from {change} as c
         where v.{key} = c.{key} and v.valid_from = c.old_from and v.published_in = c.known_in
        returning c.known_in
        """,
        **_parts(work),
    ).fetchall()
    work.superseded.update(row[0] for row in gone)
    work.rows_superseded += len(gone)
    work.rows_published += work.execute(
        """
        insert into {versions} ({key}, valid_from, valid_to, published_in, delivery_id, source_row, {names})
        select {key}, valid_from, valid_to, {publication}, delivery_id, source_row, {names}
          from {change} where is_new
        """,
        **_parts(work),
    ).rowcount
