"""The demo from end to end: Fulcrum says to every planted fault what the known truth demands."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console
from stdnum import isin, lei

from fulcrum.demo.faults import STALE_TO
from fulcrum.demo.market import Market, business_days
from fulcrum.demo.overridden import DECIDES
from fulcrum.demo.tour import Size, run_demo
from fulcrum.demo.universe import build_universe, made_up_isin, made_up_lei
from fulcrum.governance.desk import waivers
from fulcrum.governance.desk.policy import load_desk_policy
from fulcrum.pipeline.derive import derive
from fulcrum.pipeline.redeliver import redeliver
from fulcrum.settings import Settings
from fulcrum.warehouse import engine


def run(settings: Settings) -> tuple[int, str]:
    shown = io.StringIO()
    code = run_demo(settings, Size(portfolios=20, positions=20, seed=11), Console(file=shown, width=200), serve=False)
    return code, shown.getvalue()


def decide_what_is_left(settings: Settings) -> tuple[str, list[str]]:
    """Let the stopped delivery in as two people: what becomes of it, and the rules that its publication waives."""
    with engine.connect(settings, role="fulcrum_owner") as connection:
        found = connection.execute(
            "select delivery_id, business_date_to from governance.delivery"
            " where outcome = 'blocked' order by delivery_id desc limit 1"
        ).fetchone()
        assert found is not None
        number, day = found
        wanted = waivers.Request("holding.control_total", "house_holdings", day, day, "The sender confirmed the rows.")
        made = waivers.ask(connection, load_desk_policy(settings), "demo", wanted)
        waivers.decide(connection, DECIDES, made.waiver_id, "approved")
        connection.commit()
    done = redeliver(settings, number)
    derive(settings)
    with engine.connect(settings) as connection:
        marked = connection.execute(
            "select rule_id from governance.publication_waiver where publication_id = %s", [done.publication_id]
        ).fetchall()
    return str(done.outcome), [rule for (rule,) in marked]


@pytest.mark.slow
def test_the_demo_ends_as_its_truth_demands_and_may_be_run_again(database: Settings) -> None:
    code, shown = run(database)
    assert code == 0, shown
    assert "0 differ silently" in shown
    assert "Not as expected" not in shown
    for fault in ("bad ISINs", "duplicate rows", "missing price", "stale price", "pounds for pence", "control total",
                  "truncated file", "GBK encoding", "late file", "restatement", "custodian differs",
                  "the same file again", "for you to decide"):  # fmt: skip
        assert fault in shown
    assert "breaks: 1 missing, 1 price, 1 quantity." in shown
    assert re.search(r'"sourceRow": "\d+"', shown)
    told = r"Override 1: the vendor repeated.*demo_operations.*demo_risk approved.*overrides show 1"
    story = re.search(told, shown, re.DOTALL)
    assert story
    assert "moved by 0.00" not in story[0]
    assert decide_what_is_left(database) == ("restated", ["holding.control_total"])
    with engine.connect(database) as connection:
        before = connection.execute("select max(publication_id) from governance.publication").fetchone()
    code, shown = run(database)
    assert code == 0, shown
    with engine.connect(database) as connection:
        assert connection.execute("select max(publication_id) from governance.publication").fetchone() == before
        made = connection.execute("select state, asked_by, decided_by, carried_to from quality.override").fetchall()
    assert made == [("approved", "demo_operations", "demo_risk", business_days()[STALE_TO])]
    assert story[0] in shown


def test_the_same_seed_makes_the_same_house() -> None:
    first, second = (Market(build_universe(3, 20, 20)) for _ in range(2))
    portfolio = first.universe.portfolios[0]
    assert first.universe == second.universe
    assert list(first.positions(portfolio, 19)) == list(second.positions(portfolio, 19))
    assert first.universe != build_universe(4, 20, 20)


def test_made_up_identifiers_have_right_check_digits() -> None:
    assert all(isin.is_valid(made_up_isin(country, 700_000_000 + n)) for n, country in enumerate(("US", "GB", "JP")))
    assert all(lei.is_valid(made_up_lei(n)) for n in range(50))
