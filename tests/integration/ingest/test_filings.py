"""Filings, LEI records and reference rates, from small made-up files to published rows."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from fulcrum.pipeline.deliver import deliver
from fulcrum.pipeline.report import DeliveryReport
from fulcrum.settings import Settings
from fulcrum.warehouse import engine

FILINGS = Path(__file__).parents[2] / "fixtures" / "filings"

HOLDINGS = """
    select v.instrument_name, v.asset_class_code, v.quote_unit_code, h.quantity, h.market_value, h.currency_code,
           h.quote_currency_code, h.fx_rate, h.position_code, h.source_row, i.instrument_code, h.notional_value
      from core.holding h
      join core.instrument i using (instrument_id)
      join core.instrument_version v on v.instrument_id = h.instrument_id and v.superseded_in is null
     where h.superseded_in is null
     order by h.business_date, h.source_row"""


def query(settings: Settings, text: str) -> list[tuple[Any, ...]]:
    with engine.connect(settings) as connection:
        return connection.execute(text.encode()).fetchall()


def published(report: DeliveryReport) -> DeliveryReport:
    assert report.outcome == "published", report.messages
    return report


def nothing_is_published(settings: Settings) -> bool:
    return query(settings, "select count(*) from governance.publication") == [(0,)]


def altered(tmp_path: Path, name: str, *changes: tuple[str, str]) -> Path:
    """A copy of a made-up filing with some of its text replaced."""
    text = (FILINGS / name).read_text("utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    file = tmp_path / name
    file.write_text(text, "utf-8")
    return file


def test_every_holding_of_an_n_port_filing_reaches_the_warehouse(database: Settings) -> None:
    report = published(deliver(database, "nport_filing", FILINGS / "nport.xml"))
    assert (report.rows_in, report.rows_quarantined, report.rows_published) == (9, 0, 9)
    assert report.business_date == dt.date(2023, 3, 31)
    rows = query(database, HOLDINGS)
    assert [row[9] for row in rows] == list(range(1, 10))
    assert [row[1] for row in rows] == [
        "DEBT", "DEBT", "DEBT", "FUND", "DEBT", "FORWARD", "FORWARD", "FUTURE", "OTHER",
    ]  # fmt: skip
    assert [row[2] for row in rows] == ["PER_100"] * 3 + ["UNIT", "PER_100"] + ["UNIT"] * 4
    assert {row[5] for row in rows} == {"USD"}
    assert sum(row[4] for row in rows) == Decimal("4590145.95")


def test_long_and_short_legs_are_two_positions_of_one_instrument(database: Settings) -> None:
    published(deliver(database, "nport_filing", FILINGS / "nport.xml"))
    short, long = query(database, HOLDINGS)[1:3]
    assert short[10] == long[10]
    assert (short[3], short[8], long[3], long[8]) == (Decimal(-2_000_000), "SHORT", Decimal(5_000_000), "")


def test_derivatives_are_instruments_of_their_own_with_the_filings_terms(database: Settings) -> None:
    published(deliver(database, "nport_filing", FILINGS / "nport.xml"))
    coded, unnamed, future = query(database, HOLDINGS)[5:8]
    assert coded[10] == "NPORT@SEC:0000099999/T-1"
    assert (coded[6], coded[7], coded[11]) == ("JPY", Decimal("131.449"), Decimal("138811.25"))
    assert unnamed[10] == "NPORT@SEC:0000099999/FWD Bank of Examples 1000 EUR 880 GBP 2023-04-27"
    assert (future[10], future[3]) == ("FIGI:BBG000000016", Decimal(-5))


def test_the_fund_is_registered_with_its_name_and_currency(database: Settings) -> None:
    published(deliver(database, "nport_filing", FILINGS / "nport.xml"))
    assert query(
        database,
        "select portfolio_code, portfolio_name, base_currency_code, portfolio_kind_code, is_provisional"
        " from core.portfolio join core.portfolio_version using (portfolio_id)",
    ) == [("S000099999", "Example & Sons Bond Fund", "USD", "FUND", True)]


def test_an_amended_filing_restates_only_what_differs(database: Settings, tmp_path: Path) -> None:
    published(deliver(database, "nport_filing", FILINGS / "nport.xml"))
    file = altered(
        tmp_path, "nport.xml", (">NPORT-P<", ">NPORT-P/A<"), ("<valUSD>10050</valUSD>", "<valUSD>10051</valUSD>")
    )
    report = deliver(database, "nport_filing", file)
    assert (report.outcome, report.rows_published, report.rows_superseded) == ("restated", 1, 1), report.messages
    assert any("amendment" in message for message in report.messages)


def test_a_half_written_filing_publishes_nothing(database: Settings, tmp_path: Path) -> None:
    content = (FILINGS / "nport.xml").read_bytes()
    file = tmp_path / "half.xml"
    file.write_bytes(content[: content.index(b"PURCHASED EUR")])
    report = deliver(database, "nport_filing", file)
    assert report.outcome == "refused"
    assert "half.xml, row 7" in report.messages[0]
    assert nothing_is_published(database)
    assert query(database, "select count(*) from pg_tables where schemaname = 'staging'") == [(0,)]


def test_13f_values_before_and_after_the_change_of_unit_are_comparable(database: Settings, tmp_path: Path) -> None:
    old = tmp_path / "example_2022-09-30_0000099999-22-000001_infotable.xml"
    old.write_bytes((FILINGS / "form13f_table.xml").read_bytes())
    new = tmp_path / "example_2022-12-31_0000099999-23-000001_infotable.xml"
    text = (FILINGS / "form13f_table.xml").read_text()
    for value in ("1906458", "85095", "2000", "990"):
        text = text.replace(f"<value>{value}</value>", f"<value>{value}000</value>")
    new.write_text(text)
    for file, day in ((old, dt.date(2022, 9, 30)), (new, dt.date(2022, 12, 31))):
        assert published(deliver(database, "form13f_filing", file)).business_date == day
    assert query(
        database,
        "select business_date, count(*), sum(market_value) from core.holding join core.portfolio using (portfolio_id)"
        " where portfolio_code = 'EXAMPLE' and superseded_in is null group by 1 order by 1",
    ) == [(dt.date(2022, 9, 30), 4, Decimal(1_994_543_000)), (dt.date(2022, 12, 31), 4, Decimal(1_994_543_000))]


def test_13f_lines_of_several_managers_and_options_stay_apart(database: Settings, tmp_path: Path) -> None:
    file = tmp_path / "example_2022-12-31_table.xml"
    file.write_bytes((FILINGS / "form13f_table.xml").read_bytes())
    published(deliver(database, "form13f_filing", file, parameters={"portfolio_code": "0000099999"}))
    rows = query(database, HOLDINGS)
    assert [(row[10], row[8], row[1], row[2]) for row in rows] == [
        ("CUSIP:99999A102", "DFND|4,8", "EQUITY", "UNIT"),
        ("CUSIP:99999A102", "DFND|4,10", "EQUITY", "UNIT"),
        ("13F@SEC:99999A102 PUT", "SOLE||PUT", "OPTION", "UNIT"),
        ("CUSIP:99999B209", "SOLE", "DEBT", "PER_100"),
    ]
    assert query(database, "select portfolio_code from core.portfolio") == [("0000099999",)]


def test_a_13f_submission_whose_table_is_not_what_its_cover_announces_is_stopped(
    database: Settings, tmp_path: Path
) -> None:
    wrong = altered(tmp_path, "form13f_submission.txt", ("<tableValueTotal>1994543<", "<tableValueTotal>1994544000<"))
    report = deliver(database, "form13f_filing", wrong)
    assert report.outcome == "blocked", report.messages
    assert nothing_is_published(database)
    published(deliver(database, "form13f_filing", FILINGS / "form13f_submission.txt"))


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("form13f_table.xml", "--set filed_date=YYYY-MM-DD"),
        ("form13f_cover.xml", "Cover page only"),
        ("nport.xml", "nport_filing"),
    ],
)
def test_what_is_no_complete_13f_table_is_refused(database: Settings, name: str, says: str) -> None:
    report = deliver(database, "form13f_filing", FILINGS / name)
    assert report.outcome == "refused"
    assert says in report.messages[0]
    assert nothing_is_published(database)


def test_lei_records_become_issuers_in_their_own_script(database: Settings, tmp_path: Path) -> None:
    file = tmp_path / "20240505-0000-gleif-goldencopy-lei2-intra-day.json"
    file.write_bytes((FILINGS / "gleif_golden_copy.json").read_bytes())
    report = published(deliver(database, "gleif_lei", file))
    assert (report.rows_published, report.business_date) == (2, dt.date(2024, 5, 5))
    assert query(
        database,
        "select issuer_code, issuer_name, lei, country_code, jurisdiction_code, legal_form_code, entity_status_code,"
        " registration_status_code, next_renewal_date, city_name"
        " from core.issuer join core.issuer_version using (issuer_id) order by source_row",
    ) == [
        ("DEMO00FULCRUM00KK085", "例示証券株式会社", "DEMO00FULCRUM00KK085", "JP", "JP", "T417", "ACTIVE", "ISSUED",
         dt.date(2027, 1, 31), "東京都"),
        ("DEMO00FULCRUM0BANK11", "Beispiel & Söhne AG", "DEMO00FULCRUM0BANK11", "CH", "CH", "MVII", "ACTIVE", "LAPSED",
         dt.date(2024, 5, 3), "Zürich"),
    ]  # fmt: skip


def test_an_api_answer_adds_to_the_register_and_supersedes_nothing_else(database: Settings, tmp_path: Path) -> None:
    file = tmp_path / "gleif_2024-05-05.json"
    file.write_bytes((FILINGS / "gleif_golden_copy.json").read_bytes())
    published(deliver(database, "gleif_lei", file))
    report = deliver(database, "gleif_lei", FILINGS / "gleif_api_record.json")
    assert report.rows_superseded == 0
    assert query(database, "select count(*) from core.issuer_version where superseded_in is null") == [(3,)]


def test_lei_records_without_any_date_are_refused_with_what_to_pass(database: Settings) -> None:
    report = deliver(database, "gleif_lei", FILINGS / "gleif_golden_copy.json")
    assert report.outcome == "refused"
    assert "--date" in report.messages[0]
    report = deliver(database, "gleif_lei", FILINGS / "gleif_golden_copy.json", business_date=dt.date(2024, 5, 5))
    assert report.outcome == "published"


def test_a_bad_rate_goes_to_quarantine_alone(database: Settings) -> None:
    report = published(deliver(database, "ecb_fx_rates", FILINGS / "eurofxref-hist.csv"))
    assert (report.rows_in, report.rows_quarantined, report.rows_published) == (7, 1, 6)
    assert query(database, "select source_row, rule_id, column_name, value, message from quality.quarantined_row") == [
        (303, "cell.parse", "JPY", "oops", "Line 3: no exchange rate.")
    ]
    assert query(
        database,
        "select base_currency_code, quote_currency_code, business_date, rate, source_code from core.fx_rate"
        " order by source_row limit 2",
    ) == [
        ("EUR", "USD", dt.date(2026, 10, 30), Decimal("1.1172"), "ECB"),
        ("EUR", "JPY", dt.date(2026, 10, 30), Decimal("175.68"), "ECB"),
    ]


def test_known_rates_in_another_format_change_nothing(database: Settings) -> None:
    published(deliver(database, "ecb_fx_rates", FILINGS / "eurofxref-hist.csv"))
    report = deliver(database, "ecb_fx_rates", FILINGS / "eurofxref.csv")
    assert (report.outcome, report.rows_superseded) == ("no_op", 0), report.messages
