"""Asks for the valuations that a publication may make stale: the dates of the facts that it changed.

Which portfolios and which later dates a changed price, rate or version reaches depends on the
valuation policy, so `fulcrum.analytics.affected` finds that when it derives.
"""

from __future__ import annotations

import datetime as dt

from psycopg import sql

from fulcrum.warehouse.publishing.facts import CHANGE
from fulcrum.warehouse.publishing.work import Work

VALUATION = "mart.position_valuation"
INPUTS = ("core.holding", "core.price", "core.fx_rate")
"""Facts that a valuation uses; versions of instruments and portfolios are the others."""


def request_derivations(work: Work, dates: list[dt.date]) -> int:
    """Write one row of `governance.derivation` per changed business date; returns how many.

    A reference feed asks under the last date of its delivery, and only if it changed an instrument
    or portfolio that was known before.
    """
    if work.target.name in INPUTS:
        changed = _changed_dates(work) if work.had_current else dates
    else:
        last = work.staged.business_dates[1]
        changed = [last] if last and _has_changed_known(work) else []
    return work.execute(
        """
        insert into governance.derivation (target, business_date, caused_by)
        select {target}, d, {publication} from unnest({dates}::date[]) as d order by d
        """,
        target=sql.Literal(VALUATION),
        dates=sql.Literal(changed),
    ).rowcount


def _changed_dates(work: Work) -> list[dt.date]:
    """The dates of changed facts; all of the delivery where only versions of their parents changed."""
    rows = work.execute(
        "select distinct business_date from {change} order by 1", change=sql.Identifier(CHANGE)
    ).fetchall()
    return [row[0] for row in rows]


def _has_changed_known(work: Work) -> bool:
    return work.target.entity in ("instrument", "portfolio") and bool(
        work.number(
            "select count(*) from {versions} as v join {identity} as e using ({key})"
            " where {publication} in (v.published_in, v.superseded_in) and e.created_in < {publication}",
            versions=sql.Identifier("core", f"{work.target.entity}_version"),
            identity=sql.Identifier("core", str(work.target.entity)),
            key=sql.Identifier(f"{work.target.entity}_id"),
        )
    )
