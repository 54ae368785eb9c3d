"""Schema `governance`: who may ask, and whose rows they may see.

The policies that use these tables are in the migrations; the rules about roles in `fulcrum.entitlements`.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, CheckConstraint, ForeignKey, Text, text
from sqlalchemy import Identity as IdentityColumn
from sqlalchemy.dialects.postgresql import ARRAY, BIT
from sqlalchemy.orm import Mapped, mapped_column

from fulcrum.warehouse.models.base import Base, Code, Identity, Moment

_NO_CODES = text("'{}'")


class RowScope(Base):
    """Whose rows somebody may see; the bits are by surrogate key and made by `governance.refresh_row_scopes`."""

    __tablename__ = "row_scope"
    __table_args__ = ({"schema": "governance"},)

    scope_id: Mapped[Identity] = mapped_column(BigInteger, IdentityColumn(always=True), primary_key=True)
    scope_name: Mapped[Code] = mapped_column(unique=True)
    is_whole_house: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    has_funds: Mapped[bool] = mapped_column(Boolean, server_default=text("false"), comment="every fund of the house")
    client_codes: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=_NO_CODES)
    portfolio_codes: Mapped[list[str]] = mapped_column(
        ARRAY(Text), server_default=_NO_CODES, comment="with everything below them"
    )
    client_bits: Mapped[str | None] = mapped_column(BIT(varying=True))
    account_bits: Mapped[str | None] = mapped_column(BIT(varying=True))
    portfolio_bits: Mapped[str | None] = mapped_column(BIT(varying=True))
    refreshed_at: Mapped[Moment | None]


class Principal(Base):
    """A person, a service or a partner that may ask."""

    __tablename__ = "principal"
    __table_args__ = (
        CheckConstraint("principal_kind in ('person', 'service', 'partner')", name="principal_kind"),
        {"schema": "governance"},
    )

    principal_name: Mapped[Code] = mapped_column(primary_key=True)
    principal_kind: Mapped[Code]
    roles: Mapped[list[str]] = mapped_column(ARRAY(Text))
    scope_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("governance.row_scope.scope_id"))
    is_active: Mapped[bool] = mapped_column(Boolean, server_default=text("true"))
    created_at: Mapped[Moment] = mapped_column(server_default=text("clock_timestamp()"))


class HashKey(Base):
    """The one key of the mask `hash`, made by the migration and never shown."""

    __tablename__ = "hash_key"
    __table_args__ = ({"schema": "governance"},)

    key: Mapped[Code] = mapped_column(primary_key=True)


class TrustedDocument(Base):
    """A GraphQL document that a client has registered; its id is its SHA-256."""

    __tablename__ = "trusted_document"
    __table_args__ = (
        CheckConstraint("sha256 = encode(sha256(convert_to(document_text, 'UTF8')), 'hex')", name="sha256"),
        {"schema": "governance"},
    )

    sha256: Mapped[Code] = mapped_column(primary_key=True)
    client_name: Mapped[Code] = mapped_column(
        Text, primary_key=True, comment="principal that may send it; *: everybody"
    )
    document_text: Mapped[Code]
    registered_by: Mapped[Code]
    registered_at: Mapped[Moment] = mapped_column(server_default=text("clock_timestamp()"))
    is_active: Mapped[bool] = mapped_column(Boolean, server_default=text("true"))
