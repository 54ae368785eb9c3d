"""Share classes: classes of units of a fund."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from fulcrum.graph.declare import column, entity, relation
from fulcrum.graph.relay import Connection, Node
from fulcrum.graph.sources import Versioned
from fulcrum.warehouse.models import portfolios
from schemas.entities.trust import Trust, trust_of_entity

if TYPE_CHECKING:
    from schemas.entities.portfolio import Portfolio
    from schemas.entities.unit_holding import UnitHolding


@entity(Versioned(portfolios.ShareClass, portfolios.ShareClassVersion))
class ShareClass(Node):
    """A class of units of a fund."""

    code: str = column("share_class_code", "The house's code.", is_filterable=True)
    name: str | None = column("share_class_name", "What it is called.", is_sortable=True)
    isin: str | None = column("isin", "ISO 6166.", is_filterable=True)
    currency_code: str | None = column("currency_code", "ISO 4217.", is_filterable=True)
    distribution_code: str | None = column("distribution_code", is_filterable=True)
    units_outstanding: Decimal | None = column("units_outstanding", "Units that exist.")
    portfolio: Portfolio | None = relation("The fund.", on={"portfolio_id": "portfolio_id"})
    unit_holdings: Connection[UnitHolding] = relation(
        "Who holds units on the business date.",
        on={"share_class_id": "share_class_id"},
        order=("account_id",),
    )
    trust: Trust = trust_of_entity()
