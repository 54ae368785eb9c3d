"""What the gate says of files as vendors write them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psycopg
import pytest

from fulcrum.pipeline.deliver import deliver
from fulcrum.quality.gate import judge
from fulcrum.settings import Settings
from tests.factories.staging import stage_rows
from tests.factories.suites import CASES, contract_of
from tests.factories.world import publish_world

UK_EDITION = """Ticker,Name,Asset Class,Market Value,Weight (%),Shares,Price,Location,Exchange,Market Currency,Sector
"AAA","A CO","Equity","1,000.50","50.00","10.00","100.05","United States","NASDAQ","USD","IT"
"BBB","B CO","Equity","1,000.00","50.00","10.00","100.00","Japan","Tokyo Stock Exchange","JPY","IT"
\u00a0
"""
RULE = "holding.currency_present"


@pytest.mark.parametrize(
    ("fund", "told", "unknown"),
    [("SWDA", {}, 0), ("XXXX", {}, 2), ("XXXX", {"currency_code": "EUR"}, 0)],
)
def test_a_fund_whose_currency_nobody_told_is_warned_of(
    settings: Settings, tmp_path: Path, fund: str, told: Mapping[str, str], unknown: int
) -> None:
    file = tmp_path / f"{fund}_holdings.csv"
    file.write_text(UK_EDITION, encoding="utf-8")
    report = deliver(settings, "ishares_uk_holdings", file, business_date=dt.date(2026, 1, 5), parameters=told)
    assert (report.outcome, report.rows_published) == ("published", 2), report.messages
    warnings = [message for message in report.messages if message.startswith(f"{RULE} (warning, failed)")]
    assert [message.endswith(f"{unknown} of 2 rows fail.") for message in warnings] == [True] * bool(unknown)


@pytest.mark.parametrize(
    ("dropped", "status"),
    [
        (("currency_code",), "failed"),
        (("currency_code", "market_value"), "failed"),
        (("currency_code", "market_value", "price"), "not_run"),
    ],
)
def test_a_feed_without_currencies_is_warned_of_if_it_has_amounts(
    settings: Settings, connection: psycopg.Connection[Any], dropped: tuple[str, ...], status: str
) -> None:
    publish_world(connection)
    holdings = CASES["core/holding"]
    rows = [{name: row[name] for name in row if name not in dropped} for row in holdings.delivery()]
    delivery_id, staged = stage_rows(connection, contract_of(holdings), rows)
    verdict = judge(settings, contract_of(holdings), staged, delivery_id)
    found = {result.rule_id: result for result in verdict.results}[RULE]
    assert (found.status, found.rows_failed) == (status, 12 if status == "failed" else None)


def test_the_first_file_of_an_instrument_is_judged_over_time_as_any_other(database: Settings, tmp_path: Path) -> None:
    days = [dt.date(2026, 1, day) for day in (5, 6, 7, 8, 9, 12, 13, 14, 15, 16)]
    jumpy = [f"NEWJ,{day},{10 if day != days[4] else 18}" for day in days]
    slipped = [f"NEWS,{day},{20 + n if n != 5 else 2500}" for n, day in enumerate(days)]
    file = tmp_path / "closes.csv"
    file.write_text("\n".join(["Ticker,Date,Close", *jumpy, *slipped]) + "\n")
    report = deliver(database, "eod_closes", file)
    assert (report.outcome, report.rows_in, report.rows_quarantined) == ("published", 20, 1), report.messages
    failed = {message.split(" ")[0] for message in report.messages}
    assert {"price.no_slip", "price.no_jump"} <= failed
