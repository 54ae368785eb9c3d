"""One file's way, and what two of them do to each other."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path

from fulcrum.pipeline.deliver import deliver
from fulcrum.settings import Settings
from fulcrum.warehouse import engine
from tests.factories import house


def quantities(settings: Settings, day: dt.date, publication: int | None = None) -> dict[str, Decimal]:
    with engine.connect(settings) as connection:
        rows = connection.execute(
            """
            select p.portfolio_code || ' ' || i.instrument_code, h.quantity
              from core.holding h
              join core.portfolio p using (portfolio_id)
              join core.instrument i using (instrument_id)
             where h.business_date = %(day)s and h.published_in <= coalesce(%(at)s, 9999999)
               and (h.superseded_in is null or h.superseded_in > coalesce(%(at)s, 9999999))
            """,
            {"day": day, "at": publication},
        ).fetchall()
    return {key.replace(" T", " "): quantity for key, quantity in rows}


def test_the_same_bytes_twice_are_a_no_op_that_says_so(database: Settings, tmp_path: Path) -> None:
    house.prepare(database, tmp_path)
    file = house.holdings_file(database, tmp_path, "a_20260105.csv", [house.holding(house.ISINS[0], 10)])
    first = deliver(database, "house_holdings", file)
    second = deliver(database, "house_holdings", file)
    assert (first.outcome, first.rows_published) == ("published", 1)
    assert (second.outcome, second.rows_published, second.publication_id) == ("no_op", 0, first.publication_id)
    assert f"delivery {first.delivery_id}" in second.messages[0]


def test_a_restatement_touches_only_what_differs_and_keeps_the_old_state(database: Settings, tmp_path: Path) -> None:
    house.prepare(database, tmp_path)
    rows = [house.holding(isin, 10) for isin in house.ISINS]
    first = house.deliver_holdings(database, tmp_path, "a.csv", rows)
    changed = [house.holding(house.ISINS[0], 11), *rows[1:4]]
    second = house.deliver_holdings(database, tmp_path, "b.csv", changed)
    assert (second.outcome, second.rows_published, second.rows_superseded) == ("restated", 1, 2)
    before = quantities(database, house.DAY, first.publication_id)
    after = quantities(database, house.DAY, second.publication_id)
    assert before == {f"P1 {isin}": Decimal(10) for isin in house.ISINS}
    assert after == {f"P1 {house.ISINS[0]}": Decimal(11)} | {f"P1 {isin}": Decimal(10) for isin in house.ISINS[1:4]}


def test_a_file_that_comes_again_after_a_restatement_restates_back(database: Settings, tmp_path: Path) -> None:
    house.prepare(database, tmp_path)
    original = house.holdings_file(database, tmp_path, "a.csv", [house.holding(house.ISINS[0], 10)])
    deliver(database, "house_holdings", original)
    house.deliver_holdings(database, tmp_path, "b.csv", [house.holding(house.ISINS[0], 20)])
    back = deliver(database, "house_holdings", original)
    assert back.outcome == "restated"
    assert quantities(database, house.DAY) == {f"P1 {house.ISINS[0]}": Decimal(10)}


def test_other_bytes_with_the_same_content_publish_nothing(database: Settings, tmp_path: Path) -> None:
    house.prepare(database, tmp_path)
    rows = [house.holding(isin, 10) for isin in house.ISINS]
    house.deliver_holdings(database, tmp_path, "a.csv", rows)
    again = house.deliver_holdings(database, tmp_path, "b.csv", list(reversed(rows)))
    assert (again.outcome, again.rows_published, again.rows_superseded, again.publication_id) == ("no_op", 0, 0, None)


def test_deliveries_at_once_are_all_right_and_none_is_lost(database: Settings, tmp_path: Path) -> None:
    codes = [f"P{number}" for number in range(4)]
    house.prepare(database, tmp_path, codes)
    days = (house.DAY, house.DAY + dt.timedelta(days=1))
    files = [
        house.holdings_file(
            database,
            tmp_path,
            f"{code}_{day:%Y%m%d}.csv",
            [house.holding(isin, 7, code=code, day=day) for isin in house.ISINS],
        )
        for code in codes
        for day in days
    ]
    with ThreadPoolExecutor(4) as pool:
        reports = list(pool.map(lambda file: deliver(database, "house_holdings", file), [*files, *files]))
    outcomes = [str(report.outcome) for report in reports]
    assert outcomes.count("published") == len(files)
    assert outcomes.count("no_op") == len(files)
    for day in days:
        assert quantities(database, day) == {f"{code} {isin}": Decimal(7) for code in codes for isin in house.ISINS}


def test_two_restatements_of_one_date_at_once_leave_one_of_them(database: Settings, tmp_path: Path) -> None:
    house.prepare(database, tmp_path)
    house.deliver_holdings(database, tmp_path, "a.csv", [house.holding(isin, 1) for isin in house.ISINS])
    files = [
        house.holdings_file(database, tmp_path, f"{n}.csv", [house.holding(isin, n) for isin in house.ISINS])
        for n in (2, 3)
    ]
    with ThreadPoolExecutor(2) as pool:
        reports = list(pool.map(lambda file: deliver(database, "house_holdings", file), files))
    last = max(reports, key=lambda report: report.publication_id or 0)
    wanted = Decimal(2 + reports.index(last))
    assert quantities(database, house.DAY) == {f"P1 {isin}": wanted for isin in house.ISINS}


def test_a_bad_row_goes_to_quarantine_and_the_rest_is_published(database: Settings, tmp_path: Path) -> None:
    house.prepare(database, tmp_path)
    rows = [house.holding(isin, 10) for isin in house.ISINS] + [house.holding("US0378331006", 5)]
    report = house.deliver_holdings(database, tmp_path, "a.csv", rows)
    assert (report.outcome, report.rows_in, report.rows_quarantined, report.rows_published) == ("published", 6, 1, 5)
    with engine.connect(database) as connection:
        found = connection.execute(
            "select source_row, rule_id, column_name, value from quality.quarantined_row"
        ).fetchall()
    assert {row[0] for row in found} == {7}
    assert any("isin" in rule for _, rule, _, _ in found)


def test_a_wrong_control_total_blocks_and_nothing_is_visible(database: Settings, tmp_path: Path) -> None:
    house.prepare(database, tmp_path)
    file = house.holdings_file(database, tmp_path, "a.csv", [house.holding(isin, 10) for isin in house.ISINS])
    text = file.read_text()
    file.write_text(text.replace("market_value=500", "market_value=501"))
    assert file.read_text() != text
    report = deliver(database, "house_holdings", file)
    assert report.outcome == "blocked"
    assert quantities(database, house.DAY) == {}
    assert any("control" in message for message in report.messages)
