"""Portfolios: funds, clients' mandates and composites of them."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from fulcrum.graph.declare import At, column, entity, relation
from fulcrum.graph.relay import Connection, Node
from fulcrum.graph.sources import Versioned
from fulcrum.warehouse.models import portfolios
from schemas.entities.trust import Trust, trust_of_entity

if TYPE_CHECKING:
    from schemas.entities.client import Client
    from schemas.entities.holding import Holding
    from schemas.entities.nav import Nav
    from schemas.entities.share_class import ShareClass
    from schemas.entities.valuation import Valuation

_OURS = {"portfolio_id": "portfolio_id"}


@entity(Versioned(portfolios.Portfolio, portfolios.PortfolioVersion))
class Portfolio(Node):
    """A fund, a client's mandate or a composite of them."""

    code: str = column("portfolio_code", "The house's code.", is_filterable=True)
    name: str | None = column("portfolio_name", "What it is called.", is_sortable=True)
    kind_code: str | None = column("portfolio_kind_code", is_filterable=True)
    base_currency_code: str | None = column("base_currency_code", is_filterable=True)
    risk_level_code: str | None = column("risk_level_code", is_filterable=True)
    manager_name: str | None = column("manager_name", "Who manages it.")
    lei: str | None = column("lei", "ISO 17442.", is_filterable=True)
    isin: str | None = column("isin", "ISO 6166.", is_filterable=True)
    inception_date: dt.date | None = column("inception_date", "First day.", is_filterable=True)
    is_provisional: bool | None = column("is_provisional", is_filterable=True)
    client: Client | None = relation("Whose mandate it is.", on={"client_id": "client_id"})
    parent: Portfolio | None = relation("The composite it is part of.", on={"portfolio_id": "parent_portfolio_id"})
    children: Connection[Portfolio] = relation("Its parts.", on={"parent_portfolio_id": "portfolio_id"})
    share_classes: Connection[ShareClass] = relation("Classes of units of a fund.", on=_OURS)
    holdings: Connection[Holding] = relation("What it held on the business date, as reported.", on=_OURS)
    valuations: Connection[Valuation] = relation("Its positions on the business date, valued.", on=_OURS)
    nav: Nav | None = relation("Net asset value on the business date.", on=_OURS)
    latest_nav: Nav | None = relation("The last net asset value up to the business date.", on=_OURS, at=At.LATEST)
    nav_history: Connection[Nav] = relation(
        "Net asset values up to the business date, latest first.", on=_OURS, at=At.UNTIL, order=("-business_date",)
    )
    trust: Trust = trust_of_entity()
