"""Schema `governance`: what arrived, what was published, what is still to derive, who may ask.

The rows of `publication` are the clock of the warehouse.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    ForeignKey,
    Index,
    Text,
    text,
)
from sqlalchemy import (
    Identity as IdentityColumn,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from fulcrum.warehouse.models.base import (
    Base,
    BusinessDate,
    Code,
    Identity,
    Json,
    Key,
    Moment,
)

OUTCOMES = ("landed", "published", "restated", "no_op", "blocked", "refused", "failed")


class Delivery(Base):
    """One file of a feed that arrived; `outcome` is `landed` until the way is finished."""

    __tablename__ = "delivery"
    __table_args__ = (
        CheckConstraint(f"outcome in {OUTCOMES}", name="outcome"),
        Index(None, "feed", "business_date_to"),
        Index(None, "sha256", "feed"),
        Index(
            "delivery_today_ix",
            text("business_date_to desc"),
            "feed",
            text("delivery_id desc"),
            postgresql_include=["outcome"],
            postgresql_where=text("same_as_delivery_id is null and business_date_to is not null"),
        ),
        Index(
            "delivery_first_ix",
            "business_date_to",
            "landed_at",
            postgresql_where=text("same_as_delivery_id is null and business_date_to is not null"),
        ),
        Index("delivery_undated_ix", text("delivery_id desc"), postgresql_where=text("business_date_to is null")),
        {"schema": "governance"},
    )

    delivery_id: Mapped[Identity] = mapped_column(BigInteger, IdentityColumn(always=True), primary_key=True)
    feed: Mapped[Code]
    file_name: Mapped[Code]
    sha256: Mapped[Code]
    size_bytes: Mapped[Key]
    landed_at: Mapped[Moment] = mapped_column(server_default=text("clock_timestamp()"))
    finished_at: Mapped[Moment | None]
    business_date_from: Mapped[BusinessDate | None]
    business_date_to: Mapped[BusinessDate | None]
    parameters: Mapped[Json] = mapped_column(server_default=text("'{}'"))
    metadata_found: Mapped[Json] = mapped_column(server_default=text("'{}'"))
    outcome: Mapped[Code] = mapped_column(server_default=text("'landed'"))
    rows_in: Mapped[Key | None]
    rows_quarantined: Mapped[Key | None]
    rows_published: Mapped[Key | None]
    rows_superseded: Mapped[Key | None]
    publication_id: Mapped[Key | None]
    same_as_delivery_id: Mapped[Key | None]
    messages: Mapped[Json] = mapped_column(server_default=text("'[]'"))


class Publication(Base):
    """One atomic, gated, numbered change; ids are handed out in commit order, without gaps."""

    __tablename__ = "publication"
    __table_args__ = (
        CheckConstraint("kind in ('delivery', 'derivation', 'rollback')", name="kind"),
        Index(
            "publication_not_clean_ix", "publication_id", postgresql_where=text("verdict not in ('passed', 'warned')")
        ),
        Index(None, "known_at"),
        Index(None, "feed", "business_date_to"),
        Index(None, "target", "business_date_to"),
        Index("publication_rollback_ix", "publication_id", postgresql_where=text("kind = 'rollback'")),
        {"schema": "governance"},
    )

    publication_id: Mapped[Identity] = mapped_column(BigInteger, autoincrement=False, primary_key=True)
    known_at: Mapped[Moment]
    kind: Mapped[Code]
    feed: Mapped[Code] = mapped_column(Text, comment="feed of the delivery, or name of the derived table")
    target: Mapped[Code] = mapped_column(Text, comment="schema.table that changed")
    business_date_from: Mapped[BusinessDate | None]
    business_date_to: Mapped[BusinessDate | None]
    delivery_id: Mapped[Key | None] = mapped_column(ForeignKey("governance.delivery.delivery_id"))
    verdict: Mapped[Code] = mapped_column(Text, comment="passed, warned or waived")
    rows_published: Mapped[Key]
    rows_superseded: Mapped[Key]
    digest: Mapped[Code] = mapped_column(Text, comment="SHA-256 over what was published")
    supersedes: Mapped[Json] = mapped_column(
        server_default=text("'[]'"),
        comment="publications whose rows this one superseded",
    )


class Derivation(Base):
    """Business dates whose `mart` rows must be computed again, and why.

    Written in the same transaction as the publication that caused it; `done_in` is the last
    publication that the computation has seen.
    """

    __tablename__ = "derivation"
    __table_args__ = (
        Index(
            "derivation_pending_ix",
            "business_date",
            postgresql_where=text("done_at is null"),
        ),
        {"schema": "governance"},
    )

    derivation_id: Mapped[Identity] = mapped_column(BigInteger, IdentityColumn(always=True), primary_key=True)
    target: Mapped[Code]
    business_date: Mapped[BusinessDate]
    portfolio_id: Mapped[Key | None] = mapped_column(comment="null: every portfolio of that date")
    caused_by: Mapped[Key] = mapped_column(comment="publication")
    requested_at: Mapped[Moment] = mapped_column(server_default=text("clock_timestamp()"))
    done_at: Mapped[Moment | None]
    done_in: Mapped[Key | None]


class ApiKey(Base):
    """A key of the API; only its SHA-256 is kept."""

    __tablename__ = "api_key"
    __table_args__ = ({"schema": "governance"},)

    api_key_id: Mapped[Identity] = mapped_column(BigInteger, IdentityColumn(always=True), primary_key=True)
    key_sha256: Mapped[Code] = mapped_column(unique=True)
    principal_name: Mapped[Code] = mapped_column(ForeignKey("governance.principal.principal_name"))
    roles: Mapped[list[str] | None] = mapped_column(ARRAY(Text), comment="null: all roles of the principal")
    created_at: Mapped[Moment] = mapped_column(server_default=text("clock_timestamp()"))
    expires_at: Mapped[Moment]
    is_revoked: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
