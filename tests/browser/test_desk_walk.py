"""The main path of the quality desk, walked by keyboard in a real browser by two people."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from fulcrum.pipeline.deliver import deliver
from fulcrum.pipeline.derive import derive
from fulcrum.settings import Settings
from tests.factories import house
from tests.integration.graph.desk_site import RULE, DeskSite, desk_site

UNKNOWN = "US0378331006"
"""Apple's ISIN with another check digit."""
_MOST_TABS = 200
_MILLISECONDS = 60_000


class Walker:
    """Somebody at a keyboard: goes from control to control, presses enter, types; never uses a mouse."""

    def __init__(self, page: Any, address: str) -> None:
        self.page = page
        self.address = address
        self.troubles: list[str] = []
        page.set_default_timeout(_MILLISECONDS)
        page.on("console", lambda said: self.troubles.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: self.troubles.append(str(error)))
        page.on("request", self._asked)

    def _asked(self, request: Any) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in ("data", "blob") and parts.netloc != urlsplit(self.address).netloc:
            self.troubles.append(f"a request to {parts.netloc}")

    def to(self, selector: str) -> None:
        """Press the tabulator until the control is reached."""
        for _ in range(_MOST_TABS):
            if self.page.evaluate("s => document.activeElement?.matches(s) ?? false", selector):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"{selector} cannot be reached by keyboard on {self.page.url}")

    def back_to(self, selector: str) -> None:
        """Press shift and the tabulator until the control is reached."""
        for _ in range(_MOST_TABS):
            if self.page.evaluate("s => document.activeElement?.matches(s) ?? false", selector):
                return
            self.page.keyboard.press("Shift+Tab")
        raise AssertionError(f"{selector} cannot be gone back to by keyboard on {self.page.url}")

    def press(self, selector: str) -> None:
        """Reach a link or button, press enter, and wait for the next page."""
        self.to(selector)
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")

    def type(self, selector: str, text: str) -> None:
        """Reach a field and type."""
        self.to(selector)
        self.page.keyboard.type(text)

    def date(self, selector: str, day: dt.date) -> None:
        """Reach a field for a date and type it in the order of the browser's own language."""
        self.to(selector)
        for order in ("%m%d%Y", "%d%m%Y", "%Y%m%d"):
            self.page.keyboard.type(day.strftime(order))
            if self.page.input_value(selector) == day.isoformat():
                return
            for _ in range(2):  # back to its first part
                self.page.keyboard.press("ArrowLeft")
        raise AssertionError(f"{selector} takes no {day}")

    def sign_in(self, key: str) -> None:
        """By the form."""
        self.page.goto(f"{self.address}/sign-in?next=/desk")
        self.type("#key", key)
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")


@contextmanager
def walking(browser: Any, site: DeskSite, who: str) -> Iterator[Walker]:
    context = browser.new_context(locale="en-GB", viewport={"width": 1280, "height": 900})
    try:
        walker = Walker(context.new_page(), site.address)
        walker.sign_in(site.keys[who])
        yield walker
        assert walker.troubles == []
    finally:
        context.close()


def deliver_blocked_with_a_refused_row(database: Settings, folder: Path) -> int:
    """The next day's holdings with a wrong control total, and a line whose ISIN has no right check digit."""
    day = house.DAY.replace(day=7)
    rows = [house.holding(isin, 3, day=day) for isin in (*house.ISINS, UNKNOWN)]
    file = house.broken_total(house.holdings_file(database, folder, "holdings_20260107.csv", rows))
    report = deliver(database, "house_holdings", file)
    assert (report.outcome, report.rows_quarantined) == ("blocked", 1)
    assert report.delivery_id is not None
    return report.delivery_id


@pytest.mark.slow
def test_a_blocked_delivery_is_seen_waived_by_two_people_and_published_with_a_mark(
    browser: Any, database: Settings, connection: psycopg.Connection[Any], tmp_path: Path
) -> None:
    with desk_site(database, connection, tmp_path) as site:
        blocked = deliver_blocked_with_a_refused_row(database, tmp_path)
        with walking(browser, site, "ann") as ann:
            ann.press(f"a[href='/desk/deliveries/{blocked}']")
            refused = ann.page.locator("section[aria-labelledby=refused] tbody tr").all_inner_texts()
            assert any(UNKNOWN in row and "holding.isin_valid" in row for row in refused)
            ann.to("div[aria-labelledby=refused]")  # a wide table is scrolled by keyboard
            ann.back_to("a.skip")
            results = ann.page.locator(f"tr:has(a[href='/desk/rules/{RULE}'])")
            assert "failed" in results.first.inner_text()
            assert "Served instead: 2026-01-05" in ann.page.inner_text("main")
            ann.press(f"tr:has(a[href='/desk/rules/{RULE}']) a[href^='/desk/exceptions/']")
            ann.type("#ask-reason", "The sender confirmed the total by phone.")
            ann.press("form[action='/desk/waivers'] button")
            waiver = urlsplit(ann.page.url).path
            assert "somebody else decides" in ann.page.inner_text("main")
        with walking(browser, site, "bob") as bob:
            bob.press(".desk-bar a[href='/desk/waivers']")
            bob.press(f"th a[href='{waiver}']")
            bob.type("textarea[name=comment]", "I have seen the letter.")
            bob.press("button[value=approve]")
            bob.page.wait_for_selector(".outcome-published", timeout=4 * _MILLISECONDS)
            assert bob.page.locator(".verdict-waived").count() >= 1
            bob.press(".desk-bar a[href='/desk']")
            line = bob.page.locator("section[aria-labelledby=lines] tr", has_text="house_holdings").first.inner_text()
            assert "published" in line
            assert "waived" in line


@pytest.mark.slow
def test_an_override_is_asked_for_weighed_and_approved_by_another_and_seen_in_the_nav(
    browser: Any, database: Settings, connection: psycopg.Connection[Any], tmp_path: Path
) -> None:
    with desk_site(database, connection, tmp_path) as site:
        derive(database)
        with walking(browser, site, "ann") as ann:
            ann.press(".desk-bar a[href='/desk/overrides']")
            ann.type("#ask-of", house.ISINS[0])
            ann.type("#ask-value", "12.5")
            ann.type("#ask-currency", "USD")
            ann.to("#ask-code")
            ann.page.keyboard.press("ArrowDown")
            for field in ("#ask-begin", "#ask-end"):
                ann.date(field, house.DAY)
            ann.type("#ask-reason", "The exchange closed at 12.5.")
            ann.press("form[action='/desk/overrides'] button")
            override = urlsplit(ann.page.url).path
            assert "somebody else decides" in ann.page.inner_text("main")
        with walking(browser, site, "bob") as bob:
            bob.press(".desk-bar a[href='/desk/overrides']")
            bob.press(f"th a[href='{override}']")
            bob.to("div[aria-labelledby=reach]")  # a wide table is scrolled by keyboard
            told = bob.page.inner_text("section[aria-labelledby=reach]")
            for words in ("What it reaches 1", "Change of all their NAVs: 2.50 USD", "P1", "50.00", "52.50"):
                assert words in told
            bob.type("textarea[name=comment]", "I have seen the close.")
            bob.press("button[value=approve]")
            bob.page.wait_for_selector("section[aria-labelledby=publications] li", timeout=4 * _MILLISECONDS)
            bob.page.wait_for_function(
                "document.querySelector('[data-label=\"NAV since\"]')?.innerText === '52.50'", timeout=4 * _MILLISECONDS
            )
            moved = bob.page.inner_text("section[aria-labelledby=reach]")
            assert "What it moved 1" in moved
            assert "I have seen the close." in bob.page.inner_text("main")
