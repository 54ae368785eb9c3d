"""One price that two people put in place of a stale one: asked for, approved, delivered, seen in a NAV.

It is the true price, so NAVs that were wrong become right. Who the two are, and how it is told, stands here, too.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import psycopg

from fulcrum.analytics.policy import load_policy as load_valuation_policy
from fulcrum.demo import faults
from fulcrum.demo.api import Api
from fulcrum.demo.plan import Plan
from fulcrum.entitlements.policy import load_policy
from fulcrum.entitlements.principals import WHOLE_HOUSE, Principal, register
from fulcrum.governance.desk import overrides, subjects
from fulcrum.governance.desk.overrides import Override, Request
from fulcrum.governance.desk.policy import load_desk_policy
from fulcrum.governance.desk.reach import Moved, read_reach
from fulcrum.pipeline.derive import derive
from fulcrum.settings import Settings
from fulcrum.warehouse.engine import connect

ASKS, DECIDES = "demo_operations", "demo_risk"
_PEOPLE = {ASKS: "data_engineer", DECIDES: "risk_officer"}
_QUERY = """
query ($portfolio: String!, $asOf: Date!) {
  portfolio(code: $portfolio, asOf: $asOf) { nav { navBase trust { overrides { number askedBy approvedBy } } } }
}
"""


@dataclass(frozen=True)
class Story:
    """An override in the warehouse, what it is of, and the portfolio that it moved most."""

    override: Override
    name: str
    moved: Moved

    @property
    def is_as_estimated(self) -> bool:
        """Whether the NAV moved, and became what the approver was told."""
        return self.moved.change_base != 0 and self.moved.nav_base_now == self.moved.nav_base_under

    def is_told_by(self, api: Api) -> bool:
        """Whether the API says with the NAV who asked and who approved."""
        day = self.override.begin_date.isoformat()
        answer = api.ask(_QUERY, {"portfolio": self.moved.portfolio_code, "asOf": day})
        nav: dict[str, Any] = answer["data"]["portfolio"]["nav"]
        said = {"number": self.override.override_id, "askedBy": ASKS, "approvedBy": DECIDES}
        return bool(nav["trust"]["overrides"] == [said] and nav["navBase"] == f"{self.moved.nav_base_now:f}")

    def line(self) -> str:
        """The story in one line, with where to look."""
        one, moved = self.override, self.moved
        return (
            f"Override {one.override_id}: the vendor repeated an old price of {self.name} on {one.begin_date};"
            f" {one.asked_by} asked for {one.value:f} {one.currency_code}, {one.decided_by} approved, and the NAV of"
            f" {moved.portfolio_code} moved by {moved.change_base:,.2f} {moved.base_currency_code}. Its trust names the"
            f" override; see /desk/overrides/{one.override_id} or `fulcrum overrides show {one.override_id}`."
        )


def override_stale_price(settings: Settings, plan: Plan) -> Story:
    """Have a price overridden on the last day that it was stale; what was done already is not done again."""
    instrument, day = plan.victims.stale, plan.market.days[faults.STALE_TO]
    request = Request(
        "price",
        {"isin": instrument.isin},
        plan.market.quote(instrument, faults.STALE_TO),
        day,
        day,
        "stale",
        "The vendor repeats a price of days ago; this is the exchange's close.",
        instrument.currency,
    )
    with connect(settings) as connection:
        for name, role in _PEOPLE.items():
            register(connection, load_policy(settings), Principal(name, "person", (role,), WHOLE_HOUSE))
        known = _known(connection, instrument.isin, day)
        if known is None:
            known = overrides.ask(connection, load_desk_policy(settings), ASKS, request)
        if known.state == "asked":
            overrides.decide(connection, DECIDES, known.override_id, "approved", "Seen on the exchange's site.")
        connection.commit()
        derive(settings)
        reach = read_reach(connection, load_valuation_policy(settings), known.override_id, None)
        return Story(overrides.get(connection, known.override_id), instrument.name, reach.largest[0])


def _known(connection: psycopg.Connection[Any], isin: str, day: dt.date) -> Override | None:
    """The override of an earlier run."""
    key = subjects.find_subject(connection, "price", {"isin": isin}, day).key
    found = (one for one in overrides.listed(connection) if one.subject_key == key and one.begin_date == day)
    return next((one for one in found if one.is_live), None)
