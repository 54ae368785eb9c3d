"""A house whose portfolios an override reaches in different ways: by price, by rate, through a cross, or not at all."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import psycopg

from fulcrum.entitlements.policy import load_policy
from fulcrum.entitlements.principals import WHOLE_HOUSE, Principal, register
from fulcrum.governance.desk import overrides
from fulcrum.governance.desk.overrides import Request
from fulcrum.governance.desk.policy import load_desk_policy
from fulcrum.pipeline.derive import derive
from fulcrum.settings import Settings
from tests.factories.market import Market

LONG_AGO, FRIDAY, MONDAY = dt.date(2025, 12, 1), dt.date(2026, 1, 2), dt.date(2026, 1, 5)
APPLE, SHELL, FUTURE = "US0378331005", "GB00BP6MXD84", "DE0009653386"
RATES = {"GBP/USD": "1.5", "EUR/USD": "1.2"}


class Reached(Market):
    """F and G in USD, E in EUR; F, E hold both shares, G only that in pence and only on Friday; OLD left long ago.

    On Monday F is worth 100 x 10 + 100 x 200 x 0.01 x 1.5 = 1300 USD.
    """

    def __init__(self, connection: psycopg.Connection[Any], settings: Settings) -> None:
        super().__init__(connection)
        self.settings = settings
        for name in ("ann", "bob"):
            register(connection, load_policy(settings), Principal(name, "person", ("risk_officer",), WHOLE_HOUSE))
        for code, base in (("F", "USD"), ("G", "USD"), ("E", "EUR"), ("OLD", "USD")):
            self.portfolio(code, base)
        self.instrument(APPLE)
        self.instrument(SHELL, "GBP", quote_unit_code="MINOR")
        self.instrument(FUTURE, "EUR", asset_class_code="FUTURE")
        for day in (LONG_AGO, FRIDAY, MONDAY):
            self._value(day)
        derive(settings)

    def _value(self, day: dt.date) -> None:
        shares = {"APPLE": {"instrument": APPLE}, "SHELL": {"instrument": SHELL}}
        self.prices(day, [{"instrument": APPLE, "price": "10"}, {"instrument": SHELL, "price": "200"}])
        self.rates(day, RATES)
        if day == LONG_AGO:
            self.holdings("OLD", day, [shares["APPLE"] | {"quantity": "7"}])
            return
        self.prices(day, [{"instrument": FUTURE, "price": "1000"}])
        both = [share | {"quantity": "100"} for share in shares.values()]
        self.holdings("F", day, [*both, {"instrument": FUTURE, "quantity": "5"}])
        self.holdings("E", day, [shares["APPLE"] | {"quantity": "-50"}, shares["SHELL"] | {"quantity": "100"}])
        if day == FRIDAY:
            self.holdings("G", day, [shares["SHELL"] | {"quantity": "10"}])

    def asked(
        self, of: str, value: str, currency: str | None = None, unit: str | None = None, *, begin: dt.date = FRIDAY
    ) -> int:
        """An override from `begin` to the Monday or two days on; its number."""
        pair = {"base_currency_code": of[:3], "quote_currency_code": of[4:]} if "/" in of else None
        request = Request(
            "fx_rate" if pair else "price",
            pair or {"isin": of},
            Decimal(value),
            begin,
            max(MONDAY, begin + dt.timedelta(days=2)),
            "wrong",
            "split",
            currency,
            unit,
        )
        number = overrides.ask(self.connection, load_desk_policy(self.settings), "ann", request).override_id
        self.connection.commit()
        return number

    def approve(self, number: int) -> None:
        """By somebody else; carried out and derived."""
        overrides.decide(self.connection, "bob", number, "approved")
        self.connection.commit()
        derive(self.settings)

    def navs(self) -> dict[tuple[str, dt.date], Decimal]:
        """By portfolio and date, as they stand."""
        rows = self.connection.execute(
            "select portfolio_code, business_date, nav_base from mart.portfolio_nav join core.portfolio"
            " using (portfolio_id) where superseded_in is null"
        ).fetchall()
        self.connection.commit()
        return {(code, day): nav for code, day, nav in rows}
