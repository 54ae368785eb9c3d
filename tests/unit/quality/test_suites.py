"""Reading suites and tolerances: what is refused, and that what is shipped is clean."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest

from fulcrum.errors import GateError
from fulcrum.quality.checks import national_id
from fulcrum.quality.suite import Severity
from fulcrum.quality.suites import columns_in, lint, load_suite, load_tolerances, suite_names
from fulcrum.settings import Settings, read_settings

RULE = """
  - id: fx_rate.positive
    version: 1
    says: The rate is above zero.
    dimension: accuracy
    severity: critical
    level: row
    owner: market-risk
    runbook: infra/runbooks/quality.md
    reason: A zero rate writes positions off.
    requires: [rate]
    column: rate
    good: rate > 0
"""
TOLERANCES = "tolerances: {}\n"


def project(folder: Path, rules: str, tolerances: str = TOLERANCES, name: str = "core/fx_rate") -> Settings:
    suite = folder / "quality" / "suites" / f"{name}.yaml"
    suite.parent.mkdir(parents=True)
    suite.write_text(f"suite: core/fx_rate\ntitle: Rates\nrules:{rules}", encoding="utf-8")
    (folder / "quality" / "tolerances.yaml").write_text(tolerances, encoding="utf-8")
    runbook = folder / "infra" / "runbooks" / "quality.md"
    runbook.parent.mkdir(parents=True)
    runbook.write_text("# Runbook\n## A rate is wrong\n", encoding="utf-8")
    return read_settings(project=folder)


def test_shipped_suites_and_tolerances_are_clean() -> None:
    assert lint(read_settings()) == []


@pytest.mark.parametrize(("name", "least"), [("core/holding", 12), ("core/price", 10), ("core/client", 8)])
def test_the_main_tables_have_as_many_rules_as_promised(name: str, least: int) -> None:
    assert len(load_suite(read_settings(), name).rules) >= least


def test_every_suite_ends_by_asking_how_much_was_refused() -> None:
    settings = read_settings()
    for name in suite_names(settings):
        suite = load_suite(settings, name)
        last = suite.rules[-1]
        assert suite.inspects is not None or (
            last.id.endswith("refused_share"),
            last.severity,
            last.after_quarantine,
        ) == (
            True,
            Severity.CRITICAL,
            True,
        )


def test_a_clean_suite_has_no_problems(tmp_path: Path) -> None:
    assert lint(project(tmp_path, RULE)) == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("accuracy", "beauty", "rule fx_rate.positive, dimension"),
        ("    owner: market-risk\n", "", "rule fx_rate.positive, owner: Field required"),
        ("critical", "urgent", "rule fx_rate.positive, severity"),
        ("level: row", "level: set", "a set rule has exactly one of: total, measure"),
        ("    good: rate > 0", "    good: rate > 0\n    bad_rows: select 1", "a row rule has exactly one of"),
        ("    column: rate", "    colour: rate", "rule fx_rate.positive, colour: Extra inputs are not permitted"),
        ("requires: [rate]", "requires: [rates]", "'rates' is no staging column of core/fx_rate"),
        ("    requires: [rate]\n", "", "uses column rate without requiring it"),
        ("rate > 0", "rate > {tolerance}", "uses {tolerance} and names none"),
        ("rate > 0", "rate > {limit}", "unknown placeholder {limit}"),
        ("column: rate", "column: rate\n    tolerance: nobody", "unknown tolerance 'nobody'"),
        ("quality.md", "other.md", "runbook infra/runbooks/other.md does not exist"),
        ("quality.md", "quality.md#nowhere", "has no heading #nowhere"),
        ("    column: rate\n", "", "says neither column nor value"),
    ],
)
def test_lint_names_file_rule_and_mistake(tmp_path: Path, old: str, new: str, expected: str) -> None:
    assert old in RULE
    problems = lint(project(tmp_path, RULE.replace(old, new)))
    assert [problem for problem in problems if expected in problem and "core/fx_rate.yaml" in problem] != []


PREPARED = RULE.replace("good: rate > 0", "bad_rows: select source_row, rate::text as value from {history}")


@pytest.mark.parametrize(
    ("rules", "preparation", "expected"),
    [
        (PREPARED, "sql: 'select * from {batch}'", None),
        (RULE, "sql: 'select * from {batch}'", "no rule builds on it"),
        (PREPARED, "sql: 'select {far} from {batch}'", "unknown placeholder {far}"),
        (PREPARED, "sql: 'select 1', numbers: {far: nobody}", "unknown tolerance 'nobody'"),
        (PREPARED, "sql: 'select 1', requires: [rates]", "'rates' is no staging column of core/fx_rate"),
    ],
)
def test_lint_looks_at_preparations_too(tmp_path: Path, rules: str, preparation: str, expected: str | None) -> None:
    prepares = f"\nprepares: {{history: {{says: What was before., {preparation}}}}}\n"
    settings = project(tmp_path, rules + prepares)
    place = "quality/suites/core/fx_rate.yaml, preparation history: "
    assert lint(settings) == ([f"{place}{expected}."] if expected else [])


def test_a_preparation_takes_no_name_that_is_taken(tmp_path: Path) -> None:
    prepares = "\nprepares: {batch: {says: What was before., sql: 'select 1'}}\n"
    problems = lint(project(tmp_path, RULE.replace("rate > 0", "rate > (select 1 from {batch})") + prepares))
    assert "quality/suites/core/fx_rate.yaml, preparation batch: the name is taken." in problems


def test_a_rule_id_stands_once(tmp_path: Path) -> None:
    with pytest.raises(GateError, match=r"core/fx_rate\.yaml.*fx_rate\.positive"):
        load_suite(project(tmp_path, RULE + RULE), "core/fx_rate")


def test_a_tolerance_without_unit_is_refused(tmp_path: Path) -> None:
    entry = "tolerances: {jump: {value: 0.1, owner: me, since: 2026-01-01, why: because}}"
    with pytest.raises(GateError, match="tolerance jump, unit"):
        load_tolerances(project(tmp_path, RULE, entry))


def test_a_tolerance_that_nobody_uses_is_reported(tmp_path: Path) -> None:
    entry = "tolerances: {jump: {value: 0.1, unit: percent, owner: me, since: 2026-01-01, why: because}}"
    settings = project(tmp_path, RULE, entry)
    assert load_tolerances(settings)["jump"].value == Decimal("0.1")
    assert lint(settings) == ["quality/tolerances.yaml, tolerance jump: no rule uses it."]


def test_a_suite_must_be_called_as_its_file(tmp_path: Path) -> None:
    settings = project(tmp_path, RULE, name="core/price")
    with pytest.raises(GateError, match="calls itself 'core/fx_rate'"):
        load_suite(settings, "core/price")


def test_an_unknown_suite_is_named_with_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(GateError, match="core/fx_rate"):
        load_suite(project(tmp_path, RULE), "core/rates")


def test_broken_yaml_is_refused_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(GateError, match=r"core/fx_rate\.yaml is no readable YAML.*line"):
        load_suite(project(tmp_path, "\n  - id: [unclosed"), "core/fx_rate")


def test_columns_are_found_outside_of_literals_casts_and_placeholders() -> None:
    columns = {"rate", "price", "date", "text"}
    assert columns_in("rate > 0 and 'price' <> x::date and {text} = 1", columns) == {"rate"}


TWO_VALUES = """
tolerances:
  jump:
    unit: percent
    owner: me
    values: [{value: 10, since: 2026-01-01, why: first}, {value: 12.5, since: 2026-06-01, why: then}]
"""


def test_a_tolerance_keeps_its_values_and_is_judged_by_the_one_of_the_day(tmp_path: Path) -> None:
    settings = project(tmp_path, RULE, TWO_VALUES)
    values = [load_tolerances(settings, dt.date(year, 5, 31))["jump"].value for year in (2020, 2026, 2027)]
    assert values == [Decimal(10), Decimal(10), Decimal("12.5")]
    assert [one.why for one in load_tolerances(settings)["jump"].values] == ["first", "then"]


def test_values_out_of_order_are_refused(tmp_path: Path) -> None:
    entry = TWO_VALUES.replace("2026-06-01", "2025-06-01")
    with pytest.raises(GateError, match="oldest first"):
        load_tolerances(project(tmp_path, RULE, entry))


@pytest.mark.parametrize(
    ("scheme", "value", "expected"),
    [
        ("NATIONAL_ID@CH", "756.9217.0769.85", True),
        ("NATIONAL_ID@CH", "756.9217.0769.84", False),
        ("NATIONAL_ID@IT", "RCCMNL83S18D969H", True),
        ("NATIONAL_ID@US", "078-05-1120", False),
        ("TAX_ID@DE", "36574261809", True),
        ("NATIONAL_ID@ZZ", "1", None),
        ("PASSPORT@CH", "X1234567", None),
        ("NATIONAL_ID@CH", None, None),
    ],
)
def test_numbers_of_states_are_checked_where_the_library_knows_them(
    scheme: str,
    value: str | None,
    expected: bool | None,  # noqa: FBT001 what the table says
) -> None:
    assert national_id(scheme, value) is expected


def test_lint_refuses_a_query_in_a_predicate(tmp_path: Path) -> None:
    problems = lint(project(tmp_path, RULE.replace("rate > 0", "rate > (select 1)")))
    assert [problem for problem in problems if "write `bad_rows`" in problem] != []


def test_lint_refuses_a_check_that_nobody_wrote(tmp_path: Path) -> None:
    prepares = "\nprepares: {odd: {says: What was before., sql: 'select 1', checked_by: magic}}\n"
    problems = lint(project(tmp_path, RULE.replace("rate > 0", "rate > (select 1 from {odd})") + prepares))
    assert any(problem.endswith("preparation odd: unknown check 'magic'.") for problem in problems)
