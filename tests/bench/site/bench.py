"""Time of every page of the desk at the size that the budget names, against 300 ms each.

A client on the same machine measures from its request to the last byte: a figure is the server's time and a little.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import httpx
from rich.console import Console
from rich.table import Table

from fulcrum.settings import Settings
from fulcrum.warehouse.engine import connect
from tests.bench.figures import Figure, median, seconds
from tests.bench.graph.bench import warehouse
from tests.bench.graph.processes import cpu_seconds, free_port, fulcrum, python_environment, served
from tests.bench.processor import processor_seconds
from tests.bench.site.history import DAYS, LAST_DAY, REFUSED, RULES, Size, write
from tests.factories.access import make_key

BUDGET_MS = 300.0
TIMES = 9
"""Requests of a page in a round, after one that is not counted: the first reads the YAML of all rules once."""

RUNNING = f"/desk/reports/{LAST_DAY[:7]}"

_UNTIL_COUNTED = 0.3
"""Seconds: a backend that is just ending is counted by nobody."""


def run(settings: Settings, folder: Path, rows: int, rounds: int, console: Console) -> list[Figure]:
    """The pages over five results for each of `rows`; the budget is meant at 1,000,000."""
    del settings
    size = Size(max(10, 5 * rows // (DAYS * RULES)))
    with warehouse(folder / "site") as own:
        write(own, size, console.print)
        return measure(own, size, rounds, console)


def measure(own: Settings, size: Size, rounds: int, console: Console) -> list[Figure]:
    """The figures over a warehouse that is written already."""
    with connect(own) as connection:
        key = make_key(connection, "reader", roles=["administrator"])
    port = free_port()
    with (
        served(fulcrum(port), port, python_environment(own.home)) as pid,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=120) as client,
    ):
        sent = client.post("/sign-in", data={"key": key, "next": "/desk"}, headers={"Sec-Fetch-Site": "same-origin"})
        assert sent.status_code == 303, sent.text
        asked = pages(size)
        found: dict[str, list[float]] = {path: [] for path in asked}
        for path in asked:
            answer = client.get(path)
            assert answer.status_code == 200, f"{path}: {answer.status_code}"
        for _ in range(rounds * TIMES):  # all pages by turns: what else runs on the machine meets them alike
            for path, times in found.items():
                times.append(1_000 * seconds(lambda path=path: client.get(path)))  # type: ignore[misc]
        first = [1_000 * seconds(lambda path=path: client.get(path)) for path in first_looks()]  # type: ignore[misc]
        running = [1_000 * seconds(lambda: client.get(RUNNING)) for _ in range(TIMES)]
        processor = {path: _processor(own, pid, lambda path=path: client.get(path)) for path in asked}  # type: ignore[misc]
    _show(found, processor, console)
    slowest = max(found, key=lambda path: _p95(found[path]))
    note = f"{size.results:,} results, {len(found)} pages; slowest p95: {slowest}"
    medians = [median(times) for times in found.values()]
    return [
        Figure("desk page, slowest median", max(medians), "ms", BUDGET_MS, note=note),
        Figure("desk page, slowest p95", _p95(found[slowest]), "ms", BUDGET_MS),
        Figure(
            "desk page, most processor time",
            max(processor.values()),
            "ms",
            BUDGET_MS,
            note="what a quiet machine takes",
        ),
        Figure("desk page, median of all", median(medians), "ms"),
        Figure("report of a closed month, first look", median(first), "ms", BUDGET_MS, note="then it is kept"),
        Figure("report of the running month", median(running), "ms", BUDGET_MS, note="read anew at each look"),
    ]


def pages(size: Size) -> list[str]:
    """Addresses of every kind of page, first ones, filtered ones and such deep in a list."""
    good, stopped = size.feeds * (DAYS - 1) + 3, size.stopped
    rule = "holding.control_total"
    return [
        "/desk",
        f"/desk?day={LAST_DAY}",
        "/desk?day=2026-06-01",
        "/desk?feed=house_prices",
        "/desk?before=2026-05-01&after=feed_0005",
        f"/desk/deliveries/{good}",
        f"/desk/deliveries/{stopped}",
        f"/desk/deliveries/{stopped}?row={REFUSED - 50}&id=1",
        f"/desk/deliveries/{size.warned}",
        f"/desk/deliveries/{size.warned}/rules/{rule}",
        f"/desk/deliveries/{size.warned}/rules/{rule}/rows.csv",
        "/desk/exceptions",
        "/desk/exceptions?state=all",
        "/desk/exceptions?severity=critical&feed=house_holdings",
        "/desk/exceptions?owner=person1&state=assigned",
        "/desk/exceptions?rank=2&due=2026-11-25&id=100",
        "/desk/exceptions/1",
        "/desk/waivers",
        "/desk/waivers?state=asked",
        "/desk/waivers/3",
        f"/desk/rules/{rule}",
        f"/desk/rules/{rule}?before={size.feeds * 100}",
        "/desk/reconciliation",
        "/desk/reconciliation?name=custody_positions&class=quantity",
        "/desk/reconciliation?name=custody_positions&day=2026-09-01",
        "/desk/overrides",
        "/desk/reports",
        "/desk/reports/2026-09",
        "/catalog",
        "/catalog/core.holding",
        "/catalog/raw.house_holdings",
        "/catalog/mart.position_valuation",
    ]


def first_looks() -> list[str]:
    """A closed month as of moments that nobody has asked for."""
    return [f"/desk/reports/2026-09?known=2026-10-08T00:00:{second:02}Z" for second in range(TIMES)]


def _processor(own: Settings, pid: int, ask: Callable[[], object]) -> float:
    """Milliseconds of processor time of one request: of the API, the server and this client."""

    def so_far() -> float:
        time.sleep(_UNTIL_COUNTED)
        return processor_seconds(own) + sum(cpu_seconds(pid).values())

    before = so_far()
    for _ in range(TIMES):
        ask()
    return 1_000 * (so_far() - before) / TIMES


def _p95(times: list[float]) -> float:
    return sorted(times)[min(len(times) - 1, int(0.95 * len(times)))]


def _show(found: dict[str, list[float]], processor: dict[str, float], console: Console) -> None:
    table = Table(title=f"Server time of a page in ms; at most {BUDGET_MS:g}")
    for heading in ("page", "median", "p95", "best", "processor"):
        table.add_column(heading, justify="left" if heading == "page" else "right")
    for path, times in found.items():
        numbers = median(times), _p95(times), min(times), processor[path]
        style = "red" if numbers[1] > BUDGET_MS else ""
        table.add_row(path, *(f"{number:,.0f}" for number in numbers), style=style)
    console.print(table)
