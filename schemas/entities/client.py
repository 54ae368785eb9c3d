"""Clients: persons, institutions and products that own accounts and mandates."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING

from fulcrum.graph.declare import column, entity, plain, relation
from fulcrum.graph.relay import Connection, Node
from fulcrum.graph.sources import Versioned
from fulcrum.warehouse.models import parties
from schemas.entities.trust import Trust, trust_of_entity
from schemas.entities.unit_holding import VALUED_UNITS

if TYPE_CHECKING:
    from schemas.entities.account import Account
    from schemas.entities.portfolio import Portfolio

_WEALTH = f"""
select w.currency_code, sum(w.amount) as amount,
  count(*) filter (where w.is_mandate) as mandates, count(*) filter (where not w.is_mandate) as unit_holdings,
  coalesce(bool_and(w.amount is not null and w.is_complete), false) as is_complete
from (
  select u.currency_code, u.amount, true as is_complete, false as is_mandate
  from core.account_version a, lateral ({VALUED_UNITS}) u
  where a.client_id = {{client_id}} and a.published_in <= {{version}}
    and (a.superseded_in is null or a.superseded_in > {{version}})
    and a.valid_from <= {{as_of}} and (a.valid_to is null or {{as_of}} < a.valid_to)
  union all
  select coalesce(n.base_currency_code, m.base_currency_code), n.nav_base, coalesce(n.is_complete, false), true
  from core.portfolio_version m
  left join mart.portfolio_nav n on n.portfolio_id = m.portfolio_id and n.business_date = {{as_of}}
    and n.published_in <= {{version}} and (n.superseded_in is null or n.superseded_in > {{version}})
  where m.client_id = {{client_id}} and m.portfolio_kind_code = 'MANDATE' and m.published_in <= {{version}}
    and (m.superseded_in is null or m.superseded_in > {{version}})
    and m.valid_from <= {{as_of}} and (m.valid_to is null or {{as_of}} < m.valid_to)
) w
group by w.currency_code order by w.currency_code
"""


@plain
class Wealth:
    """What a client owns in one currency: units of funds, and mandates at their NAV."""

    currency_code: str | None = column("currency_code", "ISO 4217; null: nothing tells a currency.")
    amount: Decimal | None = column("amount", "Sum of what has a value; null if nothing has.")
    unit_holdings: int = column("unit_holdings", "How many holdings of units are in it.")
    mandates: int = column("mandates", "How many mandates are in it.")
    is_complete: bool = column("is_complete", "False as soon as something in it has no or no whole value.")


@entity(Versioned(parties.Client, parties.ClientVersion))
class Client(Node):
    """A person, an institution or a product that owns accounts and mandates."""

    code: str = column("client_code", "The house's code.", is_filterable=True)
    name: str | None = column("client_name", "Full name.", is_sortable=True)
    given_name: str | None = column("given_name", "Given name of a person.")
    family_name: str | None = column("family_name", "Family name of a person.")
    kind_code: str | None = column("client_kind_code", is_filterable=True)
    risk_class_code: str | None = column("risk_class_code", is_filterable=True)
    risk_class_until_date: dt.date | None = column("risk_class_until_date", "Last day the risk class holds.")
    kyc_status_code: str | None = column("kyc_status_code", is_filterable=True)
    domicile_country_code: str | None = column("domicile_country_code", is_filterable=True)
    birth_date: dt.date | None = column("birth_date", "Date of birth of a person.")
    city_name: str | None = column("city_name", "City of residence.")
    email: str | None = column("email", "Electronic mail address.")
    accounts: Connection[Account] = relation("Accounts of the client.", on={"client_id": "client_id"})
    portfolios: Connection[Portfolio] = relation("Mandates and funds of the client.", on={"client_id": "client_id"})
    wealth: list[Wealth] = relation("What the client owns on the business date, by currency.", rows=_WEALTH)
    trust: Trust = trust_of_entity()
