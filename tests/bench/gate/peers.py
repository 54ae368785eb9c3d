"""The twelve checks as other people's libraries make them: Great Expectations on a pandas frame, pandera on polars.

Their frames are in memory before the clock starts, hold floats where ours are decimals, and know no check digit. Each
returns how many rows it refuses.
"""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable
from typing import Any

import great_expectations as gx
import pandas as pd
import pandera.polars as pa
import polars as pl
import psycopg

from tests.bench.pandas_peer import batch_of

_ISIN = "^[A-Z]{2}[A-Z0-9]{9}[0-9]$"
_KEY = ["portfolio_code", "business_date", "isin"]
_MOST = 1e13
_FIRST = dt.date(1970, 1, 1)


class Peers:
    """Both libraries on the rows of one staging table."""

    def __init__(self, connection: psycopg.Connection[Any], table: str) -> None:
        self.portfolios = _column(connection, "select portfolio_code from core.portfolio")
        self.isins = _column(connection, "select value from core.instrument_identifier where scheme = 'ISIN'")
        self.currencies = [*_column(connection, f"select distinct currency_code from {table}"), "CNH"]
        self.currencies = [code for code in self.currencies if code != "XQX"]
        self.csv = b""
        with connection.cursor().copy(f"copy {table} to stdout (format csv, header)".encode()) as copy:
            self.csv = b"".join(bytes(block) for block in copy)
        self.last = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=1)
        self.frame = pd.read_csv(io.BytesIO(self.csv), parse_dates=["business_date"])
        self.polars = pl.read_csv(
            self.csv, try_parse_dates=True, schema_overrides={"quantity": pl.Float64, "market_value": pl.Float64}
        )
        del self.csv

    def contenders(self) -> dict[str, Callable[[], int]]:
        """By name, what judges once."""
        return {"Great Expectations on pandas": self.on_pandas, "pandera on polars": self.on_polars}

    def on_pandas(self) -> int:
        """Great Expectations, with the rows that it refuses set aside."""
        frame = self.frame
        frame["off"] = (frame.quantity * frame.price - frame.market_value).abs() - (
            frame.market_value.abs() * 0.01 + frame.quantity.abs() * 0.005 + 1
        )
        exp = gx.expectations
        suite = gx.ExpectationSuite(
            "peer",
            expectations=[
                exp.ExpectTableRowCountToBeBetween(min_value=1),
                exp.ExpectCompoundColumnsToBeUnique(column_list=_KEY),
                exp.ExpectColumnValuesToBeInSet(column="portfolio_code", value_set=self.portfolios),
                exp.ExpectColumnValuesToBeInSet(column="isin", value_set=self.isins),
                exp.ExpectColumnValuesToMatchRegex(column="isin", regex=_ISIN),
                exp.ExpectColumnValuesToBeBetween(
                    column="business_date", min_value=pd.Timestamp(_FIRST), max_value=pd.Timestamp(self.last)
                ),
                exp.ExpectColumnValuesToNotBeNull(column="quantity"),
                exp.ExpectColumnValuesToBeBetween(column="quantity", min_value=-_MOST, max_value=_MOST),
                exp.ExpectColumnValuesToBeBetween(column="market_value", min_value=-_MOST, max_value=_MOST),
                exp.ExpectColumnValuesToBeBetween(column="price", min_value=0),
                exp.ExpectColumnValuesToBeInSet(column="currency_code", value_set=self.currencies),
                exp.ExpectColumnValuesToBeBetween(column="off", max_value=0),
            ],
        )
        found = batch_of(frame).validate(suite, result_format={"result_format": "COMPLETE"})
        refused: set[int] = set()
        for result in found.results:
            refused.update(result.result.get("unexpected_index_list") or ())
        return len(frame.loc[sorted(refused)])

    def on_polars(self) -> int:
        """Pandera, all errors at once; its failure cases name the rows."""
        is_in = pa.Check.isin
        within = pa.Check.in_range(-_MOST, _MOST)
        off = (pl.col("quantity") * pl.col("price") - pl.col("market_value")).abs()
        most = pl.col("market_value").abs() * 0.01 + pl.col("quantity").abs() * 0.005 + 1
        schema = pa.DataFrameSchema(
            {
                "portfolio_code": pa.Column(str, is_in(self.portfolios)),
                "isin": pa.Column(str, [is_in(self.isins), pa.Check.str_matches(_ISIN)]),
                "business_date": pa.Column(pl.Date, pa.Check.in_range(_FIRST, self.last)),
                "quantity": pa.Column(float, within),
                "market_value": pa.Column(float, within, nullable=True),
                "price": pa.Column(float, pa.Check.ge(0)),
                "currency_code": pa.Column(str, is_in(self.currencies)),
            },
            checks=pa.Check(lambda data: data.lazyframe.select(((off <= most) | off.is_null()).alias("agrees"))),
            unique=_KEY,
        )
        try:
            schema.validate(self.polars, lazy=True)
        except pa.errors.SchemaErrors as error:
            return int(error.failure_cases["index"].drop_nulls().n_unique())
        return 0


def _column(connection: psycopg.Connection[Any], query: str) -> list[str]:
    return [row[0] for row in connection.execute(query.encode()).fetchall()]
