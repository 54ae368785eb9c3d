"""The monthly report and Data Docs in a real browser: wide and narrow, printed, and without another host."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pypdf
import pytest

from fulcrum.contracts.catalog import load_contracts
from fulcrum.entitlements.classification import read_classifications
from fulcrum.graph.app import create_app
from fulcrum.quality import data_docs
from fulcrum.settings import Settings
from tests.factories.reported_month import MONTH, write_month
from tests.integration.graph.serving import served

pytestmark = pytest.mark.slow

OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def watched(page: Any, address: str) -> list[str]:
    """What the page does that it should not: errors, and requests to other hosts."""
    troubles: list[str] = []
    page.set_default_timeout(60_000)
    page.on("console", lambda said: troubles.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: troubles.append(str(error)))

    def asked(request: Any) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in ("data", "blob", "file") and parts.netloc != address:
            troubles.append(f"a request to {parts.netloc}")

    page.on("request", asked)
    return troubles


def test_the_report_fits_wide_and_narrow_prints_and_asks_no_other_host(
    browser: Any, database: Settings, connection: psycopg.Connection[Any], tmp_path: Path
) -> None:
    written = write_month(database, connection, tmp_path)
    with served(create_app(database)) as address:
        for width, language, words in ((1280, "en", "Waivers in force"), (390, "zh", "生效豁免")):
            context = browser.new_context(viewport={"width": width, "height": 900})
            page = context.new_page()
            troubles = watched(page, address)
            page.goto(f"http://{address}/sign-in?next=/desk/reports")
            page.fill("#key", written.keys["bob"])
            with page.expect_navigation():
                page.keyboard.press("Enter")
            page.goto(f"http://{address}/desk/reports?lang={language}")
            assert page.evaluate(OVERFLOW) == 0
            with page.expect_navigation():
                page.get_by_role("link", name=MONTH, exact=True).first.click()
            assert words in page.inner_text("main")
            assert page.evaluate(OVERFLOW) == 0
            assert page.evaluate("document.documentElement.lang") == language
            for heading in page.locator("main section").all():
                assert heading.get_attribute("aria-labelledby")
            printed = page.pdf(format="A4", landscape=True)
            paper = " ".join(one.extract_text() for one in pypdf.PdfReader(io.BytesIO(printed)).pages)
            assert "93." in paper or "%" in paper
            assert "GraphiQL" not in paper
            assert troubles == []
            context.close()
    _data_docs(browser, database, connection, tmp_path / "docs")


def _data_docs(browser: Any, settings: Settings, connection: psycopg.Connection[Any], folder: Path) -> None:
    classes = read_classifications(settings.project / "schemas" / "contracts")
    pages = data_docs.build(connection, load_contracts(settings), classes, folder)
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    troubles = watched(page, "")
    page.goto((folder / "index.html").as_uri())
    for one in pages:
        page.goto((folder / one.file).as_uri())
        assert "Expectation Validation Result" in page.inner_text("main")
        page.get_by_role("link", name="Data Docs").first.click()
    assert troubles == []
    page.close()
