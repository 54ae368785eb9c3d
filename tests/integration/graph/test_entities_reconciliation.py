"""Breaks over GraphQL: side by side with their finding, for those who may read it and see the whole house."""

from __future__ import annotations

import datetime as dt
from typing import Any

import psycopg
import pytest

from fulcrum.governance.desk.policy import load_desk_policy
from fulcrum.governance.reconciliation.contract import load
from fulcrum.governance.reconciliation.run import reconcile
from fulcrum.settings import Settings
from fulcrum.warehouse import engine
from tests.factories.access import make_key
from tests.factories.market import Market

DAY = dt.date(2026, 1, 5)
QUERY = """{
  reconciliationBreaks(where: { name: { eq: "custody_positions" }, classCode: { eq: "quantity" },
      state: { eq: "open" }, businessDate: { eq: "2026-01-05" } }) { totalCount nodes {
    breakKey portfolioCode aQuantity bQuantity difference differs firstSeen ageBucket
    instrument { code } otherInstrument { code } run { number status publication { number } }
    exception { ruleId subject state history { move } } } }
  reconciliationRuns { nodes { name status aName bName aRows breaksFound breaks { totalCount } } }
}"""


@pytest.fixture
def compared(database: Settings, connection: psycopg.Connection[Any], asked: Any) -> Any:
    market = Market(connection)
    market.instrument("X")
    for code, quantity in (("P1", "9"), ("CUSTODY:P1", "7")):
        market.portfolio(code)
        market.holdings(code, DAY, [{"instrument": "X", "quantity": quantity}])
    reconcile(connection, load_desk_policy(database), load(database, "custody_positions", dt.date(2026, 11, 22)), DAY)
    connection.commit()
    return asked


def test_a_break_is_shown_side_by_side_with_its_run_and_its_finding(compared: Any) -> None:
    data = compared.data(QUERY)
    (found,) = data["reconciliationBreaks"]["nodes"]
    assert (found["breakKey"], found["portfolioCode"], found["instrument"]) == ("P1/X", "P1", {"code": "X"})
    assert (found["aQuantity"], found["bQuantity"], found["difference"]) == ("7", "9", "-2")
    assert found["otherInstrument"] is None
    assert found["exception"] == {
        "ruleId": "reconciliation.custody_positions",
        "subject": "reconciliation:custody_positions/P1/X",
        "state": "open",
        "history": [{"move": "find"}],
    }
    (run,) = data["reconciliationRuns"]["nodes"]
    assert (run["status"], run["breaksFound"], run["breaks"]) == ("broken", "1", {"totalCount": 1})


@pytest.mark.parametrize("root", ["reconciliationBreaks", "reconciliationRuns"])
def test_nothing_of_it_is_told_without_the_permission(
    compared: Any, connection: psycopg.Connection[Any], root: str
) -> None:
    compared.key = make_key(connection, "reader", roles=["analyst"])
    for wanted in ("totalCount", "nodes { id }", "aggregate { count }"):
        assert compared.code(f"{{ {root} {{ {wanted} }} }}") == "FORBIDDEN"


def test_who_does_not_see_the_whole_house_sees_no_break(
    compared: Any, database: Settings, connection: psycopg.Connection[Any]
) -> None:
    assert compared.data("{ reconciliationBreaks { totalCount } }") == {"reconciliationBreaks": {"totalCount": 1}}
    row = connection.execute(
        "insert into governance.row_scope (scope_name, portfolio_codes) values ('part', array['P1']) returning scope_id"
    ).fetchone()
    assert row is not None
    connection.commit()
    with engine.connect(database, role="fulcrum_api") as api:
        api.execute("select set_config('fulcrum.scope', %s, false)", [str(row[0])])
        assert api.execute("select count(*) from quality.reconciliation_break").fetchone() == (0,)
