"""What a user would otherwise write: pandas reads, Great Expectations judges the frame, to_sql writes."""

from __future__ import annotations

from pathlib import Path

import great_expectations as gx
import pandas as pd
from great_expectations.datasource.fluent.interfaces import Batch

from fulcrum.settings import Settings
from fulcrum.warehouse.engine import create_engine


def load(settings: Settings, file: Path) -> None:
    """Read, judge by twelve expectations, write to a table of its own."""
    frame = pd.read_csv(file, comment="#", parse_dates=["business_date"])
    exp = gx.expectations
    suite = gx.ExpectationSuite(
        "peer",
        expectations=[
            exp.ExpectColumnValuesToNotBeNull(column="portfolio_code"),
            exp.ExpectColumnValuesToNotBeNull(column="isin"),
            exp.ExpectColumnValuesToMatchRegex(column="isin", regex="^[A-Z]{2}[A-Z0-9]{9}[0-9]$"),
            exp.ExpectColumnValuesToNotBeNull(column="quantity"),
            exp.ExpectColumnValuesToBeBetween(column="quantity", min_value=-1e12, max_value=1e12),
            exp.ExpectColumnValuesToBeBetween(column="price", min_value=0),
            exp.ExpectColumnValuesToNotBeNull(column="market_value"),
            exp.ExpectColumnValueLengthsToEqual(column="currency_code", value=3),
            exp.ExpectColumnValuesToNotBeNull(column="business_date"),
            exp.ExpectCompoundColumnsToBeUnique(column_list=["portfolio_code", "isin", "business_date"]),
            exp.ExpectTableRowCountToBeBetween(min_value=1),
            exp.ExpectColumnSumToBeBetween(column="market_value", min_value=1),
        ],
    )
    result = batch_of(frame).validate(suite, result_format="BASIC")
    if not result.success:
        raise SystemExit("the peer's own checks failed")
    engine = create_engine(settings, role="fulcrum_owner")
    frame.to_sql("peer_holding", engine, schema="staging", if_exists="replace", index=False, chunksize=100_000)
    engine.dispose()


def batch_of(frame: pd.DataFrame) -> Batch:
    """The frame as Great Expectations judges one."""
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False, "metric_calculations": False}  # type: ignore[assignment]
    return (
        context.data_sources.add_pandas("peer")
        .add_dataframe_asset("holdings")
        .add_batch_definition_whole_dataframe("all")
        .get_batch({"dataframe": frame})
    )
