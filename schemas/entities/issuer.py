"""Issuers: legal entities that issue instruments."""

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
    from schemas.entities.instrument import Instrument


@entity(Versioned(parties.Issuer, parties.IssuerVersion))
class Issuer(Node):
    """A legal entity that issues instruments."""

    code: str = column("issuer_code", is_filterable=True, is_dimension=True)
    name: str | None = column(
        "issuer_name", "Legal name.", is_sortable=True, is_filterable=True, is_searchable=True, is_dimension=True
    )
    lei: str | None = column("lei", is_filterable=True)
    country_code: str | None = column("country_code", is_filterable=True, is_dimension=True)
    jurisdiction_code: str | None = column("jurisdiction_code", is_filterable=True, is_dimension=True)
    legal_form_code: str | None = column("legal_form_code")
    entity_status_code: str | None = column(
        "entity_status_code", "Whether the entity is active.", is_filterable=True, is_dimension=True
    )
    registration_status_code: str | None = column(
        "registration_status_code", "Whether its LEI is kept up.", is_filterable=True
    )
    next_renewal_date: dt.date | None = column("next_renewal_date", "When its LEI is due.")
    city_name: str | None = column("city_name", "City of the head office.")
    instruments: Connection[Instrument] = relation("What it issued.", on={"issuer_id": "issuer_id"}, is_filterable=True)
    history: Connection[IssuerVersion] = relation(
        "All that was ever stated about it, as known, latest first.", on={"issuer_id": "issuer_id"}, at=At.ANY
    )
    trust: Trust = trust_of_entity()


@versions_of(Issuer)
class IssuerVersion(Version):
    """What was stated of an issuer for a period."""

    issuer: Issuer | None = relation("Whom it is about.", on={"issuer_id": "issuer_id"})
    trust: Trust = trust_of_version()
