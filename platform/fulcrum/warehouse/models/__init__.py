"""Every table of the warehouse; `Base.metadata` is what Alembic compares with the database."""

from fulcrum.warehouse.models import access, desk, governance, mart, quality, reconciliation, serving, usage
from fulcrum.warehouse.models.base import Base
from fulcrum.warehouse.models.core import instruments, parties, portfolios
from fulcrum.warehouse.models.core.constraints import origin_indexes

origin_indexes(Base.metadata)

SCHEMAS = ("staging", "core", "mart", "quality", "governance")

__all__ = [
    "SCHEMAS",
    "Base",
    "access",
    "desk",
    "governance",
    "instruments",
    "mart",
    "parties",
    "portfolios",
    "quality",
    "reconciliation",
    "serving",
    "usage",
]
