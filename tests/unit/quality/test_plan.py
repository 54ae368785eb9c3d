"""How rules become SQL, and why some cannot."""

from __future__ import annotations

from typing import Any

import pytest

from fulcrum.contracts.model import FeedContract, Identifier
from fulcrum.errors import GateError
from fulcrum.quality.plan import Batch, applies, key_columns, plan
from fulcrum.quality.resolution import Known
from fulcrum.quality.suite import Preparation, Rule, Suite, Tolerance

TOLERANCE = Tolerance.model_validate(
    {"value": "2.50", "unit": "percent", "owner": "risk", "since": "2026-01-01", "why": "because"}
)


def contract(**changes: Any) -> FeedContract:
    values: dict[str, Any] = {
        "feed": "house_holdings",
        "title": "Holdings",
        "owner": "tests",
        "source": "O'NEIL",
        "target": "core.holding",
        "fields": (),
        "identifiers": (Identifier(scheme="ISIN", columns=("isin",)),),
    }
    return FeedContract(**(values | changes))


def batch(**changes: Any) -> Batch:
    values: dict[str, Any] = {
        "table": "staging.delivery_7",
        "columns": ("portfolio_code", "business_date", "isin", "quantity", "price"),
        "delivery_id": 7,
        "rows_in": 3,
        "rows_refused": 0,
        "metadata": {"control_rows": "3"},
        "known": Known(),
    }
    return Batch(**(values | changes))


def rule(**changes: Any) -> Rule:
    values: dict[str, Any] = {
        "id": "holding.test",
        "version": 1,
        "says": "Something is good.",
        "dimension": "accuracy",
        "severity": "critical",
        "level": "row",
        "owner": "risk",
        "runbook": "x.md",
        "reason": "It has to be.",
    }
    return Rule(**(values | changes))


def sql(given: Rule, where: Batch | None = None, **prepares: Preparation) -> str:
    suite = Suite(suite="core/holding", title="Test", rules=(given,), prepares=prepares)
    runnable, impossible = plan(suite, {"limit": TOLERANCE}, contract(), where or batch())
    assert impossible == []
    return runnable[0].sql


def reason(given: Rule, where: Batch | None = None, **prepares: Preparation) -> str:
    suite = Suite(suite="core/holding", title="Test", rules=(given,), prepares=prepares)
    runnable, impossible = plan(suite, {}, contract(), where or batch())
    assert runnable == []
    return impossible[0].reason


def test_a_predicate_becomes_an_aggregate_of_failed_rows() -> None:
    given = rule(good="price > {tolerance}", column="price", tolerance="limit", requires=("price",))
    assert sql(given) == "count(*) filter (where not (price > 2.50))"


def test_an_optional_column_takes_its_default_where_it_is_absent() -> None:
    given = rule(good="price * {contract_size} > 0 and {quantity} > 0", column="price",
                 otherwise={"contract_size": "1", "quantity": "0"})  # fmt: skip
    assert sql(given) == "count(*) filter (where not (price * (1) > 0 and quantity > 0))"


def test_what_a_file_says_of_itself_is_quoted() -> None:
    given = rule(level="set", measure="select {metadata.control_rows}::int", compare="at_most", tolerance="limit",
                 requires_metadata=("control_rows",))  # fmt: skip
    assert sql(given, batch(metadata={"control_rows": "3'; drop"})) == "select '3''; drop'::int"


def preparation(**changes: Any) -> Preparation:
    return Preparation(**({"says": "What was before.", "sql": "select 1 from {batch}"} | changes))


def test_a_preparation_is_a_table_of_the_delivery() -> None:
    given = rule(bad_rows="select * from {past} p")
    expected = "select count(*) from (select * from staging.delivery_7_past p) failed"
    assert sql(given, past=preparation(), future=preparation(sql="select 1 from {resolved}")) == expected


def test_a_rule_cannot_run_without_what_its_preparation_needs() -> None:
    given = rule(bad_rows="select * from {past} p")
    assert reason(given, past=preparation(requires=("cost",))) == "house_holdings does not deliver cost."
    resolved = preparation(sql="select 1 from {resolved}")
    assert reason(given, past=resolved) == "Rows of house_holdings name no instrument."


def test_regular_expressions_keep_their_braces() -> None:
    assert "'^[A-Z]{2}$'" in sql(rule(good="isin ~ '^[A-Z]{2}$'", column="isin"))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (rule(good="cost > 0", column="cost", requires=("cost",)), "house_holdings does not deliver cost."),
        (
            rule(good="true", column="price", requires_any=("cost", "sedol")),
            "house_holdings delivers none of cost, sedol.",
        ),
        (
            rule(good="true", column="price", requires_metadata=("control_total",)),
            "The file does not state its control total.",
        ),
        (rule(bad_rows="select * from {resolved} r"), "Rows of house_holdings name no instrument."),
        (rule(bad_rows="{unknown.portfolio_id}"), "Rows of house_holdings name no portfolio."),
    ],
)
def test_a_rule_that_cannot_run_says_why(given: Rule, expected: str) -> None:
    assert reason(given) == expected


def test_a_total_of_a_column_that_is_not_staged_cannot_run() -> None:
    given = rule(level="set", total="sum({column.control_column})", compare="at_most", tolerance="limit",
                 requires_metadata=("control_column",))  # fmt: skip
    where = batch(metadata={"control_column": "cost); drop table x; --"})
    assert "not staged" in reason(given, where)


def test_an_unknown_tolerance_stops_the_gate() -> None:
    with pytest.raises(GateError, match=r"holding\.test.*'nobody'"):
        sql(rule(good="price > {tolerance}", column="price", tolerance="nobody"))


def test_rules_apply_by_feed_and_by_contract() -> None:
    assert applies(rule(good="true", applies_to=("house_*",)), contract())
    assert not applies(rule(good="true", applies_to=("form13f_*",)), contract())
    strict = rule(good="true", when={"numbers_repeated_lines": False})
    assert applies(strict, contract())
    assert not applies(strict, contract(numbers_repeated_lines=True))


def test_the_key_is_made_of_what_is_staged() -> None:
    columns = ("portfolio_code", "isin", "sedol", "business_date", "quantity", "position_code")
    assert key_columns(contract(), columns) == ("portfolio_code", "business_date", "isin", "sedol", "position_code")
    clients = contract(target="core.client", identifiers=())
    assert key_columns(clients, ("client_code", "valid_from", "business_date", "client_name")) == (
        "client_code",
        "business_date",
        "valid_from",
    )
