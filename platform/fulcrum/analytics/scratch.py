"""The temporary tables in which one derivation collects scope, prices, rates and results.

They live for one transaction. What fills them is in the module of its subject.
"""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql

_TABLES = {
    # (portfolio, date) pairs to value; is_known: some valuation of the pair is current already
    "derive_scope": """
        portfolio_id bigint, business_date date, base_currency_code text, is_known boolean,
        primary key (portfolio_id, business_date)""",
    "derive_need": "instrument_id bigint, business_date date",
    # one row per needed (instrument, date); unit_value: value of quantity 1 in currency_code;
    # instrument_factor: of a price as the instrument is quoted; nominal_factor: of one in whole currency
    "derive_price": """
        instrument_id bigint, business_date date, price numeric, price_date date, price_type_code text,
        price_source_code text, currency_code text, quote_factor numeric, contract_size numeric,
        unit_value numeric, tier integer, publication_id bigint, is_cash boolean,
        instrument_currency_code text, instrument_factor numeric, nominal_factor numeric""",
    "derive_rate": """
        currency_from text, currency_to text, business_date date, rate numeric, rate_date date, path text,
        publication_ids bigint[], tier integer""",
}


def prepare(connection: psycopg.Connection[Any]) -> None:
    """Create the empty tables; they vanish with the transaction."""
    for name, columns in _TABLES.items():
        connection.execute(
            sql.SQL("create temporary table {} ({}) on commit drop").format(sql.Identifier(name), sql.SQL(columns))
        )
    for name, like in (("derive_value", "position_valuation"), ("derive_nav", "portfolio_nav")):
        connection.execute(
            sql.SQL("create temporary table {} (like {}) on commit drop").format(
                sql.Identifier(name), sql.Identifier("mart", like)
            )
        )


def analyze(connection: psycopg.Connection[Any], name: str) -> None:
    """Give the planner numbers: without them it takes a nested loop over a million positions."""
    connection.execute(sql.SQL("analyze {}").format(sql.Identifier(name)))
