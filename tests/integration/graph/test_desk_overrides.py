"""Overrides and rollbacks on the desk's pages: asked, decided by another, carried out and ended; taken back."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from fulcrum.entitlements.principals import RowScope
from fulcrum.pipeline.derive import derive
from fulcrum.settings import Settings
from tests.factories import house
from tests.factories.access import make_key
from tests.integration.graph.desk_site import RULE, SAME_SITE, DeskSite, desk_site

APPLE = house.ISINS[0]
ASKED = {
    "of": APPLE,
    "value": "12.5",
    "currency": "USD",
    "unit": "",
    "begin": "2026-01-05",
    "end": "2026-01-06",
    "code": "wrong",
    "reason": "split <b>not</b> applied",
}
SECONDS = 60


@pytest.fixture
def site(database: Settings, connection: psycopg.Connection[Any], tmp_path: Path) -> Iterator[DeskSite]:
    with desk_site(database, connection, tmp_path) as running:
        derive(database)
        yield running


def send(client: httpx.Client, path: str, **fields: Any) -> httpx.Response:
    return client.post(path, data=fields, headers=SAME_SITE)


def one(connection: psycopg.Connection[Any], query: str, *values: Any) -> Any:
    row = connection.execute(query.encode(), values).fetchone()
    connection.commit()
    return row[0] if row else None


def nav(connection: psycopg.Connection[Any]) -> Any:
    return one(connection, "select nav_base from mart.portfolio_nav where superseded_in is null")


def await_(connection: psycopg.Connection[Any], query: str, wanted: Any) -> None:
    until = time.monotonic() + SECONDS
    while (found := one(connection, query)) != wanted:
        assert time.monotonic() < until, found
        time.sleep(0.2)


def ask(site: DeskSite, who: str = "ann", **fields: str) -> str:
    with site.of(who) as client:
        sent = send(client, "/desk/overrides", **(ASKED | fields))
        assert sent.status_code == 303, re.findall(r'role="alert".*', sent.text)
        return sent.headers["location"]


def test_an_override_is_asked_for_approved_by_another_carried_out_and_ended(
    site: DeskSite, connection: psycopg.Connection[Any]
) -> None:
    assert nav(connection) == 50
    number = one(connection, "select exception_id from quality.exception where rule_id = %s", RULE)
    with site.of("ann") as client:
        assert f"/desk/overrides?exception={number}#ask" in client.get(f"/desk/exceptions/{number}").text
        assert f'name="exception" value="{number}"' in client.get(f"/desk/overrides?exception={number}").text
    path = ask(site, exception=str(number))
    with site.of("ann") as client:
        page = client.get(path).text
        assert "split &lt;b&gt;not&lt;/b&gt; applied" in page
        assert "somebody else decides" in page
        assert 'value="approve"' not in page
        assert path in client.get(f"/desk/exceptions/{number}").text
        assert send(client, path, decision="approve").status_code == 403
    with site.of("bob") as client:
        page = client.get(path).text
        assert 'value="approve"' in page
        told = re.sub(r"<[^>]+>|\s+", " ", page[page.index('id="reach"') : page.index('id="decide"')])
        for words in ("What it reaches 1", "valuations of 2026-01-05", "2.50 USD", "P1 USD", "12.50", "52.50"):
            assert words in re.sub(r" +", " ", told)
        assert send(client, path, decision="approve", comment="seen").status_code == 303
        await_(connection, "select nav_base from mart.portfolio_nav where superseded_in is null", 52.5)
        page = client.get(path).text
        for words in ("approved", "lapsed", "In the warehouse", "bob", "seen", "2 published", "What it moved"):
            assert words in page
        delivery = one(connection, "select delivery_id from quality.override")
        assert f'"{path}"' in client.get(f"/desk/deliveries/{delivery}").text
        refused = send(client, path, decision="end", comment="mended")
        assert refused.status_code == 409
        assert "From when on" in refused.text
        assert "mended" in refused.text
        assert send(client, path, decision="end", comment="mended", altogether="yes").status_code == 303
        await_(connection, "select nav_base from mart.portfolio_nav where superseded_in is null", 50)
        page = client.get(path).text
        assert "2 rows ended" in page
        assert "Ended by" in page
        assert client.get("/desk/overrides?state=ended").text.count(path) == 1
        assert client.get("/desk/overrides?state=asked").text.count(path) == 0
        chinese = client.get(f"{path}?lang=zh").text
        for words in ("人工覆盖", "已产生的影响", "现净值"):
            assert words in chinese


def test_an_instrument_without_an_isin_is_shown_by_its_code(
    site: DeskSite, connection: psycopg.Connection[Any]
) -> None:
    ask(site)
    number = one(
        connection,
        "insert into quality.override (target, subject, subject_key, value, currency_code, begin_date, end_date,"
        " reason_code, reason, asked_by) select target, subject - 'isin', subject_key, value, currency_code,"
        " begin_date, end_date, reason_code, reason, asked_by from quality.override returning override_id",
    )
    with site.of("ann") as client:
        for page in (client.get(f"/desk/overrides/{number}"), client.get("/desk/overrides")):
            assert page.status_code == 200
            assert f"T{APPLE}" in page.text


def test_who_sees_part_of_the_house_is_told_so_and_of_nobody_elses_nav(
    site: DeskSite, connection: psycopg.Connection[Any]
) -> None:
    path = ask(site)
    site.keys["gus"] = make_key(connection, "gus", roles=["risk_officer"], scope=RowScope("none of it"))
    with site.of("gus") as client:
        page = client.get(path).text
    assert "You do not see the whole house" in page
    assert "No portfolio that you see" in page
    assert "P1" not in page


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"of": "US5949181045x"}, "There is no instrument"),
        ({"value": "ten"}, "is no number"),
        ({"begin": "soon"}, "first and a last business date"),
        ({"end": "2027-01-05"}, "lasts 1 to 31 days"),
        ({"code": "because"}, "no reason"),
        ({"of": "EUR/USD"}, "no currency or unit of its own"),
    ],
)
def test_what_is_refused_says_why_and_keeps_what_was_typed(
    site: DeskSite, connection: psycopg.Connection[Any], fields: dict[str, str], message: str
) -> None:
    with site.of("ann") as client:
        page = send(client, "/desk/overrides", **(ASKED | fields))
    assert page.status_code == 409
    assert message in page.text
    assert "split &lt;b&gt;not&lt;/b&gt; applied</textarea>" in page.text
    assert one(connection, "select count(*) from quality.override") == 0


def test_only_those_who_may_see_ask_and_decide(site: DeskSite) -> None:
    path = ask(site, "bob")
    with site.of("eve") as client:
        assert client.get("/desk/overrides").status_code == 403
        assert client.get(path).status_code == 403
        assert send(client, "/desk/overrides", **ASKED).status_code == 403
        assert send(client, path, decision="approve").status_code == 403
    with site.of("bob") as client:
        assert send(client, path, decision="approve").status_code == 409
        assert client.post(path, data={"decision": "withdraw"}).status_code == 403
        assert send(client, path, decision="withdraw").status_code == 303
        assert client.get("/desk/overrides/999").status_code == 404


def test_a_publication_is_taken_back_from_its_delivery_by_who_may_decide(
    site: DeskSite, connection: psycopg.Connection[Any]
) -> None:
    delivery, publication = connection.execute(
        "select delivery_id, publication_id from governance.delivery"
        " where feed = 'house_holdings' and outcome = 'published'"
    ).fetchone() or (0, 0)
    connection.commit()
    path, back = f"/desk/deliveries/{delivery}", f"/desk/deliveries/{delivery}/rollback"
    fields = {"publication": str(publication), "reason": "wrong custodian", "confirmed": "yes"}
    with site.of("ann") as client:
        assert back not in client.get(path).text
        assert send(client, back, **fields).status_code == 403
    with site.of("bob") as client:
        page = client.get(path).text
        for words in (back, "its 5 rows end", "2026-01-05", "valued anew"):
            assert words in page
        for missing, words in (
            ("confirmed", "has to be confirmed"),
            ("reason", "needs a reason"),
            ("publication", "not what this delivery published"),
        ):
            refused = send(client, back, **{name: text for name, text in fields.items() if name != missing})
            assert refused.status_code == 409
            assert words in refused.text
        assert one(connection, "select count(*) from core.holding where superseded_in is null") == 5
        assert send(client, back, **fields).status_code == 303
        assert one(connection, "select count(*) from core.holding where superseded_in is null") == 0
        await_(connection, "select count(*) from mart.portfolio_nav where superseded_in is null", 0)
        page = client.get(path).text
        assert f"Publication {publication} was taken back by publication" in page
        assert 'name="confirmed"' not in page
        assert send(client, back, **fields).status_code == 409
    event = connection.execute(
        "select actor_name, details ->> 'reason' from governance.audit_event where action = 'rollback.done'"
    ).fetchone()
    assert event == ("bob", "wrong custodian")


def test_what_later_publications_rest_on_is_not_offered(
    site: DeskSite, connection: psycopg.Connection[Any], database: Settings, tmp_path: Path
) -> None:
    first, publication = connection.execute(
        "select delivery_id, publication_id from governance.delivery"
        " where feed = 'house_holdings' and outcome = 'published'"
    ).fetchone() or (0, 0)
    connection.commit()
    later = house.deliver_holdings(database, tmp_path, "later.csv", [house.holding(isin, 3) for isin in house.ISINS])
    fields = {"publication": str(publication), "reason": "wrong", "confirmed": "yes"}
    with site.of("bob") as client:
        page = client.get(f"/desk/deliveries/{first}").text
        assert f"have to be taken back first, the latest one first: {later.publication_id}" in re.sub(r"\s+", " ", page)
        refused = send(client, f"/desk/deliveries/{first}/rollback", **fields)
        assert refused.status_code == 409
        assert f"Publications {later.publication_id} rest on publication {publication}" in refused.text
