"""The page of reconciliation shows both sides of every break to whom it may, and writes the same into a file."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from fulcrum.entitlements.principals import RowScope
from fulcrum.entitlements.rights import Mask, Rights
from fulcrum.governance.desk.policy import load_desk_policy
from fulcrum.governance.reconciliation.contract import Compared, load
from fulcrum.governance.reconciliation.run import reconcile
from fulcrum.graph.app import create_app
from fulcrum.graph.pages.desk import side_by_side
from fulcrum.settings import Settings
from tests.factories.access import make_key
from tests.factories.market import Market
from tests.integration.graph.desk_site import PEOPLE, DeskSite
from tests.integration.graph.serving import served

FIRST, LAST = dt.date(2026, 1, 5), dt.date(2026, 1, 6)
PAGE = "/desk/reconciliation"
NOTHING = "\N{EN DASH}"


@pytest.fixture
def site(database: Settings, connection: psycopg.Connection[Any]) -> Iterator[DeskSite]:
    """Two days of one portfolio: X differs in quantity on both, Y is missing on the second, and has another price."""
    market = Market(connection)
    for code in ("X", "Y", "Z"):
        market.instrument(code, instrument_name=f"Share {code}")
    for code in ("P1", "CUSTODY:P1"):
        market.portfolio(code)
    for day in (FIRST, LAST):
        market.holdings("P1", day, [_line("X", "9"), _line("Y", "5"), _line("Z", "3", price="2.02")])
        theirs = [_line("X", "7"), _line("Z", "3")] + ([_line("Y", "5")] if day == FIRST else [])
        market.holdings("CUSTODY:P1", day, theirs)
        ready = load(database, "custody_positions", dt.date(2026, 11, 22))
        reconcile(connection, load_desk_policy(database), ready, day)
        connection.commit()
    keys = {name: make_key(connection, name, roles=[role]) for name, role in PEOPLE.items()}
    part = RowScope("part", portfolio_codes=("P1",))
    keys["tom"] = make_key(connection, "tom", roles=["risk_officer"], scope=part)
    with served(create_app(database)) as address:
        yield DeskSite(address, keys)


def _line(code: str, quantity: str, price: str = "2") -> dict[str, Any]:
    value = str(Decimal(quantity) * Decimal(price))
    return {"instrument": code, "quantity": quantity, "price": price, "market_value": value, "currency_code": "USD"}


def rows_of(page: str) -> list[list[str]]:
    """The cells of every line of the table of breaks, without tags."""
    table = page[page.index('<table class="sides">') :].partition("</table>")[0]
    lines = re.findall(r"<tr.*?</tr>", table, re.DOTALL)[1:]
    return [
        [" ".join(re.sub("<[^>]+>", " ", cell).split()) for cell in re.findall(r"<t[dh].*?</t[dh]>", line, re.DOTALL)]
        for line in lines
    ]


def test_breaks_stand_side_by_side_with_difference_and_tolerance(site: DeskSite) -> None:
    with site.of("bob") as client:
        page = client.get(f"{PAGE}?name=custody_positions").text
        rows = rows_of(page)
    first = rows[0]
    assert "P1/X" in first[0]
    assert "Share X" in first[0]
    assert "Since 2026-01-05, 1 weekdays." in first[0]
    assert first[1:] == ["quantity beyond its tolerance", "7", "9", "-2", "± 0.0005"]
    assert ["price", "2", "2", "0", "± 0.0002"] in rows
    assert ["value beyond its tolerance", "14", "18", "-4", "± 0.01"] in rows
    (missing,) = [row for row in rows if "Side A (custodian) lacks it." in row[0]]
    assert missing[1:] == ["quantity beyond its tolerance", NOTHING, "5", "-5", "± 0.0005"]
    assert "293" not in page
    assert 'href="/desk/runbooks/reconciliation#positions"' in page
    assert "recon_quantity_difference" in page


def test_breaks_are_counted_by_class_and_age_and_every_filter_holds(site: DeskSite) -> None:
    with site.of("bob") as client:
        page = client.get(PAGE).text
        assert "custody_positions" in page
        counted = page[page.index('<table class="matrix">') :].split("</table>")[0]
        assert re.findall(r"class=(\w+)&amp;age=([\d-]+)\">(\d+)<", counted) == [
            ("missing", "0-1", "1"),
            ("quantity", "0-1", "1"),
            ("price", "0-1", "1"),
        ]
        for query, keys in (
            ("class=quantity", {"P1/X"}),
            ("severity=warning", {"P1/Z"}),
            ("day=2026-01-05", {"P1/X", "P1/Z"}),
            ("book=P1&age=0-1&name=custody_positions", {"P1/X", "P1/Y", "P1/Z"}),
        ):
            rows = rows_of(client.get(f"{PAGE}?{query}").text)
            assert {row[0].split()[0] for row in rows if len(row) == 6} == keys, query
        assert "No break is like this." in client.get(f"{PAGE}?book=P2").text
        assert "No break is like this." in client.get(f"{PAGE}?class=rounding&day=2026-01-06").text


def test_the_finding_of_a_break_leads_to_it_and_back(site: DeskSite, connection: psycopg.Connection[Any]) -> None:
    row = connection.execute("select exception_id from quality.exception where subject like '%/P1/X'").fetchone()
    assert row is not None
    with site.of("bob") as client:
        assert f"{PAGE}?exception={row[0]}#breaks" in client.get(f"/desk/exceptions/{row[0]}").text
        page = client.get(f"{PAGE}?exception={row[0]}").text
        assert f'/desk/exceptions/{row[0]}"' in page
        assert len([one for one in rows_of(page) if "P1/X" in one[0]]) == 2
        moved = client.get("/desk/rules/reconciliation.custody_positions")
        assert (moved.status_code, moved.headers["location"]) == (303, f"{PAGE}?name=custody_positions")


def test_the_file_holds_the_same_breaks(site: DeskSite) -> None:
    with site.of("bob") as client:
        answer = client.get(f"{PAGE}.csv?class=quantity")
        assert answer.headers["content-disposition"] == 'attachment; filename="breaks.csv"'
        rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [row["column"] for row in rows] == ["quantity", "price", "fx_rate", "value", "currency_code"]
    assert {(row["break_key"], row["class_code"], row["exception_state"]) for row in rows} == {
        ("P1/X", "quantity", "open")
    }
    assert (rows[0]["a"], rows[0]["b"], rows[0]["difference"], rows[0]["is_beyond"]) == ("7", "9", "-2", "True")


def test_only_who_may_read_it_and_sees_the_whole_house_sees_breaks(site: DeskSite) -> None:
    with site.of("eve") as client:
        assert client.get(PAGE).status_code == 403
        assert client.get(f"{PAGE}.csv").status_code == 403
    with site.of("tom") as client:
        page = client.get(f"{PAGE}?name=custody_positions").text
        assert "shown to those who see the whole house" in page
        assert "P1/X" not in page
        assert "P1/X" not in client.get(f"{PAGE}.csv").text
    with site.of(None) as client:
        assert client.get(PAGE).status_code == 303


def test_what_a_role_sees_masked_in_the_tables_is_masked_side_by_side(database: Settings) -> None:
    contract = load(database, "custody_positions", LAST).contract
    rights = Rights("x", (), 0, {"core.holding.price": Mask.FULL, "core.portfolio.portfolio_code": Mask.HASH})
    hidden = side_by_side.shade(rights, contract)
    row: dict[str, Any] = {
        f"{side}_{name}": Decimal(1) for side in "ab" for name in ("quantity", "price", "fx_rate", "value")
    }
    row |= {"a_currency_code": "USD", "b_currency_code": "EUR", "differs": "price", "judged_by": {}}
    row["break_key"] = "P1/X"
    lines = {line.column: line for line in side_by_side.lines(row, contract, hidden)}
    assert (lines["price"].a, lines["price"].b, lines["price"].difference) == (None, None, None)
    assert lines["price"].is_masked
    assert lines["quantity"].a == 1
    assert hidden.key(row) is None
    without_contract = side_by_side.shade(rights, None)
    assert all(line.a is None for line in side_by_side.lines(row, None, without_contract))
    assert not side_by_side.shade(Rights("y", (), 0), contract).hides


def test_the_larger_of_both_tolerances_holds() -> None:
    each = Compared(column="price", absolute="least", relative="share")
    judged = {"least": {"value": "0.01"}, "share": {"value": "1"}}
    assert side_by_side.tolerated(each, judged, Decimal(50), Decimal(-200)) == 2
    assert side_by_side.tolerated(each, judged, Decimal("0.5"), None) == Decimal("0.01")
    assert side_by_side.tolerated(each, {}, Decimal(1), Decimal(2)) is None
