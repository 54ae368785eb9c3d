"""Schema `governance`: who used what of the API.

It is written by the API alone (`fulcrum.graph.usage`) and read through `fulcrum.governance.usage`.
"""

from __future__ import annotations

from sqlalchemy import BigInteger
from sqlalchemy.orm import Mapped, mapped_column

from fulcrum.warehouse.models.base import Base, Code, Json, Moment


class Usage(Base):
    """How often a client ran an operation in an hour, and which fields it asked for."""

    __tablename__ = "usage"
    __table_args__ = ({"schema": "governance"},)

    used_hour: Mapped[Moment] = mapped_column(primary_key=True, comment="beginning of the hour, UTC")
    principal_name: Mapped[Code] = mapped_column(primary_key=True)
    operation_name: Mapped[Code] = mapped_column(primary_key=True, comment="empty: it has no name")
    document_sha256: Mapped[Code] = mapped_column(primary_key=True, comment="empty: one of too many of this client")
    executions: Mapped[int] = mapped_column(BigInteger)
    field_counts: Mapped[Json] = mapped_column(comment="Type.field: executions that asked for it")
    last_used_at: Mapped[Moment]
