"""The same queries as a good Strawberry service would answer them: resolvers and data loaders.

It reads the same tables with the same conditions over the same driver; one loader per relation.
"""

from __future__ import annotations

import datetime as dt
import os
from collections import defaultdict
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import psycopg
import strawberry
from psycopg.rows import dict_row
from strawberry.asgi import GraphQL
from strawberry.dataloader import DataLoader

from fulcrum.settings import read_settings
from fulcrum.warehouse import server
from fulcrum.warehouse.reads import valid, visible

VERSION = "(select max(publication_id) from governance.publication)"
AS_OF = "(select max(business_date_to) from governance.publication)"


class Database:
    """A few connections, taken in turn."""

    def __init__(self) -> None:
        self.free: list[psycopg.AsyncConnection[dict[str, Any]]] = []

    async def rows(self, sql: str, parameters: list[Any]) -> list[dict[str, Any]]:
        """The rows of a statement."""
        if self.free:
            connection = self.free.pop()
        else:
            url = server.ensure_running(read_settings()).url(user=server.API_ROLE)
            connection = await psycopg.AsyncConnection.connect(url, autocommit=True, row_factory=dict_row)
            connection.prepare_threshold = 0
        try:
            return await (await connection.execute(sql, parameters)).fetchall()
        finally:
            self.free.append(connection)


DATABASE = Database()


def entity(name: str, condition: str) -> str:
    return (
        f"select * from core.{name} i join core.{name}_version v using ({name}_id)"
        f" where {visible('v', VERSION)} and {valid('v', AS_OF)} and {condition}"
    )


def grouped(
    sql: str, column: str, make: Callable[[dict[str, Any]], Any]
) -> Callable[[list[int]], Awaitable[list[Any]]]:
    async def load(keys: list[int]) -> list[Any]:
        found = defaultdict(list)
        for row in await DATABASE.rows(sql, [keys]):
            found[row[column]].append(make(row))
        return [found[key] for key in keys]

    return load


class Loaders:
    """Fresh for each request, as loaders must be."""

    def __init__(self) -> None:
        instruments = entity("instrument", "i.instrument_id = any(%s)")
        self.instruments = DataLoader(grouped(instruments, "instrument_id", Instrument.of))
        self.portfolios = DataLoader(
            grouped(
                entity("portfolio", "v.client_id = any(%s)") + " order by portfolio_code", "client_id", Portfolio.of
            )
        )
        holdings = (
            f"select * from core.holding h where {visible('h', VERSION)} and h.business_date = {AS_OF}"
            " and h.portfolio_id = any(%s) order by portfolio_id, instrument_id, position_code"
        )
        self.holdings = DataLoader(grouped(holdings, "portfolio_id", Holding.of))
        prices = (
            "select distinct on (instrument_id) * from core.price p"
            f" where {visible('p', VERSION)} and p.business_date <= {AS_OF} and p.instrument_id = any(%s)"
            " order by instrument_id, business_date desc, price_type_code, source_code"
        )
        self.prices = DataLoader(grouped(prices, "instrument_id", Price.of))


@strawberry.type
class Price:
    price: Decimal
    business_date: dt.date

    @staticmethod
    def of(row: dict[str, Any]) -> Price:
        return Price(price=row["price"], business_date=row["business_date"])


@strawberry.type
class Instrument:
    key: strawberry.Private[int]
    code: str
    name: str | None
    asset_class_code: str | None

    @staticmethod
    def of(row: dict[str, Any]) -> Instrument:
        return Instrument(
            key=row["instrument_id"],
            code=row["instrument_code"],
            name=row["instrument_name"],
            asset_class_code=row["asset_class_code"],
        )

    @strawberry.field
    async def latest_price(self, info: strawberry.Info) -> Price | None:
        found = await info.context["loaders"].prices.load(self.key)
        return found[0] if found else None


@strawberry.type
class Holding:
    instrument_key: strawberry.Private[int]
    quantity: Decimal | None
    market_value: Decimal | None
    currency_code: str | None

    @staticmethod
    def of(row: dict[str, Any]) -> Holding:
        return Holding(
            instrument_key=row["instrument_id"],
            quantity=row["quantity"],
            market_value=row["market_value"],
            currency_code=row["currency_code"],
        )

    @strawberry.field
    async def instrument(self, info: strawberry.Info) -> Instrument | None:
        found = await info.context["loaders"].instruments.load(self.instrument_key)
        return found[0] if found else None


@strawberry.type
class Holdings:
    nodes: list[Holding]


@strawberry.type
class Portfolio:
    key: strawberry.Private[int]
    code: str
    name: str | None
    kind_code: str | None
    base_currency_code: str | None
    risk_level_code: str | None

    @staticmethod
    def of(row: dict[str, Any]) -> Portfolio:
        names = ("portfolio_kind_code", "base_currency_code", "risk_level_code")
        kind, currency, risk = (row[name] for name in names)
        return Portfolio(
            key=row["portfolio_id"],
            code=row["portfolio_code"],
            name=row["portfolio_name"],
            kind_code=kind,
            base_currency_code=currency,
            risk_level_code=risk,
        )

    @strawberry.field
    def id(self) -> strawberry.ID:
        return strawberry.ID(f"Portfolio:{self.key}")

    @strawberry.field
    async def holdings(self, info: strawberry.Info, first: int) -> Holdings:
        found = await info.context["loaders"].holdings.load(self.key)
        return Holdings(nodes=found[:first])


@strawberry.type
class Portfolios:
    nodes: list[Portfolio]


@strawberry.type
class Client:
    key: strawberry.Private[int]
    code: str
    name: str | None

    @staticmethod
    def of(row: dict[str, Any]) -> Client:
        return Client(key=row["client_id"], code=row["client_code"], name=row["client_name"])

    @strawberry.field
    async def portfolios(self, info: strawberry.Info, first: int) -> Portfolios:
        found = await info.context["loaders"].portfolios.load(self.key)
        return Portfolios(nodes=found[:first])


@strawberry.type
class Clients:
    nodes: list[Client]


@strawberry.input
class StringFilter:
    in_: list[str] = strawberry.field(name="in")


@strawberry.input
class ClientWhere:
    code: StringFilter


@strawberry.type
class Query:
    @strawberry.field
    async def portfolio(self, code: str) -> Portfolio | None:
        found = await DATABASE.rows(entity("portfolio", "i.portfolio_code = %s"), [code])
        return Portfolio.of(found[0]) if found else None

    @strawberry.field
    async def client(self, code: str) -> Client | None:
        found = await DATABASE.rows(entity("client", "i.client_code = %s"), [code])
        return Client.of(found[0]) if found else None

    @strawberry.field
    async def clients(self, first: int, where: ClientWhere) -> Clients:
        found = await DATABASE.rows(entity("client", "i.client_code = any(%s)"), [where.code.in_])
        return Clients(nodes=[Client.of(row) for row in found[:first]])


class Service(GraphQL[Any, Any]):
    """The ASGI application, with loaders for each request."""

    async def get_context(self, request: Any, response: Any) -> Any:  # noqa: ARG002 - Strawberry calls it so
        return {"loaders": Loaders()}


def create_app() -> Service:
    assert os.environ["FULCRUM_HOME"]
    return Service(strawberry.Schema(Query), graphql_ide=None)
