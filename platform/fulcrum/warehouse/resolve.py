"""Finds the parents of staged rows, set by set: instruments by identifiers, all else by code.

Used by the gate's `instrument_known` and `portfolio_known` rules and by publishing, so both agree
on what is known. Registering the unknown belongs in publishing.
"""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql

from fulcrum.warehouse.publishing.inputs import PublishedFeed, StagedRows
from fulcrum.warehouse.publishing.lookup import collect, look_up
from fulcrum.warehouse.publishing.parents import Parent, Resolution, parents_of

__all__ = ["Parent", "Resolution", "resolve"]


def resolve(connection: psycopg.Connection[Any], contract: PublishedFeed, staged: StagedRows) -> Resolution:
    """Make and commit `staging.delivery_<id>_<parent>` for every parent that the rows name.

    The tables hold the distinct names only, so 20,000 instruments in 1,000,000 rows are 20,000
    look-ups. `Resolution.unresolved("instrument_id")` is the query of the rows to refuse.

    Raises:
        ContractError: the contract does not name a parent that the target needs.
    """
    resolution = Resolution(staged.table, parents_of(contract, staged))
    every_row = sql.SQL("true")
    with connection.transaction():
        collect(connection, contract, staged, resolution, every_row)
        look_up(connection, contract, staged, resolution, every_row)
    if not connection.autocommit:
        connection.commit()
    return resolution
