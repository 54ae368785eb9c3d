"""Portfolios: funds, clients' mandates and composites of them."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from fulcrum.graph.declare import Argument, At, column, entity, relation
from fulcrum.graph.histories import Version, versions_of
from fulcrum.graph.relay import Connection, Node
from fulcrum.graph.sources import Versioned
from fulcrum.warehouse.models import portfolios
from schemas.entities.changes import BETWEEN_OF_PORTFOLIO, SINCE, PortfolioChanges
from schemas.entities.conditions import holds
from schemas.entities.exposure import EXPOSURES, VALUE, Exposure, ExposureDimension
from schemas.entities.trust import Trust, trust_of_entity, trust_of_version

if TYPE_CHECKING:
    from schemas.entities.benchmark import Benchmark
    from schemas.entities.client import Client
    from schemas.entities.holding import Holding
    from schemas.entities.nav import Nav
    from schemas.entities.share_class import ShareClass
    from schemas.entities.transaction import Transaction
    from schemas.entities.valuation import Valuation

_OURS = {"portfolio_id": "portfolio_id"}
DEEPEST = 16
"""Levels of a hierarchy that `descendants` follows; also what ends it where a house made a circle."""
_PART = f"core.portfolio_version x where x.parent_portfolio_id = PARENT and {holds('x')}"
_BELOW = f"""with recursive below (portfolio_id, depth) as (
  select x.portfolio_id, 1 from {_PART.replace("PARENT", "{portfolio_id}")}
  union
  select c.portfolio_id, b.depth + 1
  from below b, lateral (select x.portfolio_id from {_PART.replace("PARENT", "b.portfolio_id")}) c
  where b.depth < {DEEPEST}
) select distinct portfolio_id from below"""


@entity(Versioned(portfolios.Portfolio, portfolios.PortfolioVersion))
class Portfolio(Node):
    """A fund, a client's mandate or a composite of them."""

    code: str = column("portfolio_code", "The house's code.", is_filterable=True, is_dimension=True)
    name: str | None = column(
        "portfolio_name",
        "What it is called.",
        is_sortable=True,
        is_filterable=True,
        is_searchable=True,
        is_dimension=True,
    )
    kind_code: str | None = column("portfolio_kind_code", is_filterable=True, is_dimension=True)
    base_currency_code: str | None = column("base_currency_code", is_filterable=True, is_dimension=True)
    risk_level_code: str | None = column("risk_level_code", is_filterable=True, is_dimension=True)
    manager_name: str | None = column("manager_name", "Who manages it.")
    lei: str | None = column("lei", "ISO 17442.", is_filterable=True)
    isin: str | None = column("isin", "ISO 6166.", is_filterable=True)
    inception_date: dt.date | None = column("inception_date", "First day.", is_filterable=True, is_dimension=True)
    is_provisional: bool | None = column("is_provisional", is_filterable=True, is_dimension=True)
    client: Client | None = relation(
        "Whose mandate it is.", on={"client_id": "client_id"}, is_filterable=True, is_dimension=True
    )
    parent: Portfolio | None = relation(
        "The composite it is part of.", on={"portfolio_id": "parent_portfolio_id"}, is_filterable=True
    )
    children: Connection[Portfolio] = relation(
        "Its parts.", on={"parent_portfolio_id": "portfolio_id"}, is_filterable=True
    )
    descendants: Connection[Portfolio] = relation(
        f"Its parts, their parts and so on, {DEEPEST} levels deep.", among={"portfolio_id": _BELOW}
    )
    benchmark: Benchmark | None = relation(
        "What it is measured against.", on={"benchmark_id": "benchmark_id"}, is_filterable=True
    )
    share_classes: Connection[ShareClass] = relation("Classes of units of a fund.", on=_OURS, is_filterable=True)
    holdings: Connection[Holding] = relation(
        "What it held on the business date, as reported.", on=_OURS, is_filterable=True
    )
    valuations: Connection[Valuation] = relation(
        "Its positions on the business date, valued.", on=_OURS, is_filterable=True
    )
    nav: Nav | None = relation("Net asset value on the business date.", on=_OURS, is_filterable=True)
    latest_nav: Nav | None = relation("The last net asset value up to the business date.", on=_OURS, at=At.LATEST)
    nav_history: Connection[Nav] = relation(
        "Net asset values up to the business date, latest first.", on=_OURS, at=At.UNTIL, order=("-business_date",)
    )
    transactions: Connection[Transaction] = relation(
        "Its transactions up to the business date, latest first.",
        on=_OURS,
        at=At.UNTIL,
        order=("-business_date", "transaction_code"),
    )
    exposure: Connection[Exposure] = relation(
        "What its valued positions add up to along a dimension, largest first.",
        rows=EXPOSURES,
        arguments={"by": Argument(ExposureDimension, "The dimension.")},
        shows=(VALUE,),
    )
    changes: PortfolioChanges = relation(
        "What became known of its business date since an earlier state of knowledge.",
        rows=BETWEEN_OF_PORTFOLIO,
        arguments=SINCE,
    )
    history: Connection[PortfolioVersion] = relation(
        "All that was ever stated about it, as known, latest first.", on=_OURS, at=At.ANY
    )
    trust: Trust = trust_of_entity()


@versions_of(Portfolio)
class PortfolioVersion(Version):
    """What was stated of a portfolio for a period."""

    portfolio: Portfolio | None = relation("What it is about.", on=_OURS)
    trust: Trust = trust_of_version()
