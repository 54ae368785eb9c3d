"""Two clients whose every value is a mark: what belongs to one and what is personal can be recognised anywhere.

Personal values of client 1 hold `one-`, of client 2 `two-`; numbers of client 1 hold 1111, of client 2 2222.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import psycopg

from tests.factories.graph_world import SINCE_EVER, GraphWorld

DAY = dt.date(2026, 1, 15)
NAMES = ("one", "two")
PERSONAL: dict[str, dict[str, Any]] = {
    name: {
        "client_name": f"{name}-full-name",
        "given_name": f"{name}-given-name",
        "family_name": f"{name}-family-name",
        "city_name": f"{name}-city",
        "email": f"{name}-mail@example.org",
        "birth_date": birth,
    }
    for name, birth in zip(NAMES, (dt.date(1961, 2, 3), dt.date(1972, 4, 5)), strict=True)
}
IDENTIFIERS = {"one": "one-national-id", "two": "two-national-id"}


def marks(name: str) -> list[str]:
    """All texts by which a client's own data is recognised."""
    return [*personal(name), f"C-{name}", f"A-{name}", f"M-{name}", number(name)]


def personal(name: str) -> list[str]:
    """All texts that tell who a client is."""
    return [str(value) for value in PERSONAL[name].values()] + [IDENTIFIERS[name]]


def number(name: str) -> str:
    """Four digits in every number of a client."""
    return "1111" if name == "one" else "2222"


def write_two_houses(connection: psycopg.Connection[Any]) -> GraphWorld:
    """Write both clients with everything that can belong to one, and commit."""
    world = GraphWorld(connection)
    n = world.publish("core.instrument", DAY, feed="instruments", file="instruments.csv")
    instrument = world.identity("instrument", "SHARED", n)
    world.version("instrument", instrument, n, asset_class_code="EQUITY", currency_code="EUR", instrument_name="Shared")
    n = world.publish("core.portfolio", DAY, feed="portfolios", file="portfolios.csv")
    fund = world.identity("portfolio", "FUND", n)
    world.version("portfolio", fund, n, portfolio_kind_code="FUND", base_currency_code="EUR")
    share_class = world.identity("share_class", "FUND-A", n)
    world.version("share_class", share_class, n, portfolio_id=fund, currency_code="EUR")
    for name in NAMES:
        _client(world, name, instrument, share_class)
    connection.commit()
    return world


def _client(world: GraphWorld, name: str, instrument: int, share_class: int) -> None:
    n = world.publish("core.client", DAY, feed="clients", file=f"clients_{name}.csv")
    client = world.identity("client", f"C-{name}", n)
    world.version("client", client, n, until=dt.date(2026, 1, 10), risk_class_code="C2", **PERSONAL[name])
    world.version("client", client, n, since=dt.date(2026, 1, 10), risk_class_code="C3", **PERSONAL[name])
    world.insert(
        "core.client_identifier",
        "client_id",
        client_id=client,
        scheme="NATIONAL_ID",
        value=IDENTIFIERS[name],
        valid_from=SINCE_EVER,
        published_in=n,
    )
    account = world.identity("account", f"A-{name}", n)
    world.version("account", account, n, client_id=client, currency_code="EUR", account_name=f"A-{name} account")
    mandate = world.identity("portfolio", f"M-{name}", n)
    world.version(
        "portfolio",
        mandate,
        n,
        client_id=client,
        portfolio_kind_code="MANDATE",
        base_currency_code="EUR",
        portfolio_name=f"M-{name} mandate",
    )
    amount = Decimal(number(name))
    own: dict[str, Any] = {"business_date": DAY, "portfolio_id": mandate, "instrument_id": instrument}
    h = world.publish("core.holding", DAY, feed="holdings", file=f"holdings_{name}.csv")
    world.fact("core.holding", h, **own, quantity=amount, market_value=amount, cost=amount, currency_code="EUR")
    world.fact("core.unit_holding", h, account_id=account, share_class_id=share_class, business_date=DAY, units=amount)
    world.fact(
        "core.transaction",
        h,
        **own,
        transaction_code=f"M-{name}-T",
        transaction_kind_code="BUY",
        quantity=amount,
        net_amount=amount,
        currency_code="EUR",
    )
    v = world.publish("mart.position_valuation", DAY, feed="mart.position_valuation")
    world.fact(
        "mart.position_valuation",
        v,
        **own,
        position_code="",
        quantity=amount,
        market_value_base=amount,
        base_currency_code="EUR",
        valuation_status_code="VALUED",
        holding_publication_id=h,
    )
    world.fact(
        "mart.portfolio_nav",
        v,
        portfolio_id=mandate,
        business_date=DAY,
        base_currency_code="EUR",
        nav_base=amount,
        positions=1,
        positions_valued=1,
        positions_flagged=0,
        is_complete=True,
        valuation_publication_id=v,
    )
