"""A small published world, written straight into `core`: the parents and the past that rules look at.

One of everything (client C1, account A1, issuer I1, portfolio P1, class S1, benchmark B1) and twelve
shares with valid ISINs, held by P1 and priced on the ten days before DAY.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import psycopg
from stdnum import isin as isin_format

DAY = dt.date(2026, 1, 6)
BEFORE = DAY - dt.timedelta(days=1)
LEI = "HWUPKR0MPOU8FGXBT394"


def made_up_isin(number: int) -> str:
    """A valid ISIN that nobody uses."""
    body = f"XS{number:09d}"
    return body + isin_format.calc_check_digit(body)


ISINS = tuple(made_up_isin(number) for number in range(1, 13))
PRICES = tuple(Decimal(10 + number) for number in range(12))


def publish_world(connection: psycopg.Connection[Any]) -> None:
    """Write it and commit."""
    for statement in (
        "insert into core.client (client_id, client_code, created_in) values (1, 'C1', 1)",
        "insert into core.account (account_id, account_code, created_in) values (1, 'A1', 1)",
        "insert into core.issuer (issuer_id, issuer_code, created_in) values (1, 'I1', 1)",
        "insert into core.portfolio (portfolio_id, portfolio_code, created_in) values (1, 'P1', 1)",
        "insert into core.benchmark (benchmark_id, benchmark_code, created_in) values (1, 'B1', 1)",
        "insert into core.share_class (share_class_id, share_class_code, created_in) values (1, 'S1', 1)",
        (
            "insert into core.share_class_version (share_class_id, valid_from, published_in, units_outstanding)"
            " values (1, '0001-01-01', 1, 1000)"
        ),
    ):
        connection.execute(statement.encode())
    for table in ("core.holding", "core.price", "core.fx_rate"):
        for day in (DAY, DAY - dt.timedelta(days=31)):
            connection.execute("select governance.ensure_month(%s, %s)", (table, day))
    for number, (isin, price) in enumerate(zip(ISINS, PRICES, strict=True), start=1):
        _instrument(connection, number, isin)
        _past(connection, number, price)
    connection.execute(
        "insert into core.fx_rate (base_currency_code, quote_currency_code, business_date, source_code, published_in,"
        " rate) values ('USD', 'JPY', %(day)s, 'TEST', 1, 150), ('EUR', 'USD', %(day)s, 'TEST', 1, 1.1)",
        {"day": BEFORE},
    )
    connection.commit()


def _instrument(connection: psycopg.Connection[Any], number: int, isin: str) -> None:
    code = f"ISIN:{isin}"
    connection.execute(
        "insert into core.instrument (instrument_id, instrument_code, created_in) values (%s, %s, 1)", (number, code)
    )
    connection.execute(
        "insert into core.instrument_version (instrument_id, valid_from, published_in, asset_class_code, currency_code)"
        " values (%s, '0001-01-01', 1, 'EQUITY', 'USD')",
        (number,),
    )
    connection.execute(
        "insert into core.instrument_identifier (instrument_id, scheme, value, valid_from, published_in)"
        " values (%s, 'ISIN', %s, '0001-01-01', 1)",
        (number, isin),
    )


def _past(connection: psycopg.Connection[Any], number: int, price: Decimal) -> None:
    connection.execute(
        "insert into core.holding (portfolio_id, business_date, instrument_id, published_in, quantity)"
        " values (1, %s, %s, 1, 10)",
        (BEFORE, number),
    )
    for age in range(1, 11):
        connection.execute(
            "insert into core.price (instrument_id, business_date, price_type_code, source_code, published_in, price)"
            " values (%s, %s, 'CLOSE', 'TEST', 1, %s)",
            (number, DAY - dt.timedelta(days=age), price + Decimal(age) / 100),
        )
