"""Every kind of page of the desk on the demo's data: errors, other hosts, width, and what axe finds, in both languages.

How the pages are used is `test_desk_walk.py`; what stands on them is tested where they are made.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import psycopg
import pytest

from fulcrum.contracts.catalog import load_contracts
from fulcrum.demo.arrivals import deliver_all
from fulcrum.demo.market import Market
from fulcrum.demo.plan import Plan
from fulcrum.demo.universe import build_universe
from fulcrum.governance.desk import overrides, waivers
from fulcrum.governance.desk.policy import load_desk_policy
from fulcrum.governance.reconciliation.contract import load
from fulcrum.governance.reconciliation.run import reconcile
from fulcrum.graph.app import create_app
from fulcrum.graph.pages.desk import PAGES
from fulcrum.pipeline.deliver import deliver
from fulcrum.pipeline.derive import derive
from fulcrum.settings import Settings
from tests.factories import house
from tests.factories.access import make_key
from tests.factories.node_project import node_project
from tests.integration.graph.serving import served

DAYS = 2
DAY = dt.date(2026, 1, 5)
"""The custodian's."""
WARNED = "house_clients"
"""The feed whose newest delivery has a failed warning with rows; visited first, before others fill its kind."""
WIDTHS = (1280, 390)
PAPER = 703
"""Pixels: A4 within its margins."""
FILES = re.compile(r"\.(csv|parquet|pdf|zip|json)$")
SEVERAL = {"/desk/deliveries/#?": 3, "/catalog/core.*?": 2}
"""Kinds of pages that differ among themselves: how many are visited; of all others one."""
SERIOUS = {"serious", "critical"}
LINKS = "links => links.map(link => new URL(link.getAttribute('href'), location).href)"  # links in pictures, too
CHECK = """async () => {
  const found = await axe.run(document, { resultTypes: ["violations"] });
  return found.violations.map(one => [one.impact, one.id, one.nodes.map(node => node.html.slice(0, 160))]);
}"""


@pytest.fixture
def demo(database: Settings, connection: psycopg.Connection[Any], tmp_path: Path) -> Iterator[tuple[str, str]]:
    """The address and a key of a site over the demo's first days and its faults, with breaks and a waiver."""
    market = Market(build_universe(11, 20, 20))
    plan = Plan(market, load_contracts(database), tmp_path)
    wanted = (one for one in plan.arrivals() if one.fault or one.business_date < market.days[DAYS])
    arrived = deliver_all(database, wanted, lambda _planned, _report: None)
    assert {"published", "blocked", "refused"} <= {one.report.outcome for one in arrived}
    key = make_key(connection, "root")
    _keep_other_books(connection)
    ready = load(database, "custody_positions", DAY)
    assert reconcile(connection, load_desk_policy(database), ready, DAY).status == "broken"
    found = connection.execute(
        "select exception_id, rule_id, feed from quality.exception where severity = 'critical' and feed is not null"
    ).fetchone()
    assert found is not None
    asked = waivers.Request(found[1], found[2], DAY, DAY, "The sender confirmed it.", found[0])
    waivers.ask(connection, load_desk_policy(database), "root", asked)
    _override(connection, database)
    connection.commit()
    _suspect_twins(database, tmp_path)
    with served(create_app(database)) as address:
        yield f"http://{address}", key


def _suspect_twins(database: Settings, folder: Path) -> None:
    """Two clients of one name and birthday: a warning that found rows."""
    same = {"client_kind_code": "INDIVIDUAL", "client_name": "Ann Example", "birth_date": dt.date(1970, 3, 1)}
    twins = [{"client_code": code, "risk_class_code": "C2"} | same for code in ("TWIN1", "TWIN2")]
    file = house.write(database, folder, WARNED, f"clients_{DAY}.csv", twins)
    assert deliver(database, WARNED, file, business_date=DAY).verdict == "warned"


def _override(connection: psycopg.Connection[Any], database: Settings) -> None:
    """A rate that stands, and one that is asked for."""
    make_key(connection, "deputy")
    pair, policy = {"base_currency_code": "EUR", "quote_currency_code": "USD"}, load_desk_policy(database)
    rate = overrides.Request("fx_rate", pair, Decimal("1.2"), DAY, DAY, "stale", "The feed repeats the day before.")
    overrides.decide(connection, "deputy", overrides.ask(connection, policy, "root", rate).override_id, "approved")
    connection.commit()
    derive(database)
    later = DAY + dt.timedelta(days=1)
    overrides.ask(connection, policy, "root", replace(rate, begin_date=later, end_date=later))


def _keep_other_books(connection: psycopg.Connection[Any]) -> None:
    """A custodian's books of one portfolio: a line less, and ten units more of another."""
    connection.execute(
        """
        with chosen as (select portfolio_id, portfolio_code, created_in from core.portfolio order by 2 limit 1),
        theirs as (insert into core.portfolio (portfolio_code, created_in)
                   select 'CUSTODY:' || portfolio_code, created_in from chosen returning portfolio_id)
        insert into core.holding (portfolio_id, business_date, instrument_id, position_code, published_in, quantity,
            price, market_value, currency_code)
        select theirs.portfolio_id, h.business_date, h.instrument_id, h.position_code, h.published_in,
               h.quantity + case when h.nr = 2 then 10 else 0 end, h.price, h.market_value, h.currency_code
          from (select h.*, row_number() over (order by instrument_id) as nr
                  from core.holding h join chosen using (portfolio_id)
                 where business_date = %s and superseded_in is null) h, theirs where h.nr > 1
        """,
        [DAY],
    )


def kind_of(url: str) -> str:
    """An address without what is one of many in it."""
    parts = urlsplit(url)
    path = re.sub(r"/\d[\d-]*(?=/|$)", "/#", parts.path)
    path = re.sub(r"/(rules|runbooks)/[^/]+$", r"/\1/*", path)
    path = re.sub(r"^/catalog/(\w+)\..+", r"/catalog/\1.*", path)
    return f"{path}?{','.join(sorted(name for name, _ in parse_qsl(parts.query)))}"


class Visitor:
    """A browser that follows every link of the desk, a few of each kind; axe judges them at one width."""

    def __init__(self, page: Any, address: str, axe: str, width: int) -> None:
        self.page, self.address, self.axe, self.width = page, address, axe, width
        self.troubles: list[str] = []
        self.visited: dict[str, list[str]] = {}
        page.on("console", lambda said: self._note(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: self._note(str(error)))
        page.on("request", self._asked)

    def _note(self, what: str) -> None:
        self.troubles.append(f"{self.page.url}: {what}")

    def _asked(self, request: Any) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in ("data", "blob") and parts.netloc != urlsplit(self.address).netloc:
            self._note(f"a request to {parts.netloc}")

    def go_everywhere(self) -> None:
        """From the pages of today and of one feed, and the catalog on."""
        waiting = [f"{self.address}/desk?feed={WARNED}", f"{self.address}/desk", f"{self.address}/catalog"]
        while waiting:
            url = waiting.pop(0)
            seen = self.visited.setdefault(kind_of(url), [])
            if url in seen or len(seen) >= SEVERAL.get(kind_of(url), 1):
                continue
            seen.append(url)
            self._look(url)
            for link in self.page.eval_on_selector_all("a[href]", LINKS):
                plain, parts = link.partition("#")[0], urlsplit(link)
                if re.match(r"/(desk|catalog)\b", parts.path) and not FILES.search(parts.path) and "lang=" not in link:
                    waiting.append(plain)

    def _measure(self, where: str) -> None:
        over = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if over > 0:
            self._note(f"{over} pixels too wide {where}")

    def _look(self, url: str) -> None:
        answer = self.page.goto(url)
        if answer.status != 200:
            self._note(f"status {answer.status}")
        self.page.emulate_media(media="print")
        self.page.set_viewport_size({"width": PAPER, "height": 1_000})
        self._measure("on paper")
        self.page.emulate_media(media="screen")
        for width in (*(one for one in WIDTHS if one != self.width), self.width):
            self.page.set_viewport_size({"width": width, "height": 900})
            self._measure(f"at {width}")
        self.page.evaluate(self.axe)
        for impact, rule, places in self.page.evaluate(CHECK):
            if impact in SERIOUS:
                self._note(f"axe: {rule} ({impact}) {places[:3]}")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("language", "scheme", "width"), [("en-GB", "dark", 1280), ("zh-CN", "light", 390)], ids=["english", "chinese"]
)
def test_every_page_loads_without_error_is_narrow_enough_and_axe_finds_nothing_serious(
    browser: Any, demo: tuple[str, str], language: str, scheme: str, width: int
) -> None:
    axe = node_project(Path(__file__).parent).folder / "node_modules" / "axe-core" / "axe.min.js"
    address, key = demo
    context = browser.new_context(locale=language, color_scheme=scheme)
    try:
        visitor = Visitor(context.new_page(), address, axe.read_text("utf-8"), width)
        visitor.page.goto(f"{address}/sign-in?next=/desk")
        visitor.page.fill("#key", key)
        with visitor.page.expect_navigation():
            visitor.page.keyboard.press("Enter")
        assert visitor.page.get_attribute("html", "lang") == language[:2]
        visitor.go_everywhere()
    finally:
        context.close()
    assert visitor.troubles == [], "\n".join(visitor.troubles)
    assert pages() - {kind.partition("?")[0] for kind in visitor.visited} == set()


def pages() -> set[str]:
    """Every kind of page that the desk serves."""
    ways = {re.sub(r"\{\w+:int\}|\{month\}", "#", path) for method, path, _ in PAGES if method == "GET"}
    ways = {re.sub(r"(rules|runbooks)/\{\w+\}", r"\1/*", path) for path in ways if not FILES.search(path)}
    return (ways - {"/catalog/{name}"}) | {f"/catalog/{layer}.*" for layer in ("core", "mart", "raw")}
