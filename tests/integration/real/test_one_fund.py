"""One real fund from two sources: EUNL (German site) and SWDA (British site) are share class IE00B4L5Y983."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from fulcrum.pipeline.deliver import deliver
from fulcrum.quality.inspection import inspect
from fulcrum.quality.verdict import RuleResult
from fulcrum.settings import Settings

pytestmark = pytest.mark.slow

EUNL, SWDA = dt.date(2026, 1, 20), dt.date(2025, 9, 18)
"""Four months apart, which is what the tolerance's drift is for; SWDA's file tells no date, its first commit does."""


def deliver_both(settings: Settings, folder: Path, german: Path, british: Path) -> None:
    """Both editions, and what the house knows of them: that they are one fund."""
    known = folder / "portfolios_2025-09-01.csv"
    lines = "".join(f"{code},Core MSCI World,FUND,USD,IE00B4L5Y983\n" for code in ("EUNL", "SWDA"))
    known.write_text(f"portfolio_code,portfolio_name,portfolio_kind_code,base_currency_code,isin\n{lines}")
    for feed, file, day in (
        ("ishares_de_holdings", german, None),
        ("ishares_uk_holdings", british, SWDA),
        ("house_portfolios", known, None),
    ):
        report = deliver(settings, feed, file, business_date=day)
        assert report.outcome in ("published", "restated"), report.messages


def agreement(settings: Settings) -> RuleResult:
    (found,) = inspect(settings, "core/fund", "same fund, two sources", EUNL).results
    return found


def test_two_editions_of_one_fund_agree(database: Settings, real: Path, tmp_path: Path) -> None:
    ishares = real / "holdings" / "ishares"
    deliver_both(database, tmp_path, ishares / "EUNL_2026-01-20_de.csv", ishares / "SWDA_2025-09_uk.csv")
    found = agreement(database)
    assert (found.status, found.rows_failed) == ("passed", 0), found.failed


def test_an_edition_without_its_hundred_largest_lines_disagrees(database: Settings, real: Path, tmp_path: Path) -> None:
    ishares = real / "holdings" / "ishares"
    header, *lines = (ishares / "SWDA_2025-09_uk.csv").read_text("utf-8-sig").splitlines()
    short = tmp_path / "SWDA_holdings.csv"
    short.write_text("\n".join([header, *lines[100:], ""]), encoding="utf-8")
    deliver_both(database, tmp_path, ishares / "EUNL_2026-01-20_de.csv", short)
    found = agreement(database)
    assert found.status == "failed"
    ((subject, value),) = found.failed
    assert subject == "EUNL and SWDA"
    assert value is not None
    assert float(value.split()[0]) < 60
