"""Every kind of error that vendors put into price histories is found in made-up ones, and their honest twins are quiet.

Real files with known errors stand in tests/integration/real; these hold the rules to kinds, not to those files.
"""

from __future__ import annotations

from collections.abc import Sequence

from fulcrum.contracts.model import Identifier
from fulcrum.quality.gate import failed_rows, judge
from fulcrum.settings import Settings
from tests.factories.price_errors import KINDS, RIGHT, History, clean
from tests.factories.staging import stage_rows
from tests.factories.suites import CASES, contract_of
from tests.integration.quality.test_price_histories import Connection

SHAPES = {
    "a large share": {"level": 140.0, "daily": 0.011, "paid": 0.008},
    "a penny share": {"level": 0.62, "daily": 0.014, "paid": 0.012},
    "a share in pence": {"level": 2300.0, "daily": 0.009, "paid": 0.015},
    "a wild share": {"level": 30.0, "daily": 0.024, "paid": 0.02},
}
CODE = Identifier(scheme="TICKER", columns=("ticker",), market="US")


def flagged(settings: Settings, connection: Connection, histories: Sequence[History]) -> list[dict[str, set[int]]]:
    """For each history, by rule, the places that a critical rule or a warning flags; all in one delivery."""
    told = {"price_type_code": "SPLIT_ADJUSTED_CLOSE", "source_code": "OTHER", "currency_code": "USD"}
    rows = [
        (number, place, bar | told | {"ticker": f"T{number}"})
        for number, history in enumerate(histories)
        for place, bar in enumerate(history)
    ]
    contract = contract_of(CASES["core/price"], unknown_instruments="provisional", identifiers=(CODE,))
    delivery_id, staged = stage_rows(connection, contract, [row for _, _, row in rows])
    verdict = judge(settings, contract, staged, delivery_id)
    assert [result.message for result in verdict.results if result.status == "broken"] == []
    failed = [result.rule_id for result in verdict.results if result.status == "failed" and result.severity != "info"]
    found: list[dict[str, set[int]]] = [{} for _ in histories]
    for rule, lines in failed_rows(settings, connection, contract, staged, delivery_id, failed).items():
        for line, _ in lines:
            number, place, _ = rows[line - 2]
            found[number].setdefault(rule, set()).add(place)
    return found


def test_each_kind_of_error_is_found(settings: Settings, connection: Connection) -> None:
    shapes = list(SHAPES)
    cases = [
        (kind, wrong, shapes[(number + further) % len(shapes)], number)
        for number, (kind, wrong) in enumerate(KINDS.items())
        for further in range(2)
    ]
    found = flagged(
        settings, connection, [wrong.makes(clean(seed, **SHAPES[shape])) for _, wrong, shape, seed in cases]
    )
    missed = [
        f"{kind}: {shape}"
        for (kind, wrong, shape, _), rules in zip(cases, found, strict=True)
        if not wrong.places & {place for places in rules.values() for place in places}
    ]
    assert missed == []


def test_histories_that_are_right_are_not_flagged(settings: Settings, connection: Connection) -> None:
    cases = [(kind, shape, seed) for kind in RIGHT for shape in SHAPES for seed in range(3)]
    found = flagged(settings, connection, [RIGHT[kind](clean(seed, **SHAPES[shape])) for kind, shape, seed in cases])
    assert {case: rules for case, rules in zip(cases, found, strict=True) if rules} == {}
