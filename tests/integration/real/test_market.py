"""Real prices, rates and reference data, and a fund valued again from independent sources."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest

from fulcrum.pipeline.deliver import deliver
from fulcrum.pipeline.derive import derive
from fulcrum.settings import Settings
from fulcrum.warehouse import engine

pytestmark = pytest.mark.slow
IWM_DAY = dt.date(2026, 1, 21)


def test_ecb_history_and_the_one_day_file_agree(database: Settings, real: Path) -> None:
    history = deliver(database, "ecb_fx_rates", real / "fx/eurofxref-hist.zip")
    assert history.outcome == "published", history.messages
    one_day = deliver(database, "ecb_fx_rates", real / "fx/eurofxref_one_day.csv")
    assert (one_day.outcome, one_day.rows_superseded) == ("no_op", 0), one_day.messages
    with engine.connect(database) as connection:
        found = connection.execute(
            "select rate from core.fx_rate where quote_currency_code = 'USD' and business_date = '2026-10-30'"
        ).fetchall()
    assert found == [(Decimal("1.1172"),)]


def test_lapsed_and_delta_lei_records_become_issuers(database: Settings, real: Path) -> None:
    for file in ("gleif_golden_copy_lei2_intraday_2024-05-05.json.gz", "gleif_api_lapsed_549300LBI3LRIZ2V8V66.json"):
        report = deliver(database, "gleif_lei", real / "reference" / file)
        assert report.outcome == "published", report.messages
        assert report.rows_quarantined == 0
    with engine.connect(database) as connection:
        found = connection.execute(
            "select registration_status_code from core.issuer_version where lei = '549300LBI3LRIZ2V8V66'"
        ).fetchall()
    assert found == [("LAPSED",)]


def test_generated_persons_become_clients(database: Settings, real: Path) -> None:
    report = deliver(database, "crm_clients", real / "clients/splink_fake_1000.csv", business_date=dt.date(2026, 1, 5))
    assert report.outcome == "published", report.messages
    assert report.rows_in == 1000
    assert report.rows_published + report.rows_quarantined == 1000


def test_one_file_per_ticker(database: Settings, real: Path) -> None:
    report = deliver(database, "ohlcv_by_ticker", real / "prices/ark_names_ohlcv/TSLA.csv")
    assert (report.outcome, report.rows_in, report.rows_published) == ("published", 208, 208), report.messages


def test_iwm_is_valued_again_from_independent_prices(database: Settings, real: Path) -> None:
    for feed, file in (
        ("ecb_fx_rates", "fx/eurofxref-hist.zip"),
        ("eod_closes", "prices/us_adjclose_2026-01_05.csv.gz"),
        ("ishares_us_holdings", "holdings/ishares/IWM_2026-01-21.csv"),
    ):
        report = deliver(database, feed, real / file)
        assert report.outcome == "published", report.messages
    derive(database)
    with engine.connect(database) as connection:
        found = connection.execute(
            """
            select count(*), count(*) filter (where v.market_value_base is not null),
                   count(*) filter (where v.price_source_code = 'REPORTED'),
                   count(*) filter (where v.price_type_code = 'ADJUSTED_CLOSE'),
                   count(*) filter (where v.price_type_code = 'ADJUSTED_CLOSE'
                                      and abs(v.market_value_base / nullif(h.market_value, 0) - 1) < 0.05)
              from mart.position_valuation v
              join core.holding h using (portfolio_id, business_date, instrument_id, position_code)
             where v.superseded_in is null and h.superseded_in is null and v.business_date = %s
            """,
            (IWM_DAY,),
        ).fetchone()
    assert found is not None
    positions, valued, _, independent, within_5_pct = found
    assert positions == 1957
    assert valued > 1600
    assert independent > 1600
    assert within_5_pct > independent * 0.95
