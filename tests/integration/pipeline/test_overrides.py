"""Every rule on overridden values fails on the file made for it, and what is critical keeps it out."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest

from fulcrum.entitlements.policy import load_policy
from fulcrum.entitlements.principals import WHOLE_HOUSE, Principal, register
from fulcrum.governance.desk import overrides
from fulcrum.governance.desk.overrides import Request
from fulcrum.governance.desk.policy import load_desk_policy
from fulcrum.pipeline.deliver import deliver
from fulcrum.pipeline.overrides import carry_out
from fulcrum.quality.suites import load_suite
from fulcrum.settings import Settings, read_settings
from tests.factories.market import Market

POLICY = load_desk_policy(read_settings())
TODAY = dt.datetime.now(dt.UTC).date()
AHEAD = TODAY + dt.timedelta(days=2)
APPLE = "US0378331005"
PRICE = Request("price", {"isin": APPLE}, Decimal("12.5"), TODAY, AHEAD, "wrong", "split", "USD")
RATE = replace(
    PRICE,
    kind="fx_rate",
    subject={"base_currency_code": "EUR", "quote_currency_code": "USD"},
    currency_code=None,
)
HEADERS = {
    "override_prices": "instrument_code,isin,figi,sedol,cusip,ticker,exchange_code,business_date,price,currency_code,"
    "quote_unit_code",
    "override_fx_rates": "base_currency_code,quote_currency_code,business_date,rate",
}
CASES = [
    ("override_prices", f",{APPLE},,,,,,{TODAY},99,USD,", {"signed", "like_delivered"}),
    ("override_prices", f",{APPLE},,,,,,{AHEAD},12.5,USD,", {"not_ahead", "refused_share"}),
    ("override_prices", f",US5949181045,,,,,,{TODAY},12.5,USD,", {"instrument_known", "signed", "refused_share"}),
    ("override_fx_rates", f"EUR,USD,{TODAY},99", {"signed", "like_delivered"}),
    ("override_fx_rates", f"USD,EUR,{TODAY},12.5", {"signed"}),
    ("override_fx_rates", f"EUR,USD,{AHEAD},12.5", {"not_ahead", "refused_share"}),
]


@pytest.fixture
def market(connection: psycopg.Connection[Any], settings: Settings) -> Market:
    """One instrument and one pair, each overridden from today on to a day ahead."""
    made = Market(connection)
    for name in ("ann", "bob"):
        register(connection, load_policy(settings), Principal(name, "person", ("risk_officer",), WHOLE_HOUSE))
    made.instrument(APPLE)
    made.prices(TODAY, [{"instrument": APPLE, "price": "1"}])
    made.rates(TODAY, {"EUR/USD": "1.1"})
    for request in (PRICE, RATE):
        number = overrides.ask(connection, POLICY, "ann", request).override_id
        overrides.decide(connection, "bob", number, "approved")
    connection.commit()
    return made


def failed(connection: psycopg.Connection[Any], delivery_id: int | None) -> set[str]:
    rows = connection.execute(
        "select split_part(rule_id, '.', 2), status from quality.validation_result"
        " join quality.validation using (validation_id) where delivery_id = %s and status in ('failed', 'broken')",
        [delivery_id],
    ).fetchall()
    connection.commit()
    assert "broken" not in {status for _, status in rows}
    return {rule for rule, _ in rows}


def test_every_rule_is_failed_by_the_file_made_for_it(market: Market, settings: Settings, tmp_path: Path) -> None:
    tested: dict[str, set[str]] = {feed: set() for feed in HEADERS}
    for place, (feed, line, rules) in enumerate(CASES):
        file = tmp_path / f"{place}.csv"
        file.write_text(f"{HEADERS[feed]}\n{line}\n", encoding="utf-8")
        number = "1" if feed == "override_prices" else "2"
        report = deliver(settings, feed, file, parameters={"override_id": number})
        assert (line, report.outcome) == (line, "blocked")
        assert (line, failed(market.connection, report.delivery_id)) == (line, rules)
        tested[feed] |= rules
    done = carry_out(settings)
    assert [each.outcome for each in done] == ["published", "published"]
    for feed, each in zip(HEADERS, done, strict=True):
        assert failed(market.connection, each.delivery_id) == {"like_delivered"}
        tested[feed].add("like_delivered")
        suite = load_suite(settings, f"core/{feed.removesuffix('s')}")
        assert tested[feed] == {rule.id.partition(".")[2] for rule in suite.rules}


def test_what_the_gate_blocked_is_delivered_again_on_demand_only(market: Market, settings: Settings) -> None:
    market.connection.execute("update core.instrument_identifier set value = 'XS0000000009', superseded_in = 1")
    market.connection.commit()
    done = carry_out(settings)
    assert [each.outcome for each in done] == ["blocked", "published"]
    assert carry_out(settings) == []
    market.connection.execute("update core.instrument_identifier set value = %s, superseded_in = null", [APPLE])
    market.connection.commit()
    assert carry_out(settings) == []
    assert [each.outcome for each in carry_out(settings, is_again=True)] == ["published"]
