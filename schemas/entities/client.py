"""Clients: persons, institutions and products that own accounts and mandates."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from fulcrum.graph.declare import At, column, entity, relation
from fulcrum.graph.histories import Version, versions_of
from fulcrum.graph.relay import Connection, Node
from fulcrum.graph.sources import Versioned
from fulcrum.warehouse.models import parties
from schemas.entities.conditions import holds, known
from schemas.entities.trust import Trust, trust_of_entity, trust_of_version
from schemas.entities.wealth import BY_ASSET_CLASS, BY_CURRENCY, SHOWN, SHOWN_BY_ASSET_CLASS, Wealth, WealthByAssetClass

if TYPE_CHECKING:
    from schemas.entities.account import Account
    from schemas.entities.identifiers import ClientIdentifier
    from schemas.entities.portfolio import Portfolio
    from schemas.entities.unit_holding import UnitHolding

_OURS = {"client_id": "client_id"}
_OWN_ACCOUNTS = f"select a.account_id from core.account_version a where a.client_id = {{client_id}} and {holds('a')}"
_RISK_CLASS_SINCE = f"""
select nullif(min(v.valid_from), date '0001-01-01') from core.client_version v
where v.client_id = {{client_id}} and {known("v")} and v.valid_from <= {{as_of}}
  and v.risk_class_code = {{risk_class_code}}
  and v.valid_from > coalesce((
    select max(w.valid_from) from core.client_version w
    where w.client_id = {{client_id}} and {known("w")} and w.valid_from <= {{as_of}}
      and w.risk_class_code is distinct from {{risk_class_code}}), '-infinity')
"""


@entity(Versioned(parties.Client, parties.ClientVersion))
class Client(Node):
    """A person, an institution or a product that owns accounts and mandates."""

    code: str = column("client_code", "The house's code.", is_filterable=True, is_dimension=True)
    name: str | None = column(
        "client_name", "Full name.", is_sortable=True, is_filterable=True, is_searchable=True, is_dimension=True
    )
    given_name: str | None = column("given_name", "Given name of a person.")
    family_name: str | None = column("family_name", "Family name of a person.")
    kind_code: str | None = column("client_kind_code", is_filterable=True, is_dimension=True)
    risk_class_code: str | None = column("risk_class_code", is_filterable=True, is_dimension=True)
    risk_class_since_date: dt.date | None = column(
        description="Since when the risk class is as it is; null: nobody told a beginning.", sql=_RISK_CLASS_SINCE
    )
    risk_class_until_date: dt.date | None = column("risk_class_until_date", "Last day the risk class holds.")
    is_risk_class_valid: bool | None = column(
        description="Whether the risk class holds on the business date; null without one.",
        sql="case when {risk_class_code} is not null then coalesce({as_of} <= {risk_class_until_date}, true) end",
    )
    kyc_status_code: str | None = column("kyc_status_code", is_filterable=True, is_dimension=True)
    domicile_country_code: str | None = column("domicile_country_code", is_filterable=True, is_dimension=True)
    birth_date: dt.date | None = column("birth_date", "Date of birth of a person.")
    city_name: str | None = column("city_name", "City of residence.")
    email: str | None = column("email", "Electronic mail address.")
    identifiers: list[ClientIdentifier] = relation(
        "Its identifiers on the business date.", on=_OURS, order=("scheme", "value")
    )
    accounts: Connection[Account] = relation("Accounts of the client.", on=_OURS, is_filterable=True)
    unit_holdings: Connection[UnitHolding] = relation(
        "Units of funds in all accounts of the client on the business date.", among={"account_id": _OWN_ACCOUNTS}
    )
    portfolios: Connection[Portfolio] = relation("Mandates and funds of the client.", on=_OURS, is_filterable=True)
    wealth: list[Wealth] = relation(
        "What the client owns on the business date, by currency.", rows=BY_CURRENCY, shows=SHOWN
    )
    wealth_by_asset_class: list[WealthByAssetClass] = relation(
        "The same by asset class and currency, mandates looked through.",
        rows=BY_ASSET_CLASS,
        shows=SHOWN_BY_ASSET_CLASS,
    )
    history: Connection[ClientVersion] = relation(
        "All that was ever stated about it, as known, latest first.", on=_OURS, at=At.ANY
    )
    trust: Trust = trust_of_entity()


@versions_of(Client)
class ClientVersion(Version):
    """What was stated of a client for a period."""

    client: Client | None = relation("Whom it is about.", on=_OURS)
    trust: Trust = trust_of_version()
