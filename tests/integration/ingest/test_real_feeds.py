"""Real public files, staged: every position, to the cent, and what each file says of itself."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from fulcrum.errors import DeliveryRefusedError
from fulcrum.settings import PROJECT_ROOT

DATA = PROJECT_ROOT.parent / "shared" / "data"

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the real files are not beside the checkout")

US, UK, DE, CA = (f"ishares_{edition}_holdings" for edition in ("us", "uk", "de", "ca"))
HOLDINGS = [
    (US, "ishares/IWM_2026-01-21.csv", None, "IWM", "2026-01-21", 1957, "78338867767.37", "USD"),
    (US, "ishares/IWM_2026-04-10.csv", None, "IWM", "2026-04-10", 1941, "73246496825.41", "USD"),
    (US, "ishares/ACWI_2022-03-10.csv", None, "ACWI", "2022-03-10", 2369, "18025907151.12", "USD"),
    (US, "ishares/EEM_2022_excel_resaved.csv", "2022-07-07", "EEM", "2022-07-07", 1237, "25701455550.36", "USD"),
    (DE, "ishares/EUNL_2026-01-20_de.csv", None, "EUNL", "2026-01-20", 1338, "131728931753.65", "USD"),
    (UK, "ishares/SWDA_2025-09_uk.csv", "2025-09-17", "SWDA", "2025-09-17", 1342, "119065334255.18", "USD"),
    (CA, "ishares/XWD_2022_CAD_with_ISIN_SEDOL.csv", "2022-07-07", "XWD", "2022-07-07", 1368, "736693569.50", "CAD"),
    ("ark_holdings", "ark/ARKF_one_day_raw.csv", None, "ARKF", "2020-12-31", 46, "1951879743.12", "USD"),
    ("ark_holdings", "ark/ARKK_2026-08-18_raw.csv", None, "ARKK", "2026-08-18", 47, "6337445602.68", "USD"),
    ("invesco_holdings", "invesco/QQQ_2020-07-02.csv", None, "QQQ", "2020-07-02", 103, "117841044602.42", "USD"),
]


@pytest.mark.parametrize("expected", HOLDINGS, ids=lambda expected: expected[1])
def test_every_position_is_staged_to_the_cent(staging: Any, expected: tuple[Any, ...]) -> None:
    feed, file, date, portfolio, day, positions, value, currency = expected
    staged = staging.file(DATA / "holdings" / file, feed, **({"business_date": date} if date else {}))
    assert (staged.rows_in, staged.rows_refused) == (positions, 0)
    assert staged.business_dates == (dt.date.fromisoformat(day),) * 2
    totals = "count(*), sum(market_value), count(currency_code)"
    names = "min(portfolio_code), max(portfolio_code), min(currency_code)"
    row = staging.connection.execute(f"select {totals}, {names} from {staged.table}").fetchone()
    assert row == (positions, Decimal(value), positions, portfolio, portfolio, currency)


def test_the_currencies_and_markets_of_acwi_are_told_per_position(staging: Any) -> None:
    staged = staging.file(DATA / "holdings/ishares/ACWI_2022-03-10.csv", US)
    tencent = staging.connection.execute(
        f"select exchange_code, quote_currency_code, fx_rate, asset_class_code from {staged.table} where ticker = '700'"
    ).fetchall()
    assert tencent == [("XHKG", "HKD", Decimal("7.82"), "EQUITY")]
    unnamed = staging.connection.execute(
        f"select count(*) from {staged.table} where instrument_name is null"
    ).fetchone()
    assert unnamed == (0,)


def test_german_labels_become_the_same_words(staging: Any) -> None:
    staged = staging.file(DATA / "holdings/ishares/EUNL_2026-01-20_de.csv", DE)
    classes = staging.connection.execute(
        f"select asset_class_code, count(*) from {staged.table} group by 1 order by 2 desc"
    ).fetchall()
    assert classes[0] == ("EQUITY", 1317)
    assert {code for code, _ in classes} == {"EQUITY", "CASH", "FUTURE"}


@pytest.mark.parametrize(
    ("file", "day"), [("SPY_2024-03-19.xlsx", "2024-03-19"), ("SPY_2024-05-10.xlsx", "2024-05-10")]
)
def test_a_workbook_of_state_street_is_staged(staging: Any, file: str, day: str) -> None:
    staged = staging.file(DATA / "holdings/spdr" / file, "spdr_holdings")
    assert staged.rows_in == 504
    assert staged.metadata["portfolio_code"] == "SPY"
    assert staged.business_dates[0] == dt.date.fromisoformat(day)
    apple = staging.connection.execute(
        f"select cusip, sedol, exchange_code, portfolio_name from {staged.table} where ticker = 'AAPL'"
    ).fetchall()
    assert apple == [("037833100", "2046251", "US", "SPDR® S&P 500® ETF Trust")]


def test_the_history_of_arkk_is_one_delivery_of_156_days(staging: Any) -> None:
    staged = staging.file(DATA / "holdings/ark/ARKK_history.csv.gz", "ark_holdings")
    assert (staged.rows_in, staged.rows_refused) == (8169, 0)
    assert staged.business_dates == (dt.date(2020, 10, 16), dt.date(2021, 9, 8))
    days = staging.connection.execute(f"select count(distinct business_date) from {staged.table}").fetchone()
    assert days == (156,)


def test_made_up_codes_are_no_cusips(staging: Any) -> None:
    staged = staging.file(DATA / "holdings/ark/ARKK_2026-08-18_raw.csv", "ark_holdings")
    rows = staging.connection.execute(
        f"select vendor_code, cusip from {staged.table} where vendor_code is not null order by 1"
    ).fetchall()
    assert rows == [("BREADUMMY", None), ("PPOPENAIC", None), ("X9USDGSFT", None)]
    rocket = staging.connection.execute(f"select ticker from {staged.table} where cusip = '773121108'").fetchall()
    assert rocket == [("RKLB",)]


@pytest.mark.parametrize(
    ("feed", "file", "rows"),
    [
        ("eod_closes", "us_adjclose_2024-03_05.csv.gz", 30877),
        ("ohlcv_by_ticker", "ark_names_ohlcv/ABNB.csv", 208),
    ],
)
def test_prices_are_staged(staging: Any, feed: str, file: str, rows: int) -> None:
    staged = staging.file(DATA / "prices" / file, feed)
    assert (staged.rows_in, staged.rows_refused) == (rows, 0)
    row = staging.connection.execute(
        f"select count(price), count(ticker), min(price_type_code), min(currency_code) from {staged.table}"
    ).fetchone()
    assert row == (rows, rows, "ADJUSTED_CLOSE", "USD")


def test_the_clients_of_a_crm_are_staged(staging: Any) -> None:
    staged = staging.file(DATA / "clients/splink_fake_1000.csv", "crm_clients", business_date="2026-01-05")
    assert (staged.rows_in, staged.rows_refused) == (1000, 0)
    assert "cluster" not in " ".join(staged.columns)


@pytest.mark.parametrize(
    ("feed", "file", "says"),
    [
        (US, "holdings/ishares/SWDA_2025-09_uk.csv", "it is that of feed ishares_uk_holdings"),
        (
            UK,
            "holdings/ishares/IWM_2026-01-21.csv",
            r"row 10, column 'Currency'.*it is that of feed ishares_us_holdings",
        ),
        (US, "holdings/ishares/EUNL_2026-01-20_de.csv", "it is that of feed ishares_de_holdings"),
        (US, "holdings/ishares/XWD_2022_CAD_with_ISIN_SEDOL.csv", "it is that of feed ishares_ca_holdings"),
        (US, "holdings/spdr/SPY_2024-03-19.xlsx", "an Excel workbook"),
        ("ark_holdings", "holdings/weights_only/etf_weights_2026-02-17.csv", "row 1"),
        ("house_prices", "prices/cn/index_000001_sse_composite_gbk.csv.gz", "looks like GB18030"),
        (US, "holdings/ishares/EEM_2022_excel_resaved.csv", "Pass --date"),
    ],
)
def test_an_edition_of_another_feed_is_refused_with_the_feed_that_fits(
    staging: Any, feed: str, file: str, says: str
) -> None:
    with pytest.raises(DeliveryRefusedError, match=says):
        staging.file(DATA / file, feed)
    assert staging.leftovers() == 0


@pytest.mark.parametrize("lines", [700, 1500])
def test_half_of_a_real_file_is_refused(staging: Any, tmp_path: Path, lines: int) -> None:
    whole = (DATA / "holdings/ishares/IWM_2026-01-21.csv").read_bytes()
    at_a_line = b"".join(whole.splitlines(keepends=True)[:lines])
    for content in (at_a_line, at_a_line[:-37]):
        (tmp_path / "IWM_half.csv").write_bytes(content)
        with pytest.raises(DeliveryRefusedError, match="cut off"):
            staging.file(tmp_path / "IWM_half.csv", US)


def test_a_misnamed_file_is_believed_and_the_delivery_says_so(staging: Any, tmp_path: Path) -> None:
    misnamed = tmp_path / "IWM_2026-01-22.csv"
    misnamed.write_bytes((DATA / "holdings/ishares/IWM_2026-01-21.csv").read_bytes())
    staged = staging.file(misnamed, US)
    assert staged.business_dates[0] == dt.date(2026, 1, 21)
    assert staged.messages == [
        "The file's name says business_date is 2026-01-22; the file says 2026-01-21, and was believed."
    ]
