"""The story of `graph_story`, and what a whole house has besides: what the tests of entities ask about.

An umbrella over the fund with a part below it, an issuer, a benchmark with weights, transactions,
positions of the mandate, a client whose risk class changed, and the valuation that follows the restatement.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import psycopg

from tests.factories.graph_story import DAY, write_story
from tests.factories.graph_world import SINCE_EVER, GraphWorld

LEI = "529900T8BM49AURSDO55"
CLIENT, FUND, MANDATE, SHARE_CLASS = 1, 1, 2, 1
UNITS, PENCE, PLAIN = 1, 2, 3
"""Surrogate keys of the story, in the order in which it makes them."""


def write_house(connection: psycopg.Connection[Any]) -> GraphWorld:
    """Write it and commit."""
    world = write_story(connection)
    _parties(world)
    _hierarchy(world)
    _benchmark(world)
    _positions(world)
    connection.commit()
    return world


def _parties(world: GraphWorld) -> None:
    n = world.publish("core.client", DAY, feed="house_clients", file="clients_again.csv")
    world.supersede("core.client_version", n, client_id=CLIENT)
    same: dict[str, Any] = {"client_name": "Ada Ltd", "client_kind_code": "INSTITUTION"}
    changed = dt.date(2026, 1, 10)
    world.version("client", CLIENT, n, until=changed, risk_class_code="C3", **same)
    until = dt.date(2026, 1, 31)
    world.version("client", CLIENT, n, since=changed, risk_class_code="C4", risk_class_until_date=until, **same)
    for key, value in (("LEI", LEI), ("CRM", "4711")):
        world.insert(
            "core.client_identifier",
            "client_id",
            client_id=CLIENT,
            scheme=key,
            value=value,
            valid_from=SINCE_EVER,
            published_in=n,
        )
    n = world.publish("core.issuer", DAY, feed="house_issuers", file="issuers.csv")
    issuer = world.identity("issuer", LEI, n)
    world.version("issuer", issuer, n, issuer_name="Plain Incorporated", lei=LEI, country_code="US")
    n = world.publish("core.instrument", DAY, feed="house_instruments", file="instruments_again.csv")
    world.supersede("core.instrument_version", n, instrument_id=PLAIN)
    world.version(
        "instrument",
        PLAIN,
        n,
        instrument_name="Plain Inc",
        currency_code="USD",
        asset_class_code="DEBT",
        issuer_id=issuer,
        country_code="US",
        sector_name="Software",
    )
    world.insert(
        "core.instrument_identifier",
        "instrument_id",
        instrument_id=PLAIN,
        scheme="TICKER@US",
        value="PLN",
        valid_from=SINCE_EVER,
        published_in=n,
    )


def _hierarchy(world: GraphWorld) -> None:
    n = world.publish("core.portfolio", DAY, feed="house_portfolios", file="umbrella.csv")
    umbrella = world.identity("portfolio", "UMBRELLA", n)
    world.version("portfolio", umbrella, n, portfolio_kind_code="COMPOSITE", base_currency_code="EUR", lei=LEI)
    world.supersede("core.portfolio_version", n, portfolio_id=FUND)
    world.version(
        "portfolio",
        FUND,
        n,
        portfolio_name="World Fund",
        portfolio_kind_code="FUND",
        base_currency_code="EUR",
        parent_portfolio_id=umbrella,
    )
    sleeve = world.identity("portfolio", "SLEEVE", n)
    world.version("portfolio", sleeve, n, portfolio_kind_code="COMPOSITE", parent_portfolio_id=FUND)


def _benchmark(world: GraphWorld) -> None:
    n = world.publish("core.benchmark", DAY, feed="house_benchmarks", file="benchmarks.csv")
    benchmark = world.identity("benchmark", "WORLD", n)
    world.version("benchmark", benchmark, n, benchmark_name="World index", currency_code="EUR")
    n = world.publish("core.benchmark_weight", DAY, feed="house_benchmark_weights", file="weights.csv")
    for key, weight in ((PENCE, "0.4"), (PLAIN, "0.6")):
        world.fact(
            "core.benchmark_weight",
            n,
            benchmark_id=benchmark,
            instrument_id=key,
            business_date=DAY,
            weight=Decimal(weight),
        )
    n = world.publish("core.portfolio", DAY, feed="house_portfolios", file="mandate.csv")
    world.supersede("core.portfolio_version", n, portfolio_id=MANDATE)
    world.version(
        "portfolio",
        MANDATE,
        n,
        portfolio_kind_code="MANDATE",
        base_currency_code="USD",
        client_id=CLIENT,
        benchmark_id=benchmark,
    )


def _positions(world: GraphWorld) -> None:
    n = world.publish("core.transaction", DAY, feed="house_transactions", file="transactions.csv")
    for code, day, kind, quantity, net, key in (
        ("T-1", dt.date(2026, 1, 14), "BUY", "10", "-101.00", PLAIN),
        ("T-2", DAY, "FEE", None, "-1.50", None),
    ):
        world.fact(
            "core.transaction",
            n,
            portfolio_id=MANDATE,
            transaction_code=code,
            business_date=day,
            instrument_id=key,
            transaction_kind_code=kind,
            quantity=quantity and Decimal(quantity),
            net_amount=Decimal(net),
            currency_code="USD",
        )
    n = world.publish("core.holding", DAY, feed="house_holdings", file="mandate_holdings.csv")
    world.fact(
        "core.holding",
        n,
        portfolio_id=MANDATE,
        business_date=DAY,
        instrument_id=PLAIN,
        position_code="",
        quantity=Decimal(100),
        market_value=Decimal("1000.50"),
        currency_code="USD",
    )
    again = world.publish("mart.position_valuation", DAY, feed="mart.position_valuation")
    world.supersede("mart.position_valuation", again, portfolio_id=FUND, instrument_id=PENCE)
    for portfolio, key, quantity, value, currency, held, status in (
        (FUND, PENCE, "110", "343.75", "EUR", 12, "VALUED"),
        (MANDATE, PLAIN, "100", "1000.50", "USD", n, "VALUED"),
        (MANDATE, UNITS, "5", None, "USD", n, "PRICE_MISSING"),
    ):
        world.fact(
            "mart.position_valuation",
            again,
            portfolio_id=portfolio,
            business_date=DAY,
            instrument_id=key,
            position_code="",
            quantity=Decimal(quantity),
            price_currency_code={PENCE: "GBP"}.get(key, "USD"),
            base_currency_code=currency,
            market_value_base=value and Decimal(value),
            valuation_status_code=status,
            holding_publication_id=held,
            delivery_id=None,
            source_row=None,
        )
    nav = world.publish("mart.portfolio_nav", DAY, feed="mart.portfolio_nav")
    world.supersede("mart.portfolio_nav", nav, portfolio_id=FUND)
    world.fact(
        "mart.portfolio_nav",
        nav,
        portfolio_id=FUND,
        business_date=DAY,
        base_currency_code="EUR",
        nav_base=Decimal("666.95"),
        positions=2,
        positions_valued=2,
        positions_flagged=1,
        is_complete=True,
        oldest_price_date=dt.date(2026, 1, 12),
        valuation_publication_id=again,
        delivery_id=None,
        source_row=None,
    )
