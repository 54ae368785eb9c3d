"""GraphiQL works in a real browser without any other host, and its files name none to load from."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from fulcrum.graph.pages.files import BUNDLE_FILES, OWN, bundle_folder
from fulcrum.settings import PROJECT_ROOT, Settings
from tests.factories.access import make_key
from tests.factories.graph_story import write_story

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]


@pytest.fixture
def served(database: Settings) -> Iterator[int]:
    """The API in a process of its own; its port."""
    assert database.database_url is not None
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    environment = os.environ | {
        "FULCRUM_HOME": str(database.home),
        "FULCRUM_DATABASE_URL": database.database_url.get_secret_value(),
        "PYTHONPATH": os.pathsep.join([str(PROJECT_ROOT / "platform"), str(PROJECT_ROOT)]),
    }
    command = [sys.executable, "-m", "uvicorn", "fulcrum.graph.app:create_app", "--factory", "--port", str(port)]
    process = subprocess.Popen([*command, "--log-level", "warning"], env=environment)
    try:
        for _ in range(240):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.25)
        yield port
    finally:
        process.terminate()
        process.wait(30)


def test_the_pages_name_no_other_host(asked: Any) -> None:
    for path in ("/", "/graphiql", "/sign-in"):
        page = asked.request("GET", path)
        assert page.status_code == 200
        assert "default-src 'self'" in page.headers["content-security-policy"]
        assert set(re.findall(r"(?:https?:)?//[^\s\"'<]+", page.text)) <= {"http://127.0.0.1/graphql"}
    for file in OWN.iterdir():
        assert "cdn" not in file.read_text("utf-8").lower()


def test_every_file_that_the_page_names_is_served(asked: Any) -> None:
    assert bundle_folder() is not None, "dagster-webserver no longer carries GraphiQL: see decision 0011"
    page = asked.request("GET", "/graphiql").text
    named = set(re.findall(r"/graphiql/files/([\w.-]+)", page))
    assert named >= BUNDLE_FILES
    for name in named:
        assert asked.request("GET", f"/graphiql/files/{name}").status_code == 200
    assert asked.request("GET", "/graphiql/files/..%2fpages.py").status_code == 404
    assert asked.request("GET", "/graphiql/files/overview.html").status_code == 404
    assert len(asked.request("GET", "/graphiql/examples.json").json()) >= 3


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_a_query_runs_in_the_browser_and_nothing_leaves_this_host(
    served: int, connection: psycopg.Connection[Any]
) -> None:
    from playwright.sync_api import sync_playwright

    write_story(connection)
    key = make_key(connection, "browser")
    connection.commit()
    hosts: set[str] = set()
    faults: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page()
        page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(f"http://127.0.0.1:{served}/graphiql")
        page.fill("#key", key)
        page.click("#key-form button")
        page.locator(".graphiql-query-editor .CodeMirror").wait_for(timeout=60_000)
        # with the keyboard alone: to the menu, to a persona's query by its first letters, open
        page.focus("#key-form button")
        page.keyboard.press("Tab")
        page.keyboard.type("What a client")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.get_by_role("tab", name="ClientWealth").wait_for(timeout=60_000)
        page.get_by_role("status").get_by_text("Opened: What a client owns").wait_for()
        # the tab's operation name: GraphiQL sends it until half a second after an edit
        query = 'query ClientWealth { portfolio(code: "FUND") { name } }'
        editor = "document.querySelector('.graphiql-query-editor .CodeMirror').CodeMirror"
        page.evaluate(f"{editor}.setValue({query!r})")
        page.click("button.graphiql-execute-button")
        page.locator(".result-window").get_by_text("World Fund").wait_for(timeout=60_000)
        assert page.get_by_role("tab").count() == 2
        page.wait_for_timeout(1_000)  # GraphiQL keeps tabs half a second after the last edit
        page.reload()
        page.get_by_role("tab").first.wait_for(timeout=60_000)
        assert page.get_by_role("tab").count() == 2
        browser.close()
    assert hosts == {f"127.0.0.1:{served}"}
    assert faults == []


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_the_pages_fit_a_telephone_say_nothing_on_the_console_and_need_no_script(
    served: int, connection: psycopg.Connection[Any]
) -> None:
    from playwright.sync_api import sync_playwright

    key = make_key(connection, "browser")
    said: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for has_scripts in (True, False):
            context = browser.new_context(
                viewport={"width": 390, "height": 844},
                java_script_enabled=has_scripts,
                base_url=f"http://127.0.0.1:{served}",
            )
            page = context.new_page()
            page.on("console", lambda message: said.append(message.text))
            page.on("pageerror", lambda error: said.append(str(error)))
            page.goto("/usage")
            page.get_by_label("API key").fill(key)
            page.keyboard.press("Enter")
            page.get_by_role("heading", name="What nobody uses").wait_for()
            page.goto("/schema")
            page.get_by_label("Search types, fields and descriptions").fill("birthDate")
            page.keyboard.press("Enter")
            page.get_by_role("link", name="Client.birthDate").click()
            page.get_by_role("heading", name="Client").wait_for()
            assert page.url.endswith("/schema/Client#birthDate")
            for path in ("/", "/schema", "/schema/Portfolio", "/changes", "/usage", "/sign-in", "/graphiql"):
                page.goto(path)
                if has_scripts:
                    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") == 0, path
            page.goto("/usage")
            page.get_by_role("button", name="Sign out").click()
            page.get_by_role("link", name="Sign in").wait_for()
            context.close()
        browser.close()
    assert said == []
