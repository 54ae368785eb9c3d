"""Issuers' holdings files: what the file says is what the warehouse says, to the cent."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest

from fulcrum.pipeline.deliver import deliver
from fulcrum.pipeline.report import DeliveryReport
from fulcrum.settings import Settings
from fulcrum.warehouse import engine

pytestmark = pytest.mark.slow


def current(settings: Settings, day: dt.date) -> tuple[int, Decimal | None]:
    with engine.connect(settings) as connection:
        row = connection.execute(
            "select count(*), sum(market_value) from core.holding where superseded_in is null and business_date = %s",
            (day,),
        ).fetchone()
    assert row is not None
    return row[0], row[1]


def good(report: DeliveryReport) -> DeliveryReport:
    assert report.outcome in ("published", "restated"), report.messages
    return report


@pytest.mark.parametrize(
    ("feed", "file", "day", "positions", "value"),
    [
        ("ishares_us_holdings", "ishares/IWM_2026-01-21.csv", dt.date(2026, 1, 21), 1957, "78338867767.37"),
        ("ishares_us_holdings", "ishares/IWM_2026-04-10.csv", dt.date(2026, 4, 10), 1941, "73246496825.41"),
        ("ishares_us_holdings", "ishares/ACWI_2022-03-10.csv", dt.date(2022, 3, 10), 2369, "18025907151.12"),
        ("ishares_de_holdings", "ishares/EUNL_2026-01-20_de.csv", dt.date(2026, 1, 20), 1338, "131728931753.65"),
        ("nport_filing", "nport_xml/NPORT-P_dupree_kentucky_2022-12-31.xml", dt.date(2022, 12, 31), 55, "40455026.70"),
    ],
)
def test_positions_and_value_in_file_and_warehouse_agree(
    database: Settings, real: Path, feed: str, file: str, day: dt.date, positions: int, value: str
) -> None:
    report = good(deliver(database, feed, real / "holdings" / file))
    assert (report.rows_in, report.rows_quarantined, report.rows_published) == (positions, 0, positions)
    assert current(database, day) == (positions, Decimal(value))


def test_acwi_keeps_its_currencies(database: Settings, real: Path) -> None:
    good(deliver(database, "ishares_us_holdings", real / "holdings/ishares/ACWI_2022-03-10.csv"))
    with engine.connect(database) as connection:
        found = connection.execute(
            "select count(distinct quote_currency_code), count(distinct currency_code), min(currency_code),"
            " count(*) filter (where fx_rate is null) from core.holding"
        ).fetchone()
    assert found is not None
    assert found[0] > 20
    assert found[1:] == (1, "USD", 0)


def test_a_bond_fund_with_forwards_swaps_and_mortgages_loses_no_line(database: Settings, real: Path) -> None:
    file = real / "holdings/nport_xml/NPORT-P_goldman_sachs_bond_fund_2023-03-31.xml"
    report = good(deliver(database, "nport_filing", file))
    assert (report.rows_in, report.rows_published + report.rows_quarantined) == (1685, 1685)
    assert report.rows_quarantined == 0, report.messages


def test_berkshires_filings_before_and_after_the_change_of_unit_are_comparable(database: Settings, real: Path) -> None:
    thirteen_f = real / "holdings" / "13f"
    dates = {dt.date(2022, 9, 30): "2022-11-14", dt.date(2022, 12, 31): "2023-02-14"}
    files = sorted(thirteen_f.glob("berkshire_*_infotable.xml"))
    for file, (day, filed) in zip(files, dates.items(), strict=True):
        good(deliver(database, "form13f_filing", file, business_date=day, parameters={"filed_date": filed}))
    assert current(database, dt.date(2022, 9, 30)) == (179, Decimal(296_096_640_000))
    assert current(database, dt.date(2022, 12, 31)) == (172, Decimal(299_007_622_119))


def test_a_13f_filing_that_lies_about_its_unit_is_blocked(database: Settings, real: Path) -> None:
    report = deliver(
        database,
        "form13f_filing",
        real / "holdings/13f/adviser_2021-09-30_value_in_dollars_infotable.xml",
        business_date=dt.date(2021, 9, 30),
        parameters={"portfolio_code": "ADVISER", "filed_date": "2021-11-10"},
    )
    assert report.outcome == "blocked", report.messages
    assert current(database, dt.date(2021, 9, 30)) == (0, None)


def test_156_days_of_one_fund_in_one_file_and_again(database: Settings, real: Path) -> None:
    file = real / "holdings/ark/ARKK_history.csv.gz"
    report = good(deliver(database, "ark_holdings", file))
    assert report.rows_in == 8169
    assert report.rows_published + report.rows_quarantined == 8169
    with engine.connect(database) as connection:
        days = connection.execute("select count(distinct business_date) from core.holding").fetchone()
    assert days == (156,)
    assert deliver(database, "ark_holdings", file).outcome == "no_op"


@pytest.mark.parametrize(
    ("feed", "file"),
    [
        ("ishares_uk_holdings", "ishares/SWDA_2025-09_uk.csv"),
        ("ishares_us_holdings", "ishares/EEM_2022_excel_resaved.csv"),
        ("spdr_holdings", "spdr/SPY_2024-03-19.xlsx"),
        ("spdr_holdings", "spdr/SPY_2024-05-10.xlsx"),
        ("ark_holdings", "ark/ARKF_one_day_raw.csv"),
        ("ark_holdings", "ark/ARKK_2026-08-18_raw.csv"),
        ("invesco_holdings", "invesco/QQQ_2020-07-02.csv"),
        ("form13f_filing", "13f/LTS_One_0001894188-23-000007_full_submission.txt"),
    ],
)
def test_every_real_layout_is_published_without_loss(database: Settings, real: Path, feed: str, file: str) -> None:
    told_by_file = feed != "ishares_uk_holdings" and "EEM" not in file
    day = None if told_by_file else dt.date(2022, 7, 7)
    report = good(deliver(database, feed, real / "holdings" / file, business_date=day))
    assert report.rows_in > 10
    assert report.rows_quarantined == 0, report.messages
    assert report.rows_published == report.rows_in


def test_an_edition_under_the_wrong_feed_is_refused_with_the_nearest_feed(database: Settings, real: Path) -> None:
    report = deliver(database, "ishares_us_holdings", real / "holdings/ishares/EUNL_2026-01-20_de.csv")
    assert report.outcome == "refused"
    assert "ishares_de_holdings" in report.messages[0]
