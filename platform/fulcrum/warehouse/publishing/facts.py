"""Publishes facts: inserts what is new, supersedes what changed or vanished, leaves equal rows alone.

Which parents the rows have is settled before; versions of entities are `versions`.
"""

from __future__ import annotations

import datetime as dt

from psycopg import sql

from fulcrum.errors import ContractError, PublishError
from fulcrum.warehouse import partitions
from fulcrum.warehouse.publishing import withheld
from fulcrum.warehouse.publishing.parents import table_of
from fulcrum.warehouse.publishing.work import SHOWN, Work
from fulcrum.warehouse.targets import IDENTIFIER_COLUMNS

CHANGE = "fact_change"

_MONTHS_BUILT = 3
"""A month's table is loaded by a scan of staging of its own: worth it for few months, not for 300."""


def collect_scope(work: Work) -> list[dt.date]:
    """Note the distinct scope values of the accepted rows in `staging.delivery_<id>_scope`; returns the dates.

    Reads staging only, so it is done before the lock. Rows that quarantine refused define no scope:
    what they would have replaced stays.
    """
    names = _scope_columns(work)
    work.execute("drop table if exists {scope}", scope=scope_table(work))
    work.execute(
        "create unlogged table {scope} as select distinct {names} from {rows} as s where {accepted}",
        scope=scope_table(work),
        names=sql.SQL(", ").join(sql.Identifier("s", name) for name in names),
    )
    work.execute("analyze {scope}", scope=scope_table(work))
    rows = work.execute("select distinct business_date from {scope} order by 1", scope=scope_table(work)).fetchall()
    return [row[0] for row in rows]


def scope_table(work: Work) -> sql.Identifier:
    """The scope's table: not a temporary one, because parallel workers cannot read those."""
    return table_of(f"{work.staged.table}_scope")


def publish_facts(work: Work, dates: list[dt.date]) -> None:
    """Bring the accepted rows into the target's table.

    Raises:
        PublishError: two rows have one key.
    """
    if not dates:
        return
    work.had_current = _has_current(work, dates)
    if work.had_current:
        _restate(work, dates)
    else:
        _insert_all(work, dates)


def new_rows(work: Work) -> sql.Composed:
    """The query of the accepted rows in the target's words: key, values, source_row."""
    columns = _columns(work)
    listed = sql.SQL(", ").join(
        sql.SQL("{} as {}").format(value, sql.Identifier(name)) for name, value in columns.items()
    )
    plain = sql.SQL("select {}, s.source_row from {} as s {} where {}").format(
        listed, work.rows, work.resolution.joins(), work.accepted
    )
    if not (work.contract.numbers_repeated_lines and "position_code" in columns):
        return plain
    others = [name for name in columns if name != "position_code"]
    return sql.SQL(
        "select {others}, position_code || case when n > 1 then '#' || n else '' end as position_code, source_row"
        " from (select *, row_number() over (partition by {key} order by {values}, source_row) as n"
        " from ({plain}) as p) as p"
    ).format(
        others=sql.SQL(", ").join(map(sql.Identifier, others)),
        key=sql.SQL(", ").join(map(sql.Identifier, work.target.key)),
        values=sql.SQL(", ").join(map(sql.Identifier, work.target.values)),
        plain=plain,
    )


def _columns(work: Work) -> dict[str, sql.Composable]:
    """Each column of the target and the expression on `s` and its parents that fills it.

    Raises:
        ContractError: the feed does not fill a column of the key.
    """
    found: dict[str, sql.Composable] = {}
    for column in (*work.target.key, *work.target.values):
        parent = work.resolution.parent(column)
        if parent is not None:
            found[column] = work.resolution.key(parent)
        elif column == "position_code":
            found[column] = _position_code(work)
        elif column in work.staged.columns:
            found[column] = sql.Identifier("s", column)
        elif column == "source_code":
            found[column] = sql.Literal(work.contract.source)
        elif column in work.target.key:
            raise ContractError(
                f"Feed {work.contract.feed} publishes to {work.target.name} but does not fill {column}.",
                remedy=f"Map a column to {column}, or state it under `constants`.",
            )
        else:
            found[column] = sql.SQL("null::{}").format(sql.SQL(work.target.types[column]))
    return found


def _position_code(work: Work) -> sql.Composable:
    columns = work.contract.position_columns
    if not columns and "position_code" in work.staged.columns:
        columns = ("position_code",)
    if not columns:
        return sql.SQL("''")
    return sql.SQL(" || '|' || ").join(
        sql.SQL("coalesce({}::text, '')").format(sql.Identifier("s", column)) for column in columns
    )


def _scope_columns(work: Work) -> list[str]:
    """The contract's scope, and always the date, and the source where that is part of the key."""
    columns = dict.fromkeys(work.contract.scope)
    if work.contract.mode == "delta":
        columns = {}
    columns |= {"business_date": None}
    if "source_code" in work.target.key and "source_code" in work.staged.columns:
        columns |= {"source_code": None}
    absent = [column for column in columns if column not in work.staged.columns]
    if absent:
        raise ContractError(
            f"The scope of feed {work.contract.feed} names {', '.join(absent)}, which is not staged.",
            remedy="Use staging columns of the feed under `scope`.",
        )
    return list(columns)


def _scope_condition(work: Work) -> sql.Composed:
    """The condition on the target's alias `t` that it lies in the scope."""
    joins: list[sql.Composable] = []
    conditions: list[sql.Composable] = []
    for name in _scope_columns(work):
        staged = sql.Identifier("sc", name)
        parent = next(
            (parent for parent in work.resolution.parents if parent.named_by == (name,) and not parent.is_instrument),
            None,
        )
        if parent is not None:
            joins.append(
                sql.SQL("join {} as {} on {} = {}").format(
                    parent.map, sql.Identifier(parent.alias), sql.Identifier(parent.alias, name), staged
                )
            )
            conditions.append(
                sql.SQL("{} = {}").format(work.resolution.key(parent), sql.Identifier("t", parent.column))
            )
        elif name in work.target.types and name not in IDENTIFIER_COLUMNS:
            conditions.append(sql.SQL("{} = {}").format(staged, sql.Identifier("t", name)))
        else:
            raise ContractError(
                f"The scope of feed {work.contract.feed} names {name}, which {work.target.name} does not know.",
                remedy="Use the business date, the source, or the code of a parent under `scope`.",
            )
    if "source_code" in work.target.key and "source_code" not in work.staged.columns:
        conditions.append(sql.SQL("t.source_code = {}").format(sql.Literal(work.contract.source)))
    return sql.SQL("exists (select from {} as sc {} where {})").format(
        scope_table(work), sql.SQL(" ").join(joins), sql.SQL(" and ").join(conditions)
    )


def _has_current(work: Work, dates: list[dt.date]) -> bool:
    """Whether the scope holds current rows; the publications tell it without a look where it does not."""
    touched = work.number(
        "select count(*) from governance.publication where target = {name}"
        " and business_date_from <= {last} and business_date_to >= {first}",
        name=sql.Literal(work.target.name),
        first=sql.Literal(dates[0]),
        last=sql.Literal(dates[-1]),
    )
    return bool(touched) and bool(
        work.number(
            "select count(*) from (select from {table} as t where t.superseded_in is null"
            " and t.business_date between {first} and {last} and {in_scope} limit 1) as one",
            table=table_of(work.target.table),
            first=sql.Literal(dates[0]),
            last=sql.Literal(dates[-1]),
            in_scope=_scope_condition(work),
        )
    )


def _insert_all(work: Work, dates: list[dt.date]) -> None:
    """The fast path: nothing is current, so every row is new. A new month is keyed after the load."""
    missing = partitions.missing_months(work.connection, work.target.table, dates)
    built: dict[dt.date, str] = {}
    if len(missing) <= _MONTHS_BUILT:
        for month in missing:
            name = partitions.build_month(work.connection, work.target.table, month)
            if name is not None:
                built[month] = name
    else:
        partitions.ensure_months(work.connection, work.target.table, missing)
    months = partitions.months_of(dates)
    for month, name in built.items():
        work.rows_published += _insert(work, name, None if len(months) == 1 else month)
        partitions.attach_month(work.connection, work.target.table, month)
    others = [month for month in months if month not in built]
    if others:
        work.rows_published += _insert(work, work.target.table, *([] if not built else others))


def _insert(work: Work, table: str, *months: dt.date | None) -> int:
    """Insert the accepted rows, those of `months` only if any are given."""
    wanted = [month for month in months if month is not None]
    names = (*work.target.key, *work.target.values)
    condition = (
        sql.SQL("date_trunc('month', n.business_date)::date = any({})").format(sql.Literal(wanted))
        if wanted
        else sql.SQL("true")
    )
    return work.execute(
        """
        insert into {table} ({names}, published_in, delivery_id, source_row)
        select {values}, {publication}, {delivery}, n.source_row from ({new}) as n where {condition}
        """,
        table=table_of(table),
        names=sql.SQL(", ").join(map(sql.Identifier, names)),
        values=sql.SQL(", ").join(sql.Identifier("n", name) for name in names),
        new=new_rows(work),
        condition=condition,
    ).rowcount


def _restate(work: Work, dates: list[dt.date]) -> None:
    """Compare with what is current in scope; write the difference only."""
    _find_changes(work, dates)
    _refuse_repeated_keys(work, dates, _withhold(work))
    parts = work.execute(
        "select part::regclass::text, array_agg(distinct known_in) from {change} where part is not null group by part",
        change=sql.Identifier(CHANGE),
    ).fetchall()
    for part, known_in in parts:
        work.superseded.update(known_in)
        work.rows_superseded += work.execute(
            """
            update only {part} as t set superseded_in = {publication}
              from {change} as c where c.part = {part_name}::regclass and t.ctid = c.place
            """,
            part=sql.SQL(part),
            part_name=sql.Literal(part),
            change=sql.Identifier(CHANGE),
        ).rowcount
    partitions.ensure_months(work.connection, work.target.table, dates)
    names = (*work.target.key, *work.target.values)
    work.rows_published += work.execute(
        """
        insert into {table} ({names}, published_in, delivery_id, source_row)
        select {names}, {publication}, {delivery}, source_row from {change} where is_new
        """,
        table=table_of(work.target.table),
        names=sql.SQL(", ").join(map(sql.Identifier, names)),
        change=sql.Identifier(CHANGE),
    ).rowcount


def _find_changes(work: Work, dates: list[dt.date]) -> None:
    """Fill `fact_change`: rows to insert (`is_new`) and the places of rows to supersede.

    Values are equal where PostgreSQL says so: 1.50 restated as 1.5 is no change.
    """
    key, values = work.target.key, work.target.values
    is_snapshot = work.contract.mode == "snapshot"
    work.execute(
        """
        create temporary table {change} on commit drop as
        select {columns}, n.source_row, n.source_row is not null as is_new, o.part, o.place, o.known_in
          from ({new}) as n
          {join} (select t.tableoid as part, t.ctid as place, t.published_in as known_in, {current}
                    from {table} as t
                   where t.superseded_in is null and t.business_date between {first} and {last} and {in_scope}) as o
            on {same_key}
         where n.source_row is null or o.place is null or row({new_values}) is distinct from row({old_values})
        """,
        change=sql.Identifier(CHANGE),
        columns=sql.SQL(", ").join(
            [
                *(
                    sql.SQL("coalesce({}, {}) as {}").format(
                        sql.Identifier("n", name), sql.Identifier("o", name), sql.Identifier(name)
                    )
                    for name in key
                ),
                *(sql.Identifier("n", name) for name in values),
            ]
        ),
        new=new_rows(work),
        join=sql.SQL("full join" if is_snapshot else "left join"),
        current=sql.SQL(", ").join(sql.Identifier("t", name) for name in (*key, *values)),
        table=table_of(work.target.table),
        first=sql.Literal(dates[0]),
        last=sql.Literal(dates[-1]),
        in_scope=_scope_condition(work),
        same_key=sql.SQL(" and ").join(
            sql.SQL("{} = {}").format(sql.Identifier("n", name), sql.Identifier("o", name)) for name in key
        ),
        new_values=sql.SQL(", ").join(sql.Identifier("n", name) for name in values),
        old_values=sql.SQL(", ").join(sql.Identifier("o", name) for name in values),
    )
    work.execute("analyze {change}", change=sql.Identifier(CHANGE))


def _withhold(work: Work) -> int:
    """Let stay what refused rows may speak of; returns how many rows that are."""
    change = sql.Identifier(CHANGE)
    if work.contract.mode != "snapshot" or not work.has_refused:
        return 0
    if not work.number("select count(*) from {change} where not is_new", change=change):
        return 0
    return withheld.keep(work, change, _key)


def _key(work: Work) -> dict[str, sql.Composable]:
    """The key of rows as they stand in the file: the number of a repeated line is not known there."""
    columns = _columns(work)
    if work.contract.numbers_repeated_lines and "position_code" in columns:
        columns["position_code"] = sql.SQL("null::text")
    return {name: columns[name] for name in work.target.key}


def _refuse_repeated_keys(work: Work, dates: list[dt.date], withheld_rows: int) -> None:
    """A key that the file has twice, once as it is current and once changed, leaves no trace in the change.

    So the rows are counted: what stays in the scope must be as many as the file repeats unchanged, and those that
    were withheld from closing.
    Naming the rows takes three times as long as all else, so only a wrong count does it.
    """
    if work.contract.mode == "snapshot":
        accepted = work.number("select count(*) from {rows} as s where {accepted}")
        current = work.number(
            "select count(*) from {table} as t where t.superseded_in is null"
            " and t.business_date between {first} and {last} and {in_scope}",
            table=table_of(work.target.table),
            first=sql.Literal(dates[0]),
            last=sql.Literal(dates[-1]),
            in_scope=_scope_condition(work),
        )
        change = sql.Identifier(CHANGE)
        inserted = work.number("select count(*) from {change} where is_new", change=change)
        replaced = work.number(
            "select count(distinct (part, place)) from {change} where part is not null", change=change
        )
        if accepted - inserted == current - replaced - withheld_rows:
            return
    rows = work.execute(
        "select min(n.source_row), max(n.source_row) from ({new}) as n"
        " group by {key} having count(*) > 1 limit {shown}",
        new=new_rows(work),
        key=sql.SQL(", ").join(map(sql.Identifier, work.target.key)),
        shown=sql.Literal(SHOWN),
    ).fetchall()
    if rows:
        raise repeated_key(work, [(row[0], row[1]) for row in rows])


def repeated_key(work: Work, pairs: list[tuple[int, int]]) -> PublishError:
    """The error for rows that have one key."""
    places = ", ".join(f"{first} and {second}" for first, second in pairs)
    return PublishError(
        f"Rows {places} of delivery {work.delivery_id} (feed {work.contract.feed}) have the same key"
        f" ({', '.join(work.target.key)}) once their parents are resolved; nothing was published.",
        remedy="Correct the file, or tell the lines apart by `position_columns` or `numbers_repeated_lines`.",
    )
