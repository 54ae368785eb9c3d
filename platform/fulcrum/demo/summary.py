"""What the demo shows of what happened: faults and verdicts, counts by feed, values against the truth."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import psycopg
from rich.table import Table

from fulcrum.demo.arrivals import Arrival
from fulcrum.demo.plan import TRUTH, Plan

CENT = Decimal("0.01")


def faults_table(arrivals: Sequence[Arrival]) -> Table:
    """One line for each planted fault: what was expected, and what Fulcrum said."""
    table = Table(title="What was planted, and what Fulcrum said", title_justify="left", expand=True)
    table.add_column("planted", style="bold", no_wrap=True)
    table.add_column("file", overflow="fold")
    table.add_column("said", no_wrap=True)
    table.add_column("quarantined", justify="right")
    table.add_column("because", ratio=1)
    for arrival in arrivals:
        if not arrival.planned.fault:
            continue
        said, style = str(arrival.report.outcome), "green" if arrival.as_expected else "red"
        table.add_row(
            arrival.planned.fault,
            arrival.report.file,
            f"[{style}]{said}[/]",
            f"{arrival.report.rows_quarantined:,}",
            _because(arrival),
        )
    return table


def _because(arrival: Arrival) -> str:
    report = arrival.report
    telling = [message for message in report.messages if arrival.planned.told_by and arrival.planned.told_by in message]
    if telling:
        return telling[0]
    if report.outcome in ("refused", "no_op"):
        return report.messages[0]
    return f"{report.rows_published:,} rows published, {report.rows_superseded:,} superseded"


def feeds_table(arrivals: Sequence[Arrival]) -> Table:
    """Counts of files and rows by feed."""
    table = Table(title="What arrived and what became of it", title_justify="left")
    for heading in ("feed", "files", "rows in", "quarantined", "published", "superseded", "blocked", "refused"):
        table.add_column(heading, justify="left" if heading == "feed" else "right")
    for feed in dict.fromkeys(arrival.report.feed for arrival in arrivals):
        reports = [arrival.report for arrival in arrivals if arrival.report.feed == feed]
        table.add_row(
            feed,
            f"{len(reports):,}",
            *(
                f"{sum(getattr(report, name) for report in reports):,}"
                for name in ("rows_in", "rows_quarantined", "rows_published", "rows_superseded")
            ),
            *(f"{sum(report.outcome == outcome for report in reports):,}" for outcome in ("blocked", "refused")),
        )
    return table


@dataclass(frozen=True)
class NavCheck:
    """Net asset values in the warehouse against the known truth.

    `equal` agree to the cent. `marked` differ and say so themselves: incomplete, flagged, resting on a
    warned file or an older price. `unknowable` rest on a price that the vendor merely repeated, before
    there were enough repetitions to tell. `silent` differ without any of that.
    """

    equal: int
    marked: int
    unknowable: int
    silent: tuple[str, ...]


def check_navs(connection: psycopg.Connection[Any], plan: Plan) -> NavCheck:
    """Compare every (portfolio, day) with the plan's truth."""
    truth = json.loads((plan.folder / TRUTH).read_text(encoding="utf-8"))
    rows = connection.execute(
        """
        select p.portfolio_code, n.business_date::text, n.nav_base,
               not n.is_complete or n.positions_flagged > 0 or n.oldest_price_date < n.business_date
                 or said.verdict <> 'passed'
                 or exists (select from governance.publication r
                             where r.feed = 'house_holdings' and r.business_date_to = n.business_date
                               and r.rows_superseded > 0)
          from mart.portfolio_nav n
          join core.portfolio p using (portfolio_id)
          join governance.publication said on said.publication_id = n.published_in
         where n.superseded_in is null
        """
    ).fetchall()
    found = {(code, day): (nav, is_marked) for code, day, nav, is_marked in rows}
    counts: Counter[str] = Counter()
    silent = []
    for code, days in truth["nav"].items():
        for day, true in days.items():
            nav, is_marked = found.get((code, day), (None, False))
            if nav is not None and abs(nav - Decimal(true)) < CENT:
                counts["equal"] += 1
            elif is_marked:
                counts["marked"] += 1
            elif day in truth["repeated_price"] and code in truth["repeated_price"][day]:
                counts["unknowable"] += 1
            else:
                silent.append(f"{code} {day}: {nav} instead of {true}")
    return NavCheck(counts["equal"], counts["marked"], counts["unknowable"], tuple(silent))
