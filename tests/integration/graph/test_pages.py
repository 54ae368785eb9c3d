"""The pages show what the API is and who uses it, to whom it may be shown, and can be signed in to safely."""

from __future__ import annotations

import asyncio
import datetime as dt
import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from fulcrum.entitlements.keys import digest, revoke_keys
from fulcrum.entitlements.policy import load_policy
from fulcrum.errors import SettingsError
from fulcrum.graph.app import create_app
from fulcrum.graph.errors import CODES
from fulcrum.graph.limits import Limits
from fulcrum.graph.pages.changes import differences, names, read_entries
from fulcrum.graph.pages.files import OWN
from fulcrum.graph.pages.graphiql import read_examples
from fulcrum.graph.pages.sessions import COOKIE, LIFETIME, Sessions
from fulcrum.graph.schema import load_graph
from fulcrum.graph.service import open_wires
from fulcrum.settings import PROJECT_ROOT, Settings
from tests.factories.access import make_key

GUARDED = ("/schema", "/schema/Client", "/changes", "/usage")
OPEN = ("/", "/sign-in", "/graphiql")
SAME_SITE = {"Sec-Fetch-Site": "same-origin"}


def sign_in(asked: Any, key: str, to: str = "/schema", **headers: str) -> httpx.Response:
    answer: httpx.Response = asked.request(
        "POST", "/sign-in", data={"key": key, "next": to}, headers=headers or SAME_SITE
    )
    return answer


def test_who_has_not_signed_in_sees_the_open_pages_and_is_asked_to_sign_in_for_the_others(asked: Any) -> None:
    for path in OPEN:
        assert asked.request("GET", path).status_code == 200
    for path in GUARDED:
        refused = asked.request("GET", f"{path}?a=b")
        assert refused.status_code == 303
        assert refused.headers["location"] == f"/sign-in?next={path.replace('/', '%2F')}%3Fa%3Db"
        assert "Client" not in refused.text


def test_a_key_opens_the_pages_by_a_cookie_that_scripts_and_other_sites_cannot_use(asked: Any) -> None:
    signed = sign_in(asked, asked.key, "/usage")
    assert (signed.status_code, signed.headers["location"]) == (303, "/usage")
    cookie = signed.headers["set-cookie"]
    assert {"httponly", "samesite=strict", "path=/", f"max-age={LIFETIME}"} <= set(cookie.lower().split("; "))
    assert asked.key not in cookie
    for path in (*GUARDED, *OPEN):
        page = asked.request("GET", path)
        assert page.status_code == 200, path
        assert asked.key not in page.text
        assert page.headers["cache-control"] == "no-store"
    assert asked.request("POST", "/graphql", json={"query": "{ __typename }"}).status_code == 401
    out = asked.request("POST", "/sign-out", headers=SAME_SITE)
    assert out.status_code == 303
    assert asked.request("GET", "/usage").status_code == 303


def test_the_cookie_is_for_tls_only_where_there_is_tls(asked: Any) -> None:
    plain = sign_in(asked, asked.key).headers["set-cookie"].lower()
    sent = {"data": {"key": asked.key}, "headers": SAME_SITE}
    safe = asked.request("POST", "https://127.0.0.1/sign-in", **sent).headers["set-cookie"].lower()
    assert "secure" not in plain
    assert "secure" in safe


def test_a_wrong_key_opens_nothing(asked: Any) -> None:
    for key in ("", "fk_wrong", "x" * 300, "fk_" + "x" * 300):
        refused = sign_in(asked, key)
        assert refused.status_code == 401
        assert "set-cookie" not in refused.headers
        assert "unknown, revoked or expired" in refused.text
    assert sign_in(asked, "fk_" + "x" * 9_000).status_code == 413


def test_a_form_from_elsewhere_is_refused(asked: Any) -> None:
    for headers, is_taken in (
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://127.0.0.1"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "none"}, False),
        ({"Origin": "http://127.0.0.1"}, True),
        ({"Origin": "http://127.0.0.1.example"}, False),
        ({"Origin": "null"}, False),
        ({"Accept": "*/*"}, False),
    ):
        answer = sign_in(asked, asked.key, "/", **headers)
        assert answer.status_code == (303 if is_taken else 403), headers
        assert ("set-cookie" in answer.headers) == is_taken, headers
        assert asked.request("POST", "/sign-out", headers=headers).status_code == (303 if is_taken else 403), headers


def test_signing_in_leads_to_this_site_only(asked: Any) -> None:
    for wanted in ("//evil.example", "https://evil.example", "/\\evil", "/%0d%0aa: b\n"):
        assert sign_in(asked, asked.key, wanted).headers["location"] == "/", wanted
    assert sign_in(asked, asked.key, "/usage?days=7").headers["location"] == "/usage?days=7"


def test_a_session_ends_with_its_key_and_a_forged_one_never_begins(
    asked: Any, connection: psycopg.Connection[Any]
) -> None:
    value = sign_in(asked, asked.key).cookies[COOKIE]
    version, hashed, begun, signature = value.split(".")
    assert hashed == digest(asked.key)
    other = digest(make_key(connection, "other"))
    forged = [
        f"{version}.{other}.{begun}.{signature}",
        f"{version}.{hashed}.{int(begun) + 1}.{signature}",
        f"{version}.{hashed}.{begun}.{'0' * 64}",
        f"{version}.{hashed}.{begun}",
        hashed,
        "",
    ]
    for cookie in forged:
        answer = asked.request("GET", "/schema", headers={"Cookie": f"{COOKIE}={cookie}"})
        assert answer.status_code == 303, cookie
    assert asked.request("GET", "/schema").status_code == 200
    revoke_keys(connection, "tests")
    connection.commit()
    assert asked.request("GET", "/schema").status_code == 303


def test_a_session_ends_after_a_working_day(database: Settings, connection: psycopg.Connection[Any]) -> None:
    key = make_key(connection, days=30)
    moment = [dt.datetime.now(dt.UTC).timestamp()]

    async def run() -> list[bool]:
        wires = open_wires(database, Limits())
        sessions = Sessions(wires, load_policy(database), now=lambda: moment[0])
        begun = await sessions.begin(key)
        assert begun is not None
        found = []
        for seconds in (0, LIFETIME - 2, 4, -2 * LIFETIME):
            moment[0] += seconds
            found.append(await sessions.rights(begun[1]) is not None)
        wires.close()
        return found

    assert asyncio.run(run()) == [True, True, False, False]


def test_a_page_asks_for_the_permission_that_its_content_needs(asked: Any, connection: psycopg.Connection[Any]) -> None:
    closed_to: dict[str, set[str]] = {"administrator": set(), "analyst": {"/usage"}, "partner": set(GUARDED)}
    for role, closed in closed_to.items():
        sign_in(asked, make_key(connection, role, roles=(role,)))
        for path in GUARDED:
            page = asked.request("GET", path)
            assert page.status_code == (403 if path in closed else 200), (role, path)
            if path in closed:
                assert "do not give it" in page.text
                assert "birthDate" not in page.text


def test_the_front_page_states_the_limits_in_force_and_every_code(
    database: Settings, connection: psycopg.Connection[Any]
) -> None:
    assert connection

    async def fetch() -> str:
        app = create_app(database, limits=Limits(depth=7, statement_seconds=3))
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client,
        ):
            return (await client.get("/")).text

    text = asyncio.run(fetch())
    assert "7 levels" in text
    assert "3 s" in text
    assert [code.code for code in CODES if f'id="{code.code}"' not in text] == []
    assert "fulcrum principals set" in text
    assert "fulcrum keys create" in text


def test_every_type_has_a_page_and_a_field_says_what_the_reader_sees_of_it(
    asked: Any, connection: psycopg.Connection[Any]
) -> None:
    sign_in(asked, make_key(connection, "analyst", roles=("analyst",)))
    index = asked.request("GET", "/schema").text
    for name in load_graph(PROJECT_ROOT).schema.type_map:
        if not name.startswith("__"):
            assert f'href="/schema/{name}"' in index
            assert asked.request("GET", f"/schema/{name}").status_code == 200, name
    client = asked.request("GET", "/schema/Client").text
    name, birth_date = (client.split(f'<dt id="{field}">')[1].split("</dd>")[0] for field in ("name", "birthDate"))
    assert "restricted" in name
    assert "masked for you: partial" in name
    assert "<code>product_service</code> (partial)" in birth_date
    code = client.split('<dt id="code">')[1].split("</dd>")[0]
    assert "masked for you" not in code
    accounts = client.split('<dt id="accounts">')[1].split("</dd>")[0]
    assert 'href="/schema/AccountWhere"' in accounts
    assert asked.request("GET", "/schema/Absent").status_code == 404


def test_the_search_finds_types_fields_and_descriptions_and_writes_nothing_of_it_as_markup(asked: Any) -> None:
    sign_in(asked, asked.key)
    found = re.findall(r'<dt><a href="([^"]+)"', asked.request("GET", "/schema?q=Portfolio+nav").text)
    assert "/schema/Portfolio#nav" in found[:5]
    assert "/schema/Portfolio#navHistory" in found
    nothing = asked.request("GET", "/schema", params={"q": "<script>alert(1)</script>"}).text
    assert "0 found for" in nothing
    assert "<script>alert" not in nothing


def test_the_usage_page_shows_who_asked_for_what_and_what_nobody_asked_for(
    asked: Any, connection: psycopg.Connection[Any]
) -> None:
    connection.execute(
        "insert into governance.usage values (date_trunc('hour', now()), '<b>desk</b>', 'Names', %s, 12345,"
        ' \'{"Portfolio.code": 12345, "Node.id": 1}\', now())',
        ["ab" * 32],
    )
    connection.commit()
    sign_in(asked, asked.key)
    page = asked.request("GET", "/usage?days=7").text
    assert "&lt;b&gt;desk&lt;/b&gt;" in page
    assert "12,345" in page
    assert "abababababab" in page
    used, unused = page.split('<h2 id="unused">')
    assert "Portfolio.code" in used
    portfolio = unused.split('<dt><a href="/schema/Portfolio">')[1].split("</dd>")[0]
    assert "<code>name</code>" in portfolio
    assert "<code>code</code>" not in portfolio
    assert "<code>id</code>" not in portfolio


def test_the_change_log_is_dated_newest_first_and_names_what_there_is() -> None:
    entries = read_entries(PROJECT_ROOT / "schemas" / "graphql" / "CHANGELOG.md")
    dates = [entry.date for entry in entries]
    assert dates == sorted(set(dates), reverse=True)
    known = names(load_graph(PROJECT_ROOT).schema)
    gone = {name for entry in entries for said in entry.changes.get("Removed", ()) for name in _types(said)}
    stated = {
        name
        for entry in entries
        for kind in ("Added", "Changed", "Deprecated")
        for said in entry.changes.get(kind, ())
        for name in _types(said)
    }
    assert stated - gone <= set(known)
    assert gone.isdisjoint(known)
    assert "Portfolio" in stated


def _types(said: str) -> list[str]:
    return [name for name in re.findall(r"`([^`]+)`", said) if name[0].isupper()]


def test_a_change_log_that_nobody_could_read_is_refused(tmp_path: Path) -> None:
    log = tmp_path / "CHANGELOG.md"
    log.write_text("# Log\n\n## 2026-01-02\n\n### Added\n\n- One `A.b`\n  and more\n\n### Removed\n\n- `C`\n")
    (entry,) = read_entries(log)
    assert entry.date == dt.date(2026, 1, 2)
    assert entry.changes == {"Added": ("One `A.b` and more",), "Removed": ("`C`",)}
    log.write_text("## 2026-01-02\n\n### Mended\n\n- One\n")
    with pytest.raises(SettingsError, match="line 3"):
        read_entries(log)


def test_what_came_since_the_release_is_told_by_type_and_field() -> None:
    before = {"A": False, "A.x": False, "A.y": False, "B": False, "B.z": False}
    after = {"A": False, "A.x": True, "A.w": False, "C": False, "C.v": False}
    assert differences(before, after) == {"Added": ["A.w", "C"], "Deprecated": ["A.x"], "Removed": ["A.y", "B"]}
    assert differences(after, after) == {}


def test_examples_are_grouped_by_persona_and_say_what_they_show(asked: Any, tmp_path: Path) -> None:
    found = read_examples(PROJECT_ROOT)
    assert {"Data engineer", "Product team", "Relationship manager", "Risk officer"} <= {e.persona for e in found}
    page = asked.request("GET", "/graphiql").text
    options = re.findall(r"<option value=\"(\d+)\">([^<]+)</option>", page)
    served = asked.request("GET", "/graphiql/examples.json").json()
    assert len(options) == len(served) == len(found)
    assert [served[int(n)]["title"].replace("'", "&#39;") for n, _ in options] == [title for _, title in options]
    folder = tmp_path / "schemas" / "graphql" / "examples"
    folder.mkdir(parents=True)
    (folder / "bare.graphql").write_text("{ a }")
    with pytest.raises(SettingsError, match=r"bare\.graphql"):
        read_examples(tmp_path)


class Outline(HTMLParser):
    """What assistive programs go by."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.headings: list[int] = []
        self.ids: list[str] = []
        self.labelled: set[str] = set()
        self.inputs: list[str] = []
        self.inline: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags[tag] += 1
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if given.get("id"):
            self.ids.append(given["id"] or "")
        if tag == "label":
            self.labelled.add(given.get("for") or "")
        if tag in ("input", "select") and given.get("type") != "hidden":
            self.inputs.append(given.get("id") or "")
        if "style" in given or any(name.startswith("on") for name in given) or (tag == "script" and "src" not in given):
            self.inline.append(tag)


def test_every_page_can_be_read_by_structure_and_needs_no_inline_script_or_style(asked: Any) -> None:
    sign_in(asked, asked.key)
    for path in (*OPEN, *GUARDED, "/schema?q=nav", "/schema/Query", "/schema/Absent"):
        page = asked.request("GET", path)
        outline = Outline(page.text)
        assert '<html lang="en">' in page.text
        assert {outline.tags[tag] for tag in ("main", "header", "h1", "title")} == {1}, path
        steps = zip(outline.headings, outline.headings[1:], strict=False)
        assert all(after <= before + 1 for before, after in steps), path
        assert len(outline.ids) == len(set(outline.ids)), path
        assert set(outline.inputs) <= outline.labelled, path
        assert outline.inline == [], path
        assert "default-src 'self'" in page.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in page.headers["content-security-policy"]


def test_texts_stand_out_from_their_paper_in_both_schemes() -> None:
    """WCAG 2.2, 1.4.3: 4.5 to 1 at least."""
    schemes = re.findall(r":root \{(.*?)\}", (OWN / "pages.css").read_text("utf-8"), flags=re.DOTALL)[:2]
    for scheme in schemes:
        colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]+);", scheme))
        for ink in ("ink", "quiet", "accent", "warn"):
            for paper in ("paper", "raised"):
                assert _contrast(colours[ink], colours[paper]) >= 4.5, (ink, paper)
        assert _contrast(colours["warn"], colours["warn-paper"]) >= 4.5


def _contrast(one: str, other: str) -> float:
    low, high = sorted((_light(one), _light(other)))
    return (high + 0.05) / (low + 0.05)


def _light(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
