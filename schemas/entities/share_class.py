"""Share classes: classes of units of a fund."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from fulcrum.graph.declare import At, column, entity, relation
from fulcrum.graph.histories import Version, versions_of
from fulcrum.graph.relay import Connection, Node
from fulcrum.graph.sources import Versioned
from fulcrum.warehouse.models import portfolios
from schemas.entities.trust import Trust, trust_of_entity, trust_of_version

if TYPE_CHECKING:
    from schemas.entities.portfolio import Portfolio
    from schemas.entities.unit_holding import UnitHolding


@entity(Versioned(portfolios.ShareClass, portfolios.ShareClassVersion))
class ShareClass(Node):
    """A class of units of a fund."""

    code: str = column("share_class_code", "The house's code.", is_filterable=True, is_dimension=True)
    name: str | None = column(
        "share_class_name",
        "What it is called.",
        is_sortable=True,
        is_filterable=True,
        is_searchable=True,
        is_dimension=True,
    )
    isin: str | None = column("isin", "ISO 6166.", is_filterable=True)
    currency_code: str | None = column("currency_code", "ISO 4217.", is_filterable=True, is_dimension=True)
    distribution_code: str | None = column("distribution_code", is_filterable=True, is_dimension=True)
    units_outstanding: Decimal | None = column("units_outstanding", "Units that exist.", is_aggregatable=True)
    portfolio: Portfolio | None = relation(
        "The fund.", on={"portfolio_id": "portfolio_id"}, is_filterable=True, is_dimension=True
    )
    unit_holdings: Connection[UnitHolding] = relation(
        "Who holds units on the business date.",
        on={"share_class_id": "share_class_id"},
        order=("account_id",),
        is_filterable=True,
    )
    history: Connection[ShareClassVersion] = relation(
        "All that was ever stated about it, as known, latest first.", on={"share_class_id": "share_class_id"}, at=At.ANY
    )
    trust: Trust = trust_of_entity()


@versions_of(ShareClass)
class ShareClassVersion(Version):
    """What was stated of a share class for a period."""

    share_class: ShareClass | None = relation("What it is about.", on={"share_class_id": "share_class_id"})
    trust: Trust = trust_of_version()
