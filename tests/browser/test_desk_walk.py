"""The main path of the quality desk, walked by keyboard in a real browser by two people."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from fulcrum.pipeline.deliver import deliver
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
            line = bob.page.locator("tr", has_text="house_holdings").first.inner_text()
            assert "published" in line
            assert "waived" in line
