"""A critical column is covered by rules that declare it, not by queries that merely join by it."""

from __future__ import annotations

from typing import Any

from fulcrum.governance.reports.coverage import Declared, declared_by, read_declared
from fulcrum.quality.suite import Suite
from fulcrum.settings import read_settings


def suite(**rule: Any) -> Suite:
    told = {
        "id": "holding.one", "version": 1, "says": "It is as it must be.", "dimension": "accuracy", "owner": "tests",
        "severity": "warning", "level": "set", "runbook": "x.md", "reason": "It would be wrong otherwise.",
        "tolerance": "t", "compare": "at_most",
    }  # fmt: skip
    return Suite.model_validate({"suite": "core/holding", "title": "Tests", "rules": [told | rule]})


def contract(*columns: str, critical: bool = True) -> dict[str, Any]:
    return {
        "team": {"name": "tests"},
        "schema": [{"properties": [{"name": name, "criticalDataElement": critical} for name in columns]}],
    }


def test_a_rule_covers_what_it_requires_in_the_words_of_the_table() -> None:
    one = suite(
        requires=["portfolio_code", "isin"], measure="select count(*) from {batch} join core.price using (price)"
    )
    assert declared_by(one, one.rules[0]) == {"portfolio_code", "isin"}
    declared = Declared({"core.holding": contract("portfolio_id", "instrument_id", "price")}, {"core/holding": one}, {})
    found = {each.column: dict(each.rules) for each in declared.critical()}
    assert found == {
        "portfolio_id": {"holding.one": "accuracy"},
        "instrument_id": {"holding.one": "accuracy"},
        "price": {},
    }


def test_only_columns_that_contracts_call_critical_count() -> None:
    declared = Declared({"core.holding": contract("quantity", critical=False)}, {}, {})
    assert declared.critical() == []


def test_contracts_of_the_project_name_critical_columns_and_feeds_fill_them() -> None:
    declared = read_declared(read_settings())
    critical = {(one.table, one.column) for one in declared.critical()}
    assert ("core.holding", "quantity") in critical
    assert ("core.account", "account_code") in declared.of_feed("house_accounts") & critical
    assert ("core.holding", "portfolio_id") in declared.of_feed("house_holdings") & critical
    assert ("core.holding", "instrument_id") in declared.of_feed("ishares_us_holdings") & critical
    covered = {(one.table, one.column) for one in declared.critical() if one.is_covered}
    assert ("core.holding", "quantity") in covered
