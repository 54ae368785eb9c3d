"""Random but lawful warehouses: entities with several versions, facts restated and withdrawn.

Lawful means: one current version at a time, one visible row per key, numbers in commit order.
"""

from __future__ import annotations

import datetime as dt
import random
from decimal import Decimal
from typing import Any

import psycopg

from tests.factories.graph_world import SINCE_EVER, GraphWorld

DAYS = (dt.date(2026, 1, 30), dt.date(2026, 1, 31), dt.date(2026, 2, 2))
CURRENCIES = ("EUR", "USD", None)
FACTS = ("holding", "price", "unit_holding", "position_valuation", "portfolio_nav", "fx_rate", "transaction")
PAIRS = (("EUR", "USD"), ("USD", "EUR"), ("EUR", "GBP"), ("USD", "GBP"))
PARENTS = {
    "account_version": {"client_id": "client"},
    "portfolio_version": {"client_id": "client", "parent_portfolio_id": "portfolio"},
    "share_class_version": {"portfolio_id": "portfolio"},
    "instrument_version": {"issuer_id": "issuer"},
}
ATTRIBUTES: dict[str, dict[str, tuple[Any, ...]]] = {
    "client": {"client_name": ("ADA", "BOB", None), "risk_class_code": ("C1", "C2", None)},
    "account": {"currency_code": CURRENCIES, "account_name": ("X", "Y", None)},
    "issuer": {"issuer_name": ("ACME", "ZENITH", None), "country_code": ("DE", None)},
    "portfolio": {
        "portfolio_name": ("GROWTH", "INCOME", None),
        "portfolio_kind_code": ("FUND", "MANDATE"),
        "base_currency_code": CURRENCIES,
    },
    "share_class": {"currency_code": CURRENCIES, "units_outstanding": (Decimal("10.50"), None)},
    "instrument": {
        "instrument_name": ("SHARE", "BOND", None),
        "asset_class_code": ("EQUITY", "DEBT", None),
        "coupon_pct": (Decimal("2.500"), None),
    },
}
AMOUNTS = (Decimal("0.00"), Decimal(10), Decimal("-3.1400"), Decimal("1000000.000001"), None)


class RandomWorld:
    """Fills a warehouse with what `seed` says."""

    def __init__(self, connection: psycopg.Connection[Any], seed: int) -> None:
        self.world = GraphWorld(connection)
        self.random = random.Random(seed)
        self.keys: dict[str, list[int]] = {}

    def write(self) -> GraphWorld:
        """Write it and commit."""
        for entity in ("client", "account", "issuer", "portfolio", "share_class", "instrument"):
            for number in range(4):
                self._new_entity(entity, f"{entity.upper()}{number}")
        for _ in range(12):
            self._restate_entity(self.random.choice(list(self.keys)))
        for _ in range(40):
            self._facts(self.random.choice(FACTS))
        self.world.connection.commit()
        return self.world

    def _publish(self, target: str, day: dt.date) -> int:
        verdict = self.random.choice(["passed", "warned"])
        file = None if target.startswith("mart.") else f"{target}_{self.world.publications}.csv"
        return self.world.publish(target, day, file=file, verdict=verdict)

    def _new_entity(self, entity: str, code: str) -> None:
        publication = self._publish(f"core.{entity}", DAYS[0])
        key = self.world.identity(entity, code, publication)
        self.keys.setdefault(entity, []).append(key)
        if entity == "instrument":
            self.world.insert(
                "core.instrument_identifier",
                "instrument_id",
                instrument_id=key,
                scheme="ISIN",
                value=f"XX{key:010d}",
                valid_from=self.random.choice([SINCE_EVER, DAYS[1]]),
                published_in=publication,
            )
        self._versions(entity, key, publication)

    def _restate_entity(self, entity: str) -> None:
        key = self.random.choice(self.keys[entity])
        publication = self._publish(f"core.{entity}", DAYS[1])
        self.world.supersede(f"core.{entity}_version", publication, **{f"{entity}_id": key})
        self._versions(entity, key, publication)

    def _versions(self, entity: str, key: int, publication: int) -> None:
        begin = self.random.choice([SINCE_EVER, *DAYS])
        later = [day for day in DAYS if day > begin]
        cut = self.random.choice([None, *later])
        end = self.random.choice([None, *[day for day in later if cut is not None and day > cut]])
        periods = [(begin, cut)] if cut is None else [(begin, cut), (cut, end)]
        for since, until in periods[: self.random.choice([1, 2])]:
            chosen = {name: self.random.choice(values) for name, values in ATTRIBUTES[entity].items()}
            for column, parent in PARENTS.get(f"{entity}_version", {}).items():
                chosen[column] = self.random.choice([None, *self.keys[parent]])
            self.world.version(entity, key, publication, since=since, until=until, **chosen)

    def _facts(self, name: str) -> None:
        day = self.random.choice(DAYS)
        table = f"mart.{name}" if name.startswith("po") else f"core.{name}"
        publication = self._publish(table, day)
        for _ in range(self.random.randint(1, 6)):
            key = {"business_date": day} | self._key(name)
            self.world.supersede(table, publication, **key)
            if self.random.random() < 0.15:
                continue  # withdrawn
            if self._has_row(table, publication, key):
                continue
            self.world.fact(table, publication, **key, **self._values(name))

    def _has_row(self, table: str, publication: int, key: dict[str, Any]) -> bool:
        same = " and ".join(f"{column} = %({column})s" for column in key)
        found = self.world.connection.execute(
            f"select from {table} where published_in = {publication} and {same}",
            key,
        ).fetchone()
        return found is not None

    def _key(self, name: str) -> dict[str, Any]:
        pick = self.random.choice
        position = {
            "portfolio_id": pick(self.keys["portfolio"]),
            "instrument_id": pick(self.keys["instrument"]),
            "position_code": pick(["", "LOT:1", "LOT~2"]),
        }
        keys: dict[str, dict[str, Any]] = {
            "holding": position,
            "position_valuation": position,
            "price": {
                "instrument_id": position["instrument_id"],
                "price_type_code": pick(["CLOSE", "NAV"]),
                "source_code": pick(["A", "B"]),
            },
            "unit_holding": {
                "account_id": pick(self.keys["account"]),
                "share_class_id": pick(self.keys["share_class"]),
            },
            "portfolio_nav": {"portfolio_id": position["portfolio_id"]},
            "fx_rate": dict(zip(("base_currency_code", "quote_currency_code"), pick(PAIRS), strict=True))
            | {"source_code": pick(["ECB", "B"])},
            "transaction": {"portfolio_id": position["portfolio_id"], "transaction_code": pick(["T1", "T2", "T3"])},
        }
        return keys[name]

    def _values(self, name: str) -> dict[str, Any]:
        amount, currency = self.random.choice(AMOUNTS), self.random.choice(CURRENCIES)
        given = amount if amount is not None else Decimal("7.70")
        values: dict[str, dict[str, Any]] = {
            "holding": {"quantity": amount, "market_value": self.random.choice(AMOUNTS), "currency_code": currency},
            "price": {"price": given, "currency_code": currency},
            "unit_holding": {"units": given, "currency_code": currency},
            "fx_rate": {"rate": self.random.choice([Decimal("1.25"), Decimal("0.80"), Decimal(3)])},
            "transaction": {
                "instrument_id": self.random.choice([None, *self.keys["instrument"]]),
                "transaction_kind_code": self.random.choice(["BUY", "SELL"]),
                "settlement_date": self.random.choice([None, *DAYS]),
                "quantity": self.random.choice(AMOUNTS),
                "net_amount": amount,
                "currency_code": currency or "USD",
            },
            "position_valuation": {
                "base_currency_code": currency or "EUR",
                "market_value_base": amount,
                "valuation_status_code": "VALUED" if amount is not None else "PRICE_MISSING",
                "holding_publication_id": 1,
            },
            "portfolio_nav": {
                "nav_base": amount,
                "positions": 3,
                "positions_valued": 2,
                "positions_flagged": 0,
                "is_complete": self.random.random() < 0.5,
                "valuation_publication_id": 1,
            },
        }
        return values[name]
