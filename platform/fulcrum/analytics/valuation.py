"""Values a scope of portfolios and dates: prices, rates, positions and NAV, in that order.

Locks, publications and what is still to derive are no subject here (`fulcrum.pipeline.derive`).
"""

from __future__ import annotations

from typing import Any

import psycopg

from fulcrum.analytics import nav, positions
from fulcrum.analytics.policy import ValuationPolicy
from fulcrum.analytics.prices import choose_prices
from fulcrum.analytics.rates import choose_rates
from fulcrum.analytics.restate import Change, Computed, fill, insert_all, restate

VALUATIONS = Computed("mart.position_valuation", "derive_value", positions.KEY, positions.COLUMNS)
NAVS = Computed("mart.portfolio_nav", "derive_nav", nav.KEY, nav.COLUMNS)


def compute(connection: psycopg.Connection[Any], policy: ValuationPolicy, seen: dict[str, Any]) -> None:
    """Choose the inputs of `derive_scope`, and value the pairs that must be compared.

    `seen` comes from `find_affected`. Nothing outside the temporary tables changes.
    """
    choose_prices(connection, policy, seen)
    choose_rates(connection, policy, seen)
    if _has(connection, is_known=True):
        fill(connection, VALUATIONS, positions.value_positions(policy), seen | {"is_known": True})


def publish_valuations(
    connection: psycopg.Connection[Any], policy: ValuationPolicy, seen: dict[str, Any], publication: int
) -> Change:
    """Write the valuations of the scope as `publication`."""
    change = Change()
    if _has(connection, is_known=True):
        change += restate(connection, VALUATIONS, seen | {"publication": publication})
    if _has(connection, is_known=False):
        parameters = seen | {"publication": publication, "is_known": False}
        change += insert_all(connection, VALUATIONS, positions.value_positions(policy), parameters)
    return change


def publish_navs(connection: psycopg.Connection[Any], seen: dict[str, Any], publication: int) -> Change:
    """Write the NAV of every pair of the scope as `publication`, from the valuations that are current."""
    fill(connection, NAVS, nav.sum_portfolios(), seen)
    return restate(connection, NAVS, seen | {"publication": publication})


def _has(connection: psycopg.Connection[Any], *, is_known: bool) -> bool:
    row = connection.execute("select exists (select from derive_scope where is_known = %s)", (is_known,)).fetchone()
    return bool(row and row[0])
