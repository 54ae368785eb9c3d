"""The pages of the quality desk show what the warehouse holds, to whom it may be shown, in two languages."""

from __future__ import annotations

import csv
import io
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pyarrow.parquet as pq
import pytest

from fulcrum.governance.desk import daily
from fulcrum.graph.pages.desk.known import reconciliations_of, rules_of
from fulcrum.graph.pages.desk.language import LANGUAGES, labels
from fulcrum.graph.pages.rendering import TEMPLATES
from fulcrum.settings import Settings
from fulcrum.warehouse.engine import connect
from tests.integration.graph.desk_site import HOSTILE, RULE, SAME_SITE, DeskSite, desk_site

PAGES = (
    "/desk",
    "/desk?day=2026-01-06",
    "/desk/exceptions",
    "/desk/exceptions?state=all&severity=critical&feed=house_holdings&owner=bob",
    "/desk/exceptions?age=0-1&overdue=1&rule=x",
    "/desk/waivers",
    "/desk/reconciliation",
    "/desk/runbooks/quality",
    f"/desk/rules/{RULE}",
    "/catalog",
    "/catalog/core.client_version",
    "/catalog/raw.house_holdings",
    "/catalog/mart.portfolio_nav",
    "/catalog/governance.delivery",
)


@pytest.fixture
def site(database: Settings, connection: psycopg.Connection[Any], tmp_path: Path) -> Iterator[DeskSite]:
    with desk_site(database, connection, tmp_path) as running:
        yield running


def one(connection: psycopg.Connection[Any], query: str, *values: Any) -> Any:
    row = connection.execute(query.encode(), values).fetchone()
    connection.commit()
    assert row is not None
    return row[0]


def blocked(connection: psycopg.Connection[Any]) -> int:
    return int(one(connection, "select max(delivery_id) from governance.delivery where outcome = 'blocked'"))


def finding(connection: psycopg.Connection[Any]) -> int:
    return int(
        one(connection, "select exception_id from quality.exception where rule_id = %s and state <> 'resolved'", RULE)
    )


def send(client: httpx.Client, path: str, **fields: Any) -> httpx.Response:
    return client.post(path, data=fields, headers=SAME_SITE)


def test_today_shows_each_feed_and_date_and_what_is_served_instead(
    site: DeskSite, connection: psycopg.Connection[Any]
) -> None:
    with site.of("bob") as client:
        page = client.get("/desk")
        assert page.status_code == 200
        text = re.sub(r"\s+", " ", page.text)
        stopped, line = text.split(f'<a href="/desk/deliveries/{blocked(connection)}">house_holdings')[1:]
        stopped, line = stopped.split("</tr>")[0], line.split("</tr>")[0]
        assert "Stopped now" in text
        for words in ("blocked", "2026-01-05", ">1 d<"):
            assert words in stopped
        assert "blocked" in line
        assert "Served instead: 2026-01-05" in line
        assert "Older by 1 d." in line
        assert ">not judged<" in line
        assert "2026-01-06: 1 published, 1 stopped" in text
        never = text.split("Never delivered yet")[1].split("</section>")[0]
        assert ">house_prices</a>" in never
        assert "house_holdings" not in never, "it was delivered"
        assert "house_instruments" not in never, "it has no calendar"
        day = client.get("/desk?day=2026-01-05").text
        assert "house_holdings" in day
        assert f'/desk/deliveries/{blocked(connection)}"' not in day
        assert "Stopped now" not in day
        assert "Never delivered yet" not in day


def test_a_delivery_shows_every_rule_and_refused_rows_and_escapes_what_it_quotes(
    site: DeskSite, connection: psycopg.Connection[Any]
) -> None:
    number = blocked(connection)
    stored = connection.execute(
        "select rule_id, status from quality.validation_result join quality.validation using (validation_id)"
        " where delivery_id = %s",
        [number],
    ).fetchall()
    assert {status for _, status in stored} >= {"passed", "failed", "not_run"}
    with site.of("root") as client:
        page = client.get(f"/desk/deliveries/{number}").text
        for rule, status in stored:
            row = page[page.index(f'/desk/rules/{rule}"') :].split("</tr>")[0]
            assert f"status-{status}" in row
        assert "broken &lt;b&gt;.csv" in page
        assert "<b>" not in page
        assert one(connection, "select sha256 from governance.delivery where delivery_id = %s", number) in page
        refused = int(one(connection, "select max(delivery_id) from quality.quarantined_row"))
        page = client.get(f"/desk/deliveries/{refused}").text
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
        assert client.get("/desk/deliveries/999999").status_code == 404


def test_refused_values_are_masked_by_the_class_of_their_column_on_the_page_and_in_files(
    site: DeskSite, connection: psycopg.Connection[Any]
) -> None:
    number = int(one(connection, "select max(delivery_id) from quality.quarantined_row"))
    connection.execute(
        "insert into quality.quarantined_row (delivery_id, source_row, rule_id, column_name, value, row_key, message)"
        " select delivery_id, 9, 'cell.parse', 'email', 'secret@example.org', '{\"client_code\": \"=1+1\"}',"
        " 'The cell secret@example.org is no address.' from governance.delivery where feed = 'house_instruments'"
        " order by delivery_id desc limit 1"
    )
    connection.execute("update governance.delivery set feed = 'house_clients' where delivery_id = %s", [number])
    connection.commit()
    for who, is_shown in (("root", True), ("ann", False)):
        with site.of(who) as client:
            page = client.get(f"/desk/deliveries/{number}").text
            table = client.get(f"/desk/deliveries/{number}/refused.csv")
            file = client.get(f"/desk/deliveries/{number}/refused.parquet").content
            assert table.headers["content-disposition"] == f'attachment; filename="refused-{number}.csv"'
            rows = list(csv.DictReader(io.StringIO(table.content.decode("utf-8-sig"))))
            same = pq.read_table(io.BytesIO(file)).to_pylist()
            assert [int(row["source_row"]) for row in rows] == [row["source_row"] for row in same]
            for text in (page, table.text, str(same)):
                assert ("secret@example.org" in text) is is_shown
    with site.of("eve") as client:
        assert client.get(f"/desk/deliveries/{number}").status_code == 403
        assert client.get(f"/desk/deliveries/{number}/refused.csv").status_code == 403


def test_a_finding_is_worked_on_its_page_and_what_is_refused_stays_typed(
    site: DeskSite, connection: psycopg.Connection[Any]
) -> None:
    path = f"/desk/exceptions/{finding(connection)}"
    with site.of("ann") as client:
        assert RULE in client.get("/desk/exceptions").text
        refused = send(client, path, move="resolve", reason="nonsense", comment=f"typed {HOSTILE}")
        assert refused.status_code == 409
        assert "There is no reason code" in refused.text
        assert "typed &lt;script&gt;" in refused.text
        assert send(client, path, move="assign", owner="bob", comment="请看").status_code == 303
        assert send(client, path, move="reopen", comment="x").status_code == 409
        page = client.get(path).text
        assert "请看" in page
        assert "bob" in client.get("/desk/exceptions?owner=bob&state=assigned").text
        assert client.post(path, data={"move": "comment", "comment": "x"}).status_code == 403
        assert client.post(path, data={}, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    history = connection.execute("select actor_name, move from quality.exception_event order by 1, 2").fetchall()
    assert ("ann", "assign") in history
    assert ("ann", "comment") not in history


def test_a_waiver_takes_two_people_and_what_it_blocked_is_delivered_again_and_marked(
    site: DeskSite, connection: psycopg.Connection[Any]
) -> None:
    number, delivery = finding(connection), blocked(connection)
    wanted = {"rule": RULE, "feed": "house_holdings", "begin": "2026-01-06", "exception": number}
    with site.of("bob") as bob, site.of("ann") as ann:
        too_long = send(bob, "/desk/waivers", **wanted, end="2027-01-06", reason="sender confirmed by phone")
        assert too_long.status_code == 409
        assert "lasts 1 to 31 days" in too_long.text
        assert "sender confirmed by phone" in too_long.text
        made = send(bob, "/desk/waivers", **wanted, end="2026-01-06", reason="confirmed")
        own = made.headers["location"]
        eyes = send(bob, own, decision="approve", comment="my own")
        assert eyes.status_code == 409
        assert "somebody else must decide" in eyes.text
        assert "my own" not in connection.execute("select decision_comment from quality.waiver").fetchall()
        connection.commit()
        assert send(ann, own, decision="approve").status_code == 403
        assert send(bob, own, decision="withdraw").status_code == 303
        made = send(ann, "/desk/waivers", **wanted, end="2026-01-06", reason="confirmed")
        path = made.headers["location"]
        assert send(bob, path, decision="approve", comment="seen the letter").status_code == 303
        assert f"/desk/deliveries/{delivery}" in bob.get(path).text
        deadline = time.monotonic() + 240
        while "Under way" in (page := bob.get(path).text) and time.monotonic() < deadline:
            time.sleep(1)
        assert "outcome-published" in page
        assert "verdict-waived" in page
        assert "Nothing was published under it" not in page
        new = int(one(connection, "select max(delivery_id) from governance.delivery"))
        assert new > delivery
        assert "Published under" in bob.get(f"/desk/deliveries/{new}").text
        assert "waived" in bob.get("/desk?day=2026-01-06").text
        assert send(bob, path, decision="end").status_code == 409
        assert send(bob, path, decision="end", comment="index change is over").status_code == 303
        for page in (bob.get(path).text, bob.get("/desk/waivers").text):
            for words in ("Decided by", "seen the letter", "Ended by", "index change is over"):
                assert words in page
    actions = [row[0] for row in connection.execute("select action from governance.audit_event order by 1")]
    assert actions.count("waiver.approved") == 1
    assert actions.count("delivery.again") == 2


def test_a_rule_shows_its_meaning_numbers_and_history(site: DeskSite, connection: psycopg.Connection[Any]) -> None:
    with site.of("bob") as client:
        send(client, f"/desk/exceptions/{finding(connection)}", move="resolve", reason="false_alarm", comment="typo")
        page = client.get(f"/desk/rules/{RULE}").text
        for words in ("add up to the total", "control_difference_max", "0.01", "since", "typo", 'class="trend"'):
            assert words in page
        assert "50.00 %" in page
        assert client.get("/desk/rules/no.such").status_code == 404
        assert client.get("/desk/rules/delivery.readable").status_code == 404


def test_the_catalog_shows_contract_columns_rules_lineage_and_users_to_those_who_may(site: DeskSite) -> None:
    with site.of("eve") as client:
        page = client.get("/catalog/core.holding").text
        for words in (
            "What a portfolio held",
            "portfolio-data",
            "confidential",
            RULE,
            "raw.house_holdings",
            "2026-01-05",
        ):
            assert words in page
        assert "mart.position_valuation" in page
        assert "Shown to roles with the permission usage." in page
        for words in ("Market value as reported", "ISO 4217", "schemas/contracts/core/holding.yaml"):
            assert words in page
        assert "持仓批次" in client.get("/catalog/core.holding?lang=zh").text
        client.get("/catalog?lang=en")
        assert client.get("/catalog/core.nothing").status_code == 404
        near = client.get("/catalog/core.holdings")
        assert near.status_code == 404
        assert "/catalog/core.holding " in near.text
        called = client.get("/catalog/core.fund")
        assert (called.status_code, called.headers["location"]) == (303, "/catalog/core.portfolio")
        kept = client.get("/catalog/governance.delivery").text
        for words in ("One file of a feed that arrived", "Its name as it arrived.", "kept by Fulcrum itself"):
            assert words in kept
        assert "restricted" in client.get("/catalog/quality.quarantined_row").text
        assert "governance.publication" in client.get("/catalog").text
        assert client.get("/desk").status_code == 403
        assert client.get("/desk/exceptions").status_code == 403
    with site.of("bob") as client:
        assert "Shown to roles with the permission usage." not in client.get("/catalog/core.holding").text


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_speaks_the_language_that_is_chosen(site: DeskSite, language: str) -> None:
    title = {"en": "Data quality today", "zh": "今日数据质量"}
    with site.of("root", **{"Accept-Language": f"fr, {language}-CN;q=0.8"}) as client:
        for path in PAGES:
            page = client.get(path)
            assert page.status_code == 200, path
            assert f'<html lang="{language}">' in page.text
            assert page.headers["content-language"] == language
            assert "default-src 'self'" in page.headers["content-security-policy"]
        assert title[language] in client.get("/desk").text
        assert {"en": "Sign in", "zh": "登录"}[language] in client.get("/sign-in").text
        other = "zh" if language == "en" else "en"
        assert title[other] in client.get(f"/desk?lang={other}").text
        assert title[other] in client.get("/desk").text


def test_every_label_stands_in_both_languages_and_every_used_one_is_there() -> None:
    known = labels()
    assert [key for key, words in known.items() if set(words) != set(LANGUAGES) or not all(words.values())] == []
    paths = [*(TEMPLATES / "desk").glob("*.html"), TEMPLATES / "base.html", TEMPLATES / "sign_in.html"]
    texts = [path.read_text("utf-8") for path in paths]
    used = {key for text in texts for key in re.findall(r"""\bt\(["']([a-z_.]+)["'][,)]""", text)}
    assert len(used) > 100
    assert used - set(known) == set()
    for words in known.values():
        holes = [set(re.findall(r"\{(\w+)\}", text)) for text in words.values()]
        assert holes[0] == holes[1]


def test_runbooks_are_pages_and_every_link_to_one_leads_to_its_heading(site: DeskSite, database: Settings) -> None:
    links = {rule.runbook for rule in rules_of(database).rules.values()}
    links |= {contract.runbook for contract in reconciliations_of(database).values()}
    assert len(links) > 10
    with site.of("bob") as client:
        page = client.get(f"/desk/rules/{RULE}").text
        assert 'href="/desk/runbooks/quality#control-totals-do-not-add-up"' in page
        for link in sorted(links):
            file, _, place = link.partition("#")
            book = client.get(f"/desk/runbooks/{Path(file).stem}")
            assert book.status_code == 200, link
            assert not place or f'id="{place}"' in book.text, link
        for name in ("no-such", "..%2f..%2fREADME", "Quality"):
            assert client.get(f"/desk/runbooks/{name}").status_code == 404
    with site.of("eve") as client:
        assert client.get("/desk/runbooks/quality").status_code == 403


def test_the_inbox_is_filtered_by_age_rule_and_what_is_overdue(
    site: DeskSite, connection: psycopg.Connection[Any]
) -> None:
    number = finding(connection)
    link = f'href="/desk/exceptions/{number}"'
    connection.execute(
        "update quality.exception set opened_at = opened_at - interval '9 days', due_date = current_date - 1"
        " where exception_id = %s",
        [number],
    )
    connection.commit()
    with site.of("bob") as client:
        shown = client.get("/desk/exceptions").text
        assert 'href="/desk/exceptions?severity=critical&amp;age=6-20">1</a>' in shown
        for query in ("age=6-20", "overdue=1", f"rule={RULE}", "owner=-", f"age=6-20&overdue=1&rule={RULE}&feed="):
            assert link in client.get(f"/desk/exceptions?{query}").text, query
        for query in ("age=2-5", "age=21%2B", "rule=x", "owner=bob"):
            assert link not in client.get(f"/desk/exceptions?{query}").text, query
        send(client, f"/desk/exceptions/{number}", move="resolve", reason="false_alarm", comment="typo")
        assert link not in client.get("/desk/exceptions?overdue=1&state=all").text
        judged = " ".join(client.get(f"/desk/rules/{RULE}").text.split())
        assert "<strong>100.0 %</strong> 1 of 1 findings that people resolved" in judged


def test_nobody_sees_the_desk_without_signing_in(site: DeskSite) -> None:
    with site.of(None) as client:
        for path in PAGES:
            assert client.get(path).status_code == 303
        for path in ("/desk/waivers", "/desk/waivers/1", "/desk/exceptions/1", "/desk/deliveries/1/again"):
            assert client.post(path, data={}, headers=SAME_SITE).status_code == 303


@pytest.mark.usefixtures("site")
def test_pages_of_lines_meet_without_gap_or_repetition(database: Settings) -> None:
    with connect(database) as connection:
        whole, end = daily.today(connection)
        assert end is None
        found, place = [], None
        while True:
            lines, place = daily.today(connection, before=place, limit=1)
            found += lines
            if place is None:
                break
    assert [line["delivery_id"] for line in found] == [line["delivery_id"] for line in whole]
    assert len(found) == 5
