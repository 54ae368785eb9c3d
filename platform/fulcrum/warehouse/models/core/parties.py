"""Clients, their identifiers and accounts, and issuers: identity rows and dated versions."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, Index
from sqlalchemy import Identity as IdentityColumn
from sqlalchemy.orm import Mapped, mapped_column

from fulcrum.warehouse.models.base import (
    Base,
    BusinessDate,
    Code,
    Identified,
    Identity,
    Key,
    Published,
    Valid,
)
from fulcrum.warehouse.models.core.constraints import (
    identifier_index,
    one_identifier_at_a_time,
    one_version_at_a_time,
    trigram_index,
)


class Client(Identified, Base):
    """A person, an institution or a product that owns accounts and mandates."""

    __tablename__ = "client"
    __table_args__ = ({"schema": "core"},)

    client_id: Mapped[Identity] = mapped_column(BigInteger, IdentityColumn(), primary_key=True)
    client_code: Mapped[Code] = mapped_column(unique=True)


class ClientVersion(Valid, Published, Base):
    """What was known of a client for a period."""

    __tablename__ = "client_version"
    __table_args__ = (
        one_version_at_a_time("client"),
        trigram_index("client_version", "client_name"),
        Index(None, "client_name"),
        Index(None, "client_kind_code"),
        Index(None, "risk_class_code"),
        Index(None, "kyc_status_code"),
        Index(None, "domicile_country_code"),
        {"schema": "core"},
    )

    client_id: Mapped[Key] = mapped_column(ForeignKey("core.client.client_id"), primary_key=True)
    valid_from: Mapped[BusinessDate] = mapped_column(primary_key=True)
    published_in: Mapped[Key] = mapped_column(primary_key=True)
    client_name: Mapped[Code | None]
    given_name: Mapped[Code | None]
    family_name: Mapped[Code | None]
    client_kind_code: Mapped[Code | None] = mapped_column(comment="INDIVIDUAL, INSTITUTION, PRODUCT")
    risk_class_code: Mapped[Code | None] = mapped_column(comment="C1 (cautious) to C5")
    risk_class_until_date: Mapped[BusinessDate | None]
    kyc_status_code: Mapped[Code | None] = mapped_column(comment="APPROVED, PENDING, EXPIRED, REFUSED")
    domicile_country_code: Mapped[Code | None] = mapped_column(comment="ISO 3166-1 alpha-2")
    birth_date: Mapped[BusinessDate | None]
    city_name: Mapped[Code | None]
    email: Mapped[Code | None]


class ClientIdentifier(Valid, Published, Base):
    """An identifier that somebody issued to a client (LEI, national id, CRM code)."""

    __tablename__ = "client_identifier"
    __table_args__ = (
        one_identifier_at_a_time("client"),
        identifier_index("client"),
        Index(None, "client_id"),
        {"schema": "core"},
    )

    client_id: Mapped[Key] = mapped_column(ForeignKey("core.client.client_id"), primary_key=True)
    scheme: Mapped[Code] = mapped_column(primary_key=True)
    value: Mapped[Code] = mapped_column(primary_key=True)
    valid_from: Mapped[BusinessDate] = mapped_column(primary_key=True)
    published_in: Mapped[Key] = mapped_column(primary_key=True)


class Account(Identified, Base):
    """A client's account, in which units of funds are held."""

    __tablename__ = "account"
    __table_args__ = ({"schema": "core"},)

    account_id: Mapped[Identity] = mapped_column(BigInteger, IdentityColumn(), primary_key=True)
    account_code: Mapped[Code] = mapped_column(unique=True)


class AccountVersion(Valid, Published, Base):
    """What was known of an account for a period."""

    __tablename__ = "account_version"
    __table_args__ = (
        one_version_at_a_time("account"),
        Index(None, "client_id"),
        trigram_index("account_version", "account_name"),
        Index(None, "account_name"),
        Index(None, "account_kind_code"),
        Index(None, "currency_code"),
        Index(None, "account_status_code"),
        Index(None, "opened_date"),
        {"schema": "core"},
    )

    account_id: Mapped[Key] = mapped_column(ForeignKey("core.account.account_id"), primary_key=True)
    valid_from: Mapped[BusinessDate] = mapped_column(primary_key=True)
    published_in: Mapped[Key] = mapped_column(primary_key=True)
    client_id: Mapped[Key | None] = mapped_column(ForeignKey("core.client.client_id"))
    account_name: Mapped[Code | None]
    account_kind_code: Mapped[Code | None] = mapped_column(comment="CUSTODY, ADVISORY, DISCRETIONARY")
    currency_code: Mapped[Code | None] = mapped_column(comment="ISO 4217")
    account_status_code: Mapped[Code | None] = mapped_column(comment="OPEN, CLOSED, BLOCKED")
    opened_date: Mapped[BusinessDate | None]
    closed_date: Mapped[BusinessDate | None]


class Issuer(Identified, Base):
    """A legal entity that issues instruments."""

    __tablename__ = "issuer"
    __table_args__ = ({"schema": "core"},)

    issuer_id: Mapped[Identity] = mapped_column(BigInteger, IdentityColumn(), primary_key=True)
    issuer_code: Mapped[Code] = mapped_column(unique=True, comment="the LEI where there is one")


class IssuerVersion(Valid, Published, Base):
    """What was known of an issuer for a period."""

    __tablename__ = "issuer_version"
    __table_args__ = (
        one_version_at_a_time("issuer"),
        Index(None, "lei"),
        trigram_index("issuer_version", "issuer_name"),
        Index(None, "issuer_name"),
        Index(None, "country_code"),
        Index(None, "jurisdiction_code"),
        Index(None, "entity_status_code"),
        Index(None, "registration_status_code"),
        {"schema": "core"},
    )

    issuer_id: Mapped[Key] = mapped_column(ForeignKey("core.issuer.issuer_id"), primary_key=True)
    valid_from: Mapped[BusinessDate] = mapped_column(primary_key=True)
    published_in: Mapped[Key] = mapped_column(primary_key=True)
    issuer_name: Mapped[Code | None]
    lei: Mapped[Code | None] = mapped_column(comment="ISO 17442")
    country_code: Mapped[Code | None] = mapped_column(comment="ISO 3166-1 alpha-2")
    jurisdiction_code: Mapped[Code | None] = mapped_column(comment="ISO 3166-1 or 3166-2")
    legal_form_code: Mapped[Code | None] = mapped_column(comment="ISO 20275")
    entity_status_code: Mapped[Code | None]
    registration_status_code: Mapped[Code | None]
    next_renewal_date: Mapped[BusinessDate | None]
    city_name: Mapped[Code | None]
