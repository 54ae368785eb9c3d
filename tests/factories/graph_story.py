"""One small, hand-made world whose every number is known: what the graph's tests ask about.

One client with an account in a fund of two positions, and a mandate. A holding of 2026-01-15 is
restated. A price is in pence, one is three days old.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import psycopg

from tests.factories.graph_world import GraphWorld

DAY = dt.date(2026, 1, 15)
BEFORE = dt.date(2026, 1, 14)


def write_story(connection: psycopg.Connection[Any]) -> GraphWorld:
    """Write it and commit."""
    world = GraphWorld(connection)
    n = world.publish("core.client", DAY, feed="house_clients", file="clients.csv")
    client = world.identity("client", "C-1", n)
    world.version("client", client, n, client_name="Ada Ltd", client_kind_code="INSTITUTION", risk_class_code="C3")
    n = world.publish("core.account", DAY, feed="house_accounts", file="accounts.csv")
    account = world.identity("account", "A-1", n)
    world.version("account", account, n, client_id=client, currency_code="EUR", account_status_code="OPEN")
    n = world.publish("core.portfolio", DAY, feed="house_portfolios", file="portfolios.csv")
    fund = world.identity("portfolio", "FUND", n)
    world.version(
        "portfolio", fund, n, portfolio_name="World Fund", portfolio_kind_code="FUND", base_currency_code="EUR"
    )
    mandate = world.identity("portfolio", "MANDATE", n)
    world.version("portfolio", mandate, n, portfolio_kind_code="MANDATE", base_currency_code="USD", client_id=client)
    n = world.publish("core.share_class", DAY, feed="house_share_classes", file="share_classes.csv")
    share_class = world.identity("share_class", "FUND-A", n)
    world.version("share_class", share_class, n, portfolio_id=fund, isin="LU0000000001", currency_code="EUR")
    units, pence, plain = _instruments(world)
    _facts(world, fund, mandate, account, share_class, units, pence, plain)
    connection.commit()
    return world


def _instruments(world: GraphWorld) -> tuple[int, int, int]:
    n = world.publish("core.instrument", DAY, feed="house_instruments", file="instruments.csv")
    made = []
    for isin, name, currency, unit in (
        ("LU0000000001", "World Fund A", "EUR", "UNIT"),
        ("GB00PENCE001", "Pence plc", "GBP", "MINOR"),
        ("US00PLAIN001", "Plain Inc", "USD", "UNIT"),
    ):
        key = world.identity("instrument", f"ISIN:{isin}", n)
        world.version(
            "instrument",
            key,
            n,
            instrument_name=name,
            currency_code=currency,
            quote_unit_code=unit,
            asset_class_code="EQUITY",
        )
        world.insert(
            "core.instrument_identifier",
            "instrument_id",
            instrument_id=key,
            scheme="ISIN",
            value=isin,
            valid_from=dt.date(1, 1, 1),
            published_in=n,
        )
        made.append(key)
    return made[0], made[1], made[2]


def _facts(
    world: GraphWorld, fund: int, mandate: int, account: int, share_class: int, units: int, pence: int, plain: int
) -> None:
    n = world.publish("core.price", DAY, feed="house_prices", file="prices.csv")
    for key, day, kind, price, currency in (
        (units, BEFORE, "NAV", "101.2500", "EUR"),
        (pence, DAY, "CLOSE", "250", "GBP"),
        (plain, dt.date(2026, 1, 12), "CLOSE", "10.10", "USD"),
    ):
        world.fact(
            "core.price",
            n,
            instrument_id=key,
            business_date=day,
            price_type_code=kind,
            source_code="HOUSE",
            price=Decimal(price),
            currency_code=currency,
        )
    fx = world.publish("core.fx_rate", DAY, feed="house_fx_rates", file="fx.csv")
    for quote, rate in (("GBP", "0.8"), ("USD", "1.25")):
        world.fact(
            "core.fx_rate",
            fx,
            base_currency_code="EUR",
            quote_currency_code=quote,
            business_date=DAY,
            source_code="HOUSE",
            rate=Decimal(rate),
            source_row=3 if quote == "USD" else 2,
        )
    first = world.publish("core.holding", DAY, feed="house_holdings", file="holdings.csv", verdict="warned")
    for key, quantity, row in ((pence, "100", 2), (plain, "40", 3)):
        world.fact(
            "core.holding",
            first,
            portfolio_id=fund,
            business_date=DAY,
            instrument_id=key,
            position_code="",
            quantity=Decimal(quantity),
            market_value=Decimal(quantity) * 2,
            currency_code="EUR",
            source_row=row,
        )
    u = world.publish("core.unit_holding", DAY, feed="house_unit_holdings", file="units.csv")
    world.fact(
        "core.unit_holding",
        u,
        account_id=account,
        share_class_id=share_class,
        business_date=DAY,
        units=Decimal("12.5"),
        currency_code="EUR",
    )
    _valued(world, fund, mandate, pence, plain, n, fx, first)
    second = world.publish("core.holding", DAY, feed="house_holdings", file="holdings_restated.csv")
    world.supersede("core.holding", second, portfolio_id=fund, instrument_id=pence)
    world.fact(
        "core.holding",
        second,
        portfolio_id=fund,
        business_date=DAY,
        instrument_id=pence,
        position_code="",
        quantity=Decimal(110),
        market_value=Decimal(220),
        currency_code="EUR",
        source_row=2,
    )


def _valued(
    world: GraphWorld, fund: int, mandate: int, pence: int, plain: int, prices: int, fx: int, held: int
) -> None:
    n = world.publish("mart.position_valuation", DAY, feed="mart.position_valuation")
    for key, quantity, price, day, currency, factor, local, rate, base, status in (
        (pence, "100", "250", DAY, "GBP", "0.01", "250.00", "1.25", "312.5", "VALUED"),
        (plain, "40", "10.10", dt.date(2026, 1, 12), "USD", "1", "404.00", "0.8", "323.2", "VALUED_STALE_PRICE"),
    ):
        world.fact(
            "mart.position_valuation",
            n,
            portfolio_id=fund,
            business_date=DAY,
            instrument_id=key,
            position_code="",
            quantity=Decimal(quantity),
            price=Decimal(price),
            price_date=day,
            price_type_code="CLOSE",
            price_source_code="HOUSE",
            price_currency_code=currency,
            quote_factor=Decimal(factor),
            contract_size=Decimal(1),
            market_value_local=Decimal(local),
            fx_rate=Decimal(rate),
            fx_date=DAY,
            fx_path=f"{currency}>EUR",
            base_currency_code="EUR",
            market_value_base=Decimal(base),
            valuation_status_code=status,
            holding_publication_id=held,
            price_publication_id=prices,
            fx_publication_ids=[fx],
            delivery_id=None,
            source_row=None,
        )
    nav = world.publish("mart.portfolio_nav", DAY, feed="mart.portfolio_nav")
    for key, currency, value, positions in ((fund, "EUR", "635.7", 2), (mandate, "USD", "1000.50", 1)):
        world.fact(
            "mart.portfolio_nav",
            nav,
            portfolio_id=key,
            business_date=DAY,
            base_currency_code=currency,
            nav_base=Decimal(value),
            positions=positions,
            positions_valued=positions,
            positions_flagged=0,
            is_complete=True,
            oldest_price_date=dt.date(2026, 1, 12),
            valuation_publication_id=n,
            delivery_id=None,
            source_row=None,
        )
