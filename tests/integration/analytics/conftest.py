"""A market to write into, and a look at what was derived from it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from fulcrum.pipeline.derive import DeriveReport, derive
from fulcrum.settings import Settings
from tests.factories.market import Market


class Desk(Market):
    """A market whose valuations can be derived and read."""

    def __init__(self, connection: psycopg.Connection[Any], settings: Settings) -> None:
        super().__init__(connection)
        self.settings = settings

    def derive(self, **options: Any) -> DeriveReport:
        """Derive what is pending."""
        return derive(self.settings, **options)

    def valuation(self, portfolio: str, instrument: str, date: dt.date, position: str = "") -> dict[str, Any]:
        """The current valuation of one position."""
        rows = self.read(
            "select * from mart.position_valuation where superseded_in is null and portfolio_id = %s"
            " and instrument_id = %s and business_date = %s and position_code = %s",
            (self.portfolios[portfolio], self.instruments[instrument], date, position),
        )
        assert len(rows) == 1
        return rows[0]

    def nav(self, portfolio: str, date: dt.date) -> dict[str, Any]:
        """The current NAV of a portfolio."""
        rows = self.read(
            "select * from mart.portfolio_nav where superseded_in is null and portfolio_id = %s and business_date = %s",
            (self.portfolios[portfolio], date),
        )
        assert len(rows) == 1
        return rows[0]

    def read(self, query: str, parameters: tuple[Any, ...] = ()) -> list[dict[str, Any]]:
        """Rows of a query."""
        with self.connection.cursor(row_factory=dict_row) as cursor:
            rows = cursor.execute(query, parameters).fetchall()
        self.connection.commit()
        return rows


@pytest.fixture
def desk(connection: psycopg.Connection[Any], settings: Settings) -> Desk:
    return Desk(connection, settings)
