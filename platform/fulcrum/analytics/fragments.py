"""Pieces of SQL that several derivations share: visibility, state of an entity at a date, age tiers.

Whole statements belong in the module of their subject.

Every statement takes `%(known)s`, the publication that the computation looks at: statements of one
derivation see one state of the warehouse, whatever is published meanwhile.
"""

from __future__ import annotations

from collections.abc import Mapping

from psycopg import sql

from fulcrum.analytics.policy import AgeLimits

SAME_DAY, FRESH, FLAGGED, TOO_OLD = 0, 1, 2, 3
"""Age tiers of an input; a lower one wins whatever its source."""


def visible(alias: str) -> sql.Composed:
    """True for the rows that publication `known` shows."""
    return sql.SQL(
        "({0}.published_in <= %(known)s and ({0}.superseded_in is null or {0}.superseded_in > %(known)s))"
    ).format(sql.Identifier(alias))


def state_at(entity: str, date: str, columns: str, *, key: str) -> sql.Composed:
    """A scalar-row sub-select: `columns` of the version of `entity` that holds at `date`.

    Before its first statement an entity is taken to be what that statement says; after its last
    one has ended, nothing is known of it. `date` and `key` are columns of the outer query.
    """
    return sql.SQL(
        """select {columns} from {table} version
            where version.{entity_key} = {key} and {visible}
              and (version.valid_to is null or {date} < version.valid_to)
            order by version.valid_from limit 1"""
    ).format(
        columns=sql.SQL(columns),
        table=sql.Identifier("core", f"{entity}_version"),
        entity_key=sql.Identifier(f"{entity}_id"),
        key=sql.SQL(key),
        visible=visible("version"),
        date=sql.SQL(date),
    )


def age_tier(age: str, limits: AgeLimits) -> sql.Composed:
    """The tier of an input that is `age` (an SQL expression, days) old."""
    return sql.SQL(
        "(case when {age} <= 0 then 0 when {age} <= {flagged} then 1 when {age} <= {refused} then 2 else 3 end)"
    ).format(
        age=sql.SQL(age),
        flagged=sql.Literal(limits.flagged_after_days),
        refused=sql.Literal(limits.refused_after_days),
    )


def major_currency(column: str, minor: Mapping[str, str]) -> sql.Composed:
    """`column` with codes of hundredths (`GBX`) replaced by those of their currency (`GBP`)."""
    if not minor:
        return sql.Composed([sql.SQL(column)])
    cases = sql.SQL(" ").join(
        sql.SQL("when {} then {}").format(sql.Literal(code), sql.Literal(major)) for code, major in minor.items()
    )
    return sql.SQL("(case {0} {1} else {0} end)").format(sql.SQL(column), cases)


def is_minor(column: str, minor: Mapping[str, str]) -> sql.Composed:
    """True where `column` is a code of hundredths; false where it is null."""
    return one_of(column, list(minor))


def one_of(column: str, values: list[str]) -> sql.Composed:
    """True where `column` is one of `values`; false where it is null or there are none."""
    if not values:
        return sql.Composed([sql.SQL("false")])
    return sql.SQL("coalesce({} in ({}), false)").format(
        sql.SQL(column), sql.SQL(", ").join(sql.Literal(value) for value in values)
    )
