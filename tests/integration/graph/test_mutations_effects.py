"""What mutations bring about: blocked deliveries go through, publications are taken back, overrides are delivered."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from fulcrum.settings import Settings
from tests.factories import house
from tests.integration.graph.desk_site import RULE, DeskSite, desk_site

_PATIENCE = 150.0
"""Seconds: a process of its own starts in 3 s on a machine that is idle."""
APPROVE = """mutation($id: ID!) { approveWaiver(input: { id: $id, idempotencyKey: "approve" }) {
  isRepeated waiver { state } deliveries { number: id outcome } } }"""
ROLL_BACK = """mutation($id: ID!) { rollBackPublication(input: { id: $id, reason: "sent by mistake" }) {
  isRepeated publication { kind feed supersedes { nodes { id } } } takenBack { id } } }"""


@pytest.fixture
def site(database: Settings, connection: psycopg.Connection[Any], tmp_path: Path) -> Iterator[DeskSite]:
    with desk_site(database, connection, tmp_path) as running:
        yield running


def answer(site: DeskSite, who: str, query: str, **variables: Any) -> dict[str, Any]:
    sent = httpx.post(
        f"{site.address}/graphql",
        json={"query": query, "variables": variables},
        headers={"X-API-Key": site.keys[who]},
        timeout=60,
    )
    found: dict[str, Any] = sent.json()
    return found


def data(site: DeskSite, who: str, query: str, **variables: Any) -> dict[str, Any]:
    found = answer(site, who, query, **variables)
    assert "errors" not in found, found
    made: dict[str, Any] = found["data"]
    return made


def until(look: Callable[[], Any]) -> Any:
    """What `look` gives as soon as it gives something."""
    deadline = time.monotonic() + _PATIENCE
    while not (found := look()):
        assert time.monotonic() < deadline, "it does not happen"
        time.sleep(0.5)
    return found


def asked(site: DeskSite) -> str:
    made: str = data(
        site,
        "ann",
        """mutation($rule: String!) { askWaiver(input: { ruleId: $rule, feed: "house_holdings",
          beginDate: "2026-01-06", endDate: "2026-01-07", reason: "typed by hand" }) { waiver { id } } }""",
        rule=RULE,
    )["askWaiver"]["waiver"]["id"]
    return made


def test_an_approved_waiver_lets_the_blocked_delivery_through_marked(site: DeskSite) -> None:
    waiver = asked(site)
    shown = data(site, "bob", APPROVE, id=waiver)["approveWaiver"]
    assert shown["waiver"] == {"state": "approved"}
    assert [each["outcome"] for each in shown["deliveries"]] == ["blocked"]
    waived = """{ publications(where: { verdict: { eq: "waived" }, feed: { eq: "house_holdings" } }) { nodes {
      trust { waivers { ruleId } } } } }"""  # what is valued from them is waived, too, a moment later
    assert until(lambda: data(site, "bob", waived)["publications"]["nodes"]) == [
        {"trust": {"waivers": [{"ruleId": RULE}]}}
    ]
    again = data(site, "bob", APPROVE, id=waiver)["approveWaiver"]
    assert again["isRepeated"] is True
    assert again["deliveries"] == shown["deliveries"]


def test_a_landed_file_is_delivered_again(site: DeskSite) -> None:
    nodes = '{ deliveries(where: { outcome: { eq: "blocked" } }) { nodes { id sha256 } totalCount } }'
    blocked = data(site, "ann", nodes)["deliveries"]["nodes"][0]
    query = "mutation($id: ID!) { deliverAgain(input: { ids: [$id] }) { deliveries { id } } }"
    assert data(site, "ann", query, id=blocked["id"])["deliverAgain"] == {"deliveries": [{"id": blocked["id"]}]}
    until(lambda: data(site, "ann", nodes)["deliveries"]["totalCount"] == 2)
    assert answer(site, "ann", query, id="Delivery:9999")["errors"][0]["extensions"]["reason"] == "UNKNOWN"


def test_a_publication_is_taken_back_by_who_may_decide(site: DeskSite, connection: psycopg.Connection[Any]) -> None:
    holdings = '{ publications(where: { target: { eq: "core.holding" } }) { nodes { id } } }'
    (published,) = data(site, "bob", holdings)["publications"]["nodes"]
    assert answer(site, "ann", ROLL_BACK, id=published["id"])["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    shown = data(site, "bob", ROLL_BACK, id=published["id"])["rollBackPublication"]
    assert shown == {
        "isRepeated": False,
        "publication": {
            "kind": "rollback",
            "feed": "house_holdings",
            "supersedes": {"nodes": [published]},
        },
        "takenBack": published,
    }
    count = '{ holdings(asOf: "2026-01-05") { totalCount } }'
    assert data(site, "bob", count) == {"holdings": {"totalCount": 0}}
    pending = "select from governance.derivation where done_at is null"
    until(lambda: connection.execute(pending).fetchone() is None)
    refused = answer(site, "bob", ROLL_BACK, id=published["id"])["errors"][0]
    assert refused["extensions"]["reason"] == "BUILT_UPON"
    both = """mutation($id: ID!) { a: rollBackPublication(input: { id: $id, reason: "x" }) { isRepeated }
      b: deliverAgain(input: { ids: ["Delivery:1"] }) { isRepeated } }"""
    assert answer(site, "bob", both, id=published["id"])["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


def test_an_override_takes_two_people_and_is_delivered(site: DeskSite) -> None:
    ask = """mutation($input: AskOverrideInput!) { askOverride(input: $input) {
      override { id state value reasonCode subjectKey instrument { code } askedBy } } }"""
    wanted = {
        "subject": {"isin": house.ISINS[0]},
        "value": "12.50",
        "currencyCode": "USD",
        "quoteUnitCode": "UNIT",
        "beginDate": "2026-01-05",
        "endDate": "2026-01-05",
        "reasonCode": "MISSING",
        "reason": "nobody delivers prices here",
    }
    for subject in ({}, {"isin": house.ISINS[0], "instrumentCode": "x"}):
        assert answer(site, "ann", ask, input=wanted | {"subject": subject})["errors"][0]["extensions"]["code"] == (
            "BAD_USER_INPUT"
        )
    shown = data(site, "ann", ask, input=wanted)["askOverride"]["override"]
    assert shown | {"id": ""} == {
        "id": "",
        "state": "asked",
        "value": "12.50",
        "reasonCode": "missing",
        "subjectKey": f"price:T{house.ISINS[0]}",
        "instrument": {"code": f"T{house.ISINS[0]}"},
        "askedBy": "ann",
    }
    approve = "mutation($id: ID!) { approveOverride(input: { id: $id }) { override { state decidedBy } } }"
    assert answer(site, "ann", approve, id=shown["id"])["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert data(site, "bob", approve, id=shown["id"])["approveOverride"]["override"] == {
        "state": "approved",
        "decidedBy": "bob",
    }
    delivered = "query($id: ID!) { node(id: $id) { ... on Override { delivery { outcome feed } } } }"
    found = until(lambda: data(site, "bob", delivered, id=shown["id"])["node"]["delivery"])
    assert found["feed"] == "override_prices"
    forever = wanted | {"endDate": "9999-12-31"}
    assert answer(site, "ann", ask, input=forever)["errors"][0]["extensions"]["reason"] == "PERIOD"
    end = 'mutation($id: ID!) { endOverride(input: { id: $id, comment: "priced" }) { override { state endedBy } } }'
    assert data(site, "root", end, id=shown["id"])["endOverride"]["override"] == {"state": "ended", "endedBy": "root"}
    pair = wanted | {"subject": {"pair": {"baseCurrencyCode": "EUR", "quoteCurrencyCode": "USD"}}, "value": "1.1"}
    rate = {name: value for name, value in pair.items() if name not in ("currencyCode", "quoteUnitCode")}
    made = data(site, "ann", ask, input=rate)["askOverride"]["override"]
    refuse = "mutation($id: ID!) { refuseOverride(input: { id: $id }) { override { state } } }"
    assert data(site, "bob", refuse, id=made["id"])["refuseOverride"]["override"] == {"state": "refused"}
    withdraw = "mutation($id: ID!) { withdrawOverride(input: { id: $id }) { override { state } } }"
    assert answer(site, "ann", withdraw, id=made["id"])["errors"][0]["extensions"]["reason"] == "ILLEGAL_MOVE"
