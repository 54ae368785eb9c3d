"""Accounts of clients, in which units of funds are held."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from fulcrum.graph.declare import At, column, entity, relation
from fulcrum.graph.histories import Version, versions_of
from fulcrum.graph.relay import Connection, Node
from fulcrum.graph.sources import Versioned
from fulcrum.warehouse.models import parties
from schemas.entities.trust import Trust, trust_of_entity, trust_of_version

if TYPE_CHECKING:
    from schemas.entities.client import Client
    from schemas.entities.unit_holding import UnitHolding


@entity(Versioned(parties.Account, parties.AccountVersion))
class Account(Node):
    """A client's account, in which units of funds are held."""

    code: str = column("account_code", "The house's code.", is_filterable=True, is_dimension=True)
    name: str | None = column(
        "account_name",
        "What it is called.",
        is_sortable=True,
        is_filterable=True,
        is_searchable=True,
        is_dimension=True,
    )
    kind_code: str | None = column("account_kind_code", is_filterable=True, is_dimension=True)
    currency_code: str | None = column("currency_code", is_filterable=True, is_dimension=True)
    status_code: str | None = column("account_status_code", is_filterable=True, is_dimension=True)
    opened_date: dt.date | None = column("opened_date", "First day.", is_filterable=True, is_dimension=True)
    closed_date: dt.date | None = column("closed_date", "Day of closing.")
    client: Client | None = relation(
        "Who owns it.", on={"client_id": "client_id"}, is_filterable=True, is_dimension=True
    )
    unit_holdings: Connection[UnitHolding] = relation(
        "Units of funds in it on the business date.", on={"account_id": "account_id"}, is_filterable=True
    )
    history: Connection[AccountVersion] = relation(
        "All that was ever stated about it, as known, latest first.", on={"account_id": "account_id"}, at=At.ANY
    )
    trust: Trust = trust_of_entity()


@versions_of(Account)
class AccountVersion(Version):
    """What was stated of an account for a period."""

    account: Account | None = relation("What it is about.", on={"account_id": "account_id"})
    trust: Trust = trust_of_version()
