"""The declarative base and the column groups that every published table shares.

No table stands here; tables live in the module of their layer.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Annotated, Any

from sqlalchemy import BigInteger, Date, DateTime, MetaData, Numeric, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

NAMING = {
    "pk": "%(table_name)s_pk",
    "uq": "%(table_name)s_%(column_0_N_name)s_uq",
    "ix": "%(table_name)s_%(column_0_N_name)s_ix",
    "fk": "%(table_name)s_%(column_0_N_name)s_fk",
    "ck": "%(table_name)s_%(constraint_name)s_ck",
}

SINCE_EVER = dt.date(1, 1, 1)

Key = Annotated[int, mapped_column(BigInteger)]
Identity = Annotated[int, mapped_column(BigInteger, primary_key=True)]
Amount = Annotated[Decimal, mapped_column(Numeric)]
Code = Annotated[str, mapped_column(Text)]
BusinessDate = Annotated[dt.date, mapped_column(Date)]
Moment = Annotated[dt.datetime, mapped_column(DateTime(timezone=True))]
Json = Annotated[Any, mapped_column(JSONB)]


class Base(DeclarativeBase):
    """Root of all Fulcrum tables."""

    metadata = MetaData(naming_convention=NAMING)


class Published:
    """Knowledge time and origin of a row.

    A row is known from publication `published_in` until before `superseded_in` (null: still
    current). `delivery_id` and `source_row` lead to the row of the file that said it; `source_row`
    is the 1-based line of the file, header and preamble included.
    """

    published_in: Mapped[Key] = mapped_column(sort_order=90)
    superseded_in: Mapped[Key | None] = mapped_column(sort_order=91)
    delivery_id: Mapped[Key | None] = mapped_column(sort_order=92)
    source_row: Mapped[Key | None] = mapped_column(sort_order=93)


class Valid:
    """Valid time of a version, half-open: from `valid_from` until before `valid_to` (null: open).

    `SINCE_EVER` as `valid_from` says that nobody told a beginning.
    """

    valid_from: Mapped[BusinessDate] = mapped_column(sort_order=80)
    valid_to: Mapped[BusinessDate | None] = mapped_column(sort_order=81)


class Identified:
    """An identity row: created once by a publication, never reused, never deleted."""

    created_in: Mapped[Key] = mapped_column(sort_order=90)
