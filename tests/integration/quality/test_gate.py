"""What judging leaves behind: results, quarantine and verdict, also when rules or processes break."""

from __future__ import annotations

import os
import pickle
import shutil
import signal
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest

from fulcrum.errors import GateError
from fulcrum.pipeline.record import drop_staging
from fulcrum.quality.gate import judge
from fulcrum.quality.results import latest_results, quarantined
from fulcrum.settings import PROJECT_ROOT, Settings
from tests.factories.staging import stage_rows
from tests.factories.suites import CASES, contract_of
from tests.factories.world import DAY, ISINS, publish_world

HOLDING = CASES["core/holding"]
Connection = psycopg.Connection[Any]


@pytest.fixture
def world(connection: Connection) -> Connection:
    publish_world(connection)
    return connection


@pytest.fixture
def own_rules(settings: Settings, tmp_path: Path) -> Settings:
    """The same database with a copy of the rules, to be spoiled."""
    shutil.copytree(PROJECT_ROOT / "quality", tmp_path / "project" / "quality")
    return settings.model_copy(update={"project": tmp_path / "project"})


def spoil(settings: Settings, old: str, new: str, suite: str = "holding") -> None:
    path = settings.project / "quality" / "suites" / "core" / f"{suite}.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def bad_delivery() -> list[dict[str, Any]]:
    """Thirteen rows: one with a wrong ISIN, one line twice, one short position."""
    rows = HOLDING.delivery()
    rows[3] |= {"isin": "US0378331006"}
    rows[5] |= {"quantity": -10, "market_value": -10 * rows[5]["price"]}
    return [*rows, rows[0]]


def test_refused_rows_are_in_quarantine_by_key_rule_and_value(settings: Settings, world: Connection) -> None:
    contract = contract_of(HOLDING)
    delivery_id, staged = stage_rows(world, contract, bad_delivery())
    verdict = judge(settings, contract, staged, delivery_id)
    assert (verdict.verdict, verdict.rows_quarantined, verdict.may_publish) == ("warned", 2, True)
    found = quarantined(world, delivery_id)
    assert [(row.source_row, row.rule_id, row.column_name, row.value) for row in found] == [
        (5, "holding.instrument_known", None, "US0378331006"),
        (5, "holding.isin_valid", "isin", "US0378331006"),
        (14, "holding.line_once", None, f"P1 2026-01-06 {ISINS[0]} 037833100 0263494 0"),
    ]
    assert found[1].message == "An ISIN, where there is one, has twelve characters and the right check digit."
    assert found[1].feed == "house_test"
    assert found[1].row_key == {
        "portfolio_code": "P1",
        "isin": "US0378331006",
        "cusip": "037833100",
        "sedol": "0263494",
        "position_code": "3",
        "business_date": str(DAY),
    }
    assert len(quarantined(world, feed="house_test", limit=2)) == 2
    assert quarantined(world, feed="other") == []


def test_every_result_is_kept_with_what_it_was_judged_by(settings: Settings, world: Connection) -> None:
    contract = contract_of(HOLDING)
    delivery_id, staged = stage_rows(world, contract, bad_delivery())
    verdict = judge(settings, contract, staged, delivery_id)
    stored = {row.rule_id: row for row in latest_results(world, delivery_id)}
    assert stored.keys() == {result.rule_id for result in verdict.results}
    isin = stored["holding.isin_valid"]
    assert (isin.status, isin.rows_failed, isin.dimension) == ("failed", 1, "conformity")
    assert isin.measured == 1
    assert "1 of 13 rows fails." in isin.message
    share = stored["holding.rows_against_previous"]
    assert (share.status, share.measured, share.threshold) == ("passed", Decimal("108.33"), Decimal(50))
    assert share.unit == "percent of the previous date"
    assert share.result["tolerance"] == "rows_against_previous_min"
    assert stored["holding.control_rows"].status == "not_run"
    assert stored["holding.not_short"].rows_failed == 1
    assert {row.verdict for row in stored.values()} == {"warned"}
    judged = world.execute("select rows_judged, suite_name, engine_version from quality.validation").fetchone()
    assert judged is not None
    assert judged[:2] == (13, "core/holding")
    assert judged[2].startswith("great_expectations 1.")


def test_a_row_that_fails_several_predicates_and_a_query_is_refused_by_each(
    settings: Settings, world: Connection
) -> None:
    contract = contract_of(HOLDING)
    rows = HOLDING.delivery()
    rows[1] |= {"quantity": Decimal(10) ** 14, "market_value": Decimal(10) ** 15, "currency_code": "XX%"}
    delivery_id, staged = stage_rows(world, contract, [*rows, rows[1]])
    judge(settings, contract, staged, delivery_id)
    found = [(row.source_row, row.rule_id, row.value) for row in quarantined(world, delivery_id)]
    assert [one for one in found if one[1] != "holding.line_once"] == [
        (row, rule, value)
        for row in (3, 14)
        for rule, value in (
            ("holding.quantity_magnitude", "100000000000000"),
            ("holding.value_magnitude", "1000000000000000"),
            ("holding.currency_listed", "XX%"),
        )
    ]
    assert [one[0] for one in found if one[1] == "holding.line_once"] == [14]


def test_a_failed_warning_names_its_rows_and_refuses_none(settings: Settings, world: Connection) -> None:
    contract = contract_of(HOLDING)
    rows = HOLDING.delivery()
    for number in (7, 2):
        rows[number] |= {"market_value": rows[number]["market_value"] * 2}
    delivery_id, staged = stage_rows(world, contract, rows)
    verdict = judge(settings, contract, staged, delivery_id)
    stored = {row.rule_id: row for row in latest_results(world, delivery_id)}
    agrees = stored["holding.value_agrees"]
    assert (agrees.status, agrees.rows_failed, agrees.result["rows"]) == ("failed", 2, [4, 9])
    assert verdict.rows_quarantined == 0
    assert [rule for rule, row in stored.items() if "rows" in row.result] == ["holding.value_agrees"]


def test_rows_let_through_by_a_waiver_are_named(settings: Settings, world: Connection) -> None:
    contract = contract_of(HOLDING)
    delivery_id, staged = stage_rows(world, contract, bad_delivery())
    judge(settings, contract, staged, delivery_id, waived={"holding.line_once"})
    stored = {row.rule_id: row for row in latest_results(world, delivery_id)}
    assert stored["holding.line_once"].result["rows"] == [14]
    assert "rows" not in stored["holding.isin_valid"].result


def test_a_warning_that_all_rows_fail_names_the_first_hundred(settings: Settings, world: Connection) -> None:
    contract = contract_of(HOLDING)
    rows = [HOLDING.good(number) | {"quantity": None} for number in range(240)]
    delivery_id, staged = stage_rows(world, contract, rows)
    judge(settings, contract, staged, delivery_id)
    present = {row.rule_id: row for row in latest_results(world, delivery_id)}["holding.quantity_present"]
    assert (present.rows_failed, present.result["rows"]) == (240, list(range(2, 102)))


def test_judging_again_replaces_the_quarantine_and_adds_a_validation(settings: Settings, world: Connection) -> None:
    contract = contract_of(HOLDING)
    delivery_id, staged = stage_rows(world, contract, bad_delivery())
    world.execute(
        "insert into quality.quarantined_row (delivery_id, source_row, rule_id, message)"
        " values (%s, 99, 'cell.parse', 'of staging')",
        (delivery_id,),
    )
    world.commit()
    first = judge(settings, contract, staged, delivery_id)
    second = judge(settings, contract, staged, delivery_id)
    assert second.validation_id > first.validation_id
    assert (first.rows_quarantined, second.rows_quarantined) == (3, 3)
    assert [row.rule_id for row in quarantined(world, delivery_id)].count("holding.isin_valid") == 1
    assert {row.validation_id for row in latest_results(world, delivery_id)} == {second.validation_id}


def test_a_killed_judgement_leaves_no_verdict_and_can_be_repeated(settings: Settings, world: Connection) -> None:
    contract = contract_of(HOLDING)
    delivery_id, staged = stage_rows(world, contract, bad_delivery())
    assert settings.database_url is not None
    code = (
        "import pickle, sys; from fulcrum.quality.gate import judge; from fulcrum.settings import read_settings;"
        " judge(read_settings(), *pickle.load(sys.stdin.buffer))"
    )
    environment = os.environ | {
        "FULCRUM_DATABASE_URL": settings.database_url.get_secret_value(),
        "FULCRUM_HOME": str(settings.home),
        "FULCRUM_FAULT": "gating",
    }
    given = pickle.dumps((contract, staged, delivery_id))
    killed = subprocess.run([sys.executable, "-c", code], input=given, env=environment, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert latest_results(world, delivery_id) == []
    verdict = judge(settings, contract, staged, delivery_id)
    assert (verdict.verdict, verdict.rows_quarantined) == ("warned", 2)
    assert len(quarantined(world, delivery_id)) == 3


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("good: price >= 0", "good: price >= 0 / (quantity - quantity)"),
        ("good: price >= 0", "good: prize >= 0"),
        ("good: price >= 0", "good: price >= 'cheap'"),
    ],
)
def test_a_broken_rule_is_broken_alone_and_keeps_the_delivery_out(
    own_rules: Settings, world: Connection, old: str, new: str
) -> None:
    spoil(own_rules, old, new)
    contract = contract_of(HOLDING)
    delivery_id, staged = stage_rows(world, contract, HOLDING.delivery())
    verdict = judge(own_rules, contract, staged, delivery_id)
    assert (verdict.verdict, verdict.may_publish) == ("broken", False)
    assert [result.rule_id for result in verdict.results if result.status == "broken"] == ["holding.price_not_negative"]
    stored = {row.rule_id: row.status for row in latest_results(world, delivery_id)}
    assert (stored["holding.price_not_negative"], stored["holding.currency_listed"]) == ("broken", "passed")


def test_a_broken_set_rule_is_broken_too(own_rules: Settings, world: Connection) -> None:
    spoil(own_rules, "select max(abs(weight - 100))", "select max(abs(wait - 100))")
    contract = contract_of(HOLDING)
    delivery_id, staged = stage_rows(world, contract, HOLDING.delivery())
    verdict = judge(own_rules, contract, staged, delivery_id)
    assert verdict.verdict == "broken"
    assert [result.rule_id for result in verdict.results if result.status == "broken"] == ["holding.weights_sum"]


def test_a_large_delivery_asks_critical_queries_once_and_refuses_the_same_rows(
    settings: Settings, world: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    contract = contract_of(HOLDING)
    delivery_id, staged = stage_rows(world, contract, bad_delivery())
    judge(settings, contract, staged, delivery_id)
    small = [(row.source_row, row.rule_id, row.value, row.row_key) for row in quarantined(world, delivery_id)]
    monkeypatch.setattr("fulcrum.quality.found.LARGE", len(bad_delivery()))
    verdict = judge(settings, contract, staged, delivery_id)
    large = [(row.source_row, row.rule_id, row.value, row.row_key) for row in quarantined(world, delivery_id)]
    assert large == small
    assert {one.rule_id for one in verdict.results if one.rows_failed} >= {"holding.line_once", "holding.isin_valid"}
    kept = "select count(*) from pg_class where relname ~ %s"
    assert world.execute(kept, (f"^delivery_{delivery_id}_found_",)).fetchone() != (0,)
    world.commit()
    drop_staging(world, delivery_id)
    assert world.execute(kept, (f"^delivery_{delivery_id}",)).fetchone() == (0,)


def test_a_broken_query_of_a_large_delivery_is_broken_alone(
    own_rules: Settings, world: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fulcrum.quality.found.LARGE", 1)
    spoil(
        own_rules,
        "select source_row, value\n        from (select source_row, concat_ws",
        "select source_row, worth\n        from (select source_row, concat_ws",
    )
    contract = contract_of(HOLDING)
    delivery_id, staged = stage_rows(world, contract, HOLDING.delivery())
    verdict = judge(own_rules, contract, staged, delivery_id)
    assert [one.rule_id for one in verdict.results if one.status == "broken"] == ["holding.line_once"]


def prepared_tables(connection: Connection, delivery_id: int) -> list[str]:
    rows = connection.execute(
        "select relname, relpersistence::text, reltuples from pg_class where relname = %s",
        (f"delivery_{delivery_id}_history",),
    ).fetchall()
    assert all(kind == "u" and lines > 0 for _, kind, lines in rows), "unlogged, with statistics"
    return [row[0] for row in rows]


def test_what_several_rules_build_on_is_one_table_where_a_rule_needs_it(settings: Settings, world: Connection) -> None:
    prices = CASES["core/price"]
    row = prices.good(0) | {"source_code": "OTHER"}
    delivery_id, staged = stage_rows(world, contract_of(prices), [row])
    for _ in range(2):  # the second time finds the table of the first
        judge(settings, contract_of(prices), staged, delivery_id)
    assert prepared_tables(world, delivery_id) == [f"delivery_{delivery_id}_history"]
    del row["price"]
    delivery_id, staged = stage_rows(world, contract_of(prices), [row])
    judge(settings, contract_of(prices), staged, delivery_id)
    assert prepared_tables(world, delivery_id) == []
    drop_staging(world, delivery_id - 1)
    assert prepared_tables(world, delivery_id - 1) == []


def test_rules_that_build_on_a_broken_query_are_broken_and_no_other(own_rules: Settings, world: Connection) -> None:
    spoil(own_rules, "lag(price) over series as before", "lag(prize) over series as before", suite="price")
    prices = CASES["core/price"]
    delivery_id, staged = stage_rows(world, contract_of(prices), prices.delivery())
    verdict = judge(own_rules, contract_of(prices), staged, delivery_id)
    broken = {result.rule_id: result.message for result in verdict.results if result.status == "broken"}
    assert broken.keys() == {
        "price.no_slip", "price.no_unit_break", "price.no_jump", "price.moves_with_market", "price.not_stale",
        "price.no_gap",
    }  # fmt: skip
    assert 'The preparation history of core/price: column "prize" does not exist' in broken["price.no_jump"]
    assert verdict.verdict == "broken"


def test_rules_that_cannot_run_never_pass(settings: Settings, world: Connection) -> None:
    contract = contract_of(HOLDING)
    rows = [{name: row[name] for name in ("portfolio_code", "isin", "business_date")} for row in HOLDING.delivery()]
    delivery_id, staged = stage_rows(world, contract, rows)
    verdict = judge(settings, contract, staged, delivery_id)
    idle = {result.rule_id: result.message for result in verdict.results if result.status == "not_run"}
    assert idle["holding.value_agrees"] == "house_test does not deliver quantity, price, market_value."
    assert idle["holding.currency_listed"] == "house_test does not deliver currency_code."
    assert verdict.verdict == "passed"


def test_a_contract_that_numbers_repeated_lines_may_repeat_them(settings: Settings, world: Connection) -> None:
    contract = contract_of(HOLDING, numbers_repeated_lines=True)
    rows = [row | {"weight_pct": None} for row in [*HOLDING.delivery(), HOLDING.good(0)]]
    delivery_id, staged = stage_rows(world, contract, rows)
    verdict = judge(settings, contract, staged, delivery_id)
    assert (verdict.verdict, verdict.rows_quarantined) == ("passed", 0)


def test_many_bad_rows_block_and_a_handful_do_not(settings: Settings, world: Connection) -> None:
    contract = contract_of(HOLDING)
    outcomes = {}
    for bad in (10, 11):
        rows = [HOLDING.good(number) | ({"portfolio_code": "P9"} if number < bad else {}) for number in range(100)]
        delivery_id, staged = stage_rows(world, contract, rows)
        verdict = judge(settings, contract, staged, delivery_id)
        outcomes[bad] = (verdict.verdict, verdict.rows_quarantined)
    assert outcomes == {10: ("warned", 10), 11: ("blocked", 11)}


def test_without_a_suite_nothing_is_judged(own_rules: Settings, world: Connection) -> None:
    contract = contract_of(HOLDING, suite="core/nothing")
    delivery_id, staged = stage_rows(world, contract, HOLDING.delivery())
    with pytest.raises(GateError, match="core/nothing"):
        judge(own_rules, contract, staged, delivery_id)
    assert latest_results(world, delivery_id) == []
