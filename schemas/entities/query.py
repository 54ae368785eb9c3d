"""The root of the API: how to find one entity, and the lists of all."""

from __future__ import annotations

import strawberry

from fulcrum.graph.declare import lookup, node_lookup, relation
from fulcrum.graph.relay import Connection, Node
from schemas.entities.account import Account
from schemas.entities.client import Client
from schemas.entities.holding import Holding
from schemas.entities.instrument import INSTRUMENT_BY, Instrument, InstrumentBy
from schemas.entities.issuer import Issuer
from schemas.entities.nav import Nav
from schemas.entities.portfolio import Portfolio
from schemas.entities.price import FxRate, Price
from schemas.entities.publication import Delivery, Publication
from schemas.entities.share_class import ShareClass
from schemas.entities.unit_holding import UnitHolding
from schemas.entities.valuation import Valuation


@strawberry.type(description="One operation has one business date (`asOf`) and one knowledge time (`knownAt`).")
class Query:
    """The root."""

    node: Node | None = node_lookup("Any object by its id.")

    client: Client | None = lookup("One client.", code="{client_code} = {value}")
    account: Account | None = lookup("One account.", code="{account_code} = {value}")
    portfolio: Portfolio | None = lookup("One portfolio.", code="{portfolio_code} = {value}")
    share_class: ShareClass | None = lookup("One share class.", code="{share_class_code} = {value}")
    instrument: Instrument | None = lookup("One instrument.", argument=InstrumentBy, **INSTRUMENT_BY)
    issuer: Issuer | None = lookup("One issuer.", code="{issuer_code} = {value}")
    publication: Publication | None = lookup("One publication.", number="{publication_id} = {value}")

    clients: Connection[Client] = relation("Clients, by code.")
    accounts: Connection[Account] = relation("Accounts, by code.")
    portfolios: Connection[Portfolio] = relation("Portfolios, by code.")
    share_classes: Connection[ShareClass] = relation("Share classes, by code.")
    instruments: Connection[Instrument] = relation("Instruments, by code.")
    issuers: Connection[Issuer] = relation("Issuers, by code.")
    holdings: Connection[Holding] = relation("Holdings of all portfolios on the business date.")
    unit_holdings: Connection[UnitHolding] = relation("Units in all accounts on the business date.")
    valuations: Connection[Valuation] = relation("Valued positions of all portfolios on the business date.")
    navs: Connection[Nav] = relation("Net asset values of all portfolios on the business date.")
    prices: Connection[Price] = relation("Prices of the business date.")
    fx_rates: Connection[FxRate] = relation("Exchange rates of the business date.")
    publications: Connection[Publication] = relation("Publications, latest first.")
    deliveries: Connection[Delivery] = relation("Files that arrived, latest first.")
