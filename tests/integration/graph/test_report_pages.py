"""The monthly report on its pages and in its files: in two languages, as its reader may see it."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pypdf
import pytest
from typer.testing import CliRunner

from fulcrum.cli import app
from fulcrum.entitlements.principals import RowScope
from fulcrum.governance.desk.policy import load_desk_policy
from fulcrum.governance.evidence.verifying import verify
from fulcrum.governance.reports import Month, Report, edition, read_report
from fulcrum.governance.reports.coverage import read_declared
from fulcrum.graph.app import create_app
from fulcrum.graph.pages.desk.printed import report_pdf
from fulcrum.graph.pages.desk.printing import letters
from fulcrum.settings import Settings
from tests.factories.access import make_key
from tests.factories.reported_month import BIRTH, MONTH, write_month
from tests.integration.graph.desk_site import SAME_SITE
from tests.integration.graph.serving import served

pytestmark = pytest.mark.slow

ADDRESS = f"/desk/reports/{MONTH}"
HOSTILE = "<script>alert(1)</script> #strong[x] $x$ \\u{41} \U0001f600 \u202egnp.exe"


@contextmanager
def signed_in(address: str, key: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address, timeout=60) as client:
        assert client.post("/sign-in", data={"key": key, "next": "/desk"}, headers=SAME_SITE).status_code == 303
        yield client


def text_of(pdf: bytes) -> str:
    return re.sub(r"\s+", " ", " ".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages))


def test_a_month_is_shown_printed_and_packed(
    database: Settings, connection: psycopg.Connection[Any], tmp_path: Path
) -> None:
    written = write_month(database, connection, tmp_path, reason=HOSTILE)
    with served(create_app(database)) as host:
        address = f"http://{host}"
        with signed_in(address, written.keys["bob"]) as client:
            _pages(client)
            _files(client, tmp_path)
        scope = RowScope("part", portfolio_codes=("P1",))
        partly = make_key(connection, "sue", roles=["risk_officer"], scope=scope)
        with signed_in(address, partly) as client:
            _is_a_part(client)
        with signed_in(address, written.keys["eve"]) as client:
            assert client.get(ADDRESS).status_code == 403
        with httpx.Client(base_url=address) as client:
            for path in ("", "/report.pdf", "/report.json", "/evidence.zip"):
                assert client.get(f"{ADDRESS}{path}").status_code == 303
    _commands(database, tmp_path)
    _paper(database, connection)
    _data_docs(database, tmp_path)


def _pages(client: httpx.Client) -> None:
    index = client.get("/desk/reports").text
    assert f'<a href="{ADDRESS}">{MONTH}</a>' in index
    english = client.get(f"{ADDRESS}?lang=en")
    assert (english.status_code, english.headers["content-language"]) == (200, "en")
    for word in (
        "Data quality report 2026-01",
        "As known at",
        "preliminary",
        "80.00",
        "100.00",
        "market_value_base",
        "1.2612",
    ):
        assert word in english.text
    assert "<script>alert" not in english.text
    assert "&lt;script&gt;alert" in english.text
    assert BIRTH not in english.text
    chinese = client.get(f"{ADDRESS}?lang=zh").text
    assert "2026-01 数据质量月报" in chinese
    assert "生效豁免及其支撑的资产净值" in chinese
    told = client.get(f"{ADDRESS}/report.json").json()
    assert told["waivers"][0]["resting"][0] | {"days": 1} == told["waivers"][0]["resting"][0]
    known = told["edition"]["known_at"]
    again = client.get(f"{ADDRESS}/report.json", params={"known": known})
    assert again.json() == told
    earlier = client.get(f"{ADDRESS}/report.json", params={"known": "2026-01-31T00:00:00Z"}).json()
    assert earlier["totals"]["judged"] == 0
    assert client.get(ADDRESS, params={"known": "yesterday"}).status_code == 400
    assert client.get(ADDRESS, params={"known": "2026-01-31T00:00:00"}).status_code == 400
    for month in ("2026-13", "x", "2026-01-01"):
        assert client.get(f"/desk/reports/{month}").status_code == 404
    assert client.get("/desk/reports/1999-01").status_code == 200


def _files(client: httpx.Client, folder: Path) -> None:
    pack = client.get(f"{ADDRESS}/evidence.zip")
    assert pack.headers["content-disposition"] == 'attachment; filename="quality-2026-01.evidence.zip"'
    (folder / "downloaded.zip").write_bytes(pack.content)
    assert verify(folder / "downloaded.zip").problems == []
    for language, words in (("en", "As known at"), ("zh", "数据认知时点")):
        pdf = client.get(f"{ADDRESS}/report.pdf?lang={language}")
        assert pdf.headers["content-type"] == "application/pdf"
        assert words in text_of(pdf.content)


def _is_a_part(client: httpx.Client) -> None:
    page = client.get(f"{ADDRESS}?lang=en").text
    assert "a part of the house" in page
    assert "100.00</td>" not in page
    assert "evidence.zip" not in page
    assert client.get(f"{ADDRESS}/report.json").json()["waivers"][0]["resting"] is None
    refused = client.get(f"{ADDRESS}/evidence.zip")
    assert refused.status_code == 403
    assert "whole house" in refused.text


def _environment(settings: Settings) -> dict[str, str]:
    assert settings.database_url is not None
    return {
        "FULCRUM_HOME": str(settings.home),
        "FULCRUM_DATABASE_URL": settings.database_url.get_secret_value(),
    }


def _commands(settings: Settings, folder: Path) -> None:
    pdf, html = folder / "r.pdf", folder / "r.html"
    words = ["report", MONTH, "--pdf", str(pdf), "--html", str(html), "--language", "zh", "--json"]
    done = CliRunner().invoke(app, words, env=_environment(settings))
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["totals"]["critical"] > told["totals"]["covered"] > 0
    assert "数据质量月报" in text_of(pdf.read_bytes())
    page = html.read_text("utf-8")
    assert "生效豁免" in page
    assert re.findall(r'(?:src|href)="(?!#)[^"]*"|url\(|@import|<script', page) == []
    shown = CliRunner().invoke(app, ["report", MONTH], env=_environment(settings))
    assert "NAV" in shown.stdout
    for wrong in (["report", "2026"], ["report", MONTH, "--known-at", "soon"], ["report", MONTH, "--language", "fr"]):
        assert CliRunner().invoke(app, wrong, env=_environment(settings)).exit_code == 1


def _paper(settings: Settings, connection: psycopg.Connection[Any]) -> None:
    report: Report = read_report(
        connection, edition(connection, Month.parse(MONTH), 7), read_declared(settings), load_desk_policy(settings)
    )
    pdf = report_pdf(report, "en")
    assert pdf == report_pdf(report, "en")
    reader = pypdf.PdfReader(io.BytesIO(pdf))
    root: Any = reader.trailer["/Root"]
    assert root["/Lang"] == "en"
    assert root["/MarkInfo"]["/Marked"]
    assert "/StructTreeRoot" in root
    said = root["/Metadata"].get_data().decode()
    assert "<pdfaid:part>2</pdfaid:part>" in said
    assert "<pdfuaid:part>1</pdfuaid:part>" in said
    assert len(reader.pages) > 1
    pages: list[Any] = list(reader.pages)
    fonts = {str(font.get_object()["/BaseFont"]) for page in pages for font in page["/Resources"]["/Font"].values()}
    assert all("NotoSansSC" in font for font in fonts)
    text = text_of(pdf)
    for word in ("#strong[x]", "$x$", "[U+1F600]", "[U+202E]", "80.00", "1.2612", "house_holdings"):
        assert word in text, word
    assert {ord("豁"), ord("A"), ord("\N{EN DASH}")} <= letters()
    assert ord("\U0001f600") not in letters()


def _data_docs(settings: Settings, folder: Path) -> None:
    docs = folder / "docs"
    done = CliRunner().invoke(app, ["quality", "docs", "-o", str(docs), "--json"], env=_environment(settings))
    assert done.exit_code == 0, done.output
    pages = json.loads(done.stdout)["pages"]
    index = (docs / "index.html").read_text("utf-8")
    assert all(one["file"] in index for one in pages)
    texts = {path.name: path.read_text("utf-8") for path in docs.iterdir()}
    for name, text in texts.items():
        assert BIRTH not in text, name
        assert not re.search(r"https?://|<script|<link (?!rel=\"icon\" href=\"data:)", text), name
    of_clients = next(
        text
        for name, text in texts.items()
        if name.startswith("validation-") and name.endswith(".html") and "house_clients, delivery" in text
    )
    assert "The client is an individual, an institution or a product." in of_clients
    assert "WIZARD" in of_clients
    (number,) = re.findall(r"house_clients, delivery (\d+)", index)
    one = CliRunner().invoke(
        app, ["quality", "docs", "-o", str(folder / "one"), "--delivery", number, "--json"], env=_environment(settings)
    )
    assert len(json.loads(one.stdout)["pages"]) == 1
    none = CliRunner().invoke(
        app, ["quality", "docs", "-o", str(folder / "none"), "--delivery", "999999"], env=_environment(settings)
    )
    assert none.exit_code == 1
